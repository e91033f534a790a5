"""Reads files on GitHub without a checkout, and none of them twice."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from digestbot.forge.blob_cache import BlobCache
from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.reading import dig, text
from digestbot.forge.github.session import Session
from digestbot.forge.github.trees import TreeReader
from digestbot.forge.interface import Interest
from digestbot.forge.repo import Entry, Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha

MAX_BLOB = 1024 * 1024
BATCH = 50
_BY_OID = ("oid", "GitObjectID")
_BY_PLACE = ("expression", "String")
_ODD_PARTS = frozenset({"", ".", "..", ".git"})


class GitHubContents:
    """The files of repos; the cache holds what was read before, in this run or another."""

    def __init__(self, session: Session, cache: BlobCache, interest: Interest) -> None:
        self._session = session
        self._cache = cache
        self._interest = interest

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """The files of the repo's head that are of interest, in order of path.

        Their paths are as the repo has them: nothing is said of what they are fit for.

        Raises:
            ForgeError: They cannot be listed.
        """
        if repo.tree is None:
            return ()
        # What one GitHub says of a tree is no word of another one.
        key = f"entries {self._interest.key} {self._session.settings.api_url} {repo.tree}"
        known = _unpack(self._cache.get_list(key))
        if known is not None:
            return known
        found = TreeReader(self._session, repo_path(repo), self._interest).read(repo.tree)
        packed = [[one.path, one.mode, one.sha.value, one.size] for one in found]
        self._cache.put_list(key, packed)
        return tuple(found)

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """The bytes of these blobs, each checked against its name.

        Those that are gone, or larger than 1 MiB, lack.

        Raises:
            ForgeError: They cannot be read.
        """
        wanted = list(dict.fromkeys(shas))
        found = {sha: data for sha in wanted if (data := self._cache.get(sha)) is not None}
        missing = {sha.value: sha for sha in wanted if sha not in found}
        for value, answer in self._ask(repo, _BY_OID, list(missing)):
            sha = missing[value]
            data = self._take(repo, sha, answer)
            if data is not None:
                found[sha] = data
        return found

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of these files at another commit of the repo.

        Those that are gone, or larger than 1 MiB, lack.

        Raises:
            ForgeError: They cannot be read.
        """
        found: dict[str, bytes] = {}
        places = {f"{commit}:{path}": path for path in paths if _is_plain(path)}
        for place, answer in self._ask(repo, _BY_PLACE, list(places)):
            if isinstance(answer, ForgeError):
                raise answer
            try:
                sha = ObjectSha.parse(text(answer, "oid"))
            except ValueError:
                continue
            known = self._cache.get(sha)
            data = self._take(repo, sha, answer) if known is None else known
            if data is not None:
                found[places[place]] = data
        return found

    def _ask(
        self, repo: Repo, argument: tuple[str, str], values: Sequence[str]
    ) -> Iterator[tuple[str, object]]:
        """What GitHub has under each of these values: an object, None, or what went wrong."""
        owner, _, name = repo.name.partition("/")
        for start in range(0, len(values), BATCH):
            batch = {f"o{place}": one for place, one in enumerate(values[start : start + BATCH])}
            variables = {"owner": owner, "name": name, **batch}
            partial = self._session.graphql_partial(_document(argument, batch), variables)
            answers = dig(partial.data, "repository")
            if not isinstance(answers, Mapping):
                raise next(iter(partial.errors.values()), _unknown(repo))
            for alias, value in batch.items():
                answer = answers.get(alias)
                error = partial.errors.get(("repository", alias))
                yield value, error if answer is None and error is not None else answer

    def _take(self, repo: Repo, sha: ObjectSha, answer: object) -> bytes | None:
        """The bytes of a blob that GraphQL was asked for; by REST where they are no text."""
        if answer is None or (isinstance(answer, Mapping) and not _is_small_blob(answer)):
            return None
        data = text(answer, "text").encode("utf-8", "replace")
        if not sha.names("blob", data):
            data = self._fetch(repo, sha)
        if len(data) > MAX_BLOB or not sha.names("blob", data):
            return None
        self._cache.put(sha, data)
        return data

    def _fetch(self, repo: Repo, sha: ObjectSha) -> bytes:
        try:
            blob = self._session.rest("GET", f"{repo_path(repo)}/git/blobs/{sha}").data
        except RefusedError as error:
            if error.code != "not-found-or-no-access":
                raise
            return b""
        try:
            return base64.b64decode(text(blob, "content"))
        except (binascii.Error, ValueError):
            return b""


def repo_path(repo: Repo) -> str:
    """Where REST has a repo: `/repos/acme/app`."""
    return f"/repos/{quote(repo.name)}"


def _document(argument: tuple[str, str], aliases: Iterable[str]) -> str:
    name, kind = argument
    names = list(aliases)
    declared = "".join(f", ${alias}: {kind}!" for alias in names)
    asked = "\n".join(f"    {alias}: object({name}: ${alias}) {{ ...Read }}" for alias in names)
    return f"""
query Blobs($owner: String!, $name: String!{declared}) {{
  repository(owner: $owner, name: $name) {{
{asked}
  }}
}}
fragment Read on GitObject {{ __typename oid ... on Blob {{ text isBinary isTruncated byteSize }} }}
"""


def _is_small_blob(answer: Mapping[str, object]) -> bool:
    size = answer.get("byteSize")
    is_small = not isinstance(size, int) or size <= MAX_BLOB
    return answer.get("__typename") == "Blob" and is_small


def _is_plain(path: str) -> bool:
    """Whether a path is one that a sane repo has: it becomes part of a question."""
    return path.isprintable() and not _ODD_PARTS.intersection(path.split("/"))


def _unpack(packed: object) -> tuple[Entry, ...] | None:
    """The entries that a kept list holds; None where it is none."""
    if not isinstance(packed, list):
        return None
    try:
        return tuple(
            Entry(str(path), Mode(mode), ObjectSha.parse(sha), size)
            for path, mode, sha, size in packed
        )
    except (ValueError, TypeError):
        return None


def _unknown(repo: Repo) -> ForgeError:
    message = f"{repo.name} is gone, or no longer open to the token"
    return RefusedError(message, code="not-found-or-no-access")

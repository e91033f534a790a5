"""The files of a commit, by GitHub's lists of trees.

Source: docs.github.com, "Get a tree": at most 100,000 entries, or 7 MB; more is cut off, said
by `truncated`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from digestbot.forge.errors import ForgeError
from digestbot.forge.github.reading import dig, items, text
from digestbot.forge.github.session import Session
from digestbot.forge.interface import Interest
from digestbot.forge.repo import Entry, Mode
from digestbot.forge.sha import ObjectSha

MOST_REQUESTS = 300
_FILES = frozenset({"blob", "commit"})
_TREE = "tree"


class TreeReader:
    """Reads one tree: in one request, or folder by folder where that is cut off."""

    def __init__(self, session: Session, repo_path: str, interest: Interest) -> None:
        self._session = session
        self._repo_path = repo_path
        self._interest = interest
        self._left = MOST_REQUESTS

    def read(self, tree: ObjectSha) -> list[Entry]:
        """The entries of interest, in order of path.

        Raises:
            ForgeError: They cannot be listed; `tree-too-large` if that takes too many requests.
        """
        found: list[Entry] = []
        folders = [("", tree)]
        while folders:
            folder, sha = folders.pop()
            listed = self._list(sha, is_recursive=True)
            if dig(listed, "truncated") is True:
                listed = self._list(sha, is_recursive=False)
                if dig(listed, "truncated") is True:
                    raise self._too_large()
                folders += self._folders(listed, folder)
            found += self._entries(listed, folder)
        return sorted(found, key=lambda entry: entry.path)

    def _list(self, sha: ObjectSha, *, is_recursive: bool) -> Mapping[str, object]:
        self._left -= 1
        if self._left < 0:
            raise self._too_large()
        query = {"recursive": "1"} if is_recursive else None
        path = f"{self._repo_path}/git/trees/{sha}"
        data = self._session.rest("GET", path, query=query).data
        if not isinstance(data, dict) or not isinstance(data.get("tree"), list):
            raise self._malformed()
        return data

    def _folders(self, listed: object, folder: str) -> Iterator[tuple[str, ObjectSha]]:
        for one in items(dig(listed, "tree")):
            if text(one, "type") == _TREE:
                yield f"{folder}{text(one, 'path')}/", self._sha(one)

    def _entries(self, listed: object, folder: str) -> Iterator[Entry]:
        for one in items(dig(listed, "tree")):
            path = folder + text(one, "path")
            if text(one, "type") in _FILES and self._interest.matches(path):
                size = dig(one, "size")
                yield Entry(
                    path=path,
                    mode=_mode(text(one, "mode")),
                    sha=self._sha(one),
                    size=size if isinstance(size, int) else None,
                )

    def _sha(self, one: object) -> ObjectSha:
        try:
            return ObjectSha.parse(text(one, "sha"))
        except ValueError:
            raise self._malformed() from None

    def _too_large(self) -> ForgeError:
        return ForgeError(
            f"{self._repo_path}: its tree is too large for GitHub to list",
            code="tree-too-large",
            hint="read it through git instead",
        )

    def _malformed(self) -> ForgeError:
        return ForgeError(f"{self._repo_path}: its tree cannot be understood", code="malformed")


def _mode(written: str) -> Mode:
    try:
        return Mode(written)
    except ValueError:
        # Old commits hold modes as 100664, which git reads as 100644.
        return Mode.FILE

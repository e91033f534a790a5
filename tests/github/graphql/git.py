"""Refs, commits, trees and blobs."""

from __future__ import annotations

from typing import Any

from tests.github.clock import stamp
from tests.github.graphql.context import (
    Commit,
    GitObject,
    Info,
    Ref,
    attributes,
    connection,
    context,
    resolves,
)
from tests.github.graphql.repository import filtered
from tests.github.objects import Person
from tests.github.rest.git import resolve
from tests.github.state import Repo, node_id

_TEXT_LIMIT = 512_000


def object_of(repo: Repo, sha: str) -> Commit | GitObject | None:
    """The object of this name in the repo."""
    found = repo.git.objects.find(sha)
    if found is None:
        return None
    commit = repo.git.objects.commit(sha)
    return Commit(repo, commit) if commit else GitObject(repo, sha, found[0])


attributes(
    "Ref",
    id=lambda one: one.id,
    name=lambda one: one.name.removeprefix(one.prefix),
    prefix=lambda one: one.prefix,
    target=lambda one: object_of(one.repo, one.sha),
    repository=lambda one: one.repo,
)


@resolves("Ref.associatedPullRequests")
def associated(source: Ref, info: Info, **asked: Any) -> dict[str, Any]:
    branch = source.name.removeprefix("refs/heads/")
    known = [one for one in source.repo.pulls if one.head_ref == branch]
    known = [one for one in known if one.head_repo is source.repo]
    return connection(filtered(known, asked), **asked)


attributes(
    "Commit",
    id=lambda one: f"C_{one.commit.sha}",
    oid=lambda one: one.commit.sha,
    abbreviatedOid=lambda one: one.commit.sha[:7],
    message=lambda one: one.commit.message,
    messageHeadline=lambda one: one.commit.message.split("\n")[0],
    tree=lambda one: GitObject(one.repo, one.commit.tree, "tree"),
    repository=lambda one: one.repo,
    author=lambda one: _person(one.commit.author),
    committer=lambda one: _person(one.commit.committer),
    committedDate=lambda one: stamp(one.commit.committer.at),
    authoredDate=lambda one: stamp(one.commit.author.at),
)


def _person(person: Person) -> dict[str, Any]:
    return {"name": person.name, "email": person.email, "date": stamp(person.at)}


@resolves("Commit.parents")
def parents(source: Commit, info: Info, **asked: Any) -> dict[str, Any]:
    return connection([object_of(source.repo, one) for one in source.commit.parents], **asked)


@resolves("Commit.statusCheckRollup")
def rollup(source: Commit, info: Info) -> dict[str, Any] | None:
    context(info).allow(source.repo, "checks")
    state = source.repo.conclusion(source.commit.sha)
    if state is None:
        return None
    return {"id": f"SCR_{source.commit.sha}", "state": state, "commit": source}


@resolves("StatusCheckRollup.contexts")
def contexts(source: dict[str, Any], info: Info, **asked: Any) -> dict[str, Any]:
    commit: Commit = source["commit"]
    told = commit.repo.checks.get(commit.commit.sha, [])
    statuses = {one.name: one for one in told if one.is_status}
    return connection(
        [one for one in told if not one.is_status or statuses[one.name] is one], **asked
    )


attributes(
    "CheckRun",
    id=node_id,
    name=lambda one: one.name,
    status=lambda one: one.status.upper() if one.conclusion is None else "COMPLETED",
    conclusion=lambda one: one.conclusion and one.conclusion.upper(),
    startedAt=lambda one: None if one.status == "queued" else stamp(one.at),
    checkSuite=lambda one: {"id": f"CS_{one.suite}"},
)
attributes(
    "StatusContext",
    id=node_id,
    context=lambda one: one.name,
    state=lambda one: (one.conclusion or "pending").upper(),
    createdAt=lambda one: stamp(one.at),
)


@resolves("Repository.object")
def object_(
    source: Repo, info: Info, oid: str | None = None, expression: str | None = None
) -> Commit | GitObject | None:
    context(info).allow(source, "contents")
    if oid is not None:
        return object_of(source, oid)
    start, colon, path = (expression or "").partition(":")
    sha = resolve(source, start)
    found = object_of(source, sha) if sha else None
    if not colon:
        return found
    tree = found.commit.tree if isinstance(found, Commit) else sha
    entry = source.git.entry_at(tree, path) if tree else None
    return object_of(source, entry.sha) if entry else None


for _kind in ("Blob", "Tree"):
    attributes(
        _kind,
        id=lambda one: f"O_{one.sha}",
        oid=lambda one: one.sha,
        abbreviatedOid=lambda one: one.sha[:7],
        repository=lambda one: one.repo,
    )


def _bytes(source: GitObject) -> bytes:
    return source.repo.git.objects.blob(source.sha) or b""


@resolves("Blob.byteSize")
def byte_size(source: GitObject, info: Info) -> int:
    return len(_bytes(source))


@resolves("Blob.isBinary")
def is_binary(source: GitObject, info: Info) -> bool:
    return b"\0" in _bytes(source)[:8000]


@resolves("Blob.isTruncated")
def is_truncated(source: GitObject, info: Info) -> bool:
    return len(_bytes(source)) > _TEXT_LIMIT


@resolves("Blob.text")
def text(source: GitObject, info: Info) -> str | None:
    data = _bytes(source)
    if b"\0" in data[:8000]:
        return None
    return data[:_TEXT_LIMIT].decode("utf-8", "replace")


@resolves("Tree.entries")
def entries(source: GitObject, info: Info) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "path": one.name,
            "mode": int(one.mode, 8),
            "oid": one.sha,
            "type": one.kind,
            "size": len(source.repo.git.objects.blob(one.sha) or b""),
            "object": object_of(source.repo, one.sha),
            "repository": source.repo,
        }
        for one in source.repo.git.objects.tree(source.sha) or ()
    ]

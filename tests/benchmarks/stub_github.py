"""A GitHub for benchmarks only: one owner with thousands of repos, all of it in memory.

It answers what digestbot asks, by the name of the query or the end of the path, and checks
nothing: ten thousand bare repos behind the test GitHub would take minutes to make and to list.
Blobs have the names that git gives them; those of trees and commits are made up.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
_TIME = "2026-01-01T00:00:00Z"
# What else a repo of some age has in it; nothing that digestbot reads.
_OTHERS = tuple(f"src/package{number % 5}/module{number}.py" for number in range(60))
_LAST = {"hasNextPage": False, "endCursor": None}
_OPERATION = re.compile(r"\s*(?:query|mutation) (\w+)")


def _blob_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _name(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Commit:
    """A commit of a stub; its tree is named, its files are in `StubRepo.trees`."""

    tree: str
    parents: tuple[str, ...]
    message: str

    @property
    def sha(self) -> str:
        return _name(self.tree, self.parents, self.message)


@dataclass
class StubRepo:
    """A repo: its default branch, our branches, and open pull requests."""

    name: str
    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pulls: list[Json] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the default branch."""
        return self.trees[self.head.tree]

    @property
    def head(self) -> Commit:
        """The last commit of the default branch."""
        return self.commits[self.branches["main"]]

    def push(self, files: Mapping[str, bytes], message: str = "a push") -> None:
        """Commit these files to the default branch."""
        parents = (self.branches["main"],) if self.branches else ()
        tree = self.keep_tree({**(self.files if self.branches else {}), **files})
        self.branches["main"] = self.keep(Commit(tree, parents, message))

    def keep_tree(self, files: dict[str, bytes]) -> str:
        tree = _name(self.name, sorted(files.items()))
        self.trees[tree] = files
        return tree

    def keep(self, commit: Commit) -> str:
        self.commits[commit.sha] = commit
        return commit.sha

    def blob(self, sha: str) -> bytes | None:
        """The bytes of a file of the default branch."""
        return next((data for data in self.files.values() if _blob_name(data) == sha), None)


@dataclass
class StubGitHub:
    """The owner `acme`; `requests` counts by kind."""

    repos: dict[str, StubRepo] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, files: Mapping[str, bytes]) -> None:
        self.repos[name] = StubRepo(name)
        self.repos[name].push(files)

    def answer(self, verb: str, path: str, body: Json) -> object:
        """The JSON that answers a request; KeyError where the stub knows none."""
        if path.endswith("/graphql"):
            found = _OPERATION.match(body["query"])
            operation = found[1] if found else ""
            kind, answer = _QUERIES[operation]
            with self._lock:
                self.requests[kind] += 1
                return {"data": answer(self, body["variables"])}
        _, owner, name, *rest = path.removeprefix("/api/v3").removeprefix("/").split("/")
        kind, reply = _CALLS[verb, re.sub(r"\b([0-9a-f]{40}|\d+)\b", "*", "/".join(rest))]
        with self._lock:
            self.requests[kind] += 1
            return reply(self.repos[f"{owner}/{name}"], rest, body)

    def repo(self, variables: Json) -> StubRepo:
        return self.repos[f"{variables['owner']}/{variables['name']}"]

    def list_page(self, variables: Json) -> Json:
        names = list(self.repos)
        start = int(variables["after"] or 0)
        end = start + variables["first"]
        page = {"hasNextPage": end < len(names), "endCursor": str(end)}
        nodes = [_listed(self.repos[name]) for name in names[start:end]]
        return {"repositoryOwner": {"repositories": {"pageInfo": page, "nodes": nodes}}}

    def blobs(self, variables: Json) -> Json:
        repo = self.repo(variables)
        asked = {key: one for key, one in variables.items() if re.fullmatch(r"o\d+", key)}
        return {"repository": {key: _blob(repo, one) for key, one in asked.items()}}

    def survey(self, variables: Json) -> Json:
        repo = self.repo(variables)
        opened = {"pageInfo": _LAST, "nodes": repo.pulls}
        told: Json = {"open": opened} if "after" in variables else {}
        for key, branch in variables.items():
            if key.startswith("branch"):
                number = key.removeprefix("branch")
                told[f"ref{number}"] = _ref(repo, branch)
                told[f"ended{number}"] = {"pageInfo": _LAST, "nodes": []}
        return {"repository": told}

    def ref(self, variables: Json) -> Json:
        repo = self.repo(variables)
        head = repo.branches.get(variables["ref"].removeprefix("refs/heads/"))
        return {"repository": {"id": repo.name, "ref": head and {"target": {"oid": head}}}}

    def update_refs(self, variables: Json) -> Json:
        sent = variables["input"]
        for one in sent["refUpdates"]:
            branch = one["name"].removeprefix("refs/heads/")
            self.repos[sent["repositoryId"]].branches[branch] = one["afterOid"]
        return {"updateRefs": {"clientMutationId": None}}


def _listed(repo: StubRepo) -> Json:
    head = repo.head
    ours = [name for name in repo.branches if name.startswith("digestbot/")]
    return {
        "nameWithOwner": repo.name,
        "url": f"http://stub/{repo.name}",
        **dict.fromkeys(("isArchived", "isDisabled", "isFork", "isLocked"), False),
        "viewerPermission": "WRITE",
        "autoMergeAllowed": False,
        "deleteBranchOnMerge": False,
        "defaultBranchRef": {
            "name": "main",
            "target": {"oid": head.sha, "tree": {"oid": head.tree}},
        },
        "refs": {"pageInfo": _LAST, "nodes": [_our_ref(repo, name) for name in ours]},
    }


def _our_ref(repo: StubRepo, branch: str) -> Json:
    pulls = [pull for pull in repo.pulls if pull["headRefName"] == branch]
    return {
        "prefix": "refs/heads/",
        "name": branch,
        "target": {"oid": repo.branches[branch]},
        "associatedPullRequests": {"nodes": pulls},
    }


def _ref(repo: StubRepo, branch: str) -> Json | None:
    if branch not in repo.branches:
        return None
    commit = repo.commits[repo.branches[branch]]
    pulls = [pull for pull in repo.pulls if pull["headRefName"] == branch]
    return {
        "target": {
            "oid": commit.sha,
            "tree": {"oid": commit.tree},
            "parents": {"nodes": [{"oid": one} for one in commit.parents]},
            "message": commit.message,
        },
        "elsewhere": {"nodes": pulls},
        "associatedPullRequests": {"nodes": pulls},
    }


def _blob(repo: StubRepo, sha: str) -> Json | None:
    data = repo.blob(sha)
    if data is None:
        return None
    said = {"isBinary": False, "isTruncated": False, "byteSize": len(data)}
    return {"__typename": "Blob", "oid": sha, "text": data.decode(), **said}


def _tree(repo: StubRepo, rest: list[str], _body: Json) -> Json:
    entries = [
        {"path": path, "mode": "100644", "type": "blob", "sha": _blob_name(data), "size": len(data)}
        for path, data in repo.trees[rest[2]].items()
    ]
    entries += (
        {"path": path, "mode": "100644", "type": "blob", "sha": _name(path), "size": 4000}
        for path in _OTHERS
    )
    return {"sha": rest[2], "tree": entries, "truncated": False}


def _make_tree(repo: StubRepo, _rest: list[str], body: Json) -> Json:
    changed = {one["path"]: one["content"].encode() for one in body["tree"]}
    return {"sha": repo.keep_tree({**repo.trees[body["base_tree"]], **changed}), "tree": []}


def _make_commit(repo: StubRepo, _rest: list[str], body: Json) -> Json:
    commit = Commit(body["tree"], tuple(body["parents"]), body["message"])
    return {"sha": repo.keep(commit), "tree": {"sha": commit.tree}}


def _open_pull(repo: StubRepo, _rest: list[str], body: Json) -> Json:
    number, head = len(repo.pulls) + 1, repo.branches[body["head"]]
    checks = {"commit": {"oid": head, "statusCheckRollup": None}}
    pull = {
        "number": number,
        "url": f"http://stub/{repo.name}/pull/{number}",
        "state": "OPEN",
        "title": body["title"],
        "body": body["body"],
        "isDraft": False,
        "isCrossRepository": False,
        "headRefName": body["head"],
        "headRefOid": head,
        "baseRefName": body["base"],
        "author": {"login": "digestbot"},
        "viewerDidAuthor": True,
        "mergeable": "MERGEABLE",
        "mergeStateStatus": "CLEAN",
        "createdAt": _TIME,
        "updatedAt": _TIME,
        "files": {"nodes": [{"path": "Dockerfile"}]},
        "comments": {"nodes": []},
        "timelineItems": {"nodes": []},
        "commits": {"nodes": [checks]},
    }
    repo.pulls.append(pull)
    return {"number": number}


def _edit_pull(repo: StubRepo, rest: list[str], body: Json) -> Json:
    pull = repo.pulls[int(rest[1]) - 1]
    pull |= body
    return {"number": pull["number"]}


def _add_labels(repo: StubRepo, rest: list[str], _body: Json) -> list[Json]:
    pull = repo.pulls[int(rest[1]) - 1]
    pull["timelineItems"] = {"nodes": [{"__typename": "LabeledEvent"}]}
    return []


_QUERIES: dict[str, tuple[str, Callable[[StubGitHub, Json], Json]]] = {
    "ReposOfOwner": ("list", StubGitHub.list_page),
    "Blobs": ("blobs", StubGitHub.blobs),
    "Survey": ("survey", StubGitHub.survey),
    "Ref": ("ref", StubGitHub.ref),
    "UpdateRefs": ("write", StubGitHub.update_refs),
}
_CALLS: dict[tuple[str, str], tuple[str, Callable[[StubRepo, list[str], Json], object]]] = {
    ("GET", "git/trees/*"): ("tree", _tree),
    ("POST", "git/trees"): ("write", _make_tree),
    ("POST", "git/commits"): ("write", _make_commit),
    ("POST", "pulls"): ("write", _open_pull),
    ("PATCH", "pulls/*"): ("write", _edit_pull),
    ("POST", "issues/*/labels"): ("write", _add_labels),
}


@contextmanager
def stub_github() -> Iterator[StubGitHub]:
    """Serve in threads of this process; `url` is where."""
    github = StubGitHub()

    class Handler(_Handler):
        stub = github

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        github.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    stub: StubGitHub

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        sent = json.loads(self.rfile.read(length) or b"{}")
        is_made = self.command == "POST" and not self.path.endswith("graphql")
        status = 201 if is_made else 200
        try:
            made = self.stub.answer(self.command, urlsplit(self.path).path, sent)
        except (KeyError, ValueError, IndexError) as error:
            self.stub.requests[f"unknown: {self.command} {self.path}"] += 1
            status, made = 404, {"message": f"the stub knows no such thing: {error!r}"}
        body = json.dumps(made).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Keep quiet."""

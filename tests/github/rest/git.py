"""Trees, blobs, commits and refs."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from tests.github.errors import ApiError, not_found
from tests.github.objects import Person
from tests.github.pulls import refuse_push
from tests.github.rest.router import Call, Reply, paged, serves
from tests.github.state import Repo, Token

_MODES = {"100644", "100755", "120000", "160000", "040000"}
_BAD_REF = re.compile(r"\.\.|[\x00-\x20~^:?*\[\\\x7f]|//|/$|\.$|\.lock$|@\{")
_COMMITTER = Person("GitHub", "noreply@github.com", 0)


def _filled(repo: Repo) -> Repo:
    if not repo.git.refs("refs/heads/"):
        raise ApiError(409, "Git Repository is empty.")
    return repo


def resolve(repo: Repo, name: str) -> str | None:
    """The object behind a name: a sha, a branch, a tag or a whole ref."""
    if repo.git.objects.has(name):
        return name
    for prefix in ("refs/heads/", "refs/tags/", "refs/", ""):
        found = repo.git.ref(f"{prefix}{name}") if prefix or name.startswith("refs/") else None
        if found:
            return found
    return repo.head() if name == "HEAD" else None


@serves("GET /repos/{owner}/{repo}/git/trees/{tree_sha}")
def get_tree(call: Call) -> Reply:
    repo = _filled(call.repo("contents"))
    sha = resolve(repo, call.path["tree_sha"])
    if sha is None:
        raise not_found()
    commit = repo.git.objects.commit(sha)
    tree = commit.tree if commit else sha
    if repo.git.objects.tree(tree) is None:
        raise not_found()
    recursive = call.query.get("recursive", "") != ""
    limit = call.server.tree_limit if recursive else 1_000_000
    if call.is_cut and recursive:
        limit = max(1, sum(1 for _ in repo.git.walk(tree)) // 2)
    shape = call.server.shapes.tree(repo, tree, recursive=recursive, limit=limit)
    return Reply(200, {**shape, "sha": sha if commit is None else tree})


@serves("POST /repos/{owner}/{repo}/git/trees")
def create_tree(call: Call) -> Reply:
    repo = _filled(call.repo("contents", "write"))
    base = call.sent.get("base_tree")
    if base is not None:
        commit = repo.git.objects.commit(base)
        base = commit.tree if commit else base
        if repo.git.objects.tree(base) is None:
            raise ApiError(422, "base_tree is not a valid tree oid")
    if any(one["path"].startswith(".github/workflows/") for one in call.sent["tree"]):
        call.need_workflows()
    changes = {one["path"]: _change(repo, one) for one in call.sent["tree"]}
    sha = repo.git.changed_tree(base, changes)
    shape = call.server.shapes.tree(repo, sha, recursive=False, limit=1_000_000)
    return Reply(201, shape)


def _change(repo: Repo, entry: dict[str, Any]) -> tuple[str, str] | None:
    path = entry["path"]
    mode = entry.get("mode", "100644")
    if mode not in _MODES:
        raise ApiError(422, f"tree.mode {mode} is not valid")
    if path.startswith("/") or any(part in {"", ".", "..", ".git"} for part in path.split("/")):
        raise ApiError(422, f"tree.path contains a malformed path component: {path}")
    if "content" in entry:
        return mode, repo.git.objects.write("blob", entry["content"].encode())
    sha = entry.get("sha")
    if sha is None:
        return None
    if mode != "160000" and not repo.git.objects.has(sha):
        raise ApiError(422, f"tree.sha {sha} is not a valid blob")
    return mode, sha


@serves("GET /repos/{owner}/{repo}/git/blobs/{file_sha}")
def get_blob(call: Call) -> Reply:
    repo = _filled(call.repo("contents"))
    data = repo.git.objects.blob(call.path["file_sha"])
    if data is None:
        raise not_found()
    return Reply(200, call.server.shapes.blob(repo, call.path["file_sha"], data))


@serves("POST /repos/{owner}/{repo}/git/blobs")
def create_blob(call: Call) -> Reply:
    repo = _filled(call.repo("contents", "write"))
    data = call.sent["content"].encode()
    if call.sent.get("encoding", "utf-8") == "base64":
        try:
            data = base64.b64decode(data)
        except binascii.Error:
            raise ApiError(422, "content is not valid Base64") from None
    sha = repo.git.objects.write("blob", data)
    return Reply(201, {"sha": sha, "url": f"{call.server.shapes.repo_url(repo)}/git/blobs/{sha}"})


@serves("GET /repos/{owner}/{repo}/git/commits/{commit_sha}")
def get_commit(call: Call) -> Reply:
    repo = _filled(call.repo("contents"))
    commit = repo.git.objects.commit(call.path["commit_sha"])
    if commit is None:
        raise not_found()
    return Reply(200, call.server.shapes.commit(repo, commit))


@serves("POST /repos/{owner}/{repo}/git/commits")
def create_commit(call: Call) -> Reply:
    repo = _filled(call.repo("contents", "write"))
    sent = call.sent
    if repo.git.objects.tree(sent["tree"]) is None:
        raise ApiError(422, "Tree SHA does not exist")
    for parent in sent.get("parents", ()):
        if repo.git.objects.commit(parent) is None:
            raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    now = int(call.server.clock.now())
    author = _person(sent.get("author"), now) or _account(call.token, now)
    committer = _person(sent.get("committer"), now) or (
        _person(sent.get("author"), now) or Person(_COMMITTER.name, _COMMITTER.email, now)
    )
    sha = repo.git.objects.write_commit(
        sent["tree"], tuple(sent.get("parents", ())), author, committer, sent["message"]
    )
    is_app = call.token is not None and call.token.installation is not None
    if is_app and not sent.get("author") and not sent.get("committer"):
        repo.verified.add(sha)
    commit = repo.git.objects.commit(sha)
    if commit is None:
        raise LookupError(sha)
    return Reply(201, call.server.shapes.commit(repo, commit))


def _person(sent: Any, now: int) -> Person | None:
    if not sent or "name" not in sent:
        return None
    date = sent.get("date")
    at = int(datetime.fromisoformat(date).timestamp()) if date else now
    return Person(sent["name"], sent.get("email", ""), at)


def _account(token: Token | None, now: int) -> Person:
    if token is None:
        raise ApiError(401, "Requires authentication")
    account = token.account
    mail = f"{account.id}+{account.login}@users.noreply.github.com"
    return Person(account.login, mail, now)


# -- refs


def _name(call: Call) -> str:
    return f"refs/{call.path['ref']}"


@serves("GET /repos/{owner}/{repo}/git/ref/{ref}")
def get_ref(call: Call) -> Reply:
    repo = _filled(call.repo("contents"))
    sha = repo.git.ref(_name(call))
    if sha is None:
        raise not_found()
    return Reply(200, call.server.shapes.ref(repo, _name(call), sha))


@serves("GET /repos/{owner}/{repo}/git/matching-refs/{ref}")
def list_matching_refs(call: Call) -> Reply:
    repo = _filled(call.repo("contents"))
    refs = repo.git.refs(_name(call))
    return paged(call, list(refs.items()), lambda one: call.server.shapes.ref(repo, *one))


@serves("POST /repos/{owner}/{repo}/git/refs")
def create_ref(call: Call) -> Reply:
    repo = _filled(call.repo("contents", "write"))
    name, sha = call.sent["ref"], call.sent["sha"]
    if not name.startswith("refs/") or name.count("/") < 2 or _BAD_REF.search(name):
        raise ApiError(422, f"{name} is not a valid ref name.")
    if repo.git.ref(name) is not None:
        raise ApiError(422, "Reference already exists")
    put_ref(call, repo, name, sha)
    return Reply(201, call.server.shapes.ref(repo, name, sha))


@serves("PATCH /repos/{owner}/{repo}/git/refs/{ref}")
def update_ref(call: Call) -> Reply:
    repo = _filled(call.repo("contents", "write"))
    name, sha = _name(call), call.sent["sha"]
    old = repo.git.ref(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    if not repo.git.objects.has(sha):
        raise ApiError(422, "Object does not exist")
    if not call.sent.get("force", False) and not repo.git.is_ancestor(old, sha):
        raise ApiError(422, "Update is not a fast forward")
    put_ref(call, repo, name, sha)
    return Reply(200, call.server.shapes.ref(repo, name, sha))


@serves("DELETE /repos/{owner}/{repo}/git/refs/{ref}")
def delete_ref(call: Call) -> Reply:
    repo = _filled(call.repo("contents", "write"))
    if repo.git.ref(_name(call)) is None:
        raise ApiError(422, "Reference does not exist")
    put_ref(call, repo, _name(call), None)
    return Reply(204)


def put_ref(call: Call, repo: Repo, name: str, sha: str | None) -> None:
    """Set or delete a ref, with all that follows from it."""
    refuse_push(repo, name, sha)
    if sha is not None and not repo.git.objects.has(sha):
        raise ApiError(422, "Object does not exist")
    try:
        repo.git.set_ref(name, sha)
    except OSError:
        raise ApiError(422, "Reference update failed") from None
    call.pulls.settle(repo, call.actor)

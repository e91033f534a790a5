"""Commits on GitHub without a checkout; those of an App are shown as verified.

Source: docs.github.com, "About commit signature verification", "Signature verification for
bots": only commits without an author and a committer of their own are signed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.github.contents import repo_path
from digestbot.forge.github.failures import malformed
from digestbot.forge.github.reading import dig, items, text
from digestbot.forge.github.refs import expect, read_ref, swap
from digestbot.forge.github.session import Session
from digestbot.forge.github.strict import need_commit, need_object
from digestbot.forge.repo import Mode, Repo
from digestbot.forge.seal import sealed
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import DeleteBranch, FileChange, PushBranch

_FILES = frozenset({Mode.FILE, Mode.EXECUTABLE})
_WORKFLOWS = ".github/workflows/"
_NO = frozenset({"no-permission", "not-found-or-no-access", "refused"})
_WORKFLOW_HINT = "changes under .github/workflows need the `workflow` scope, or workflows: write"


def push_branch(session: Session, repo: Repo, step: PushBranch) -> None:
    """Make the commit, then lead the branch there.

    Raises:
        UnsettledError: The branch is not as expected, or nobody knows.
        RefusedError: GitHub forbids it.
    """
    for file in step.files:
        if file.mode not in _FILES:
            raise RefusedError(f"{file.path!r} is no plain file", code="no-file")
    ref = read_ref(session, repo, step.branch)
    expect(ref, step.expected)
    try:
        tree = _make_tree(session, repo, step)
        commit = _make_commit(session, repo, step, tree)
        swap(session, repo, ref, commit)
    except RefusedError as error:
        raise _about_workflows(error, step.files) from None


def delete_branch(session: Session, repo: Repo, step: DeleteBranch) -> None:
    """Delete the branch, if it is as expected; one that is gone already is fine.

    Raises:
        UnsettledError: It has something else, or nobody knows.
        RefusedError: GitHub forbids it.
    """
    ref = read_ref(session, repo, step.branch)
    if ref.head is not None:
        expect(ref, step.expected)
        swap(session, repo, ref, None)


def _make_tree(session: Session, repo: Repo, step: PushBranch) -> ObjectSha:
    base = _tree_of(session, repo, step.base)
    entries = [_entry(session, repo, file) for file in step.files]
    body = {"base_tree": str(base), "tree": entries}
    data = session.rest("POST", f"{repo_path(repo)}/git/trees", body).data
    try:
        tree = need_object(data, "sha")
    except ValueError:
        raise malformed(f"tree for {repo.name}", is_write=True) from None
    if tree == base:
        raise UnsettledError(f"{repo.name} has these files already", code="no-change")
    _check_top(repo, data, step.files)
    return tree


def _tree_of(session: Session, repo: Repo, commit: CommitSha) -> ObjectSha:
    if commit == repo.head and repo.tree is not None:
        return repo.tree
    data = session.rest("GET", f"{repo_path(repo)}/git/commits/{commit}").data
    try:
        return need_object(data, "tree", "sha")
    except ValueError:
        raise malformed(f"commit {commit} of {repo.name}", is_write=False) from None


def _entry(session: Session, repo: Repo, file: FileChange) -> dict[str, str]:
    entry = {"path": file.path, "mode": file.mode.value, "type": "blob"}
    if b"\0" not in file.content:
        try:
            return {**entry, "content": file.content.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {**entry, "sha": str(_make_blob(session, repo, file))}


def _make_blob(session: Session, repo: Repo, file: FileChange) -> ObjectSha:
    body = {"content": base64.b64encode(file.content).decode("ascii"), "encoding": "base64"}
    data = session.rest("POST", f"{repo_path(repo)}/git/blobs", body).data
    try:
        blob = need_object(data, "sha")
    except ValueError:
        raise malformed(f"file {file.path!r} of {repo.name}", is_write=True) from None
    if not blob.names("blob", file.content):
        raise RefusedError(f"GitHub changed the bytes of {file.path!r}", code="altered")
    return blob


def _check_top(repo: Repo, data: object, files: Sequence[FileChange]) -> None:
    """Compare what GitHub shows of its tree, which is the top folder, with what was meant.

    Raises:
        RefusedError: The tree holds other bytes, or another mode.
    """
    shown = {text(entry, "path"): entry for entry in items(dig(data, "tree"))}
    for file in files:
        entry = shown.get(file.path)
        if entry is None:
            continue
        try:
            is_same = need_object(entry, "sha").names("blob", file.content)
        except ValueError:
            raise malformed(f"tree for {repo.name}", is_write=True) from None
        if not is_same or text(entry, "mode") != file.mode.value:
            raise RefusedError(f"GitHub changed the bytes of {file.path!r}", code="altered")


def _make_commit(session: Session, repo: Repo, step: PushBranch, tree: ObjectSha) -> CommitSha:
    body = {
        "message": sealed(step.message, step.fingerprint, tree),
        "tree": str(tree),
        "parents": [str(step.base)],
    }
    data = session.rest("POST", f"{repo_path(repo)}/git/commits", body).data
    try:
        commit, made_of = need_commit(data, "sha"), need_object(data, "tree", "sha")
    except ValueError:
        raise malformed(f"commit for {repo.name}", is_write=True) from None
    if made_of != tree:
        raise RefusedError(f"GitHub made another commit for {repo.name}", code="altered")
    return commit


def _about_workflows(error: RefusedError, files: Sequence[FileChange]) -> RefusedError:
    """The refusal, with the most probable reason where GitHub gives none."""
    has_workflows = any(file.path.startswith(_WORKFLOWS) for file in files)
    if has_workflows and error.code in _NO:
        return RefusedError(str(error), code="no-workflow-permission", hint=_WORKFLOW_HINT)
    return error

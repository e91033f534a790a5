"""Branches are moved by compare-and-swap: only from the commit that was seen last."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.github.contents import repo_path
from digestbot.forge.github.failures import malformed
from digestbot.forge.github.reading import dig
from digestbot.forge.github.session import Session
from digestbot.forge.github.strict import need_commit, need_text
from digestbot.forge.repo import Repo
from digestbot.forge.sha import CommitSha

REF = """
query Ref($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name) { id ref(qualifiedName: $ref) { target { oid } } }
}
"""
UPDATE_REFS = """
mutation UpdateRefs($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}
"""
_UNKNOWN_MUTATION = "query-refused"
_RULES = (
    (
        ("verified signature", "must be signed"),
        "the repo wants signed commits: use a GitHub App, or push with git and a signing key",
    ),
    (
        ("protected ref", "protected branch", "rule violations"),
        "a rule of the repo forbids it: let digestbot's account bypass the rule",
    ),
)


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch as it is now; `head` None: it does not exist. `repo_id` is the repo's node."""

    repo_id: str
    branch: str
    head: CommitSha | None


def read_ref(session: Session, repo: Repo, branch: str) -> Ref:
    """The branch as it is now.

    Raises:
        ForgeError: It cannot be known.
    """
    owner, _, name = repo.name.partition("/")
    variables = {"owner": owner, "name": name, "ref": f"refs/heads/{branch}"}
    found = dig(session.graphql(REF, variables), "repository")
    try:
        target = dig(found, "ref")
        head = None if target is None else need_commit(target, "target", "oid")
        return Ref(need_text(found, "id"), branch, head)
    except ValueError:
        raise malformed(f"branch {branch} of {repo.name}", is_write=False) from None


def expect(ref: Ref, expected: CommitSha | None) -> None:
    """Make sure that the branch has what was seen last.

    Raises:
        UnsettledError: It has something else.
    """
    if ref.head != expected:
        now = ref.head or "gone"
        raise UnsettledError(
            f"the branch {ref.branch} is {now}, no longer {expected or 'gone'}",
            code="moved-meanwhile",
        )


def swap(session: Session, repo: Repo, ref: Ref, new: CommitSha | None) -> None:
    """Move the branch from what it has in `ref` to `new`; None deletes it.

    Raises:
        UnsettledError: Somebody else moved it, or nobody knows.
        RefusedError: A rule of the repo forbids it.
    """
    try:
        try:
            _update(session, ref, new)
        except RefusedError as error:
            if error.code != _UNKNOWN_MUTATION:
                raise
            _update_by_rest(session, repo, ref, new)
    except RefusedError as error:
        # GitHub does not document how it says that a branch was moved: so look.
        now = read_ref(session, repo, ref.branch)
        if now.head == new:
            return
        expect(now, ref.head)
        raise _by_rule(error) from None


def _update(session: Session, ref: Ref, new: CommitSha | None) -> None:
    none = "0" * len(str(new or ref.head))
    update = {
        "name": f"refs/heads/{ref.branch}",
        "beforeOid": str(ref.head or none),
        "afterOid": str(new or none),
        "force": True,
    }
    sent = {"input": {"repositoryId": ref.repo_id, "refUpdates": [update]}}
    session.graphql(UPDATE_REFS, sent, is_write=True)


def _update_by_rest(session: Session, repo: Repo, ref: Ref, new: CommitSha | None) -> None:
    """Move the branch where GitHub is too old for compare-and-swap: look, then write."""
    refs = f"{repo_path(repo)}/git/refs"
    path = f"{refs}/heads/{quote(ref.branch)}"
    if ref.head is None:
        # This fails where the branch exists, so that it is a compare-and-swap of its own.
        body = {"ref": f"refs/heads/{ref.branch}", "sha": str(new)}
        session.rest("POST", refs, body)
        return
    expect(read_ref(session, repo, ref.branch), ref.head)
    if new is None:
        session.rest("DELETE", path)
    else:
        session.rest("PATCH", path, {"sha": str(new), "force": True})


def _by_rule(error: RefusedError) -> ForgeError:
    said = str(error).lower()
    for texts, hint in _RULES:
        if any(text in said for text in texts):
            return RefusedError(str(error), code="protected", hint=hint)
    return error

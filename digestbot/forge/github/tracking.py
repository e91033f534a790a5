"""Issues are written: one for each thing that is tracked, however often writing it is tried."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from urllib.parse import quote

from digestbot.forge.github.failures import malformed
from digestbot.forge.github.reading import dig, items, text
from digestbot.forge.github.session import Session
from digestbot.forge.github.strict import need_number

MOST_TITLE = 256
MOST_BODY = 65_536
"""Characters.

Source: what GitHub answers to more: "body is too long (maximum is 65536 characters)".
"""
OPEN_ISSUES = """
query OpenIssues($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    issues(
      states: [OPEN], first: 50, after: $after, orderBy: {field: CREATED_AT, direction: DESC}
    ) { pageInfo { hasNextPage endCursor } nodes { number viewerDidAuthor body } }
  }
}
"""
# What was lost was opened of late: it is among the newest 200.
_MOST_PAGES = 4
_LONGEST_MARK = 200
_CUT = "\n\n… the rest is too long for an issue."


def track(session: Session, repo: str, number: int, title: str, body: str) -> int:
    """Write an issue, or anew into the one of this number, where it is not 0; its number.

    It is known again by the first line of its body where that is hidden (`<!-- … -->`), else by
    its title: where our own account has such an issue open, that one is written anew, and no
    second one is opened.

    Raises:
        UnsettledError: Nobody knows whether it was written: track it again.
        RefusedError: `gone`: the repo has no issues, or this one is no more; or another reason.
        ForgeError: It cannot be written.
    """
    mark = _mark(title, body)
    known = number or _find(session, repo, mark)
    sent = {"title": title[:MOST_TITLE], "body": _bounded(mark, body)}
    issues = f"/repos/{quote(repo)}/issues"
    if known:
        session.rest("PATCH", f"{issues}/{known}", sent)
        return known
    try:
        return need_number(session.rest("POST", issues, sent).data, "number")
    except ValueError:
        raise malformed(f"POST {issues}", is_write=True) from None


def _mark(title: str, body: str) -> str:
    """The hidden line that an issue is known by."""
    first = body.partition("\n")[0].strip()
    if first.startswith("<!--") and first.endswith("-->") and len(first) <= _LONGEST_MARK:
        return first
    return f"<!-- digestbot:issue:{hashlib.sha256(title.encode()).hexdigest()[:16]} -->"


def _bounded(mark: str, body: str) -> str:
    """The body under its mark, cut at the end of a line where it is too long."""
    whole = body if body.lstrip(" ").startswith(mark) else f"{mark}\n{body}"
    if len(whole) <= MOST_BODY:
        return whole
    kept = whole[: MOST_BODY - len(_CUT)]
    return (kept.rpartition("\n")[0] or kept) + _CUT


def _find(session: Session, repo: str, mark: str) -> int:
    """The newest open issue of ours with this mark; 0 without one."""
    for node in _open_issues(session, repo):
        # Anybody may write the mark of another into an issue.
        is_ours = dig(node, "viewerDidAuthor") is True
        if is_ours and text(node, "body").partition("\n")[0].strip() == mark:
            try:
                return need_number(node, "number")
            except ValueError:
                raise malformed(f"issues of {repo}", is_write=False) from None
    return 0


def _open_issues(session: Session, repo: str) -> Iterator[object]:
    owner, _, name = repo.partition("/")
    after: str | None = None
    for _ in range(_MOST_PAGES):
        variables = {"owner": owner, "name": name, "after": after}
        found = dig(session.graphql(OPEN_ISSUES, variables), "repository", "issues")
        yield from items(dig(found, "nodes"))
        after = text(found, "pageInfo", "endCursor")
        if dig(found, "pageInfo", "hasNextPage") is not True or not after:
            return

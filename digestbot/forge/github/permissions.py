"""What a token or an App may do with a target, found out by asking for it.

GitHub tells the scopes of classic tokens only. What others may write is tried with requests
that cannot succeed: whoever may not gets 403 or 404, whoever may gets 422.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError
from digestbot.forge.github.contents import repo_path
from digestbot.forge.github.listing import GitHubListing, Selection
from digestbot.forge.github.reading import dig, text
from digestbot.forge.github.session import Session
from digestbot.forge.repo import LeftOut, Repo

_NO_COMMIT = "0" * 40
_NO_BRANCH = "digestbot/asks-what-it-may-do"
# What GitHub says to a request that it would have allowed, were it not nonsense.
_ALLOWED = frozenset({"refused", "moved-meanwhile", "already-exists"})
_FEW = 100
_ACCESS_HINT = "give the token or the App access to repos, with permission to push"


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that digestbot needs; `hint` says what to do where `is_ok` is false."""

    name: str
    is_ok: bool
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Probe:
    """A request that only answers whether it would be allowed; its path is that in the repo."""

    name: str
    verb: str
    path: str
    body: object = None


def examine(session: Session, target: str, selection: Selection | None = None) -> Iterator[Access]:
    """What can be done with a target, tried on the first repo of it that is not left out.

    Args:
        session: With the token or the App in question.
        target: `owner` or `owner/repo`.
        selection: Which repos of the owner.
    """
    try:
        yield from _account(session)
        yield _budget(session)
        repo = _sample(session, target, selection or Selection(is_proposing=True))
    except ForgeError as error:
        yield Access(target, is_ok=False, message=str(error), hint=error.hint)
        return
    if isinstance(repo, LeftOut):
        yield Access(target, is_ok=False, message=repo.message, hint=_ACCESS_HINT)
        return
    yield Access(target, is_ok=True, message=f"tried with {repo.name}")
    for probe in _probes(repo):
        yield _try(session, repo, probe)


def _account(session: Session) -> Iterator[Access]:
    """Who speaks, and with which scopes where GitHub tells them."""
    if session.is_app:
        session.git_token().reveal()
        message = f"GitHub App {session.settings.app_id}, installed at {session.owner}"
        yield Access("account", is_ok=True, message=message)
        return
    answer = session.rest("GET", "/user")
    yield Access("account", is_ok=True, message=text(answer.data, "login"))
    told = answer.headers.get("x-oauth-scopes")
    if told is not None:
        yield from _scopes(frozenset(one.strip() for one in told.split(",")))


def _scopes(scopes: frozenset[str]) -> Iterator[Access]:
    """Source: docs.github.com, "Scopes for OAuth apps"."""
    if "repo" in scopes:
        yield Access("scope repo", is_ok=True, message="given")
    elif "public_repo" in scopes:
        yield Access("scope repo", is_ok=True, message="public_repo: for public repos only")
    else:
        hint = "give the token the scope repo, or public_repo for public repos"
        yield Access("scope repo", is_ok=False, message="missing", hint=hint)
    if "workflow" in scopes:
        yield Access("scope workflow", is_ok=True, message="given")
    else:
        hint = "without it, images in .github/workflows cannot be updated"
        yield Access("scope workflow", is_ok=False, message="missing", hint=hint)


def _budget(session: Session) -> Access:
    """How many requests are left of this hour; GitHub Enterprise Server may not count them."""
    try:
        data = session.rest("GET", "/rate_limit").data
    except RefusedError as error:
        if error.code != "not-found-or-no-access":
            raise
        return Access("rate limit", is_ok=True, message="not enforced")
    left = dig(data, "resources", "core", "remaining")
    limit = dig(data, "resources", "core", "limit")
    if not isinstance(left, int):
        return Access("rate limit", is_ok=True, message="not told")
    message = f"{left} of {limit} requests are left of this hour"
    hint = "" if left >= _FEW else "wait for the next hour; a GitHub App has a budget of its own"
    return Access("rate limit", left >= _FEW, message, hint)


def _sample(session: Session, target: str, selection: Selection) -> Repo | LeftOut:
    """A repo to try it with; else why there is none."""
    left_out = LeftOut(target, "empty", "it has no repo")
    for one in GitHubListing(session, target, selection).repos():
        if isinstance(one, Repo):
            return one
        left_out = one
    if "/" in target or left_out.name == target:
        return left_out
    message = f"no repo can be proposed to; of {left_out.name}: {left_out.message}"
    return LeftOut(target, "none", message)


def _probes(repo: Repo) -> Iterator[_Probe]:
    """Source: docs.github.com, "Permissions required for GitHub Apps"."""
    branch = quote(repo.default_branch)
    yield _Probe("contents: read", "GET", f"/git/ref/heads/{branch}")
    ref = {"ref": f"refs/heads/{_NO_BRANCH}", "sha": _NO_COMMIT}
    yield _Probe("contents: write", "POST", "/git/refs", ref)
    pull = {"title": "?", "head": _NO_BRANCH, "base": repo.default_branch}
    yield _Probe("pull requests: write", "POST", "/pulls", pull)
    yield _Probe("checks: read", "GET", f"/commits/{branch}/check-runs")
    yield _Probe("commit statuses: read", "GET", f"/commits/{branch}/status")


def _try(session: Session, repo: Repo, probe: _Probe) -> Access:
    try:
        session.rest(probe.verb, f"{repo_path(repo)}{probe.path}", probe.body)
    except DeferredError as error:
        return Access(probe.name, is_ok=False, message=str(error), hint=error.hint)
    except ForgeError as error:
        if error.code not in _ALLOWED:
            hint = error.hint or f"the token or the App needs {probe.name}"
            return Access(probe.name, is_ok=False, message=str(error), hint=hint)
    return Access(probe.name, is_ok=True, message="given")

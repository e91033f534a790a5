"""All repos that a token or an App reaches, whoever owns them: watched, and written issues in."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from digestbot.clock import Clock
from digestbot.forge.errors import RefusedError
from digestbot.forge.github.limits import Limiter
from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.github.tracking import track
from digestbot.forge.github.watching import statuses
from digestbot.forge.watching import PullId, PullStatus, Tracking, Watching

# What ails one owner alone: the others go on.
_ONE_OWNERS = frozenset({"not-installed", "suspended"})


class WideForge(Watching, Tracking, Protocol):
    """Watches and tracks in any repo. Safe to use from many threads. Close it in the end."""

    def close(self) -> None:
        """Let go of connections."""


class GitHubOwners:
    """One session for all owners, or, as a GitHub App has a token for each of them, one each."""

    def __init__(
        self, settings: GitHubSettings, limiter: Limiter | None = None, clock: Clock | None = None
    ) -> None:
        self._settings = settings
        self._limiter = limiter
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def statuses(self, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
        """See `Watching.statuses`."""
        by_owner: dict[str, list[PullId]] = {}
        for pull in pulls:
            by_owner.setdefault(self._owner(pull.repo), []).append(pull)
        found: dict[PullId, PullStatus] = {}
        for owner, ones in by_owner.items():
            found |= self._statuses(owner, ones)
        return found

    def track(self, repo: str, number: int, title: str, body: str) -> int:
        """See `Tracking.track`."""
        owner = self._owner(repo)
        session = self._session(owner, repo)
        try:
            return track(session, repo, number, title, body)
        except RefusedError as error:
            self._forget(owner, session, error)
            raise

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _statuses(self, owner: str, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
        session = self._session(owner, pulls[0].repo)
        try:
            return statuses(session, pulls)
        except RefusedError as error:
            self._forget(owner, session, error)
            if error.code not in _ONE_OWNERS:
                raise
            return {}

    def _owner(self, repo: str) -> str:
        return repo.partition("/")[0].lower() if self._settings.app_id else ""

    def _session(self, owner: str, repo: str) -> Session:
        with self._lock:
            if owner not in self._sessions:
                self._sessions[owner] = Session(self._settings, repo, self._clock, self._limiter)
            return self._sessions[owner]

    def _forget(self, owner: str, session: Session, error: RefusedError) -> None:
        """An App may be installed, or let in again, at any time: a session asks once."""
        if not self._settings.app_id or error.code not in _ONE_OWNERS:
            return
        with self._lock:
            if self._sessions.get(owner) is session:
                del self._sessions[owner]
        session.close()


def open_github_watching(
    settings: GitHubSettings, limiter: Limiter | None = None, *, clock: Clock | None = None
) -> WideForge:
    """Watching and tracking in all repos of one GitHub; close it in the end.

    Args:
        settings: Which GitHub, and as whom.
        limiter: Shared with others who speak with the same token.
        clock: Tells and passes the time.
    """
    return GitHubOwners(settings, limiter, clock)

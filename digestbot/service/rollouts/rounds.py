"""A step of a rollout, and what follows it: operators are told, its issue is written anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from digestbot.errors import DigestbotError
from digestbot.forge.errors import ForgeError
from digestbot.forge.watching import Tracking
from digestbot.registry.resolution import Query
from digestbot.rollout.machine import State
from digestbot.service.jobs import Stop
from digestbot.service.logs import Event, get_log
from digestbot.service.rollouts.driver import Driver
from digestbot.service.rollouts.news import note_news
from digestbot.service.rollouts.report import issue_body, issue_title
from digestbot.service.rollouts.standing_report import read_rollout
from digestbot.service.rollouts.ways import Ways
from digestbot.service.site import NOWHERE, Site
from digestbot.store import images, rollouts
from digestbot.store.database import Database
from digestbot.store.rollouts import Rollout

ISSUE_EVERY: Final = timedelta(minutes=5)
"""How often an issue is written anew where the rollout is in the state that it was in."""
_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the issue of each rollout is kept: a repo, and what writes there."""

    repo: str
    tracking: Tracking


@dataclass(frozen=True, slots=True)
class Tools:
    """What a step is made with; `ledger` is None where no issue is wanted."""

    ways: Ways
    ledger: Ledger | None = None


@dataclass
class Rounds:
    """Makes steps, and sees to what follows each; made once for a process.

    Attributes:
        open_tools: Opens what one step is made with.
        tell: Tells operators what is new to them.
        site: Where issues link to.
    """

    database: Database
    open_tools: Callable[[], AbstractContextManager[Tools]]
    tell: Callable[[], object] = lambda: None
    site: Site = NOWHERE
    _written: dict[str, tuple[State, datetime]] = field(default_factory=dict)
    _warned: set[tuple[str, str]] = field(default_factory=set)

    def all(self, stop: Stop) -> None:
        """One step of each that has something left to do; what fails is logged, and ends there.

        Raises:
            StoreError: The state cannot be read.
        """
        with self.database.reading() as connection:
            names = rollouts.unfinished(connection)
        for name in names:
            if stop.is_set():
                return
            try:
                self.step(name, stop)
            except DigestbotError as error:
                _log.warning(Event.ROLLOUT_FAILED, rollout=name, problem=str(error))

    def step(self, name: str, stop: Stop) -> Rollout | None:
        """One step of one; the rollout as it is then, None where there is none.

        Raises:
            StoreError: The state cannot be read or written.
            ForgeError: The forge cannot be asked how pull requests fare.
        """
        with self.database.reading() as connection:
            rollout = rollouts.get(connection, name)
        if rollout is None:
            return None
        with self.open_tools() as tools:
            self._warn_of_moves(rollout)
            # What people made of it is told even where this step goes on from there.
            self._tell_of(name, tools.ways.now())
            try:
                rollout = Driver(tools.ways, rollout, stop).step()
            finally:
                # Somebody may have been told something before it failed.
                self._follow(name, tools, stop)
        return rollout

    def _follow(self, name: str, tools: Tools, stop: Stop) -> None:
        now = tools.ways.now()
        rollout = self._tell_of(name, now)
        if rollout is not None and tools.ledger is not None and not stop.is_set():
            self._write_issue(rollout, tools.ledger, now)

    def _tell_of(self, name: str, now: datetime) -> Rollout | None:
        """Tell operators how it stands, where that is new to them."""
        with self.database.reading() as connection:
            rollout = rollouts.get(connection, name)
            targets = rollouts.targets(connection, name)
        if rollout is not None:
            note_news(self.database, rollout, targets, now)
            self.tell()
        return rollout

    def _write_issue(self, rollout: Rollout, ledger: Ledger, now: datetime) -> None:
        """Bring the issue up to date; that it cannot be written keeps no rollout from going on."""
        state, (written, at) = rollout.standing.state, self._written.get(rollout.id, (None, now))
        if state is written and now - at < ISSUE_EVERY:
            return
        report = read_rollout(self.database, rollout.id, now)
        body = issue_body(report, self.site.rollout(rollout.id))
        try:
            number = ledger.tracking.track(ledger.repo, rollout.issue, issue_title(rollout), body)
        except ForgeError as error:
            _log.warning(Event.ROLLOUT_FAILED, rollout=rollout.id, problem=f"its issue: {error}")
            return
        self._written[rollout.id] = (state, now)
        if number != rollout.issue:
            with self.database.begin() as connection:
                rollouts.note_issue(connection, rollout.id, number)

    def _warn_of_moves(self, rollout: Rollout) -> None:
        """Say once that a tag moved on: the plan stays what it is."""
        plan = rollout.plan
        for move in plan.moves:
            query = Query(move.to or move.image, move.platform)
            with self.database.reading() as connection:
                last = next(iter(images.history(connection, query, limit=1)), None)
            if last is None or last.digest == move.digest or last.first_seen <= plan.made_at:
                continue
            if (rollout.id, f"{query}@{last.digest}") not in self._warned:
                self._warned.add((rollout.id, f"{query}@{last.digest}"))
                _log.warning(
                    Event.ROLLOUT_TAG_MOVED,
                    rollout=rollout.id,
                    image=str(query),
                    digest=str(last.digest),
                    planned=str(move.digest),
                )

"""Who is told what: what changed since it was last told, in one message per notifier and cycle."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast, get_args

from digestbot.clock import Clock
from digestbot.config.serving import Event
from digestbot.service.logs import bound
from digestbot.service.notify.delivery import Delivery, deliver
from digestbot.service.notify.kinds import Recipient
from digestbot.service.notify.message import Message, News, Turn
from digestbot.service.notify.tally import ProposalTally
from digestbot.service.site import NOWHERE, Site
from digestbot.store import conditions
from digestbot.store.conditions import Change
from digestbot.store.database import Database

_AT_A_TIME = 8
_TURNS = list(Turn)
_EVENTS: Sequence[Event] = (
    "denied",
    "rollout",
    "cycle",
    "lookups",
    "repos",
    "held",
    "proposals",
)


@dataclass
class Notices:
    """Tells the recipients of one service; made once, for all of its cycles.

    A state is told once to each recipient: what was told is written down after it was
    delivered, so that a process that is killed in between tells it twice rather than never.
    What happened once is kept in memory until it is delivered.
    """

    database: Database
    recipients: Sequence[Recipient]
    clock: Clock = field(default_factory=Clock)
    site: Site = NOWHERE
    waiting: dict[str, ProposalTally] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, run: str, tally: ProposalTally | None = None) -> tuple[Delivery, ...]:
        """Tell everybody who wants to know what is new; nobody who has nothing to learn.

        A message that is not delivered is logged, counted in the answer, and tried again the
        next time.

        Args:
            run: The run that just ended; empty for none.
            tally: What became of proposals in it.

        Raises:
            StoreError: The state cannot be read or written.
        """
        now, news = datetime.fromtimestamp(self.clock.wall(), UTC), tally or ProposalTally()
        if not self.recipients:
            return ()
        # At the same time: several that are silent keep a service that is to end waiting once.
        # But one message after the other: two that are put together at once tell the same.
        with self._lock, ThreadPoolExecutor(min(len(self.recipients), _AT_A_TIME)) as pool:
            told = pool.map(lambda one: self._tell(one, run, news, now), self.recipients)
            return tuple(one for one in told if one is not None)

    def _tell(
        self, recipient: Recipient, run: str, tally: ProposalTally, now: datetime
    ) -> Delivery | None:
        name = recipient.notifier.name
        waiting = self.waiting.setdefault(name, ProposalTally())
        waiting.add(tally)
        with self.database.reading() as connection:
            changes = conditions.pending(connection, name)
        news = (*map(_news, changes), *waiting.news(run, now))
        wanted = sorted(
            (
                replace(one, link=self.site.about(one.subject))
                for one in news
                if one.event in recipient.events
            ),
            key=_importance,
        )
        delivery = None
        if wanted:
            with bound(run_id=run):
                delivery = deliver(recipient.notifier, Message(now, tuple(wanted), run))
        if delivery is None or delivery.is_ok:
            self._note_told(name, changes)
        return delivery

    def _note_told(self, name: str, changes: Sequence[Change]) -> None:
        """What is not wanted counts as told, so that it does not wait for ever."""
        self.waiting.pop(name, None)
        if changes:
            with self.database.begin() as connection:
                conditions.told(connection, name, changes)


def _news(change: Change) -> News:
    before, after = change.before, change.after
    shown = after or (change.last if before else None) or before
    if shown is None:
        raise ValueError("a change from nothing to nothing")
    turn = Turn.RESOLVED if after is None else Turn.CHANGED if before else Turn.NEW
    return News(
        turn,
        _event(shown.event),
        shown.subject,
        shown.state,
        shown.message,
        shown.hint if after else "",
        change.since,
    )


def _event(text: str) -> Event:
    """The event of a stored condition; of a kind that is no more, that of the whole service."""
    return cast(Event, text) if text in get_args(Event) else "cycle"


def _importance(news: News) -> tuple[int, int, str]:
    return _EVENTS.index(news.event), _TURNS.index(news.turn), news.subject

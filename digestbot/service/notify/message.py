"""What somebody is told: one message of several pieces of news."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from digestbot.config.serving import Event


class Turn(StrEnum):
    """What a piece of news says of a state."""

    NEW = "new"
    CHANGED = "changed"
    RESOLVED = "resolved"
    DONE = "done"


TURNS = {
    Turn.NEW: "It holds now, and did not before.",
    Turn.CHANGED: "It still holds, in another way.",
    Turn.RESOLVED: "It no longer holds.",
    Turn.DONE: "It happened once, and is no state.",
}


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell.

    Attributes:
        turn: Whether it began, changed or ended.
        event: What it is about; operators choose by it.
        subject: Whom or what: `registry:ghcr.io`, `repo:acme/app`.
        state: A stable slug; what it was, where it is resolved.
        message: One sentence. As the texts of repos and registries go into it, it is to be
            treated as hostile.
        hint: What to do about it; may be empty.
        since: When it began or ended; aware.
        link: The page of the dashboard about it; empty for none.
    """

    turn: Turn
    event: Event
    subject: str
    state: str
    message: str
    hint: str = ""
    since: datetime | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to one recipient after one cycle.

    Attributes:
        at: When it was put together; aware.
        news: In the order of importance.
        run: The run that found it out; empty for none.
        is_test: Nothing happened; somebody tries whether messages arrive.
    """

    at: datetime
    news: tuple[News, ...] = ()
    run: str = ""
    is_test: bool = False

    @property
    def title(self) -> str:
        """A line of our own words only: nothing in it comes from a repo or a registry."""
        if self.is_test:
            return "digestbot: a test message"
        counts = Counter(one.turn for one in self.news)
        parts = [f"{counts[turn]:,} {turn}" for turn in Turn if turn in counts]
        return f"digestbot: {', '.join(parts) or 'nothing new'}"


class Notifier(Protocol):
    """A way to tell somebody; safe to use from many threads, one message at a time."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    def send(self, message: Message, /) -> None:
        """Deliver the message, or say why not.

        Raises:
            NotifyError: It was not delivered, as far as can be told.
        """

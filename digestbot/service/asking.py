"""What an operator may ask of the service, and how it is taken: written down, then begun.

What is asked of repos stands in the state until they were worked on. Losing a job costs time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, Protocol, TypeAlias

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.image import ImageTag
from digestbot.service.jobs import Engine, Job
from digestbot.service.logs import Event, get_log
from digestbot.service.scheduler import CYCLE
from digestbot.service.scope import ASKED, IMAGE, REPO
from digestbot.store import acts, asks, ignores, images, repos
from digestbot.store.acts import Lately
from digestbot.store.database import Database

MOST_OWN, MOST_ALL, MOST_SCANS, WITHIN = 20, 60, 3, timedelta(minutes=10)
"""So many may be asked within that time: by one person, by all, and of looks at everything."""
MOST_IGNORES = 1000
LONGEST_REASON = 300
LONGEST_IGNORE = timedelta(days=365)
_EVERYTHING = "everything"
_WORDS: Final = {
    "scan": "scan now",
    "propose": "propose now",
    "retry": "try again",
    "ignore": "leave alone",
    "unignore": "leave alone no more",
}
"""What people do, as the buttons say it."""
_WHOLE: Final = {"what": "scan", "subject": _EVERYTHING}
_log = get_log(__name__)


class Refusal(StrEnum):
    """Why something that was asked for is not done."""

    UNKNOWN_REPO = "unknown-repo"
    UNKNOWN_IMAGE = "unknown-image"
    UNKNOWN_IGNORE = "unknown-ignore"
    LEFT_OUT = "left-out"
    TOO_MANY = "too-many"
    TOO_MANY_SCANS = "too-many-scans"
    TOO_MANY_IGNORES = "too-many-ignores"
    BAD_DAY = "bad-day"
    BAD_REASON = "bad-reason"
    UNKNOWN_ROLLOUT = "unknown-rollout"
    NOT_OF_ROLLOUT = "not-of-rollout"
    NOT_NOW = "not-now"
    CHANGED = "changed"
    TOO_FAR = "too-far"
    CHECKING = "checking"
    NOT_PULLABLE = "not-pullable"


REFUSALS: Final[dict[Refusal, str]] = {
    Refusal.UNKNOWN_REPO: "No target has a repo of this name.",
    Refusal.UNKNOWN_IMAGE: "No repo that this is about uses this image.",
    Refusal.UNKNOWN_IGNORE: "That has ended already, or never was.",
    Refusal.LEFT_OUT: "This repo is left out: nothing is looked at in it.",
    Refusal.TOO_MANY: f"Too much was asked for: {MOST_OWN} times in ten minutes by one person, or "
    f"{MOST_ALL} times by all, are the most. Wait a few minutes.",
    Refusal.TOO_MANY_SCANS: f"Everything was asked for {MOST_SCANS} times within ten minutes. "
    "Wait a few minutes.",
    Refusal.TOO_MANY_IGNORES: f"{MOST_IGNORES} images are ignored already. Take some back, or "
    "name them in the configuration.",
    Refusal.BAD_DAY: "The last day must be today or later, and within a year.",
    Refusal.BAD_REASON: f"A reason is needed, in one line of {LONGEST_REASON} characters at most.",
    Refusal.UNKNOWN_ROLLOUT: "There is no such rollout.",
    Refusal.NOT_OF_ROLLOUT: "The rollout does not reach a repo of this name.",
    Refusal.NOT_NOW: "The rollout cannot be told that now: see how it stands.",
    Refusal.CHANGED: "The rollout changed in this very moment: see how it stands.",
    Refusal.TOO_FAR: "Something speaks against starting this plan: see what, and start it on the "
    "command line where it is right all the same.",
    Refusal.CHECKING: "Registries are asked already whether there is a way back: see in half a "
    "minute how it stands.",
    Refusal.NOT_PULLABLE: "Nothing was done: not every digest that repos had is known to be there. "
    "See which, and go back all the same where that is right.",
}


class AskRefusedError(DigestbotError):
    """Something is not done that somebody asked for; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(REFUSALS[refusal])
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Scan:
    """Look now: at an image, or at a repo although nothing moved in it; at everything."""

    image: ImageTag | None = None
    repo: str = ""
    what: Literal["scan"] = "scan"

    @property
    def subject(self) -> str:
        """What it is about."""
        return str(self.image or self.repo or _EVERYTHING)


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask about an image again that could not be looked up, or work on a repo that failed."""

    image: ImageTag | None = None
    repo: str = ""
    what: Literal["retry"] = "retry"

    @property
    def subject(self) -> str:
        """What it is about."""
        return str(self.image or self.repo)


@dataclass(frozen=True, slots=True)
class Propose:
    """Propose now what is to be proposed in a repo.

    This one time the hours of the schedule do not count. What was seen when this was asked has
    been seen long enough, in this repo and for good: neither `settle` nor `min_age` hold it, so
    that the next cycle takes nothing back; what the tag has later is held as ever. The deny
    list, freezes, lost platforms and all limits hold as they do.
    """

    repo: str
    what: Literal["propose"] = "propose"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.repo


@dataclass(frozen=True, slots=True)
class Ignore:
    """Leave an image alone, in one repo or in all, through a last day in UTC."""

    image: ImageTag
    until: date
    reason: str
    repo: str = ""
    what: Literal["ignore"] = "ignore"

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{_place(str(self.image), self.repo)} until {self.until}"


@dataclass(frozen=True, slots=True)
class Unignore:
    """Take an ignore back, by its id."""

    ignore: int
    what: Literal["unignore"] = "unignore"

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"#{self.ignore}"


Ask: TypeAlias = Scan | Retry | Propose | Ignore | Unignore


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that was asked for, and will be done."""

    what: str
    subject: str
    who: str
    at: datetime


class Asking(Protocol):
    """Takes what people ask for. Safe to use from many threads."""

    def take(self, ask: Ask, who: str, how: str = "") -> Taken:
        """See to it that it is done, soon; the same again while it waits is the same.

        Args:
            ask: What is to be done.
            who: Who asks.
            how: How that is known.

        Raises:
            AskRefusedError: It is not done.
            StoreError: The state cannot be read or written.
        """


@dataclass(frozen=True, slots=True)
class Asks:
    """Writes down what is asked for and by whom, and has an engine see to it."""

    database: Database
    engine: Engine
    clock: Clock = field(default_factory=Clock)

    def take(self, ask: Ask, who: str, how: str = "") -> Taken:
        """See to it that it is done, soon; the same again while it waits is the same.

        Args:
            ask: What is to be done.
            who: Who asks.
            how: How that is known.

        Raises:
            AskRefusedError: It is not done.
            StoreError: The state cannot be read or written.
        """
        now = datetime.fromtimestamp(self.clock.wall(), UTC)
        _check(ask, now.date())
        refusal, subject = self._written(ask, who, how, now)
        told = {"who": who, "how": how, "what": ask.what, "subject": subject}
        if refusal is not None:
            _log.warning(Event.ACT_REFUSED, **told, code=refusal.value)
            raise AskRefusedError(refusal)
        _log.info(Event.ACT_ASKED, **told)
        self.engine.submit(self._job(ask).asked_by(f"{who} ({_WORDS[ask.what]})"))
        return Taken(ask.what, subject, who, now)

    def _job(self, ask: Ask) -> Job:
        """What begins it: the same as a webhook begins, where one could say it."""
        if isinstance(ask, Ignore | Unignore):
            with self.database.reading() as connection:
                found = asks.names(connection, asks.MOST_NAMES + 1)
            return ASKED if len(found) <= asks.MOST_NAMES else CYCLE
        if ask.repo:
            return Job(REPO, f"{REPO}:{ask.repo}", {REPO: ask.repo})
        if isinstance(ask, Scan | Retry) and ask.image is not None:
            return Job(IMAGE, f"{IMAGE}:{ask.image}", {IMAGE: str(ask.image)})
        return CYCLE

    def _written(self, ask: Ask, who: str, how: str, now: datetime) -> tuple[Refusal | None, str]:
        """What is to be done, and that it was asked for, in one transaction.

        What comes too often is not written down either.

        Raises:
            AskRefusedError: It was asked for too often.
        """
        subject = ask.subject
        refusal: Refusal | None = None
        with self.database.begin() as connection:
            _check_often(ask, acts.lately(connection, now - WITHIN, who=who, **_WHOLE))
            if isinstance(ask, Ignore):
                told = (ask.image, ask.until, ask.reason, who, now, ask.repo)
                if ask.repo and asks.live_name(connection, ask.repo) is None:
                    refusal = Refusal.UNKNOWN_REPO
                elif ignores.count(connection, now.date()) >= MOST_IGNORES:
                    refusal = Refusal.TOO_MANY_IGNORES
                elif ignores.add(connection, *told) is None:
                    refusal = Refusal.UNKNOWN_IMAGE
            elif isinstance(ask, Unignore):
                ended = ignores.take_back(connection, ask.ignore, now)
                if ended is None:
                    refusal = Refusal.UNKNOWN_IGNORE
                else:
                    subject = f"{subject} {_place(ended.image, ended.repo)}"
            elif isinstance(ask, Propose) or ask.repo:
                mark = asks.propose if isinstance(ask, Propose) else asks.look
                if not mark(connection, asks.is_named(ask.repo), now):
                    is_known = repos.is_known(connection, {ask.repo})
                    refusal = Refusal.LEFT_OUT if is_known else Refusal.UNKNOWN_REPO
            elif ask.image and not images.queries(connection, {ask.image}):
                refusal = Refusal.UNKNOWN_IMAGE
            result = "asked" if refusal is None else refusal.value
            acts.note(connection, who, ask.what, subject, result, now, how)
        return refusal, subject


def _check(ask: Ask, today: date) -> None:
    """Whether it can be meant.

    Raises:
        AskRefusedError: It cannot.
    """
    if not isinstance(ask, Ignore):
        return
    if not today <= ask.until <= today + LONGEST_IGNORE:
        raise AskRefusedError(Refusal.BAD_DAY)
    if not ask.reason.strip() or len(ask.reason) > LONGEST_REASON or not ask.reason.isprintable():
        raise AskRefusedError(Refusal.BAD_REASON)


def _check_often(ask: Ask, found: Lately) -> None:
    if found.own >= MOST_OWN or found.all >= MOST_ALL:
        raise AskRefusedError(Refusal.TOO_MANY)
    if ask == Scan() and found.same >= MOST_SCANS:
        raise AskRefusedError(Refusal.TOO_MANY_SCANS)


def _place(image: str, repo: str) -> str:
    return f"{image} in {repo or 'all repos'}"

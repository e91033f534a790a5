"""What an operator has a rollout do from the dashboard: written down, and done at the next step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias

from digestbot.clock import Clock
from digestbot.config.rollout import RolloutConfig
from digestbot.errors import UsageError
from digestbot.rollout.machine import MachineError, Verb
from digestbot.service.asking import LONGEST_REASON, Ask, AskRefusedError, Refusal, Taken
from digestbot.service.logs import Event, get_log
from digestbot.service.rollouts.checking import Checked
from digestbot.service.rollouts.pullable import unchecked
from digestbot.service.rollouts.starting import against
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import acts, rollouts
from digestbot.store.database import Database

NEED_REASON: Final = frozenset({Verb.ABORT, Verb.ROLLBACK})
"""Nobody does that without saying why."""
_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class TellRollout:
    """Have a rollout do something; `repo` and `wave` are which one, where it is about one.

    `without_check` goes back without asking whether there is something to go back to.
    """

    rollout: str
    verb: Verb
    repo: str = ""
    reason: str = ""
    wave: int | None = None
    without_check: bool = False

    @property
    def what(self) -> str:
        """What is asked for."""
        return f"rollout-{self.verb}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.rollout} {self.repo}".strip()


AnyAsk: TypeAlias = Ask | TellRollout


class Asking(Protocol):
    """Takes what people ask for. Safe to use from many threads."""

    def take(self, ask: AnyAsk, who: str, how: str = "") -> Taken:
        """See `service.asking.Asking.take`."""


class Checking(Protocol):
    """Asks registries whether there is a way back."""

    def check(self, name: str) -> Checked | None:
        """See `service.rollouts.checking.WayBack.check`."""


class Others(Protocol):
    """Takes what is not about rollouts."""

    def take(self, ask: Ask, who: str, how: str = "") -> Taken:
        """See `service.asking.Asking.take`."""


@dataclass(frozen=True, slots=True)
class RolloutAsks:
    """Tells rollouts what they are to do, and leaves what is not about them to others.

    However often something was asked for: whoever has to stop a rollout is not kept waiting.
    """

    others: Others
    database: Database
    back: Checking
    rules: RolloutConfig = field(default_factory=RolloutConfig)
    clock: Clock = field(default_factory=Clock)

    def take(self, ask: AnyAsk, who: str, how: str = "") -> Taken:
        """See `service.asking.Asking.take`.

        Raises:
            AskRefusedError: It is not done.
            StoreError: The state cannot be read or written.
        """
        if not isinstance(ask, TellRollout):
            return self.others.take(ask, who, how)
        told = {"who": who, "how": how, "what": ask.what, "subject": ask.subject}
        refusal = self._refusal(ask, self._now()) or self._lost(ask)
        # Registries may have taken their time.
        now = self._now()
        refusal = refusal or self._told(ask, who, now)
        result = "asked" if refusal is None else refusal.value
        with self.database.begin() as connection:
            acts.note(connection, who, ask.what, ask.subject, result, now, how)
        if refusal is not None:
            _log.warning(Event.ACT_REFUSED, **told, code=refusal.value)
            raise AskRefusedError(refusal)
        _log.info(Event.ACT_ASKED, **told)
        return Taken(ask.what, ask.subject, who, now)

    def _refusal(self, ask: TellRollout, now: datetime) -> Refusal | None:
        """Why it is not even said."""
        is_line = len(ask.reason) <= LONGEST_REASON and (not ask.reason or ask.reason.isprintable())
        if not is_line or (ask.verb in NEED_REASON and not ask.reason):
            return Refusal.BAD_REASON
        with self.database.reading() as connection:
            rollout = rollouts.get(connection, ask.rollout)
        if rollout is None:
            return Refusal.UNKNOWN_ROLLOUT
        if ask.verb not in rollout.standing.verbs():
            return Refusal.NOT_NOW
        if ask.verb in (Verb.RETRY, Verb.SKIP) or ask.repo:
            is_reached = any(target.repo == ask.repo for target in rollout.plan.targets)
            return None if is_reached else Refusal.NOT_OF_ROLLOUT
        if ask.verb is Verb.START and against(self.database, rollout.plan, self.rules, now):
            return Refusal.TOO_FAR
        return None

    def _lost(self, ask: TellRollout) -> Refusal | None:
        """Whether it cannot go back, as far as registries say."""
        if ask.verb is not Verb.ROLLBACK or ask.without_check:
            return None
        checked = self.back.check(ask.rollout)
        if checked is None:
            return Refusal.CHECKING
        return Refusal.NOT_PULLABLE if checked.lost else None

    def _told(self, ask: TellRollout, who: str, now: datetime) -> Refusal | None:
        """Say it; why it was not heard, if so."""
        is_unchecked = ask.verb is Verb.ROLLBACK and ask.without_check
        reason = unchecked(ask.reason) if is_unchecked else ask.reason
        told = Told(ask.verb, who, reason, ask.repo, ask.wave)
        try:
            tell(self.database, ask.rollout, told, now)
        except MachineError:
            return Refusal.NOT_NOW
        except UsageError:
            # What has the digest is not tried again; all else was looked at before.
            return Refusal.NOT_NOW if ask.verb is Verb.RETRY else Refusal.CHANGED
        return None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), UTC)

"""What a rollout is doing, and what may be done to it: states and transitions in one table.

Nothing here asks or writes anything. What happened is a list of events; the same events give the
same standing, however often they are replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce

from digestbot.errors import DigestbotError
from digestbot.rollout.gates import Evidence, GateRules, Halt, Open, judge


class State(StrEnum):
    """What a rollout is doing."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    WATCHING = "watching"
    CLOSED = "closed"
    ABORTED = "aborted"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"


STATES: Mapping[State, str] = {
    State.PLANNED: "Nothing was written yet.",
    State.RUNNING: "Pull requests are opened, wave by wave.",
    State.PAUSED: "Somebody paused it: nothing new is opened.",
    State.HALTED: "Too much failed: nothing new is opened, nothing is merged by itself.",
    State.WATCHING: "All waves are through; whoever goes back is noticed.",
    State.CLOSED: "It is over, with a report.",
    State.ABORTED: "Somebody ended it: what was open is closed.",
    State.ROLLING_BACK: "Each repo is offered the digest that it had.",
    State.ROLLED_BACK: "Each repo has, or was offered, the digest that it had.",
}


class Verb(StrEnum):
    """What can happen to a rollout. The first ones people do, the last ones come by themselves."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    APPROVE = "approve"
    RETRY = "retry"
    SKIP = "skip"
    ABORT = "abort"
    ROLLBACK = "rollback"
    ADVANCE = "advance"
    HALT = "halt"
    FINISH = "finish"
    CLOSE = "close"
    RETURNED = "returned"


BY_PEOPLE = (
    Verb.START,
    Verb.PAUSE,
    Verb.RESUME,
    Verb.PROMOTE,
    Verb.APPROVE,
    Verb.RETRY,
    Verb.SKIP,
    Verb.ABORT,
    Verb.ROLLBACK,
)
_UNDER_WAY = (State.RUNNING, State.PAUSED, State.HALTED)

TRANSITIONS: Mapping[tuple[State, Verb], State] = {
    (State.PLANNED, Verb.START): State.RUNNING,
    (State.RUNNING, Verb.PAUSE): State.PAUSED,
    (State.PAUSED, Verb.RESUME): State.RUNNING,
    (State.HALTED, Verb.RESUME): State.RUNNING,
    (State.RUNNING, Verb.ADVANCE): State.RUNNING,
    (State.RUNNING, Verb.HALT): State.HALTED,
    (State.PAUSED, Verb.HALT): State.HALTED,
    (State.RUNNING, Verb.FINISH): State.WATCHING,
    (State.WATCHING, Verb.CLOSE): State.CLOSED,
    (State.ROLLING_BACK, Verb.RETURNED): State.ROLLED_BACK,
    **{(state, verb): state for state in _UNDER_WAY for verb in (Verb.PROMOTE, Verb.APPROVE)},
    **{(state, verb): state for state in _UNDER_WAY for verb in (Verb.RETRY, Verb.SKIP)},
    # The way out and the way back are open from everywhere.
    **{(state, Verb.ABORT): State.ABORTED for state in State},
    **{(state, Verb.ROLLBACK): State.ROLLING_BACK for state in State},
}


class MachineError(DigestbotError):
    """Something cannot happen to a rollout as it is."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        by: Who did it; empty where it came by itself.
        reason: Why, in words; needed where something is overridden.
        repo: Which one is retried or skipped.
        evidence: What a gate judged by, where a wave begins or all of it ends; what was known
            of failures, where it is resumed.
    """

    verb: Verb
    at: datetime
    by: str = ""
    reason: str = ""
    repo: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What does not change about a rollout: its gate, and how many waves it has.

    Attributes:
        waves: How many there are, with the canary; at least one.
        is_critical: Nothing soaks.
    """

    gate: GateRules
    waves: int
    is_critical: bool = False

    def gate_after(self, wave: int) -> GateRules:
        """What holds after a wave.

        A canary is asked so that it may fail: there, one repo alone halts what comes after it.
        After the last wave nothing comes that could be approved.
        """
        is_last = wave + 1 >= self.waves
        is_canary = wave == 0 and not is_last
        return replace(
            self.gate,
            needs_approval=self.gate.needs_approval and not is_last,
            fewest_failed=0 if is_canary else self.gate.fewest_failed,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rollout stands.

    Attributes:
        wave: The one under way, from 0; what came before it is through.
        since: When it got into its state.
        wave_since: When the wave began; None before the first.
        is_promoted: Somebody skips the soak of this wave.
        is_approved: Somebody said yes to what comes after this wave.
        skipped: Repos that somebody left out.
        retried: How often somebody had a repo tried again.
        failed: So many failures had it halt last.
        accepted: So many failures somebody knew of and had it go on; no more than there still
            were when the wave began.
    """

    state: State = State.PLANNED
    wave: int = 0
    since: datetime | None = None
    wave_since: datetime | None = None
    is_promoted: bool = False
    is_approved: bool = False
    skipped: frozenset[str] = frozenset()
    retried: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    accepted: int = 0

    def verbs(self) -> tuple[Verb, ...]:
        """What people may do to it now."""
        return tuple(verb for verb in BY_PEOPLE if (self.state, verb) in TRANSITIONS)


def apply(course: Course, standing: Standing, event: Event) -> Standing:
    """The standing after an event.

    Raises:
        MachineError: It cannot happen: not in this state, or the gate does not hold.
    """
    state = TRANSITIONS.get((standing.state, event.verb))
    if state is None:
        raise MachineError(
            f"a rollout that is {standing.state} cannot be told to {event.verb}",
            hint=f"it may be told to {', '.join(standing.verbs())}",
        )
    _check_evidence(course, standing, event)
    since = event.at if state is not standing.state else standing.since
    changed = replace(standing, state=state, since=since)
    if event.verb in (Verb.START, Verb.ADVANCE):
        wave = 0 if event.verb is Verb.START else standing.wave + 1
        return replace(
            changed,
            wave=wave,
            wave_since=event.at,
            is_promoted=False,
            is_approved=False,
            # What was mended since is no credit for what fails next.
            accepted=min(standing.accepted, event.evidence.count.failed if event.evidence else 0),
        )
    if event.verb is Verb.HALT and event.evidence is not None:
        return replace(changed, failed=event.evidence.count.failed)
    if event.verb is Verb.RESUME and standing.state is State.HALTED:
        seen = event.evidence.count.failed if event.evidence else standing.failed
        return replace(changed, accepted=seen)
    if event.verb is Verb.PROMOTE:
        return replace(changed, is_promoted=True)
    if event.verb is Verb.APPROVE:
        return replace(changed, is_approved=True)
    if event.verb is Verb.SKIP:
        return replace(changed, skipped=standing.skipped | {event.repo})
    if event.verb is Verb.RETRY:
        times = standing.retried.get(event.repo, 0) + 1
        return replace(
            changed,
            retried={**standing.retried, event.repo: times},
            skipped=standing.skipped - {event.repo},
        )
    return changed


def replay(course: Course, events: Iterable[Event]) -> Standing:
    """The standing after all these events.

    Raises:
        MachineError: One of them could not happen.
    """
    return reduce(lambda standing, event: apply(course, standing, event), events, Standing())


def _check_evidence(course: Course, standing: Standing, event: Event) -> None:
    """A wave begins, all of it ends, and it halts, only for what is written down with it."""
    if event.verb in (Verb.RETRY, Verb.SKIP) and not event.repo:
        raise MachineError(f"{event.verb} needs a repo")
    if event.verb not in (Verb.ADVANCE, Verb.FINISH, Verb.HALT):
        return
    if event.evidence is None:
        raise MachineError(f"{event.verb} needs evidence")
    is_last = standing.wave + 1 >= course.waves
    if event.verb is Verb.ADVANCE and is_last:
        raise MachineError("there is no further wave")
    if event.verb is Verb.FINISH and not is_last:
        raise MachineError("there are further waves")
    claimed = event.evidence
    evidence = replace(
        claimed,
        is_hurried=standing.is_promoted or course.is_critical,
        is_approved=standing.is_approved,
        accepted=standing.accepted,
    )
    verdict = judge(course.gate_after(standing.wave), evidence)
    wanted = Halt if event.verb is Verb.HALT else Open
    if not isinstance(verdict, wanted):
        raise MachineError(f"the gate does not hold for {event.verb}: {verdict}")

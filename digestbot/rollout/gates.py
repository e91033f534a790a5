"""Whether the next wave may begin: pure, from what became of the waves so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

SOAKING: Final = "soaking"
WORKING: Final = "working"
NOT_PASSED: Final = "not-passed"
NOTHING_KNOWN: Final = "nothing-known"
NOT_APPROVED: Final = "not-approved"
PROBE_SAYS_NO: Final = "probe-says-no"
FAILING: Final = "failing"


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a wave must have come to before the next one begins.

    Attributes:
        soak: How long after its last pull request was opened.
        passed: The share that must be merged or green, from 0 to 1.
        failed: The share that may fail; beyond it the rollout halts.
        fewest_failed: So many failures halt nothing, however small the wave; in a canary, each may.
        needs_approval: Whether a person must say so for each wave.
        probe: Whether a webhook is asked, too.
    """

    soak: timedelta = timedelta(hours=1)
    passed: float = 0.9
    failed: float = 0.1
    fewest_failed: int = 1
    needs_approval: bool = False
    probe: bool = False

    def __post_init__(self) -> None:
        """Raise `ValueError` where shares are none."""
        if not (0 <= self.passed <= 1 and 0 <= self.failed <= 1):
            raise ValueError("shares are numbers from 0 to 1")


@dataclass(frozen=True, slots=True)
class WaveCount:
    """What became of the repos of the waves so far; each is counted once.

    Attributes:
        waiting: Nothing was proposed yet.
        pending: Open, with checks under way.
        green: Open, all checks passed.
        unknown: Open, and no check says anything: that is not green.
        failed: Open with a check that fails and did not on the base commit, or not to be opened.
        merged: Merged, by whomever.
        blocked: Something else is in the way: a review, a conflict, a rule.
        left: Not asked any more: skipped, rejected, opted out, gone.
    """

    waiting: int = 0
    pending: int = 0
    green: int = 0
    unknown: int = 0
    failed: int = 0
    merged: int = 0
    blocked: int = 0
    left: int = 0

    @property
    def counted(self) -> int:
        """How many are asked."""
        told = (self.waiting, self.pending, self.green, self.unknown)
        return sum((*told, self.failed, self.merged, self.blocked))

    @property
    def passed(self) -> int:
        """How many are merged or green."""
        return self.merged + self.green


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate judges by; kept with the decision.

    Attributes:
        count: Of all waves so far.
        last_opened: When the last pull request of the wave was opened; None where none was.
        now: When this was so.
        is_hurried: Somebody skips the soak, or the severity does.
        is_approved: Somebody said yes to what comes after this wave.
        probe: What the webhook says; None where it was not asked, or did not answer.
        accepted: So many failures somebody knew of and had the rollout go on.
    """

    count: WaveCount
    now: datetime
    last_opened: datetime | None = None
    is_hurried: bool = False
    is_approved: bool = False
    probe: bool | None = None
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """The next wave may begin."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It may not yet: a stable slug, a sentence, and when it is worth another look, if known."""

    reason: str
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing may begin: a stable slug and a sentence."""

    reason: str
    message: str


Verdict: TypeAlias = Open | Wait | Halt


def judge(rules: GateRules, evidence: Evidence) -> Verdict:
    """What the gate after a wave says; failures come first, since they cannot wait."""
    return _failures(rules, evidence) or _waits(rules, evidence) or Open()


def _failures(rules: GateRules, evidence: Evidence) -> Halt | None:
    count = evidence.count
    new = count.failed - evidence.accepted
    if new <= rules.fewest_failed or new <= rules.failed * count.counted:
        return None
    told = f", {evidence.accepted} of them known" if evidence.accepted else ""
    message = f"{count.failed} of {count.counted} repos fail{told}; {rules.failed:.0%} may at most"
    return Halt(FAILING, message)


def _waits(rules: GateRules, evidence: Evidence) -> Wait | None:
    count = evidence.count
    if count.waiting:
        return Wait(WORKING, f"{count.waiting} repos of the wave have no pull request yet")
    if evidence.last_opened is not None and not evidence.is_hurried:
        until = evidence.last_opened + rules.soak
        if evidence.now < until:
            return Wait(SOAKING, f"it soaks until {until:%Y-%m-%d %H:%M} UTC", until)
    if rules.needs_approval and not evidence.is_approved:
        return Wait(NOT_APPROVED, "somebody has to approve what comes next")
    is_silent = count.unknown == count.counted
    if not count.passed and not evidence.is_approved:
        # Repos without checks make nothing green, and an empty wave proves nothing.
        message = "no repo so far is merged or green"
        hint = "; approve it if that is right" if is_silent else ""
        return Wait(NOTHING_KNOWN, f"{message}{hint}")
    # Where nothing checks anything, there is nothing but the word of whoever approved it.
    if count.passed < rules.passed * count.counted and not is_silent:
        message = (
            f"{count.passed} of {count.counted} repos are merged or green; "
            f"{rules.passed:.0%} must be"
        )
        return Wait(NOT_PASSED, message)
    if rules.probe and not evidence.probe:
        word = "does not answer" if evidence.probe is None else "says no"
        return Wait(PROBE_SAYS_NO, f"the webhook that is asked {word}")
    return None

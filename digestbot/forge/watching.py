"""The records of how pull requests fare: what their checks, reviews and labels say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from digestbot.forge.pull import Gate, Mergeable, PullState
from digestbot.forge.sha import CommitSha


class Review(StrEnum):
    """What reviewers say, all of them together."""

    NONE = "none"
    REQUIRED = "required"
    APPROVED = "approved"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class PullId:
    """A pull request, by its repo's name and its number there."""

    repo: str
    number: int


@dataclass(frozen=True, slots=True)
class ChecksOf:
    """What the checks of one commit say, each by its name; without any, nothing is known.

    Attributes:
        failing: Names of those that failed, timed out, or ask for somebody.
        pending: How many are under way, or expected.
        passed: How many passed; skipped and neutral ones are among them.
    """

    failing: tuple[str, ...] = ()
    pending: int = 0
    passed: int = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.failing or self.pending or self.passed)


@dataclass(frozen=True, slots=True)
class PullStatus:
    """How a pull request fares.

    Attributes:
        base: The commit of its base branch that it is compared with.
        ended_at: When it was merged or closed.
        gate: Whether the repo's rules let it be merged now.
        checks: Of its head.
        base_checks: Of `base`: what fails there failed before.
    """

    state: PullState
    head: CommitSha
    base: CommitSha
    url: str = ""
    ended_at: datetime | None = None
    is_draft: bool = False
    mergeable: Mergeable = Mergeable.UNKNOWN
    gate: Gate = Gate.UNKNOWN
    review: Review = Review.NONE
    labels: tuple[str, ...] = ()
    checks: ChecksOf = ChecksOf()
    base_checks: ChecksOf = ChecksOf()

    @property
    def new_failures(self) -> tuple[str, ...]:
        """The checks that fail and did not fail on the base commit."""
        before = set(self.base_checks.failing)
        return tuple(name for name in self.checks.failing if name not in before)


class Watching(Protocol):
    """Tells how pull requests fare, many at once."""

    def statuses(self, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
        """How these fare; those that cannot be seen lack.

        Raises:
            ForgeError: It cannot be known.
        """


class Tracking(Protocol):
    """Keeps issues."""

    def track(self, repo: str, number: int, title: str, body: str) -> int:
        """Write an issue, or anew into the one of this number, where it is not 0; its number.

        Raises:
            ForgeError: It cannot be written.
        """

"""What checks say of a commit, as GitHub's GraphQL tells of it, read with suspicion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from digestbot.forge.github.reading import dig, text
from digestbot.forge.github.strict import need_flag, need_list, need_text
from digestbot.forge.watching import ChecksOf

CONTEXTS = 100
# `checkSuite.workflowRun` would tell more, but needs one more permission: actions.
CONTEXT = """
fragment Context on StatusCheckRollupContext {
  __typename
  ... on CheckRun { name status conclusion startedAt checkSuite { id } }
  ... on StatusContext { context state }
}
"""
_LONGEST_NAME = 256
_NOT_STARTED = "~"


class Said(Enum):
    """What one check says."""

    PASSED = auto()
    FAILED = auto()
    CANCELLED = auto()
    PENDING = auto()


_CONCLUSIONS = {
    "SUCCESS": Said.PASSED,
    "NEUTRAL": Said.PASSED,
    "SKIPPED": Said.PASSED,
    "FAILURE": Said.FAILED,
    "TIMED_OUT": Said.FAILED,
    # A workflow that cannot even start tests nothing: GitHub's summary is red, too.
    "STARTUP_FAILURE": Said.FAILED,
    # Nothing goes on until somebody does something.
    "ACTION_REQUIRED": Said.FAILED,
    "CANCELLED": Said.CANCELLED,
    # GitHub gave up waiting after two weeks: no verdict was ever given.
    "STALE": Said.PENDING,
}
_STATES = {
    "SUCCESS": Said.PASSED,
    "FAILURE": Said.FAILED,
    "ERROR": Said.FAILED,
    "PENDING": Said.PENDING,
    "EXPECTED": Said.PENDING,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: of the same suite and name the newest counts, the others were run again.

    Attributes:
        suite: Whose check it is; empty of a commit status.
        started: When, as GitHub writes it; one that did not start yet is the newest.
    """

    name: str
    suite: str
    started: str
    said: Said


@dataclass(frozen=True, slots=True)
class Rollup:
    """Some of the checks of a commit; `after` leads to more: empty from the start, None: all."""

    checks: tuple[Check, ...] = ()
    after: str | None = None

    def with_more(self, more: Rollup) -> Rollup:
        """These, and those of the next page."""
        return replace(more, checks=self.checks + more.checks)

    def summary(self) -> ChecksOf:
        """What all of them say; where not all are known, something is not done yet."""
        known = summary_of(self.checks)
        return known if self.after is None else replace(known, pending=known.pending + 1)


def read_rollup(rollup: object) -> Rollup:
    """One page of the checks of a commit; none where it has none.

    Raises:
        ValueError: It is none.
    """
    if rollup is None:
        return Rollup()
    found = dig(rollup, "contexts")
    checks = tuple(_read_check(node) for node in need_list(found, "nodes", limit=CONTEXTS))
    if not need_flag(found, "pageInfo", "hasNextPage"):
        return Rollup(checks)
    return Rollup(checks, need_text(found, "pageInfo", "endCursor"))


def summary_of(checks: Iterable[Check]) -> ChecksOf:
    """What checks say, all of them together.

    Two workflows may have a job of the same name: both count, and where one fails, the name
    fails. But GitHub cancels a run when the same workflow starts anew on the same commit: what
    was cancelled counts only where nothing else of its name does.
    """
    newest: dict[tuple[str, str], Check] = {}
    for check in checks:
        before = newest.get((check.suite, check.name))
        if before is None or check.started >= before.started:
            newest[check.suite, check.name] = check
    judged = {one.name for one in newest.values() if one.said is not Said.CANCELLED}
    kept = [
        one for one in newest.values() if one.said is not Said.CANCELLED or one.name not in judged
    ]
    # What nobody runs again stays cancelled, and GitHub's summary is red.
    failing = {one.name for one in kept if one.said in {Said.FAILED, Said.CANCELLED}}
    return ChecksOf(
        failing=tuple(sorted(failing)),
        pending=sum(one.said is Said.PENDING for one in kept),
        passed=sum(one.said is Said.PASSED for one in kept),
    )


def _read_check(node: object) -> Check:
    if need_text(node, "__typename") == "StatusContext":
        name = need_text(node, "context", limit=_LONGEST_NAME)
        return Check(name, "", "", _STATES.get(need_text(node, "state"), Said.PENDING))
    return Check(
        name=need_text(node, "name", limit=_LONGEST_NAME),
        suite=need_text(node, "checkSuite", "id"),
        started=text(node, "startedAt")[:_LONGEST_NAME] or _NOT_STARTED,
        said=_read_run(node),
    )


def _read_run(node: object) -> Said:
    """What a check run says; a word that is new at GitHub is no verdict that we know."""
    if need_text(node, "status") != "COMPLETED":
        return Said.PENDING
    return _CONCLUSIONS.get(need_text(node, "conclusion"), Said.PENDING)

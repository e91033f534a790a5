"""What a rollout came to, in a few words, and the text of its issue: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.rollout.progress import (
    OPEN,
    Target,
    TargetState,
    failing_checks,
    grouped,
    time_to_merge,
)
from digestbot.service.rollouts.standing_contract import RolloutReport
from digestbot.service.rollouts.standing_markdown import render
from digestbot.service.times import age
from digestbot.store.rollouts import Rollout

MOST_BODY: Final = 60_000
"""Characters; GitHub takes 65,536 in an issue."""
_CUT = "\n\n… the rest is too long for an issue: digestbot rollout status"
_CHECKS_SHOWN, _REPOS_SHOWN = 5, 3
_PLAIN = Style(width=100, color=False, verbosity=0)


def issue_title(rollout: Rollout) -> str:
    """What its issue is called; it does not change."""
    return f"Rollout {rollout.id}: {images_of(rollout)}"


def issue_body(report: RolloutReport, page: str = "") -> str:
    """The text of its issue, known again by its first line; nobody is mentioned in it.

    Its `page` on the dashboard is linked to, where there is one.
    """
    link = f"[All of it on the dashboard]({page})\n\n" if page else ""
    text = f"<!-- digestbot:rollout:{report.id} -->\n{link}{render(report, _PLAIN)}"
    if len(text) <= MOST_BODY:
        return text
    kept = text[: MOST_BODY - len(_CUT)]
    return (kept.rpartition("\n")[0] or kept) + _CUT


def images_of(rollout: Rollout) -> str:
    """The images it brings, as many as fit on a line."""
    names = sorted({move.name for move in rollout.plan.moves})
    shown = ", ".join(names[:_REPOS_SHOWN])
    more = len(names) - _REPOS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or rollout.plan.selection.image


def failing_words(targets: Iterable[Target]) -> str:
    """The checks that fail, by name: `build in 4 repos (a/b, a/c, a/d …); lint in 1 repo (a/e)`."""
    found = failing_checks(targets)
    parts = [_check(name, repos) for name, repos in found[:_CHECKS_SHOWN]]
    if len(found) > _CHECKS_SHOWN:
        parts.append(f"{plural(len(found) - _CHECKS_SHOWN, 'more check')}")
    return "; ".join(parts)


def closing_words(targets: Collection[Target]) -> str:
    """How long merging took, and what was left."""
    counts = grouped(list(targets))
    merged = counts[TargetState.MERGED]
    parts = [f"{merged:,} of {plural(len(targets), 'repo')} have the digest"]
    half, most = time_to_merge(targets, 0.5), time_to_merge(targets, 0.9)
    if half is not None and most is not None:
        parts.append(f"half of them within {age(half)}, 90% within {age(most)}")
    left = {
        "open": sum(counts[state] for state in OPEN),
        "rejected": counts[TargetState.REJECTED],
        "left out": counts[TargetState.SKIPPED],
        "failed": counts[TargetState.FAILED],
        "without their turn": counts[TargetState.WAITING],
        "closed": counts[TargetState.CLOSED],
    }
    told = ", ".join(f"{number:,} {word}" for word, number in left.items() if number)
    return "; ".join([*parts, told] if told else parts)


def _check(name: str, repos: tuple[str, ...]) -> str:
    more = " …" if len(repos) > _REPOS_SHOWN else ""
    return f"{name} in {plural(len(repos), 'repo')} ({', '.join(repos[:_REPOS_SHOWN])}{more})"

"""What needs somebody, each with the one thing to do and where to do it: the worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from digestbot.report.plain import well_formed
from digestbot.report.summary import plural
from digestbot.service.readiness import Reason
from digestbot.service.rollouts.news import ROLLOUT
from digestbot.service.times import stamp
from digestbot.store.attention import DeniedDigest, HeldImage
from digestbot.store.conditions import Condition
from digestbot.store.overview import Glance, LastCycle, WaitingPull
from digestbot.store.runs import RunState
from digestbot.web.hints import of_hold
from digestbot.web.links import pull_link
from digestbot.web.page import Look
from digestbot.web.pages.overview_causes import lookups, troubles
from digestbot.web.pages.overview_plots import span
from digestbot.web.pages.overview_record import example_of, need_of
from digestbot.web.pages.overview_view import OverviewExample, OverviewNeed

MOST = 5
"""How many causes of a kind are told."""
_SHOWN = 3
_STANDING: Final = {
    "halted": "see what fails; then resume it, end it, or roll it back",
    "paused": "resume it, or end it",
    "went-back": "see who went back, and ask why",
}
_HELD: Final = {
    "platform-lost": "cannot be updated: a platform that is pinned is gone from the new digest",
    "single-now": "cannot be updated: what was for many platforms is a single image now",
    "flapping": "cannot be updated: the tag changes all the time, or went back",
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What needs somebody, and how many causes there are beyond."""

    told: Sequence[OverviewNeed]
    more: int = 0


def needs_of(look: Look, found: Glance) -> Needs:
    """What needs somebody, as the state has it."""
    failing, troubled = lookups(found.failing), troubles(found.troubled)
    target = look.loaded.settings.dashboard.target
    told = [
        *_not_ready(look.reasons),
        *_cycle(found.conditions, found.cycle),
        *_rollouts(found.conditions),
        *_denied(found.denied),
        *failing[:MOST],
        *troubled[:MOST],
        *_held(found.held),
        *_waiting(found.waiting, found.waiting_total, target),
    ]
    return Needs(told, len(failing[MOST:]) + len(troubled[MOST:]))


def _not_ready(reasons: Sequence[Reason]) -> Iterator[OverviewNeed]:
    if reasons:
        yield need_of(
            "not-ready",
            "the service is not ready",
            "see what its log says since then, and whether its state can be reached",
            "/about",
            [example_of(one.message) for one in reasons],
        )


def _cycle(holding: Iterable[Condition], cycle: LastCycle | None) -> Iterator[OverviewNeed]:
    """Targets that could not be listed, and a cycle that broke off without having said why."""
    path = f"/runs/{cycle.id}" if cycle else "/runs"
    about_cycles = [one for one in holding if one.event == "cycle"]
    targets = [one for one in about_cycles if one.subject.startswith("target:")]
    for one in targets[:MOST]:
        yield need_of("target", one.message, one.hint, path, [], code=one.state)
    if cycle is not None and cycle.state is RunState.FAILED and not targets:
        advice = "see what went wrong in it; the next one does what it left"
        yield need_of("cycle", "the last cycle broke off", advice, path, [])


def _rollouts(holding: Iterable[Condition]) -> Iterator[OverviewNeed]:
    """Those that do not go on by themselves, and those that somebody goes back on."""
    standing = [one for one in holding if one.event == ROLLOUT and one.state in _STANDING]
    for one in standing[:MOST]:
        path = f"/rollouts/{one.subject.removeprefix('rollout:')}"
        yield need_of("rollout", one.message, _STANDING[one.state], path, [], code=one.state)


def _denied(denied: Sequence[DeniedDigest]) -> Iterator[OverviewNeed]:
    if not denied:
        return
    is_are = "is" if len(denied) == 1 else "are"
    yield need_of(
        "denied",
        f"{plural(len(denied), 'digest')} of the deny list {is_are} in use",
        "merge the pull requests that replace what is denied; a repo that has none waits for a "
        "digest that may be used",
        "/repos?status=denied",
        [
            example_of(one.digest, f"{plural(one.places, 'place')} in {plural(one.repos, 'repo')}")
            for one in denied[:_SHOWN]
        ],
        count=len(denied),
    )


def _held(held: Iterable[HeldImage]) -> Iterator[OverviewNeed]:
    groups = defaultdict(list)
    for one in held:
        groups[one.reason].append(one)
    for reason, some in sorted(groups.items()):
        most = sorted(some, key=lambda one: (-one.repos, one.image))[:_SHOWN]
        examples = [
            example_of(one.image, f"in {plural(one.repos, 'repo')}", path=f"/images/{one.image_id}")
            for one in most
        ]
        message = f"{plural(len(some), 'image')} {_HELD.get(reason, f'are held: {reason}')}"
        yield need_of(
            "held",
            message,
            of_hold(reason),
            "/images?state=held",
            examples,
            code=reason,
            count=len(some),
        )


def _waiting(
    pulls: Sequence[WaitingPull], number: int, target: timedelta
) -> Iterator[OverviewNeed]:
    if pulls:
        yield need_of(
            "proposals",
            f"{plural(number, 'pull request')} waited for longer than {span(target)}",
            "have the oldest ones reviewed: merged, or closed, which is taken for a no",
            "/repos?sort=waiting",
            [_pull(one) for one in pulls],
            count=number,
            since=pulls[0].opened_at,
        )


def _pull(pull: WaitingPull) -> OverviewExample:
    return OverviewExample(
        label=well_formed(f"{pull.repo}#{pull.number}"),
        detail=well_formed(pull.title),
        since=stamp(pull.opened_at),
        path=f"/repos/{pull.repo_id}#proposals",
        url=pull_link(pull.repo_url, pull.url),
    )

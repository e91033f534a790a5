"""What needs somebody, each with the one thing to do and where to do it: the worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from digestbot.registry.errors import CODES
from digestbot.report.plain import well_formed
from digestbot.report.summary import plural
from digestbot.scan.result import Problem
from digestbot.service.conditions import Cause, causes_of
from digestbot.service.readiness import Reason
from digestbot.service.times import stamp
from digestbot.store.attention import DeniedDigest, HeldImage
from digestbot.store.conditions import Condition
from digestbot.store.overview import Glance, LastCycle, TroubledRepo, WaitingPull
from digestbot.store.runs import RunState
from digestbot.web.hints import of_hold, of_lookup
from digestbot.web.links import pull_link
from digestbot.web.page import Look
from digestbot.web.pages.overview_plots import span
from digestbot.web.pages.overview_view import NeedKind, OverviewExample, OverviewNeed

MOST = 5
"""How many causes of a kind are told."""
SHOWN = 3
"""How many examples of a cause."""
_HELD: Final = {
    "platform-lost": "cannot be updated: a platform that is pinned is gone from the new digest",
    "single-now": "cannot be updated: what was for many platforms is a single image now",
    "flapping": "cannot be updated: their tags change all the time, or went back",
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What needs somebody, and how many causes there are beyond."""

    told: Sequence[OverviewNeed]
    more: int = 0


def needs_of(look: Look, found: Glance) -> Needs:
    """What needs somebody, as the state has it."""
    causes, troubles = _ordered(causes_of(found.failing)), _by_code(found.troubled)
    target = look.loaded.settings.dashboard.target
    told = [
        *_not_ready(look.reasons),
        *_cycle(found.conditions, found.cycle),
        *_denied(found.denied),
        *map(_cause, causes[:MOST]),
        *(_repos(code, some) for code, some in troubles[:MOST]),
        *_held(found.held),
        *_waiting(found.waiting, found.waiting_total, target),
    ]
    return Needs(told, max(0, len(causes) - MOST) + max(0, len(troubles) - MOST))


def _not_ready(reasons: Sequence[Reason]) -> Iterator[OverviewNeed]:
    if reasons:
        yield _need(
            "not-ready",
            "the service is not ready",
            "see what its log says since then, and whether its state can be reached",
            "/about",
            [_example(one.message) for one in reasons],
        )


def _cycle(holding: Iterable[Condition], cycle: LastCycle | None) -> Iterator[OverviewNeed]:
    """Targets that could not be listed, and a cycle that broke off without having said why."""
    path = f"/runs/{cycle.id}" if cycle else "/runs"
    about_cycles = [one for one in holding if one.event == "cycle"]
    targets = [one for one in about_cycles if one.subject.startswith("target:")]
    for one in targets[:MOST]:
        yield _need("target", one.message, one.hint, path, [], code=one.state)
    if cycle is not None and cycle.state is RunState.FAILED and not targets:
        advice = "see what went wrong in it; the next one does what it left"
        yield _need("cycle", "the last cycle broke off", advice, path, [])


def _denied(denied: Sequence[DeniedDigest]) -> Iterator[OverviewNeed]:
    if not denied:
        return
    is_are = "is" if len(denied) == 1 else "are"
    yield _need(
        "denied",
        f"{plural(len(denied), 'digest')} of the deny list {is_are} in use",
        "merge the pull requests that replace what is denied; a repo that has none waits for a "
        "digest that may be used",
        "/repos?status=denied",
        [
            _example(one.digest, f"{plural(one.places, 'place')} in {plural(one.repos, 'repo')}")
            for one in denied[:SHOWN]
        ],
        count=len(denied),
    )


def _ordered(causes: Iterable[Cause]) -> list[Cause]:
    """What many repos share first: whoever writes to a single one may make any number of them."""
    return sorted(causes, key=lambda cause: cause.repos == 1)


def _cause(cause: Cause) -> OverviewNeed:
    failing, query = cause.example, cause.example.query
    asked = urlencode({"state": "failing", "registry": query.image.registry})
    return _need(
        "lookups",
        f"{plural(cause.images, 'image')} cannot be looked up at {cause.host}: "
        f"{_lower(CODES.get(cause.code, cause.code))}",
        of_lookup(cause.code, cause.host),
        f"/images?{asked}",
        [_example(str(query), failing.message)],
        code=cause.code,
        count=cause.images,
        since=cause.since,
    )


def _by_code(repos: Iterable[TroubledRepo]) -> list[tuple[str, list[tuple[TroubledRepo, Problem]]]]:
    """Repos by what went wrong in them first, the most common thing first."""
    groups = defaultdict(list)
    for repo in repos:
        if repo.problems:
            groups[repo.problems[0].code].append((repo, repo.problems[0]))
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _repos(code: str, some: Sequence[tuple[TroubledRepo, Problem]]) -> OverviewNeed:
    examples = [
        _example(repo.name, problem.message, path=f"/repos/{repo.id}#errors")
        for repo, problem in some[:SHOWN]
    ]
    return _need(
        "repos",
        f"in {plural(len(some), 'repo')} not everything could be done: {code}",
        some[0][1].hint,
        "/repos?status=problems",
        examples,
        code=code,
        count=len(some),
    )


def _held(held: Iterable[HeldImage]) -> Iterator[OverviewNeed]:
    groups = defaultdict(list)
    for one in held:
        groups[one.reason].append(one)
    for reason, some in sorted(groups.items()):
        most = sorted(some, key=lambda one: (-one.repos, one.image))[:SHOWN]
        examples = [
            _example(one.image, f"in {plural(one.repos, 'repo')}", path=f"/images/{one.image_id}")
            for one in most
        ]
        message = f"{plural(len(some), 'image')} {_HELD.get(reason, f'are held: {reason}')}"
        yield _need(
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
        yield _need(
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


def _example(label: str, detail: str = "", path: str | None = None) -> OverviewExample:
    return OverviewExample(well_formed(label), well_formed(detail), None, path, None)


def _need(
    kind: NeedKind,
    message: str,
    advice: str,
    path: str,
    examples: list[OverviewExample],
    *,
    code: str = "",
    count: int = 1,
    since: datetime | None = None,
) -> OverviewNeed:
    told = stamp(since) if since else None
    return OverviewNeed(
        kind, code, well_formed(message), well_formed(advice), count, told, path, examples
    )


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:].rstrip('.')}"

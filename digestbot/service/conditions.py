"""Which states operators are told of: what holds now, in few words and of bounded number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from digestbot.policy.holding import FLAPPING, PLATFORM_LOST, SINGLE_NOW
from digestbot.report.plain import one_line
from digestbot.report.summary import plural
from digestbot.scan.result import Problem
from digestbot.store import attention, images, repos
from digestbot.store.attention import DeniedDigest, HeldImage
from digestbot.store.conditions import Condition
from digestbot.store.database import Database
from digestbot.store.images import Failing
from digestbot.store.runs import RunState

MOST = 50
"""How many conditions of one kind are told one by one."""
NEEDS_SOMEBODY: Final = frozenset({FLAPPING, PLATFORM_LOST, SINGLE_NOW})
"""Reasons for which something is held until somebody decides, or sees to the image."""
TroubledRepo: TypeAlias = tuple[str, tuple[Problem, ...]]
"""The name of a repo, and what went wrong in it."""
_READ = 1000
_LOST = "if that is meant, set `hold.lost_platforms: false`, or leave the image out with `ignore`"
HINTS: Final = {
    PLATFORM_LOST: _LOST,
    SINGLE_NOW: _LOST,
    FLAPPING: "tell whoever pushes it; it is proposed once it stays as long as `hold.settle` says",
}
"""What to do about what is held for such a reason."""
_STATUS = "see it all with: digestbot status"


@dataclass(frozen=True, slots=True)
class Cause:
    """Lookups at one registry that fail for one reason.

    Attributes:
        images: How many tags.
        example: One of them, and what the registry says of it.
        since: Since when the first of them has failed.
        repos: How many repos follow the one that most do.
    """

    host: str
    code: str
    images: int
    example: Failing
    since: datetime
    repos: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at the end of a cycle.

    Attributes:
        state: How the cycle ended.
        problems: What went wrong in it.
        before: What held before. Beyond `MOST` it is told first, and a cycle that did not get
            to its end says nothing against it.
    """

    state: RunState
    problems: Sequence[Problem] = ()
    causes: Sequence[Cause] = ()
    repos: Sequence[TroubledRepo] = ()
    held: Sequence[HeldImage] = ()
    denied: Sequence[DeniedDigest] = ()
    before: Sequence[Condition] = ()


def known_after(
    database: Database, state: RunState, problems: Sequence[Problem], deny: Collection[str]
) -> Known:
    """What the state tells after a cycle that ended so; `deny` as it is configured.

    Raises:
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        return Known(
            state,
            problems,
            causes_of(images.failing(connection)),
            repos.with_problems(connection, _READ),
            attention.held_images(connection, reasons=NEEDS_SOMEBODY, limit=_READ),
            attention.denied_digests(connection, deny),
            attention.holding(connection),
        )


def causes_of(failing: Iterable[Failing]) -> list[Cause]:
    """Failing lookups by registry and cause, the oldest first."""
    groups: dict[tuple[str, str], list[Failing]] = {}
    for one in failing:
        groups.setdefault((one.host or one.query.image.registry, one.code), []).append(one)
    causes = []
    for (host, code), some in groups.items():
        oldest = min(some, key=lambda one: (one.since, str(one.query)))
        most = max(one.repos for one in some)
        causes.append(Cause(host, code, len(some), oldest, oldest.since, most))
    return sorted(causes, key=lambda cause: (cause.since, cause.host, cause.code))


def conditions_of(known: Known) -> list[Condition]:
    """The conditions that hold: at most `MOST` of a kind, and one that counts the others."""
    kinds = {
        "cycle": _cycle(known),
        "lookups": map(_cause, known.causes),
        "repos": map(_repo, known.repos),
        "held": map(_image, known.held),
        "denied": map(_denied, known.denied),
    }
    before, lone = frozenset(one.subject for one in known.before), frozenset(_lone(known))
    return [
        _short(one) for event, some in kinds.items() for one in _bounded(event, some, before, lone)
    ]


def _lone(known: Known) -> Iterator[str]:
    """The subjects that are about a single repo: whoever writes to that may make many of them."""
    yield from (_cause(one).subject for one in known.causes if one.repos == 1)
    yield from (_image(one).subject for one in known.held if one.repos == 1)


def _bounded(
    event: str, some: Iterable[Condition], before: Collection[str], lone: Collection[str]
) -> Iterator[Condition]:
    """What many repos share first, then what held before: an end that was none is not told."""
    unique = {one.subject: one for one in some}
    told = sorted(unique.values(), key=lambda one: (one.subject in lone, one.subject not in before))
    yield from told[:MOST]
    if len(told) > MOST:
        message = f"there are {len(told) - MOST:,} more that are not told one by one"
        yield Condition(f"{event}:more", event, "more", message, _STATUS)


def _short(condition: Condition) -> Condition:
    """Its words come from files and registries, and may be any number of them."""
    message, hint = one_line(condition.message), one_line(condition.hint)
    return replace(condition, message=message, hint=hint)


def _cycle(known: Known) -> Iterator[Condition]:
    if known.state in {RunState.STOPPED, RunState.FAILED}:
        yield from (one for one in known.before if one.event == "cycle" and one.state != "more")
    for problem in known.problems:
        if problem.scope == "target":
            subject = f"target:{problem.subject}"
            yield Condition(subject, "cycle", problem.code, problem.message, problem.hint)
    if known.state is RunState.FAILED:
        yield Condition("cycle", "cycle", "failed", "the last cycle broke off", _STATUS)
    elif known.state is RunState.INCOMPLETE:
        scopes = Counter(problem.scope for problem in known.problems)
        parts = ", ".join(f"{scope}: {plural(n, 'problem')}" for scope, n in sorted(scopes.items()))
        message = f"the last cycle is incomplete: {parts or 'not all could be found out'}"
        yield Condition("cycle", "cycle", "incomplete", message, _STATUS)


def _cause(cause: Cause) -> Condition:
    message = f"{plural(cause.images, 'image')} cannot be looked up: {cause.example.message}"
    return Condition(f"registry:{cause.host}/{cause.code}", "lookups", cause.code, message)


def _repo(repo: TroubledRepo) -> Condition:
    """Its state is all causes, so that another one is told, too."""
    name, problems = repo
    first, *others = problems
    more = f" (and {len(others)} more)" if others else ""
    codes = "+".join(sorted({problem.code for problem in problems}))
    return Condition(f"repo:{name}", "repos", codes, f"{first.message}{more}", first.hint)


def _image(held: HeldImage) -> Condition:
    where = f"{plural(held.places, 'pin')} in {plural(held.repos, 'repo')}"
    message, hint = f"{held.message} ({where})", HINTS.get(held.reason, "")
    return Condition(f"image:{held.image}/{held.reason}", "held", held.reason, message, hint)


def _denied(denied: DeniedDigest) -> Condition:
    where = f"{plural(denied.places, 'place')} in {plural(denied.repos, 'repo')}"
    message = f"a digest of the deny list is pinned at {where}"
    return Condition(f"digest:{denied.digest}", "denied", "in-use", message, _STATUS)

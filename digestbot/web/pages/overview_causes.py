"""What fails, by cause: a cause is told once, however many images or repos it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias
from urllib.parse import urlencode

from digestbot.registry.errors import CODES
from digestbot.report.summary import plural
from digestbot.scan.result import Problem
from digestbot.service.conditions import Cause, causes_of
from digestbot.store.images import Failing
from digestbot.store.overview import TroubledRepo
from digestbot.web.hints import of_lookup
from digestbot.web.pages.overview_record import example_of, need_of
from digestbot.web.pages.overview_view import OverviewNeed

_SHOWN = 3
_LONGEST = 300
_Trouble: TypeAlias = tuple[TroubledRepo, Problem]


def lookups(failing: Iterable[Failing]) -> list[OverviewNeed]:
    """Failing lookups, by registry and cause.

    What many repos share comes first: whoever writes to a single one may make any number of them.
    """
    return list(map(_cause, sorted(causes_of(failing), key=lambda cause: cause.repos == 1)))


def troubles(repos: Iterable[TroubledRepo]) -> list[OverviewNeed]:
    """Repos by what went wrong in them first, the most common thing first."""
    groups: dict[str, list[_Trouble]] = defaultdict(list)
    for repo in repos:
        if repo.problems:
            groups[repo.problems[0].code].append((repo, repo.problems[0]))
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [_repos(code, some) for code, some in ordered]


def _cause(cause: Cause) -> OverviewNeed:
    failing, query = cause.example, cause.example.query
    registry = query.image.registry
    # Files name hosts of any length; who asks for one may not.
    asked = {"state": "failing"} | ({"registry": registry} if len(registry) <= _LONGEST else {})
    return need_of(
        "lookups",
        f"{plural(cause.images, 'image')} cannot be looked up at {cause.host}: "
        f"{_lower(CODES.get(cause.code, cause.code))}",
        of_lookup(cause.code, cause.host),
        f"/images?{urlencode(asked)}",
        [example_of(str(query), failing.message)],
        code=cause.code,
        count=cause.images,
        since=cause.since,
    )


def _repos(code: str, some: Sequence[_Trouble]) -> OverviewNeed:
    examples = [
        example_of(repo.name, problem.message, path=f"/repos/{repo.id}#errors")
        for repo, problem in some[:_SHOWN]
    ]
    return need_of(
        "repos",
        f"in {plural(len(some), 'repo')} not everything could be done: {code}",
        some[0][1].hint,
        "/repos?status=problems",
        examples,
        code=code,
        count=len(some),
    )


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:].rstrip('.')}"

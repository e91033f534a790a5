"""A need as the contract has it, from the words of anybody."""

from __future__ import annotations

from datetime import datetime

from digestbot.report.plain import well_formed
from digestbot.service.times import stamp
from digestbot.web.pages.overview_view import NeedKind, OverviewExample, OverviewNeed


def example_of(label: str, detail: str = "", path: str | None = None) -> OverviewExample:
    """One thing that a need is about; `path` is its page of the dashboard."""
    return OverviewExample(well_formed(label), well_formed(detail), None, path, None)


def need_of(
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
    """Something that needs somebody: what is so, what to do, and where all of it is."""
    told = stamp(since) if since else None
    return OverviewNeed(
        kind, code, well_formed(message), well_formed(advice), count, told, path, examples
    )

"""The status for people: what needs them first, then how things are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.cells import cell_len

from digestbot.policy.finding import DENIED_PINNED
from digestbot.policy.holding import moment_text
from digestbot.report.contract import ScanError
from digestbot.report.layout import ink, note, page, width_of, wrap
from digestbot.report.plain import one_line, shorten_digests
from digestbot.report.style import Style
from digestbot.report.summary import duration, plural
from digestbot.service.status_contract import (
    StatusDenied,
    StatusFailing,
    StatusHeld,
    StatusProposal,
    StatusReport,
    StatusRun,
    StatusTroubled,
)
from digestbot.service.times import age

_SHOWN = 10
_HUB = "docker.io/library/"
_RUNS_SHOWN = 3
_PLACES_SHOWN = 5
_RUN_LOOKS = {
    "done": ("✓", "green"),
    "running": ("▸", "cyan"),
    "incomplete": ("✗", "red"),
    "failed": ("✗", "red"),
    "stopped": ("‖", "yellow"),
    "lost": ("✗", "yellow"),
}
PATIENCE = timedelta(days=3)
"""A proposal that is open for longer needs somebody."""
_BAD = {"failed": "an error ended the last run", "lost": "the last run ended without a word"}
# What a run is said to have done, in this order.
_COUNTS = (("listed", "repo listed"), ("lookups", "lookup"), ("updated", "repo worked on"))


@dataclass(frozen=True, slots=True)
class _Row:
    """A line: what kind it is of, what it is about, and what is said below."""

    icon: str
    color: str
    word: str
    text: str
    notes: tuple[str, ...] = ()
    link: str = ""


def render(report: StatusReport, style: Style, /) -> str:
    """The status; see `Style` for its width, colour and verbosity."""
    now = datetime.fromisoformat(report.at)
    last = _last_run(report.runs)
    groups = [
        ([_denied(one) for one in report.denied], report.totals.denied),
        (last, len(last)),
        ([_failing(one, now) for one in report.failing], report.totals.failing),
        ([_troubled(one) for one in report.troubled], report.totals.troubled),
        _all_held(report),
        _waiting(report, now, style),
    ]
    return page(
        [
            _attention(groups, style),
            _block("Last runs", _runs(report.runs, style), style),
            _block("Fleet", _fleet(report, now, style), style),
            _block("Next cycle", _next(report, now, style), style),
        ]
    )


def _attention(groups: Sequence[tuple[list[_Row], int]], style: Style) -> Iterator[str]:
    rows = [row for some, _ in groups for row in some]
    if not rows:
        yield f"{ink('✓', 'green', style)} {ink('Nothing needs you', 'bold', style)}"
        return
    yield ink("Needs attention", "bold", style)
    width = max(cell_len(row.word) for row in rows)
    for some, total in groups:
        shown = some if style.verbosity > 0 else some[:_SHOWN]
        for row in shown:
            yield from _lines(row, width, style)
        if some and len(shown) < total:
            way = "-v lists them" if total == len(some) else "-v lists more"
            rest = f"… and {total - len(shown):,} more"
            yield f"  {rest}" if len(shown) == len(some) else f"  {rest} ({way})"


def _lines(row: _Row, width: int, style: Style) -> Iterator[str]:
    head = f"  {ink(f'{row.icon} {row.word}', row.color, style)}"
    first = head + " " * (width - cell_len(row.word) + 2)
    indent = width + 6
    for piece in wrap(shorten_digests(one_line(row.text)), width_of(style) - indent):
        yield first + piece
        first = " " * indent
    if row.link:
        # A link that is broken is none.
        yield " " * indent + one_line(row.link)
    for one in row.notes:
        yield from note(shorten_digests(one_line(one)), indent, style)


def _denied(one: StatusDenied) -> _Row:
    where = f"{plural(one.places, 'place')} in {plural(one.repos, 'repo')}"
    rest = one.places - len(one.examples[:_PLACES_SHOWN])
    more = f" and {rest:,} more" if rest > 0 else ""
    places = ", ".join(one.examples[:_PLACES_SHOWN])
    return _Row("✗", "red", "denied", f"{one.digest} is pinned at {where}", (places + more,))


def _last_run(runs: Sequence[StatusRun]) -> list[_Row]:
    """How the last run that ended did so, and what stands nowhere else."""
    run = next((run for run in runs if run.state != "running"), None)
    if run is None:
        return []
    rows = [
        _Row("✗", "red", "target", f"{one.subject}  {one.code}: {one.message}", _hint(one))
        for one in run.errors
        if one.scope == "target"
    ]
    if run.state in _BAD:
        rows.append(_Row("✗", "red", "run", _BAD[run.state], (f"its id in the logs: {run.id}",)))
    return rows


def _hint(error: ScanError) -> tuple[str, ...]:
    return (f"hint: {error.hint}",) if error.hint else ()


def _failing(one: StatusFailing, now: datetime) -> _Row:
    since = datetime.fromisoformat(one.since)
    what = f"{one.host}  {one.code} for {age(now - since)}: {plural(one.images, 'image')}"
    return _Row("✗", "red", "lookups", what, (f"since {moment_text(since)}: {one.message}",))


def _troubled(one: StatusTroubled) -> _Row:
    first, *others = one.errors
    more = f" (and {len(others)} more)" if others else ""
    text = f"{one.repo}  {first.code}: {first.message}{more}"
    return _Row("✗", "red", "repo", text, _hint(first))


def _held(one: StatusHeld) -> _Row:
    where = f"{plural(one.places, 'place')} in {plural(one.repos, 'repo')}"
    until = f", until {moment_text(datetime.fromisoformat(one.until))}" if one.until else ""
    color = "yellow" if one.needs_somebody else "blue"
    name = one.image.removeprefix(_HUB)
    return _Row("‖", color, "held", f"{name}  {one.reason}: {where}{until}", (one.message,))


def _all_held(report: StatusReport) -> tuple[list[_Row], int]:
    """What is held, and how much there is of it; denied pins have lines of their own."""
    some = [one for one in report.held if one.reason != DENIED_PINNED]
    return [_held(one) for one in some], report.totals.held - len(report.held) + len(some)


def _waiting(report: StatusReport, now: datetime, style: Style) -> tuple[list[_Row], int]:
    """The proposals that nobody has merged for days, and how many; all that are open, with -v."""
    listed = report.open_proposals
    some = [one for one in listed if style.verbosity > 0 or _is_old(one, now)]
    total = report.totals.open_proposals if len(some) == len(listed) else len(some)
    return [_proposal(one, now) for one in some], total


def _is_old(one: StatusProposal, now: datetime) -> bool:
    return one.opened_at is None or now - datetime.fromisoformat(one.opened_at) > PATIENCE


def _proposal(one: StatusProposal, now: datetime) -> _Row:
    number = f"#{one.number} " if one.number else ""
    opened = datetime.fromisoformat(one.opened_at) if one.opened_at else None
    since = f", open for {age(now - opened)}" if opened else ""
    text = f"{one.repo}  {number}{one.title or one.branch}{since}"
    return _Row("·", "dim", "proposal", text, link=one.url or "")


def _block(title: str, lines: Iterable[str], style: Style) -> Iterator[str]:
    yield ink(title, "bold", style)
    for line in lines:
        yield f"  {line}"


def _runs(runs: Sequence[StatusRun], style: Style) -> Iterator[str]:
    shown = runs if style.verbosity > 0 else runs[:_RUNS_SHOWN]
    width = max((cell_len(run.state) for run in shown), default=0)
    for run in shown:
        icon, color = _RUN_LOOKS.get(run.state, ("·", "dim"))
        took = duration(run.duration_s) if run.duration_s is not None else "not finished"
        gap = " " * (width - cell_len(run.state))
        began = moment_text(datetime.fromisoformat(run.started_at))
        first = f"{ink(f'{icon} {run.state}', color, style)}{gap}  "
        text = f"{began}, {took}{_done(run)}"
        for piece in wrap(text, width_of(style) - width - 6):
            yield first + piece
            first = " " * (width + 4)


def _done(run: StatusRun) -> str:
    parts = []
    for key, noun in _COUNTS:
        count = run.counts.get(key, 0)
        thing, _, verb = noun.partition(" ")
        parts += [f"{plural(count, thing)} {verb}".strip()] if count else []
    problems = run.counts.get("problems", 0)
    parts += [plural(problems, "problem")] if problems else []
    return f": {', '.join(parts)}" if parts else ""


def _fleet(report: StatusReport, now: datetime, style: Style) -> Iterator[str]:
    summary, fresh = report.summary, report.freshness
    size = [plural(summary.repos, "repo"), plural(summary.images, "image")]
    size += [f"{plural(summary.left_out, 'repo')} left out"] if summary.left_out else []
    troubled = report.totals.troubled
    size += [f"{plural(troubled, 'repo')} with problems"] if troubled else []
    lines = [", ".join(size), _fresh(report)]
    if fresh.oldest_stale_since:
        lines.append(f"the oldest stale pin: {_when(fresh.oldest_stale_since, now)}")
    others = ", ".join(f"{n:,} {status}" for status, n in report.findings.items() if n)
    lines += [f"references: {others}"] if others else []
    states = ", ".join(f"{n:,} {state}" for state, n in report.proposals.items() if n)
    lines += [f"proposals: {states}"] if states else []
    for line in lines:
        yield from wrap(line, width_of(style) - 2)


def _fresh(report: StatusReport) -> str:
    fresh = report.freshness
    total = fresh.current + fresh.stale + fresh.held
    if not total:
        return "no pin is followed"
    # Rounded down: 100 % is said of all alone.
    share = fresh.current * 100 // total
    rest = f"{fresh.stale:,} stale, {fresh.held:,} held"
    return f"{share} % fresh: {fresh.current:,} of {plural(total, 'pin')} current, {rest}"


def _next(report: StatusReport, now: datetime, style: Style) -> Iterator[str]:
    due, last = report.summary.next_cycle, report.summary.last_success
    yield from wrap(_when(due, now) if due else "none is due", width_of(style) - 2)
    ended = f"the last one came to its end {_when(last, now)}" if last else "none has ended yet"
    yield from wrap(ended, width_of(style) - 2)


def _when(text: str, now: datetime) -> str:
    """`2026-11-21 03:04 UTC (2 h ago)`."""
    moment = datetime.fromisoformat(text)
    span = age(abs(now - moment))
    return (
        f"{moment_text(moment)} ({span} ago)"
        if moment <= now
        else f"{moment_text(moment)} (in {span})"
    )

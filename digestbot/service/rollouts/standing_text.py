"""How rollouts stand, for people: what is waited for, where it is, who must act, what may be done.

The page of one rollout begins with what decides, and fits 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from rich.cells import cell_len

from digestbot.policy.holding import moment_text
from digestbot.report.layout import NARROWEST, ink, note, page, width_of, wrap
from digestbot.report.plain import one_line, shorten_digests
from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.rollout.machine import State
from digestbot.rollout.progress import TargetState
from digestbot.rollout.waves import wave_name
from digestbot.service.rollouts.burndown_text import draw
from digestbot.service.rollouts.standing_contract import (
    RolloutLeft,
    RolloutMove,
    RolloutReport,
    RolloutsItem,
    RolloutsReport,
    RolloutStraggler,
    RolloutWave,
)
from digestbot.service.times import age

LOOKS: Mapping[State, tuple[str, str]] = {
    State.PLANNED: ("·", "dim"),
    State.RUNNING: ("▸", "cyan"),
    State.PAUSED: ("‖", "yellow"),
    State.HALTED: ("✗", "red"),
    State.WATCHING: ("✓", "green"),
    State.CLOSED: ("✓", "green"),
    State.ABORTED: ("✗", "yellow"),
    State.ROLLING_BACK: ("◂", "yellow"),
    State.ROLLED_BACK: ("◂", "yellow"),
}
_One = TypeVar("_One")
_SHOWN = 10
_REPOS_SHOWN = 5
_HUB = "docker.io/library/"
_COLUMNS = ("repos", "waiting", "pending", "green", "unknown", "red", "blocked", "merged", "left")
_LATE_LOOKS: Mapping[TargetState, tuple[str, str]] = {
    TargetState.FAILED: ("✗", "red"),
    TargetState.RED: ("✗", "red"),
    TargetState.BLOCKED: ("‖", "yellow"),
}


def render(report: RolloutReport, style: Style, /) -> str:
    """One rollout; see `Style` for its width, colour and verbosity."""
    now = datetime.fromisoformat(report.at)
    return page(
        [
            _head(report, now, style),
            _moved(report.moves, style),
            _waves(report, style),
            _burndown(report, style),
            _failing(report, style),
            _stragglers(report, now, style),
            _left("Held up", report.held_up, style),
            _left("Went back", report.went_back, style),
            _left("Not asked", report.left, style),
            _back(report, style),
            _next(report, style),
        ]
    )


def render_list(report: RolloutsReport, style: Style, /) -> str:
    """The rollouts in a table, the newest first."""
    now = datetime.fromisoformat(report.at)
    rows = [_row(one, now) for one in report.rollouts]
    heads = ("id", "state", "wave", "merged", "for", "image")
    widths = [max(cell_len(row[i]) for row in [heads, *rows]) for i in range(len(heads) - 1)]
    lines = [_cells(heads, widths, width_of(style))]
    lines[0] = ink(lines[0], "bold", style)
    for row, one in zip(rows, report.rollouts, strict=True):
        line = _cells(row, widths, width_of(style))
        lines.append(line.replace(row[1], ink(row[1], LOOKS[one.state][1], style), 1))
    more = report.total - len(rows)
    lines += [f"… and {more:,} more"] if more > 0 else []
    return page([lines])


def _row(one: RolloutsItem, now: datetime) -> tuple[str, ...]:
    icon = LOOKS[one.state][0]
    wave = "" if one.state is State.PLANNED else f"{one.wave + 1}/{one.waves}"
    since = age(now - datetime.fromisoformat(one.since))
    image = one_line(one.image.removeprefix(_HUB))
    return one.id, f"{icon} {one.state}", wave, f"{one.merged:,}/{one.repos:,}", since, image


def _cells(row: Sequence[str], widths: Sequence[int], most: int) -> str:
    """The cells side by side; the last one has what is left, and loses its end."""
    *cells, last = row
    padded = (
        cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    line = "  ".join([*padded, last])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _head(report: RolloutReport, now: datetime, style: Style) -> Iterator[str]:
    icon, color = LOOKS[report.state]
    state = ink(f"{icon} {report.state}", color, style)
    since = age(now - datetime.fromisoformat(report.since))
    yield f"{ink(f'Rollout {report.id}', 'bold', style)}  {state} for {since}"
    for line in _facts(report, now):
        for piece in wrap(one_line(line), width_of(style) - 2):
            yield f"  {piece}"


def _facts(report: RolloutReport, now: datetime) -> Iterator[str]:
    for move in report.moves:
        yield shorten_digests(f"{_name(move)} → {_target_tag(move)}{move.digest}")
    share = f" ({report.repos * 100 / report.fleet:.0f} %)" if report.fleet else ""
    by = f" by {report.planned_by}" if report.planned_by else ""
    planned = moment_text(datetime.fromisoformat(report.planned_at))
    yield f"{report.repos:,} of {plural(report.fleet, 'repo')}{share}, planned{by} at {planned}"
    yield report.meaning
    until = f", until {_when(report.waits.until, now)}" if report.waits.until else ""
    # The sentence of a gate says until when by itself.
    yield f"now: {report.waits.message}{'' if 'until' in report.waits.message else until}"
    if report.counts.get(TargetState.MERGED):
        yield _merged(report)
    if report.pace < 1:
        yield f"at {report.pace:.0%} of its pace: the forge said that it was too much"


def _merged(report: RolloutReport) -> str:
    merged = report.counts[TargetState.MERGED]
    spans = [
        f"{word} within {age(timedelta(seconds=seconds))}"
        for word, seconds in (("half", report.p50_s), ("nine in ten", report.p90_s))
        if seconds is not None
    ]
    took = f"; {', '.join(spans)} of being opened" if spans else ""
    return f"merged: {merged:,} of {report.repos:,}{took}"


def _name(move: RolloutMove) -> str:
    platform = f" ({move.platform})" if move.platform else ""
    return f"{move.image.removeprefix(_HUB)}{platform}"


def _target_tag(move: RolloutMove) -> str:
    return f"{move.to.removeprefix(_HUB)} " if move.to else ""


def _moved(moves: Sequence[RolloutMove], style: Style) -> Iterator[str]:
    for move in moves:
        if move.moved_to is None or move.moved_at is None:
            continue
        at = moment_text(datetime.fromisoformat(move.moved_at))
        tag = (move.to or move.image).removeprefix(_HUB)
        text = shorten_digests(
            f"{tag} moved to {move.moved_to} after the plan was made ({at}); "
            f"this rollout goes on with {move.digest}"
        )
        first = f"{ink('! moved', 'yellow', style)}  "
        for line in wrap(one_line(text), width_of(style) - 9):
            yield first + line
            first = " " * 9


def _waves(report: RolloutReport, style: Style) -> Iterator[str]:
    rows = [_wave_row(wave) for wave in report.waves]
    heads = ("Wave", *_COLUMNS)
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    yield ink("  " + _numbers(heads, widths), "bold", style)
    for wave, row in zip(report.waves, rows, strict=True):
        is_on = wave.wave == report.wave and wave.is_begun and report.state is State.RUNNING
        mark = ink("▸", "cyan", style) if is_on else " "
        yield f"{mark} {_numbers(row, widths)}"


def _wave_row(wave: RolloutWave) -> tuple[str, ...]:
    name = wave_name(wave.wave)
    numbers = (getattr(wave, column) for column in _COLUMNS)
    return name, *(f"{number:,}" if number else "·" for number in numbers)


def _numbers(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = row
    cells = (f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:], strict=True))
    return " ".join([f"{name:<{widths[0]}}", *cells])


def _burndown(report: RolloutReport, style: Style) -> Iterator[str]:
    lines = list(draw(report.burndown, style))
    if lines:
        yield ink("Burndown", "bold", style)
        yield from (f"  {line}" for line in lines)


def _failing(report: RolloutReport, style: Style) -> Iterator[str]:
    if report.failing:
        yield ink("Failing checks", "bold", style)
    for check in _some(report.failing, style):
        in_repos = plural(len(check.repos), "repo")
        yield f"  {ink('✗', 'red', style)} {one_line(check.name)}: {in_repos}"
        yield from note(_repos(check.repos, style), 4, style)
    yield from _rest(report.failing, style)


def _stragglers(report: RolloutReport, now: datetime, style: Style) -> Iterator[str]:
    if report.stragglers:
        yield ink("Needs somebody", "bold", style)
    for one in _some(report.stragglers, style):
        yield from _straggler(one, now, style)
    yield from _rest(report.stragglers, style)


def _straggler(one: RolloutStraggler, now: datetime, style: Style) -> Iterator[str]:
    icon, color = _LATE_LOOKS.get(one.state, ("·", "dim"))
    opened = datetime.fromisoformat(one.opened_at) if one.opened_at else None
    since = f", open for {age(now - opened)}" if opened else ""
    why = f": {one.why}" if one.why else ""
    first = f"  {ink(icon, color, style)} "
    text = shorten_digests(f"{one.repo} {one.state}{since}{why}")
    for line in wrap(one_line(text), width_of(style) - 4):
        yield first + line
        first = " " * 4
    yield from note(one_line(f"{one.who}: {one.act}"), 4, style)
    if one.url:
        # A link that is broken is none.
        yield f"    {one_line(one.url)}"


def _left(title: str, left: Sequence[RolloutLeft], style: Style) -> Iterator[str]:
    if left:
        yield ink(title, "bold", style)
    for one in _some(left, style):
        text = f"{plural(len(one.repos), 'repo')}: {shorten_digests(one_line(one.why))}"
        yield from (f"  {line}" for line in wrap(text, width_of(style) - 2))
        yield from note(_repos(one.repos, style), 4, style)
    yield from _rest(left, style)


def _back(report: RolloutReport, style: Style) -> Iterator[str]:
    if not report.back:
        return
    yield ink("The way back", "bold", style)
    found: dict[TargetState, list[str]] = {}
    for one in report.back:
        found.setdefault(one.state, []).append(one.repo)
    for state, repos in found.items():
        yield f"  {plural(len(repos), 'repo')} {state}"
        yield from note(_repos(repos, style), 4, style)


def _next(report: RolloutReport, style: Style) -> Iterator[str]:
    if report.verbs:
        yield ink("What may be done", "bold", style)
    width = max((len(one.command) for one in report.verbs), default=0)
    if width_of(style) - width - 4 < NARROWEST:
        for one in report.verbs:
            yield f"  {one.command}"
            yield from note(one.meaning, 4, style)
        return
    for one in report.verbs:
        first = f"  {one.command:<{width}}  "
        for line in wrap(one.meaning, width_of(style) - len(first)):
            yield first + ink(line, "dim", style)
            first = " " * len(first)


def _repos(repos: Sequence[str], style: Style) -> str:
    shown = repos if style.verbosity > 0 else repos[:_REPOS_SHOWN]
    more = len(repos) - len(shown)
    return one_line(", ".join(shown), 100_000) + (f" and {more:,} more" if more else "")


def _some(found: Iterable[_One], style: Style) -> list[_One]:
    return list(found) if style.verbosity > 0 else list(found)[:_SHOWN]


def _rest(found: Sequence[object], style: Style) -> Iterator[str]:
    if style.verbosity <= 0 and len(found) > _SHOWN:
        yield f"  … and {len(found) - _SHOWN:,} more (-v lists them)"


def _when(text: str, now: datetime) -> str:
    moment = datetime.fromisoformat(text)
    return (
        f"{moment_text(moment)} (in {age(moment - now)})" if moment > now else moment_text(moment)
    )

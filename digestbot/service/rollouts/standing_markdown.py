"""How rollouts stand, as Markdown: for an issue, a step summary or a wiki.

What repos and forges wrote is shown, never rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digestbot.report.markdown import code, prose
from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.rollout.machine import State
from digestbot.rollout.progress import TargetState
from digestbot.rollout.waves import wave_name
from digestbot.service.rollouts.standing_contract import (
    RolloutLeft,
    RolloutReport,
    RolloutsReport,
    RolloutStraggler,
    RolloutWave,
)

_COLUMNS = ("repos", "waiting", "pending", "green", "unknown", "red", "blocked", "merged", "left")
_SHOWN = 50
"""Rows of a list; GitHub takes 65,536 characters in all."""
_REPOS_SHOWN = 10


def render(report: RolloutReport, _style: Style, /) -> str:
    """One rollout: what it waits for, its waves, what fails, who must act."""
    blocks = (
        _head(report),
        _waves(report),
        _failing(report),
        _stragglers(report),
        _left("Held up", report.held_up),
        _left("Went back", report.went_back),
        _left("Not asked", report.left),
    )
    return "\n\n".join(text for block in blocks if (text := "\n".join(block))) + "\n"


def render_list(report: RolloutsReport, _style: Style, /) -> str:
    """The rollouts in a table, the newest first."""
    rows = [
        (
            code(one.id),
            one.state.value,
            "" if one.state is State.PLANNED else f"{one.wave + 1}/{one.waves}",
            f"{one.merged:,}/{one.repos:,}",
            one.since,
            code(one.image),
        )
        for one in report.rollouts
    ]
    return "\n".join(_table(("Id", "State", "Wave", "Merged", "Since", "Image"), rows)) + "\n"


def _head(report: RolloutReport) -> Iterator[str]:
    yield f"**Rollout {code(report.id)}: {report.state}** since {report.since}\n"
    for move in report.moves:
        to = f"{code(move.to)} " if move.to else ""
        yield f"- {code(move.image)} → {to}{code(move.digest)}"
        if move.moved_to is not None:
            yield (
                f"  - the tag moved to {code(move.moved_to)} after the plan was made; "
                "that changes nothing here"
            )
    yield f"- {report.repos:,} of {plural(report.fleet, 'repo')}"
    is_told = report.waits.until is None or "until" in report.waits.message
    until = "" if is_told else f", until {report.waits.until}"
    yield f"- now: {prose(report.waits.message)}{until}"
    yield f"- merged: {report.counts.get(TargetState.MERGED, 0):,} of {report.repos:,}"


def _waves(report: RolloutReport) -> Iterator[str]:
    yield from _table(
        ("Wave", *map(str.capitalize, _COLUMNS)), [_wave(wave) for wave in report.waves]
    )


def _wave(wave: RolloutWave) -> tuple[str, ...]:
    name = wave_name(wave.wave)
    return name, *(f"{getattr(wave, column):,}" for column in _COLUMNS)


def _failing(report: RolloutReport) -> Iterator[str]:
    if report.failing:
        yield "**Failing checks**\n"
        rows = [(code(one.name), _repos(one.repos)) for one in report.failing]
        yield from _table(("Check", "Repos"), rows)


def _stragglers(report: RolloutReport) -> Iterator[str]:
    if report.stragglers:
        yield "**Needs somebody**\n"
        rows = [_straggler(one) for one in report.stragglers]
        yield from _table(("Repo", "State", "Why", "Who"), rows)


def _straggler(one: RolloutStraggler) -> tuple[str, ...]:
    number = f" #{one.number}" if one.number else ""
    # Owners are named, not called: a mention would send each of them a message.
    return code(f"{one.repo}{number}"), one.state.value, prose(one.why), prose(_turn(one))


def _turn(one: RolloutStraggler) -> str:
    return f"{one.who}: {one.act}"


def _left(title: str, left: Sequence[RolloutLeft]) -> Iterator[str]:
    if left:
        yield f"**{title}**\n"
        yield from _table(("Why", "Repos"), [(prose(one.why), _repos(one.repos)) for one in left])


def _repos(repos: Sequence[str]) -> str:
    more = len(repos) - _REPOS_SHOWN
    names = ", ".join(map(code, repos[:_REPOS_SHOWN]))
    return f"{names} and {more:,} more" if more > 0 else names


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield f"\n… and {len(rows) - _SHOWN:,} more"

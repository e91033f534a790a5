"""A plan for people at a terminal: what moves where, in which waves, and how far it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from digestbot.report.layout import ink, note, page, problems_block, width_of, wrap
from digestbot.report.plain import NAME_LIMIT, one_line
from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.rollout.plan import Edit, Move
from digestbot.rollout.plan_words import (
    HUB,
    Shown,
    Wave,
    about,
    at_least,
    left_out,
    looked_after,
    name_of,
    pinned_now,
    reach,
    rules_of,
    waves_of,
)

_PINNED_SHOWN = 3
_EDITS_SHOWN = 5
_LEFT_OUT_SHOWN = 5


def render(shown: Shown, style: Style, /) -> str:
    """The plan; see `Style` for its width, colour and verbosity."""
    if not shown.plan.targets:
        return page([_left_out(shown, style), problems_block(shown.problems, style)])
    return page(
        [
            [ink(f"Rollout {shown.id}", "bold", style)],
            _moves(shown, style),
            _waves(waves_of(shown.plan), style),
            _edits(shown, style),
            _block("Reach", _reach(shown, style), style),
            _block("Rules", _wrapped(rules_of(shown.plan), style), style),
            _left_out(shown, style),
            problems_block(shown.problems, style),
            _block("Next", [shown.start], style),
        ]
    )


def _moves(shown: Shown, style: Style) -> Iterator[str]:
    yield ink("Images", "bold", style)
    for move in shown.plan.moves:
        yield f"  {ink(one_line(name_of(move)), 'cyan', style)} gets"
        yield f"    {move.digest}"
        for text in filter(None, (about(move), _pinned(shown, move))):
            yield from note(one_line(text), 4, style)
        for remark in move.remarks:
            yield from _remark(remark, style)


def _remark(text: str, style: Style) -> Iterator[str]:
    first = f"    {ink('!', 'yellow', style)} "
    for line in wrap(one_line(text), width_of(style) - 6):
        yield first + line
        first = " " * 6


def _pinned(shown: Shown, move: Move) -> str:
    found = pinned_now(shown.plan, move)
    told = [
        f"{digest.partition(':')[2][:7]} in {plural(repos, 'repo')}"
        for digest, repos in found[:_PINNED_SHOWN]
    ]
    more = len(found) - _PINNED_SHOWN
    told += [f"{more:,} more"] if more > 0 else []
    return f"pinned now: {', '.join(told)}"


def _waves(waves: Sequence[Wave], style: Style) -> Iterator[str]:
    yield ink("Waves", "bold", style)
    rows = [
        (
            wave.name,
            plural(len(wave.targets), "repo"),
            plural(sum(len(target.edits) for target in wave.targets), "edit"),
        )
        for wave in waves
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for wave, (name, repos, edits) in zip(waves, rows, strict=True):
        head = f"  {name:<{widths[0]}}  {repos:>{widths[1]}}  {edits:>{widths[2]}}  "
        yield head + _examples(wave, width_of(style) - len(head))


def _examples(wave: Wave, width: int) -> str:
    """As many names as fit; at least a piece of the first."""
    names = [one_line(target.repo, NAME_LIMIT) for target in wave.targets]
    told = ""
    for number, name in enumerate(names):
        longer = f"{told}, {name}" if told else name
        rest = ", …" if number + 1 < len(names) else ""
        if cell_len(longer + rest) > width:
            break
        told = longer
    if not told:
        return next(iter(wrap(names[0], max(width - 1, 1)))) + "…"
    return told if told.count(", ") + 1 == len(names) else f"{told}, …"


def _edits(shown: Shown, style: Style) -> Iterator[str]:
    yield ink("Edits", "bold", style)
    edits = [(target.repo, edit) for target in shown.plan.targets for edit in target.edits]
    some = edits if style.verbosity > 0 else edits[:_EDITS_SHOWN]
    for repo, edit in some:
        yield from _edit(repo, edit, style)
    if len(some) < len(edits):
        yield f"  … and {len(edits) - len(some):,} more (-v lists them)"


def _edit(repo: str, edit: Edit, style: Style) -> Iterator[str]:
    where = one_line(f"{repo}  {edit.path}:{edit.line}")
    what = one_line(str(edit.image).removeprefix(HUB), NAME_LIMIT)
    what += f" → {one_line(edit.to.tag, NAME_LIMIT)}" if edit.to else ""
    text = f"{where}  {what}  {edit.before.short} → {edit.after.short}"
    indent = "  "
    for line in wrap(text, width_of(style) - 4):
        yield indent + line
        indent = "    "


def _reach(shown: Shown, style: Style) -> Iterator[str]:
    told = (reach(shown.plan), looked_after(shown.plan), at_least(shown.plan))
    yield from _wrapped(filter(None, told), style)
    if shown.large is not None:
        for line in wrap(one_line(shown.large.message), width_of(style) - 4):
            yield f"{ink('!', 'yellow', style)} {line}"


def _left_out(shown: Shown, style: Style) -> Iterator[str]:
    reasons = left_out(shown.plan)
    if not reasons:
        return
    yield ink(f"Left out: {plural(len(shown.plan.left_out), 'repo')}", "bold", style)
    for reason, repos in reasons.items():
        some = repos if style.verbosity > 0 else repos[:_LEFT_OUT_SHOWN]
        more = f" and {len(repos) - len(some):,} more" if len(some) < len(repos) else ""
        names = ", ".join(one_line(repo, NAME_LIMIT) for repo in some)
        yield from (f"  {line}" for line in wrap(names + more, width_of(style) - 2))
        yield from note(one_line(reason), 4, style)


def _block(title: str, lines: Iterable[str], style: Style) -> Iterator[str]:
    yield ink(title, "bold", style)
    for line in lines:
        yield f"  {line}"


def _wrapped(texts: Iterable[str], style: Style) -> Iterator[str]:
    for text in texts:
        yield from wrap(one_line(text), width_of(style) - 2)

"""How texts for people are laid out: ink, lines that fit, notes, and problems by cause.

The layout is the same on a terminal and in a pipe: no boxes, and nothing that only colour says.
Rich measures the cells; the few colours are written here, because a rich console would take
longer to import than most reports take to render.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len, chop_cells

from digestbot.report.plain import one_line
from digestbot.report.style import Style
from digestbot.scan.result import Problem

NARROWEST = 24
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "1;31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}
_SUBJECTS_SHOWN = 10
# A line of a job's log that begins like this is a command to GitHub Actions, whoever wrote it.
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"#(?=#\[)")


def ink(text: str, color: str, style: Style) -> str:
    """The text in this colour, where colours are wanted."""
    if not style.color or not text:
        return text
    return f"\x1b[{_CODES[color]}m{text}\x1b[0m"


def width_of(style: Style) -> int:
    """The cells of a line; a terminal that is narrower still has to break the lines itself."""
    return max(style.width, 2 * NARROWEST)


def page(blocks: Iterable[Iterable[str]]) -> str:
    """Blocks of lines with an empty line between them, harmless to whoever reads a job's log."""
    lines = ("\n".join(block) for block in blocks)
    text = "\n\n".join(block for block in lines if block)
    return _OLD_COMMAND.sub(r"\\x23", _COMMAND.sub(r"\1\\x3a", text)) + "\n" if text else ""


def problems_block(problems: Iterable[Problem], style: Style) -> Iterator[str]:
    """The problems by cause, each cause with the one hint for all of its subjects."""
    causes: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        causes.setdefault((problem.code, problem.hint), []).append(problem)
    if causes:
        yield ink("✗ Incomplete", "red", style) + ": not everything could be found out"
    for (code, hint), group in causes.items():
        lines = wrap(one_line(code), width_of(style))
        yield from (f"  {ink(line, 'bold', style)}" for line in lines)
        shown = group if style.verbosity > 0 else group[:_SUBJECTS_SHOWN]
        for problem in shown:
            yield from note(f"{subject_of(problem)}: {one_line(problem.message)}", 4, style)
        if len(shown) < len(group):
            yield f"    … and {len(group) - len(shown)} more (-v lists them)"
        if hint and style.verbosity >= 0:
            yield from note(f"hint: {one_line(hint)}", 4, style)


def subject_of(problem: Problem) -> str:
    """The host or repo; a path with its repo before it, where it is in one."""
    subject = one_line(problem.subject)
    return f"{one_line(problem.repo)} {subject}" if problem.repo else subject


def note(text: str, indent: int, style: Style) -> Iterator[str]:
    """Dim lines below something."""
    for line in wrap(text, max(width_of(style) - indent, NARROWEST)):
        yield " " * indent + ink(line, "dim", style)


def wrap(text: str, width: int, after: str = " ") -> Iterator[str]:
    """Lines of at most this many cells, broken after this character where that is possible."""
    line = ""
    for word in re.findall(rf"[^{after}]*{after}|[^{after}]+", text):
        if line and cell_len(line) + cell_len(word.rstrip()) > width:
            yield line.strip()
            line = ""
        line += word
        if cell_len(line.rstrip()) > width:
            *full, line = chop_cells(line, width)
            yield from full
    if line.strip():
        yield line.strip()

"""The report for people: a row per finding, a summary, and what to do next.

The layout is the same on a terminal and in a pipe: no boxes, and nothing that only colour says.
Rich measures the cells; the few colours are written here, because a rich console would take
longer to import than most reports take to render.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from digestbot.policy.finding import Finding, Status
from digestbot.report.advice import next_steps
from digestbot.report.plain import name_of, one_line, shorten_digests
from digestbot.report.style import Style
from digestbot.report.summary import needs_attention, sentence, word_for
from digestbot.scan.result import Problem, ScanResult

_LOOKS = {
    "updated": ("✓", "green"),
    "stale": ("▲", "yellow"),
    "current": ("✓", "green"),
    "unpinned": ("○", "cyan"),
    "held": ("‖", "blue"),
    "skipped": ("·", "dim"),
    "failed": ("✗", "red"),
}
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "1;31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
}
_STATUS_WIDTH = max(len(word) for word in _LOOKS) + 2
_CHANGE_WIDTH = 17
_NARROWEST = 24
_PLACE_SHARE = 3
_SUBJECTS_SHOWN = 10
# Reasons that the row itself explains, together with the advice at the end.
_OBVIOUS = {"digest-moved", "no-digest", "offline"}
# A line of a job's log that begins like this is a command to GitHub Actions, whoever wrote it.
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_OLD_COMMAND = re.compile(r"#(?=#\[)")


@dataclass(frozen=True, slots=True)
class _Page:
    """How wide everything is: the page, and the columns of its rows."""

    style: Style
    place: int
    name: int

    @classmethod
    def of(cls, findings: list[Finding], style: Style) -> _Page:
        # A place that is longer than this gets a line of its own above its row.
        longest = max(style.width, 2 * _NARROWEST) // _PLACE_SHARE
        places = (cell_len(_place(finding)) for finding in findings)
        place = max((length for length in places if length <= longest), default=0)
        page = cls(style, place, 0)
        # One endless name must not push the other rows' digests out of sight.
        lengths = (cell_len(name_of(finding)) for finding in findings)
        fitting = (length for length in lengths if length <= page.room - _CHANGE_WIDTH - 2)
        return cls(style, place, max(fitting, default=0))

    @property
    def width(self) -> int:
        """The cells of a line; a terminal that is narrower still has to break the lines itself."""
        return max(self.style.width, 2 * _NARROWEST)

    @property
    def indent(self) -> int:
        """Where the names begin."""
        return self.place + 2 + _STATUS_WIDTH + 2

    @property
    def room(self) -> int:
        """The cells that are left for a name and what follows it."""
        return max(self.width - self.indent, _NARROWEST)

    def ink(self, text: str, color: str) -> str:
        """The text in this colour, where colours are wanted."""
        if not self.style.color or not text:
            return text
        return f"\x1b[{_CODES[color]}m{text}\x1b[0m"


def render(result: ScanResult, style: Style, /) -> str:
    """The report; see `Style` for its width, colour and verbosity."""
    verbose = style.verbosity > 0
    shown = [f for f in result.findings if verbose or f.status is not Status.CURRENT]
    page = _Page.of(shown, style)
    blocks = [[*_rows(shown, result, page)], [*_problems(result.problems, page)]]
    blocks += [[*_summary(result, page)], [*_next(result, page)]]
    lines = "\n\n".join("\n".join(block) for block in blocks if block)
    return _OLD_COMMAND.sub(r"\\x23", _COMMAND.sub(r"\1\\x3a", lines)) + "\n"


def _rows(shown: list[Finding], result: ScanResult, page: _Page) -> Iterator[str]:
    told = {problem.code for problem in result.problems} if page.style.verbosity < 1 else set()
    before: tuple[str, ...] = ()
    for finding in shown:
        word = word_for(result, finding)
        yield from _row(finding, word, page)
        notes = () if finding.reason in told else _notes(finding, word, page.style)
        if notes != before:
            yield from (line for note in notes for line in _note(note, page.indent, page))
        before = notes


def _row(finding: Finding, word: str, page: _Page) -> Iterator[str]:
    icon, color = _LOOKS[word]
    place = _place(finding)
    if cell_len(place) > page.place:
        yield from (page.ink(part, "bold") for part in _wrap(place, page.width, "/"))
        place = ""
    padding = " " * (page.place - cell_len(place))
    status = page.ink(f"{icon} {word}".ljust(_STATUS_WIDTH), color)
    first = f"{page.ink(place, 'bold')}{padding}  {status}  "
    name, change = name_of(finding), _change(finding)
    follows = page.room - page.name - 2
    if cell_len(name) <= page.name and cell_len(change) <= follows:
        gap = " " * (page.name - cell_len(name) + 2)
        yield f"{first}{name}{gap}{change}".rstrip()
        return
    pieces = [*_wrap(name, page.room, "/"), *_wrap(change, page.room)]
    yield first + pieces[0]
    yield from (" " * page.indent + piece for piece in pieces[1:])


def _place(finding: Finding) -> str:
    return f"{one_line(finding.occurrence.path)}:{finding.occurrence.line}"


def _change(finding: Finding) -> str:
    """Old and new digest in short; the reason where there is no new one."""
    reference = finding.occurrence.reference
    old = reference.digest.short if reference and reference.digest else ""
    if finding.new_digest is not None:
        return f"{old} → {finding.new_digest.short}".lstrip()
    return old if finding.status is Status.CURRENT else one_line(finding.reason)


def _notes(finding: Finding, word: str, style: Style) -> tuple[str, ...]:
    """What is said below a row: nothing where the row says it all."""
    obvious = word in {"updated", "current"} or finding.reason in _OBVIOUS
    if style.verbosity < 0 or (obvious and style.verbosity <= 1):
        return ()
    why = shorten_digests(one_line(finding.message))
    return (why, f"hint: {one_line(finding.hint)}") if finding.hint else (why,)


def _problems(problems: Iterable[Problem], page: _Page) -> Iterator[str]:
    """The problems by cause, each cause with the one hint for all of its subjects."""
    causes: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        causes.setdefault((problem.code, problem.hint), []).append(problem)
    if causes:
        yield page.ink("✗ Incomplete", "red") + ": not everything could be found out"
    for (code, hint), group in causes.items():
        yield from (f"  {page.ink(line, 'bold')}" for line in _wrap(one_line(code), page.room))
        shown = group if page.style.verbosity > 0 else group[:_SUBJECTS_SHOWN]
        for problem in shown:
            yield from _note(f"{one_line(problem.subject)}: {one_line(problem.message)}", 4, page)
        if len(shown) < len(group):
            yield f"    … and {len(group) - len(shown)} more (-v lists them)"
        if hint and page.style.verbosity >= 0:
            yield from _note(f"hint: {one_line(hint)}", 4, page)


def _summary(result: ScanResult, page: _Page) -> Iterator[str]:
    done = not result.problems and not any(needs_attention(result, f) for f in result.findings)
    mark = page.ink("✓", "green") + " " if done and result.findings else ""
    for line in _wrap(sentence(result), page.width - 2, ","):
        yield mark + page.ink(line, "bold")
        mark = ""


def _next(result: ScanResult, page: _Page) -> Iterator[str]:
    steps = list(next_steps(result, one_line(page.style.command)))
    if not steps or page.style.verbosity < 0:
        return
    yield page.ink("What to do next", "bold")
    longest = max(cell_len(step.command) for step in steps)
    fits = all(longest + cell_len(step.effect) + 4 <= page.width for step in steps)
    for step in steps:
        gap = " " * (longest - cell_len(step.command) + 2) if fits else "\n      "
        yield f"  {page.ink(step.command, 'cyan')}{gap}{step.effect}"


def _note(text: str, indent: int, page: _Page) -> Iterator[str]:
    for line in _wrap(text, max(page.width - indent, _NARROWEST)):
        yield " " * indent + page.ink(line, "dim")


def _wrap(text: str, width: int, after: str = " ") -> Iterator[str]:
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

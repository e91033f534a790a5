"""The report for people: a row per finding, a summary, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from digestbot.policy.finding import Finding, Status
from digestbot.report.advice import next_steps
from digestbot.report.layout import NARROWEST, ink, note, page, problems_block, width_of, wrap
from digestbot.report.plain import name_of, one_line, shorten_digests
from digestbot.report.style import Style
from digestbot.report.summary import denied_first, needs_attention, sentence, word_for
from digestbot.scan.result import ScanResult

_LOOKS = {
    "denied": ("!", "red"),
    "updated": ("✓", "green"),
    "stale": ("▲", "yellow"),
    "current": ("✓", "green"),
    "unpinned": ("○", "cyan"),
    "held": ("‖", "blue"),
    "skipped": ("·", "dim"),
    "failed": ("✗", "red"),
}
_STATUS_WIDTH = max(len(word) for word in _LOOKS) + 2
_CHANGE_WIDTH = 17
_PLACE_SHARE = 3
# Reasons that the row itself explains, together with the advice at the end.
_OBVIOUS = {"digest-moved", "no-digest", "offline"}


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide the columns of the rows are."""

    style: Style
    place: int
    name: int

    @classmethod
    def of(cls, findings: list[Finding], style: Style) -> _Columns:
        # A place that is longer than this gets a line of its own above its row.
        longest = width_of(style) // _PLACE_SHARE
        places = (cell_len(_place(finding)) for finding in findings)
        place = max((length for length in places if length <= longest), default=0)
        # One endless name must not push the other rows' digests out of sight.
        room = cls(style, place, 0).room
        lengths = (cell_len(name_of(finding)) for finding in findings)
        fitting = (length for length in lengths if length <= room - _CHANGE_WIDTH - 2)
        return cls(style, place, max(fitting, default=0))

    @property
    def indent(self) -> int:
        """Where the names begin."""
        return self.place + 2 + _STATUS_WIDTH + 2

    @property
    def room(self) -> int:
        """The cells that are left for a name and what follows it."""
        return max(width_of(self.style) - self.indent, NARROWEST)


def render(result: ScanResult, style: Style, /) -> str:
    """The report; see `Style` for its width, colour and verbosity."""
    verbose = style.verbosity > 0
    shown = [f for f in result.findings if verbose or f.status is not Status.CURRENT]
    columns = _Columns.of(shown, style)
    blocks = [
        [*_heading(repo, style), *_rows(list(findings), result, columns)]
        for repo, findings in groupby(denied_first(shown), key=lambda finding: finding.repo)
    ]
    blocks += [[*problems_block(result.problems, style)]]
    return page([*blocks, [*_summary(result, style)], [*_next(result, style)]])


def _heading(repo: str, style: Style) -> Iterator[str]:
    if repo:
        yield from (ink(part, "bold", style) for part in wrap(one_line(repo), width_of(style), "/"))


def _rows(shown: list[Finding], result: ScanResult, columns: _Columns) -> Iterator[str]:
    style = columns.style
    told = {problem.code for problem in result.problems} if style.verbosity < 1 else set()
    before: tuple[str, ...] = ()
    for finding in shown:
        word = word_for(result, finding)
        yield from _row(finding, word, columns)
        notes = () if finding.reason in told else _notes(finding, word, style)
        if notes != before:
            yield from (line for one in notes for line in note(one, columns.indent, style))
        before = notes


def _row(finding: Finding, word: str, columns: _Columns) -> Iterator[str]:
    icon, color = _LOOKS[word]
    style = columns.style
    place = _place(finding)
    if cell_len(place) > columns.place:
        yield from (ink(part, "bold", style) for part in wrap(place, width_of(style), "/"))
        place = ""
    padding = " " * (columns.place - cell_len(place))
    status = ink(f"{icon} {word}".ljust(_STATUS_WIDTH), color, style)
    first = f"{ink(place, 'bold', style)}{padding}  {status}  "
    name, change = name_of(finding), _change(finding)
    follows = columns.room - columns.name - 2
    if cell_len(name) <= columns.name and cell_len(change) <= follows:
        gap = " " * (columns.name - cell_len(name) + 2)
        yield f"{first}{name}{gap}{change}".rstrip()
        return
    pieces = [*wrap(name, columns.room, "/"), *wrap(change, columns.room)]
    yield first + pieces[0]
    yield from (" " * columns.indent + piece for piece in pieces[1:])


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


def _summary(result: ScanResult, style: Style) -> Iterator[str]:
    done = not result.problems and not any(needs_attention(result, f) for f in result.findings)
    mark = ink("✓", "green", style) + " " if done and result.findings else ""
    for line in wrap(sentence(result), width_of(style) - 2, ","):
        yield mark + ink(line, "bold", style)
        mark = ""


def _next(result: ScanResult, style: Style) -> Iterator[str]:
    steps = list(next_steps(result, one_line(style.command)))
    if not steps or style.verbosity < 0:
        return
    yield ink("What to do next", "bold", style)
    longest = max(cell_len(step.command) for step in steps)
    fits = all(longest + cell_len(step.effect) + 4 <= width_of(style) for step in steps)
    for step in steps:
        gap = " " * (longest - cell_len(step.command) + 2) if fits else "\n      "
        yield f"  {ink(step.command, 'cyan', style)}{gap}{step.effect}"

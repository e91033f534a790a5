"""The report of an update for people: a line per proposal that matters, and a summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby

from rich.cells import cell_len

from digestbot.proposals.outcome import Outcome
from digestbot.proposals.report_account import is_current
from digestbot.proposals.report_contract import Preview, UpdateProposal, UpdateRepo, UpdateReport
from digestbot.report.layout import ink, note, page, problems_block, width_of, wrap
from digestbot.report.plain import one_line, shorten_digests
from digestbot.report.style import Style
from digestbot.report.summary import duration, plural
from digestbot.scan.result import Problem

_LOOKS = {
    Outcome.OPENED: ("✓", "green"),
    Outcome.COMMITTED: ("✓", "green"),
    Outcome.REFRESHED: ("✓", "green"),
    Outcome.REBUILT: ("✓", "green"),
    Outcome.MERGED: ("✓", "green"),
    Outcome.CLOSED: ("✓", "green"),
    Outcome.UNCHANGED: ("·", "dim"),
    Outcome.ADOPTED: ("·", "dim"),
    Outcome.REJECTED: ("·", "dim"),
    Outcome.LIMITED: ("‖", "blue"),
    Outcome.KEPT: ("‖", "blue"),
    Outcome.HANDS_OFF: ("‖", "yellow"),
}
_TO_COME = {
    Outcome.OPENED: "to open",
    Outcome.COMMITTED: "to commit",
    Outcome.REFRESHED: "to refresh",
    Outcome.REBUILT: "to rebuild",
    Outcome.CLOSED: "to close",
    Outcome.MERGED: "to merge",
}
# What stays as it is until somebody does something: counted in every run, listed with -v.
_SETTLED = {Outcome.UNCHANGED, Outcome.REJECTED, Outcome.ADOPTED}
# What the line itself says.
_OBVIOUS = {Outcome.OPENED, Outcome.COMMITTED, Outcome.REFRESHED, Outcome.UNCHANGED}
_WITHOUT_BRANCH = {Outcome.LIMITED, Outcome.REJECTED, Outcome.ADOPTED}
_DENIED, _HELD, _LEFT_OUT, _SKIPPED = "denied", "held", "left out", "skipped"
_APART = {_HELD: "repo", _LEFT_OUT: "repo", _SKIPPED: "file"}
_NAME_SHARE = 3
_NAMES_SHOWN = 3
_LINE_LIMIT = 2000
_PREVIEW_INDENT = 4
_DIFF_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class _Row:
    """A line: what it is about, how that ended, and what is said below."""

    icon: str
    color: str
    word: str
    name: str
    text: str
    link: str = ""
    notes: tuple[str, ...] = ()
    preview: Preview | None = None


def render(report: UpdateReport, style: Style, /) -> str:
    """The report; see `Style` for its width, colour and verbosity."""
    rows = [*_denied(report.repos), *_proposals(report, style), *_apart(report.repos, style)]
    problems = [
        Problem(one.scope, one.subject, one.code, one.message, one.hint, one.repo or "")
        for one in report.errors
    ]
    tail = [problems_block(problems, style), _summary(report, style), _next(report, style)]
    return page([*_blocks(rows, style), *tail])


def _denied(repos: Iterable[UpdateRepo]) -> Iterator[_Row]:
    """Each repo that pins what is on the deny list: before all else, and never summed up."""
    for repo in repos:
        for image in repo.denied:
            text = f"{image.path}:{image.line}  {shorten_digests(image.message)}"
            yield _Row("!", "red", _DENIED, repo.repo, text)


def _proposals(report: UpdateReport, style: Style) -> Iterator[_Row]:
    verbose = style.verbosity > 0
    for repo in report.repos:
        if verbose and is_current(repo):
            yield _Row("✓", "green", "current", repo.repo, plural(repo.occurrences, "image"))
        for proposal in repo.proposals:
            if verbose or proposal.preview or proposal.outcome not in _SETTLED:
                yield _proposal(repo.repo, proposal, style, dry_run=report.dry_run)
        for notice in repo.notices:
            yield _Row("!", "yellow", "notice", repo.repo, notice)


def _proposal(name: str, proposal: UpdateProposal, style: Style, *, dry_run: bool) -> _Row:
    icon, color = _LOOKS[proposal.outcome]
    number = f"#{proposal.number} " if proposal.number else ""
    has_branch = proposal.title and proposal.outcome not in _WITHOUT_BRANCH
    is_told = style.verbosity >= (1 if proposal.outcome in _OBVIOUS else 0)
    is_done = not (dry_run and proposal.outcome in _TO_COME)
    return _Row(
        "▲" if dry_run and proposal.outcome in _TO_COME else icon,
        color,
        _word(proposal.outcome, dry_run=dry_run),
        name,
        number + (proposal.title or proposal.branch),
        proposal.url or (f"branch {proposal.branch}" if has_branch else ""),
        (proposal.message,) if is_told and is_done and proposal.message else (),
        proposal.preview,
    )


def _word(outcome: Outcome, *, dry_run: bool) -> str:
    return _TO_COME.get(outcome, outcome.value) if dry_run else outcome.value


def _apart(repos: Iterable[UpdateRepo], style: Style) -> Iterator[_Row]:
    """Each repo and file that was left alone, or one line for many of the same reason."""
    groups: dict[tuple[str, str], list[_Row]] = {}
    for row, reason in chain(_held(repos), _left_out(repos), _skipped(repos)):
        groups.setdefault((row.word, reason), []).append(row)
    for (word, reason), rows in groups.items():
        if style.verbosity > 0 or len(rows) <= _NAMES_SHOWN:
            yield from rows
        else:
            many = plural(len(rows), _APART[word])
            yield _Row(rows[0].icon, rows[0].color, word, many, f"{reason} (-v lists them)")


def _held(repos: Iterable[UpdateRepo]) -> Iterator[tuple[_Row, str]]:
    """What is held back, and until when: once in each repo."""
    for repo in repos:
        for text in dict.fromkeys(f"{one.reason}: {one.message}" for one in repo.held):
            short = shorten_digests(text)
            yield _Row("‖", "blue", _HELD, repo.repo, short), short


def _left_out(repos: Iterable[UpdateRepo]) -> Iterator[tuple[_Row, str]]:
    for repo in repos:
        if repo.left_out is not None:
            reason, message = repo.left_out.reason, repo.left_out.message
            yield _Row("·", "dim", _LEFT_OUT, repo.repo, f"{reason}: {message}"), reason


def _skipped(repos: Iterable[UpdateRepo]) -> Iterator[tuple[_Row, str]]:
    for repo in repos:
        for file in repo.skipped:
            text = f"{file.path}  {file.reason}: {file.message}"
            yield _Row("·", "dim", _SKIPPED, repo.repo, text), file.reason


def _blocks(rows: list[_Row], style: Style) -> Iterator[list[str]]:
    """One line after the other; what has a preview stands apart."""
    word_width = max((cell_len(row.word) for row in rows), default=0)
    lengths = (cell_len(one_line(row.name)) for row in rows)
    longest = width_of(style) // _NAME_SHARE
    name_width = max((length for length in lengths if length <= longest), default=0)
    for _, group in groupby(rows, key=lambda row: id(row) if row.preview else 0):
        lines = (_row(row, word_width, name_width, style) for row in group)
        yield [*chain.from_iterable(lines)]


def _row(row: _Row, word_width: int, name_width: int, style: Style) -> Iterator[str]:
    status = ink(f"{row.icon} {row.word}", row.color, style)
    status += " " * (word_width - cell_len(row.word) + 2)
    name, text, link = one_line(row.name), one_line(row.text), one_line(row.link)
    indent = word_width + 4
    if cell_len(name) <= name_width:
        gap = " " * (name_width - cell_len(name) + 2)
        indent += name_width + 2
        first = f"{status}{ink(name, 'bold', style)}{gap}"
    else:
        yield f"{status}{ink(name, 'bold', style)}"
        first = " " * indent
    room = width_of(style) - indent
    if link and cell_len(text) + cell_len(link) + 2 <= room:
        text, link = f"{text}  {link}", ""
    for piece in wrap(text, room):
        yield first + piece
        first = " " * indent
    if link:
        # A link that is broken is none.
        yield " " * indent + link
    for one in row.notes:
        yield from note(one_line(one), indent, style)
    if row.preview is not None:
        yield from _preview(row.preview, style)


def _preview(preview: Preview, style: Style) -> Iterator[str]:
    indent = " " * _PREVIEW_INDENT
    texts = [
        [(line, "") for line in text.rstrip("\n").split("\n")]
        for text in (preview.title, preview.body)
    ]
    diff = preview.diff.removesuffix("\n").split("\n")
    for lines in (*texts, [(line, _DIFF_COLORS.get(line[:1], "")) for line in diff]):
        if any(line for line, _ in lines):
            yield ""
            for line, color in lines:
                shown = one_line(line.expandtabs(), _LINE_LIMIT)
                yield (indent + (ink(shown, color, style) if color else shown)).rstrip()


def _summary(report: UpdateReport, style: Style) -> Iterator[str]:
    summary = report.summary
    counts = {_DENIED: summary.denied}
    counts |= {_word(key, dry_run=report.dry_run): n for key, n in summary.outcomes.items()}
    counts |= {_HELD: summary.held, "current": summary.current, _LEFT_OUT: summary.left_out}
    counts["incomplete"] = summary.incomplete
    parts = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    found = f"{plural(summary.repos, 'repo')}: {parts}" if parts else plural(summary.repos, "repo")
    asked = plural(summary.lookups, "lookup")
    if summary.calls is not None:
        asked += f", {plural(summary.calls, 'API call')}"
    sentence = f"{found} · {asked} in {duration(report.duration_s)}"
    is_pending = report.dry_run and any(repo.writes for repo in report.repos)
    is_clean = not (report.errors or summary.denied or is_pending) and summary.repos
    mark = ink("✓", "green", style) + " " if is_clean else ""
    for line in wrap(sentence, width_of(style) - 2, ","):
        yield mark + ink(line, "bold", style)
        mark = ""


def _next(report: UpdateReport, style: Style) -> Iterator[str]:
    if not report.dry_run or style.verbosity < 0 or not any(repo.writes for repo in report.repos):
        return
    yield ink("What to do next", "bold", style)
    yield f"  {ink(one_line(style.command), 'cyan', style)}  does it"

"""The report as Markdown, for a comment on a pull request, a step summary or a wiki.

What repos and registries wrote is shown, never rendered: no markup, link, mention or
reference of theirs comes to life.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate

from digestbot.policy.finding import Finding, Status
from digestbot.report.plain import name_of, one_line, shorten_digests
from digestbot.report.style import Style
from digestbot.report.summary import DENIED, by_importance, sentence, word_for
from digestbot.scan.result import Problem, ScanResult

# GitHub takes 65,536 characters in a comment; the rest is left for whoever wraps this.
_TABLE_LIMIT = 48_000
_PROBLEMS_LIMIT = 10_000
_HEADER = "| Status | Image | Digest | Where | Why |\n| --- | --- | --- | --- | --- |\n"
_ICONS: dict[str, str] = {
    DENIED: "⛔",
    Status.FAILED: "❌",
    Status.STALE: "🔺",
    Status.UNPINNED: "⚪",
    Status.HELD: "⏸️",
    Status.SKIPPED: "⏭️",
}
# What the digests in the row say.
_OBVIOUS = {"digest-moved", "no-digest"}
_PROSE_LIMIT = 300
# A mention, an issue or a bare link is recognised even behind entities; a character of no
# width keeps these apart from what follows.
_ALIVE = re.compile(r"@|#|://|www\.|GH-", re.IGNORECASE)
_MARKUP = re.compile(rf"{_ALIVE.pattern}|[!$&*<>\[\\\]^_`{{|}}~]", re.IGNORECASE)
_UNSAFE_IN_CODE = re.compile(r"[`|\\]")


def render(result: ScanResult, _style: Style, /) -> str:
    """A table of what asks for attention, then the problems; cut below 60,000 characters."""
    text = f"{sentence(result)}\n"
    findings = by_importance(result)
    rows = [_row(finding, word_for(result, finding)) for finding in findings]
    if rows:
        text += f"\n{_HEADER}{_cut(rows, _TABLE_LIMIT)}"
    if result.problems:
        items = _cut(map(_item, result.problems), _PROBLEMS_LIMIT)
        text += f"\n**Incomplete:** not everything could be found out.\n\n{items}"
    return text


def code(text: str) -> str:
    """The text as a code span that may stand in a table."""
    text = one_line(text)
    if _UNSAFE_IN_CODE.search(text) or text != text.strip() or not text:
        return f"<code>{prose(text)}</code>"
    return f"`{text}`"


def prose(text: str) -> str:
    """The text with everything that Markdown or GitHub would act on as entities."""
    return _MARKUP.sub(_still, shorten_digests(one_line(text, _PROSE_LIMIT)))


def _still(match: re.Match[str]) -> str:
    entities = [f"&#{ord(character)};" for character in match[0]]
    if _ALIVE.fullmatch(match[0]):
        entities.insert(1, "&#8203;")
    return "".join(entities)


def _row(finding: Finding, word: str) -> str:
    occurrence = finding.occurrence
    cells = (
        f"{_ICONS[word]} {word}",
        code(name_of(finding)),
        _digests(finding),
        code(f"{finding.repo} {occurrence.path}:{occurrence.line}".lstrip()),
        _why(finding),
    )
    return f"| {' | '.join(cells)} |\n"


def _digests(finding: Finding) -> str:
    reference = finding.occurrence.reference
    old = code(reference.digest.short) if reference and reference.digest else ""
    new = code(finding.new_digest.short) if finding.new_digest else ""
    return f"{old} → {new}".strip() if new else old


def _why(finding: Finding) -> str:
    reason = prose(finding.reason)
    if finding.reason in _OBVIOUS and (finding.edits or finding.status is Status.UNPINNED):
        return reason
    return f"{reason}: {prose(finding.message)}"


def _item(problem: Problem) -> str:
    hint = f" (hint: {prose(problem.hint)})" if problem.hint else ""
    subject = f"{problem.repo} {problem.subject}".lstrip()
    return f"- {code(subject)} {prose(problem.code)}: {prose(problem.message)}{hint}\n"


def _cut(lines: Iterable[str], limit: int) -> str:
    """As many whole lines as fit, and the number of those that do not."""
    everything = list(lines)
    # Counted in UTF-8, which is never less than any way in which a code host may count.
    sizes = accumulate(len(line.encode()) for line in everything)
    fitting = sum(size <= limit for size in sizes)
    text = "".join(everything[:fitting])
    more = len(everything) - fitting
    return f"{text}\n… and {more:,} more\n" if more else text

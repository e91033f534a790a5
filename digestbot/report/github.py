"""The report for GitHub Actions: annotations by workflow commands, and the step summary.

See: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from digestbot.policy.finding import Finding, Status
from digestbot.report import markdown
from digestbot.report.plain import name_of, one_line
from digestbot.report.repos import in_one_tree
from digestbot.report.style import Style
from digestbot.report.summary import DENIED, by_importance, sentence, word_for
from digestbot.scan.result import Problem, ScanResult

_COMMANDS: dict[str, str] = {
    DENIED: "error",
    Status.FAILED: "error",
    Status.STALE: "warning",
    Status.UNPINNED: "warning",
    Status.HELD: "notice",
    Status.SKIPPED: "notice",
}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(result: ScanResult, _style: Style, /) -> str:
    """One annotation a line, most important first: GitHub shows the first ten of each level.

    The summary comes last, in plain text, for those who read the log.
    """
    placed = in_one_tree(result)
    findings = ((finding, word_for(placed, finding)) for finding in by_importance(placed))
    annotations = [(_annotation(finding, word), word) for finding, word in findings]
    denied = [line for line, word in annotations if word == DENIED]
    others = [line for line, word in annotations if word != DENIED]
    lines = [*denied, *map(_problem, placed.problems), *others]
    return "\n".join([*lines, sentence(result)]) + "\n"


def step_summary(result: ScanResult) -> str:
    """What to append to the file that `GITHUB_STEP_SUMMARY` names: Markdown."""
    return f"## Container images\n\n{markdown.render(result, Style())}"


def _annotation(finding: Finding, word: str) -> str:
    occurrence = finding.occurrence
    return _command(
        _COMMANDS[word],
        {
            "file": occurrence.path,
            "line": str(occurrence.line),
            "col": str(occurrence.column),
            "title": f"{word}: {name_of(finding)}",
        },
        _lines(finding.message, finding.hint),
    )


def _problem(problem: Problem) -> str:
    place = {"file": problem.subject} if problem.scope == "file" else {}
    title = {"title": f"{problem.subject}: {problem.code}"}
    return _command("error", place | title, _lines(problem.message, problem.hint))


def _lines(message: str, hint: str) -> Iterator[str]:
    yield message
    if hint:
        yield f"hint: {hint}"


def _command(name: str, properties: dict[str, str], lines: Iterator[str]) -> str:
    joined = ",".join(
        f"{key}={one_line(value).translate(_PROPERTY)}" for key, value in properties.items()
    )
    return f"::{name} {joined}::" + "\n".join(map(one_line, lines)).translate(_DATA)

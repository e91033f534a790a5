"""What a run writes, or would write: title, body and diff of each proposal, by its steps."""

from __future__ import annotations

from digestbot.forge.steps import EditPull, OpenPull, PushBranch
from digestbot.proposals.outcome import RepoOutcome, Verdict
from digestbot.proposals.proposal import Writer
from digestbot.proposals.report_contract import Preview
from digestbot.report.diff import unified_diff
from digestbot.report.plain import well_formed


def preview_of(
    outcome: RepoOutcome, verdict: Verdict, writer: Writer | None = None
) -> Preview | None:
    """What the steps write of this proposal; None where they write nothing of it.

    Where a forge has no pull requests, `writer` says what one would read like.
    """
    words = [
        (step.title, step.body)
        for step in outcome.steps
        if (isinstance(step, OpenPull) and step.branch == verdict.branch)
        or (isinstance(step, EditPull) and step.number == verdict.number)
    ]
    pushes = [
        step
        for step in outcome.steps
        if isinstance(step, PushBranch) and step.branch == verdict.branch
    ]
    if not words and not pushes:
        return None
    if not words and writer is not None and not verdict.number:
        proposals = [one for one in outcome.proposals if one.branch == verdict.branch]
        words = [(writer.title(one), writer.body(one)) for one in proposals]
    title, body = words[-1] if words else ("", "")
    diff = _diff(outcome, pushes[-1]) if pushes else ""
    return Preview(well_formed(title), well_formed(body), diff)


def _diff(outcome: RepoOutcome, push: PushBranch) -> str:
    before = (
        {change.path: change.before for change in outcome.result.changes} if outcome.result else {}
    )
    changes = ((file.path, before.get(file.path, b""), file.content) for file in push.files)
    return unified_diff(changes).decode("utf-8", "backslashreplace")

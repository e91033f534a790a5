"""The table of a body: every place that changes, linked to where it stands now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from digestbot.forge.repo import Repo
from digestbot.policy.finding import Finding
from digestbot.policy.judge import followed_tag
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.title import name_of
from digestbot.proposals.update import Update
from digestbot.report.markdown import code, prose
from digestbot.report.plain import one_line, path_bytes

_HEADER = "| Image | Digest | Where |\n| --- | --- | --- |\n"
_CELL = 200
_URL = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9._~-]+){1,8}", re.ASCII)


def table_of(proposal: Proposal, repo: Repo, limit: int) -> str:
    """A row per place, as many as fit into `limit` bytes; the rest is summed up in a line."""
    pairs = [(update, finding) for update in proposal.updates for finding in update.findings]
    text, size = [_HEADER], len(_HEADER)
    for index, (update, finding) in enumerate(pairs):
        row = _row(update, finding, repo)
        size += len(row.encode())
        if size > limit:
            text.append(_rest(finding for _, finding in pairs[index:]))
            break
        text.append(row)
    return "".join(text)


def cell(text: str) -> str:
    """A text of others as code, not too long."""
    shown = one_line(text, _CELL)
    # Even as code, what looks like a marker or a ticked box would be read as one.
    if "<" in shown or ">" in shown:
        return f"<code>{prose(shown)}</code>"
    return code(shown)


def _row(update: Update, finding: Finding, repo: Repo) -> str:
    reference = finding.occurrence.reference
    old = cell(reference.digest.short) if reference and reference.digest else "unpinned"
    image, new = _image(update, finding), cell(update.new.short)
    return f"| {image} | {old} → {new} | {_where(finding, repo)} |\n"


def _image(update: Update, finding: Finding) -> str:
    followed = followed_tag(finding.occurrence)
    if followed is None or followed == update.image:
        return cell(name_of(update.image))
    return f"{cell(name_of(followed))} → {cell(update.image.tag)}"


def _where(finding: Finding, repo: Repo) -> str:
    path, line = finding.occurrence.path, finding.occurrence.line
    shown = cell(f"{one_line(path, _CELL - 20)}:{line}")
    if repo.head is None or not _URL.fullmatch(repo.url):
        return shown
    target = quote(path_bytes(path), safe="/")
    if len(target) > 4 * _CELL:
        return shown
    return f"[{shown}]({repo.url}/blob/{repo.head}/{target}#L{line})"


def _rest(findings: Iterable[Finding]) -> str:
    paths = [finding.occurrence.path for finding in findings]
    places = "place" if len(paths) == 1 else "places"
    files = len(set(paths))
    return f"\nand {len(paths):,} more {places} in {files:,} {'file' if files == 1 else 'files'}\n"

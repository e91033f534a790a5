"""The body of a pull request: to be understood in ten seconds, whatever others wrote in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from digestbot.forge.repo import Repo
from digestbot.proposals.compare import compare_link, told
from digestbot.proposals.evidence import Evidence, Witness
from digestbot.proposals.marker import Marker
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.table import cell, table_of
from digestbot.proposals.title import name_of
from digestbot.proposals.update import Update
from digestbot.proposals.warnings import Caution, created_at, platforms_of, warnings_of
from digestbot.report.markdown import prose

LIMIT = 60_000
# A marker is read up to 30,000 characters; what it leaves out is asked about again.
_MARKER_LIMIT = 28_000
_WARNINGS_LIMIT = 6_000
_DETAILS_LIMIT = 8_000
_MAX_DESCRIBED = 20
_DAYS_SHOWN = 2
_FOOTER = """\
- [ ] <!-- digestbot:rebuild --> Tick this box to have the branch built anew on its base

<details><summary>How to ignore or configure this</summary>

- Not this digest: close this pull request. The next digest is proposed again.
- Not this place: write `# digestbot: ignore` on the line above it.
- Not this image: list it under `ignore` in `.digestbot.yaml`.
- Grouping, labels and limits are set in `.digestbot.yaml` too.

</details>
"""


def body_of(
    proposal: Proposal,
    repo: Repo,
    evidence: Callable[[Update], Evidence],
    *,
    has_pulls: bool = True,
    reason: str = "",
) -> str:
    """The body, in GitHub's Markdown, below 60,000 bytes; the marker is always whole.

    Where there are no pull requests, what is said of them and the marker are left out. A
    `reason`, a clause in Markdown, is told in place of that tags have new digests.
    """
    known = [(update, evidence(update)) for update in proposal.updates[:_MAX_DESCRIBED]]
    cautions = [
        f"> - {cell(name_of(update.image))}: {_caution(caution)}\n"
        for update, told_of in known
        for caution in warnings_of(update, told_of)
    ]
    marker = str(marker_of(proposal))
    alert = f"> [!WARNING]\n{_fit(cautions, _WARNINGS_LIMIT, '> - ')}\n" if cautions else ""
    look = _look(proposal, known, is_odd=bool(cautions))
    head = f"{_first_line(proposal, reason)} {look}\n\n{alert}"
    details = _fit((_described(*pair) for pair in known), _DETAILS_LIMIT, "- ")
    if more := len(proposal.updates) - len(known):
        details += f"- {more:,} more images are not described here\n"
    end = f"\n---\n\n{_FOOTER}\n{marker}\n" if has_pulls else ""
    rest = f"\n### What is known of the images\n\n{details}{end}"
    room = LIMIT - len((head + rest).encode()) - 200
    return f"{head}{table_of(proposal, repo, room)}{rest}"


def marker_of(proposal: Proposal) -> Marker:
    """The marker with as many keys as one can have; a few hundred images fit."""
    keys: list[str] = []
    size = len(str(Marker(proposal.fingerprint, ())))
    for update in proposal.updates:
        size += len(update.key) + 4
        if size > _MARKER_LIMIT:
            break
        keys.append(update.key)
    return Marker(proposal.fingerprint, tuple(keys))


def _caution(caution: Caution) -> str:
    line = f" {cell(caution.line)}" if caution.line else ""
    return prose(caution.sentence) + line


def _look(proposal: Proposal, known: Sequence[tuple[Update, Evidence]], *, is_odd: bool) -> str:
    """Whether anything needs attention; what could not be looked at is never called usual."""
    if is_odd:
        return "Please read the warnings below."
    witnesses = [one for _, evidence in known for one in (evidence.new, *evidence.old)]
    if all(one.facts is None for one in witnesses):
        return "No image could be looked at; whether anything is unusual is not known."
    if len(known) < len(proposal.updates) or any(one.facts is None for one in witnesses):
        return "Not all images could be looked at; nothing unusual was found in the others."
    return "Nothing unusual was found."


def _first_line(proposal: Proposal, reason: str) -> str:
    images = {update.image for update in proposal.updates}
    places = [finding.occurrence for update in proposal.updates for finding in update.findings]
    files = len({place.path for place in places})
    if reason:
        what = reason
    elif len(images) == 1:
        what = f"The tag {cell(name_of(next(iter(images))))} has a new digest"
    else:
        what = f"{len(images):,} image tags have new digests"
    where = f"{_count(len(places), 'place')} in {_count(files, 'file')}"
    return f"{what}; this updates {where}."


def _described(update: Update, evidence: Evidence) -> str:
    new = evidence.new
    changes = _changes(evidence)
    # The page of the changes names both revisions.
    keys = ("version",) if changes else ("version", "revision")
    said = [_created(evidence), _platforms(evidence), *_labels(evidence, keys), changes]
    text = "; ".join(part for part in said if part)
    if new.facts is None:
        text = f"the registry does not describe {cell(new.digest.short)} ({prose(new.why_not)})"
    text += "".join(map(_unknown, evidence.old))
    return f"- {cell(name_of(update.image))}: {text}\n"


def _unknown(old: Witness) -> str:
    if old.facts is not None:
        return ""
    return f"; nothing is known of {cell(old.digest.short)} ({prose(old.why_not)})"


def _created(evidence: Evidence) -> str:
    created = created_at(evidence.new.facts)
    if created is None:
        return "when it was created is not known"
    text = f"created {created:%Y-%m-%d}"
    before = created_at(evidence.old[0].facts) if evidence.old else None
    if before is None or before >= created:
        return text
    days = (created - before).days
    hours = (created - before).seconds // 3600
    age = _count(days, "day") if days >= _DAYS_SHOWN else _count(24 * days + hours, "hour")
    return f"{text}, {age} after the pinned one ({before:%Y-%m-%d})"


def _platforms(evidence: Evidence) -> str:
    if evidence.new.facts is None or not evidence.new.facts.platforms:
        return ""
    new = platforms_of(evidence.new.facts)
    old = evidence.old[0].facts if evidence.old else None
    if old is None:
        return _count(len(new), "platform")
    before = platforms_of(old)
    if before == new:
        return f"same {_count(len(new), 'platform')}"
    return f"platforms {cell(', '.join(before) or 'unknown')} → {cell(', '.join(new))}"


def _labels(evidence: Evidence, keys: Iterable[str]) -> Iterable[str]:
    """What the images say of themselves; the old value only where it is another."""
    facts = evidence.new.facts
    old = evidence.old[0].facts if evidence.old else None
    for key in keys:
        if facts and (value := told(facts, key)):
            before = told(old, key) if old else ""
            was = f"{cell(before)} → " if before and before != value else ""
            yield f"{key} {was}{cell(value)}"


def _changes(evidence: Evidence) -> str:
    old = evidence.old[0].facts if evidence.old else None
    if old is None or evidence.new.facts is None:
        return ""
    link = compare_link(old, evidence.new.facts)
    return f"[what changed in its source]({link})" if link else ""


def _fit(lines: Iterable[str], limit: int, lead: str) -> str:
    """As many whole lines as fit, and the number of the others."""
    everything: Sequence[str] = list(lines)
    kept: list[str] = []
    for line in everything:
        limit -= len(line.encode())
        if limit < 0:
            return f"{''.join(kept)}{lead}and {len(everything) - len(kept):,} more\n"
        kept.append(line)
    return "".join(kept)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

"""Pull requests of others that already bring an update: then none of our own is needed.

What they say of themselves counts for nothing; their files are read. Only those from a branch
of the repo itself count, since anyone could hold an update up with a fork.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from digestbot.files.formats import FORMATS, format_of
from digestbot.forge.pull import Pull, PullState, Survey
from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.policy.judge import followed_tag
from digestbot.proposals.grouping import is_managed
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.update import Update


def foreign_paths(
    survey: Survey, updates: Iterable[Update], settings: ProposalSettings
) -> Iterator[tuple[Pull, tuple[str, ...]]]:
    """The open pull requests of others, with those files of the updates that they change."""
    wanted = {path for update in updates for path in _paths(update)}
    for pull in survey.pulls or ():
        touched = wanted.intersection(pull.paths)
        if touched and _is_foreign(pull, settings):
            yield pull, tuple(sorted(touched))


def adopted_by(updates: Iterable[Update], contents: Mapping[str, bytes]) -> frozenset[str]:
    """The keys of the updates that a pull request brings.

    Args:
        updates: What is wanted.
        contents: The bytes of the files that it changes, at its head.
    """
    return frozenset(
        update.key
        for update in updates
        if all(_brings(update, path, contents.get(path)) for path in _paths(update))
    )


def _is_foreign(pull: Pull, settings: ProposalSettings) -> bool:
    return (
        pull.state is PullState.OPEN and pull.is_from_here and not is_managed(pull.branch, settings)
    )


def _brings(update: Update, path: str, data: bytes | None) -> bool:
    """Whether the image is there, with the new digest wherever it is, and no tag to move from."""
    found = [] if data is None else list(_pins(update, path, data))
    if not update.other_tags:
        return set(found) == {(update.image.tag, update.new)}
    # Beside what moves there may be pins that follow the tag already.
    meant = sum(finding.occurrence.path == path for finding in update.findings)
    is_left = any(tag in update.other_tags for tag, _ in found)
    return not is_left and found.count((update.image.tag, update.new)) >= meant


def _pins(update: Update, path: str, data: bytes) -> Iterator[tuple[str, Digest | None]]:
    """The tag and digest of each pin of the image that has to do with the update."""
    name, tags = format_of(path), {update.image.tag, *update.other_tags}
    pins = any(finding.status is Status.UNPINNED for finding in update.findings)
    for occurrence in FORMATS[name].read(path, data) if name is not None else ():
        reference, steering = occurrence.reference, occurrence.steering
        if reference is None or occurrence.skip or steering.ignore:
            continue
        tag = followed_tag(occurrence)
        if tag is None or tag.image != update.image.image or tag.tag not in tags:
            continue
        if steering.platform == update.platform and (pins or reference.digest is not None):
            yield tag.tag, reference.digest


def _paths(update: Update) -> set[str]:
    return {finding.occurrence.path for finding in update.findings}

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
    """Whether the image is there, and with the new digest wherever it is."""
    digests = set() if data is None else set(_digests(update, path, data))
    return digests == {update.new}


def _digests(update: Update, path: str, data: bytes) -> Iterator[Digest | None]:
    name = format_of(path)
    pins = any(finding.status is Status.UNPINNED for finding in update.findings)
    for occurrence in FORMATS[name].read(path, data) if name is not None else ():
        reference, steering = occurrence.reference, occurrence.steering
        if reference is None or occurrence.skip or steering.ignore:
            continue
        is_it = followed_tag(occurrence) == update.image and steering.platform == update.platform
        if is_it and (pins or reference.digest is not None):
            yield reference.digest


def _paths(update: Update) -> set[str]:
    return {finding.occurrence.path for finding in update.findings}

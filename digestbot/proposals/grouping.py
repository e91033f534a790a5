"""Which updates travel together, and on which branch: for the same wish the same, always."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from digestbot.forge.repo import Mode
from digestbot.globs import matches
from digestbot.image import ImageTag
from digestbot.proposals.changes import files_of
from digestbot.proposals.fingerprint import fingerprint_of
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.update import Update
from digestbot.scan.result import ScanResult

_REPO = "images"
_UNSAFE = re.compile(r"[^a-z0-9]+", re.ASCII)
_MANAGED = re.compile(r"images|group-[a-z0-9-]+|[a-z0-9-]+-[0-9a-f]{8}", re.ASCII)
_MAX_SLUG = 60


def proposals_of(
    updates: Iterable[Update],
    settings: ProposalSettings,
    result: ScanResult,
    modes: Mapping[str, Mode],
) -> tuple[Proposal, ...]:
    """The proposals that these updates make, in order of their branches."""
    found = []
    for branch, group in sorted(groups_of(updates, settings).items()):
        files = files_of(group, result, modes)
        paths = {file.path for file in files}
        held = tuple(one for one in group if paths & {f.occurrence.path for f in one.findings})
        if held:
            found.append(Proposal(branch, held, files, fingerprint_of(held)))
    return tuple(found)


def groups_of(
    updates: Iterable[Update], settings: ProposalSettings
) -> dict[str, tuple[Update, ...]]:
    """The updates by the branch they travel on.

    Those that change the same bytes, as images that share one ARG do, cannot be parted.
    """
    groups: dict[str, tuple[Update, ...]] = {}
    claimed: dict[object, str] = {}
    for update in updates:
        edits = [edit for finding in update.findings for edit in finding.edits]
        shared = next((claimed[edit] for edit in edits if edit in claimed), None)
        branch = shared or branch_of(update.image, settings)
        claimed.update(dict.fromkeys(edits, branch))
        groups[branch] = (*groups.get(branch, ()), update)
    return groups


def branch_of(image: ImageTag, settings: ProposalSettings) -> str:
    """The branch on which updates of this image travel; the first group that matches wins."""
    for name, globs in settings.groups.items():
        if any(matches(text, glob) for glob in globs for text in (image.image, str(image))):
            return _group_branch(name, settings)
    return _image_branch(image, settings) if settings.group == "image" else _repo_branch(settings)


def branch_names(updates: Iterable[Update], settings: ProposalSettings) -> tuple[str, ...]:
    """Every branch on which these updates travel, or travelled under another grouping."""
    names = [_repo_branch(settings)]
    names += [_group_branch(name, settings) for name in settings.groups]
    names += [_image_branch(update.image, settings) for update in updates]
    return tuple(dict.fromkeys(names))


def is_managed(branch: str, settings: ProposalSettings) -> bool:
    """Whether a branch of this name is one that proposals travel on."""
    name = branch.removeprefix(settings.prefix)
    return branch.startswith(settings.prefix) and _MANAGED.fullmatch(name) is not None


def _repo_branch(settings: ProposalSettings) -> str:
    return settings.prefix + _REPO


def _group_branch(name: str, settings: ProposalSettings) -> str:
    slug = _slug(name)
    return f"{settings.prefix}group-{slug if slug == name else f'{slug}-{_hash(name)}'}"


def _image_branch(image: ImageTag, settings: ProposalSettings) -> str:
    short = str(image).removeprefix("docker.io/").removeprefix("library/")
    return f"{settings.prefix}{_slug(short)}-{_hash(str(image))}"


def _slug(text: str) -> str:
    return _UNSAFE.sub("-", text.lower())[:_MAX_SLUG].strip("-") or "x"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]

"""The title of a proposal, which is also the subject of its commit."""

from __future__ import annotations

import re
from dataclasses import replace

from digestbot.image import ImageTag
from digestbot.image.reference import DEFAULT_REGISTRY
from digestbot.proposals.evidence import old_digests
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.settings import CommitSettings
from digestbot.proposals.update import Update
from digestbot.report.plain import one_line

LIMIT = 120
_NAMES_LIMIT = 60
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def title_of(proposal: Proposal, settings: CommitSettings) -> str:
    """One printable line of at most 120 characters; the same for the same proposal."""
    text = _filled(settings.title, proposal.updates) if settings.title else ""
    text = _printable(text).strip() or _plain(proposal.updates)
    if settings.prefix:
        text = f"{settings.prefix.rstrip(': ')}: {text[:1].lower()}{text[1:]}"
    return _cut(_printable(text))


def name_of(image: ImageTag) -> str:
    """What people call an image: `python:3.12`, `ghcr.io/acme/tool:1`."""
    if image.registry != DEFAULT_REGISTRY:
        return str(image)
    return f"{image.repository.removeprefix('library/')}:{image.tag}"


def _plain(updates: tuple[Update, ...]) -> str:
    if len(updates) == 1:
        (update,) = updates
        name, new = name_of(update.image), update.new.short
        if update.other_tags:
            return _moving(update)
        pattern = "Update {} digest to {}" if old_digests(update) else "Pin {} to {}"
        room = LIMIT - len(pattern.format("", new)) - _NAMES_LIMIT // 2
        return pattern.format(one_line(name, room), new)
    verb = "Update" if any(map(old_digests, updates)) else "Pin"
    names = ", ".join(dict.fromkeys(name_of(update.image) for update in updates))
    counted = f"{verb} {len(updates):,} image digests"
    return f"{counted}: {names}" if len(names) <= _NAMES_LIMIT else counted


def _moving(update: Update) -> str:
    """`Update alpine:3.20 to 3.22 (abc1234)`; from several tags, `Update alpine to 3.22 …`."""
    image = update.image
    first = update.other_tags[0] if len(update.other_tags) == 1 else ""
    old = name_of(replace(image, tag=first)).removesuffix(":")
    end = f" to {one_line(image.tag, _NAMES_LIMIT // 2)} ({update.new.short})"
    return f"Update {one_line(old, LIMIT - len(end) - _NAMES_LIMIT // 2)}{end}"


def _filled(template: str, updates: tuple[Update, ...]) -> str:
    first = updates[0]
    old = old_digests(first)
    is_one = len(updates) == 1
    name, _, tag = name_of(first.image).rpartition(":")
    values = {
        "image": name if is_one else f"{len(updates):,} images",
        "tag": tag if is_one else "",
        "old": old[0].short if is_one and old else "",
        "new": first.new.short if is_one else "",
        "count": f"{len(updates):,}",
    }
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _cut(text: str) -> str:
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 1].rstrip()}…"

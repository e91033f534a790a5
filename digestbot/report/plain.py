"""Making text from repos and registries harmless: one line, printable, not endless."""

from __future__ import annotations

import re

from digestbot.image import ImageReference
from digestbot.image.reference import DEFAULT_REGISTRY
from digestbot.policy.finding import Finding
from digestbot.policy.judge import followed_tag

MESSAGE_LIMIT = 600
NAME_LIMIT = 300
_DIGEST = re.compile(r"\bsha(?:256|384|512):([0-9a-f]{7})[0-9a-f]{57,121}\b", re.ASCII)


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    r"""The text on one line, with every character visible: `\x1b`, `\n`, `\u202e`.

    That disarms terminal escape sequences, line breaks, bidirectional overrides, invisible
    characters and lone surrogates. What is longer than `limit` loses its middle.
    """
    if len(text) > limit:
        text = f"{text[: limit // 2]}…{text[-(limit // 2) :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten_digests(text: str) -> str:
    """The text with each full digest as its first characters, as tables show it."""
    return _DIGEST.sub(r"\1", text)


def well_formed(text: str) -> str:
    """The text without lone surrogates, which stand for bytes of a path that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def path_bytes(path: str) -> bytes:
    """The bytes of a path as the file system has them; total, for what is no path at all."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return well_formed(path).encode()


def name_of(finding: Finding) -> str:
    """What a person calls the image: `python:3.12`; the text as written where it is no image."""
    occurrence = finding.occurrence
    if occurrence.reference is None:
        return one_line(occurrence.written.strip(), NAME_LIMIT) or "(the whole file)"
    tag = followed_tag(occurrence)
    name = familiar(occurrence.reference)
    return one_line(f"{name}:{tag.tag}" if tag else name, NAME_LIMIT)


def familiar(reference: ImageReference) -> str:
    """The repository in the short spelling that people use: `python`, `ghcr.io/acme/tool`."""
    if reference.registry != DEFAULT_REGISTRY:
        return reference.image
    return reference.repository.removeprefix("library/")

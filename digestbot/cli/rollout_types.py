"""What options of rollouts take: lengths of time, shares, digests, tags, waves, owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from digestbot.config.addresses import read_duration
from digestbot.config.rollout import ALL, check_waves
from digestbot.files.codeowners import is_owner
from digestbot.image import Digest, ImageReference, ImageTag, InvalidReferenceError

Callback = Callable[[click.Context | None, click.Parameter | None, Any], Any]


def read_share(text: str) -> float:
    """A part of all: `0.9` or `90%`.

    Raises:
        ValueError: It is none.
    """
    try:
        share = float(text[:-1]) / ALL if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError("is not a share, such as 0.9 or 90%")
    return share


def read_waves(text: str) -> tuple[int, ...]:
    """How many percent are reached with each wave: `10,50,100`.

    Raises:
        ValueError: They do not rise to 100.
    """
    try:
        return check_waves([int(part.strip().rstrip("%")) for part in text.split(",")])
    except ValueError:
        raise ValueError("must rise from 1 or more to 100, such as 10,50,100") from None


def read_owner(text: str) -> str:
    """Somebody whom CODEOWNERS names: `@ann`, `@acme/web`, `ann@example.org`; in lower case.

    Raises:
        ValueError: It is none.
    """
    if not is_owner(text):
        raise ValueError("is nobody whom CODEOWNERS could name, such as @acme/web")
    return text.lower()


def read_tag(text: str) -> ImageTag:
    """A tag of an image, in full or short: `alpine:3.22`.

    Raises:
        ValueError: It is none, or more than that.
    """
    try:
        found = ImageReference.parse(text)
    except InvalidReferenceError as error:
        raise ValueError(str(error)) from error
    if found.digest is not None:
        raise ValueError("a tag is wanted without a digest: the one that it has now is looked up")
    if found.followed is None or found.tag is None:
        raise ValueError(f"{text[:80]!r} is not an image with a tag, such as alpine:3.22")
    return found.followed


def _checked(read: Callable[[str], Any], *, is_said: bool = False) -> Callback:
    """A callback of an option: its value as it is read; what is wrong is a usage error.

    `is_said` is whether what is wrong names the text already.
    """

    def check(context: click.Context | None, option: click.Parameter | None, value: Any) -> Any:
        texts = value if isinstance(value, tuple) else (value,)
        found = []
        for text in texts:
            try:
                found.append(None if text is None else read(text))
            except ValueError as error:
                told = str(error) if is_said else f"{text[:80]!r} {error}"
                raise click.BadParameter(told, context, option) from error
        return tuple(found) if isinstance(value, tuple) else found[0]

    return check


DURATION = _checked(read_duration)
SHARE = _checked(read_share)
WAVES = _checked(read_waves)
OWNER = _checked(read_owner)
DIGEST = _checked(Digest.parse, is_said=True)
TAG = _checked(read_tag, is_said=True)

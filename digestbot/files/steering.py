"""Comments that steer: `# digestbot: tag=3.12 platform=linux/arm64 ignore until=2027-01-31`.

Every format that knows comments hands their text to this module, so that they mean the same
everywhere. A typo is an error, never a comment without effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from digestbot.errors import DigestbotError
from digestbot.files.occurrence import Ignore, Steering
from digestbot.image import ImageReference, InvalidReferenceError, Platform

_COMMENT = re.compile(r"\s*(?:#|//)+\s*digestbot\b(\s*:)?\s*", re.IGNORECASE)
_OPTION = re.compile(r"([A-Za-z_-]+)=(.*)")
_KEYS = ("tag", "platform", "until")
_IGNORE = "ignore"


class SteeringError(DigestbotError):
    """A comment that is meant for digestbot says something it does not know."""


def parse_steering(*comments: str) -> Steering:
    """What these comment lines, taken together, ask for; each with its comment mark.

    Comments that do not begin with `digestbot:` say nothing.

    Raises:
        SteeringError: A key is unknown or given twice, or a value is not of its kind.
    """
    words = _Words.of(word for comment in comments for word in _words(comment))
    if "until" in words.options and not words.ignores:
        raise SteeringError("until= says how long to ignore: write 'ignore until=…'")
    tag, platform, until = (words.options.get(key) for key in _KEYS)
    return Steering(
        tag=None if tag is None else _tag(tag),
        platform=None if platform is None else _platform(platform),
        ignore=Ignore(None if until is None else _date(until), words.why)
        if words.ignores
        else None,
    )


def combine(steerings: Iterable[Steering]) -> Steering:
    """What several blocks of comments ask for together.

    Raises:
        SteeringError: Two of them say the same thing; it would not be clear which counts.
    """
    found = Steering()
    for steering in steerings:
        for key in ("tag", "platform", "ignore"):
            value = getattr(steering, key)
            if value is None:
                continue
            if getattr(found, key) is not None:
                raise SteeringError(f"{key} is given twice")
            found = replace(found, **{key: value})
    return found


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of all comments, sorted by what they are."""

    options: dict[str, str]
    ignores: bool
    why: str

    @classmethod
    def of(cls, words: Iterable[str]) -> _Words:
        options: dict[str, str] = {}
        ignores, why = False, []
        for word in words:
            option = _OPTION.fullmatch(word)
            if option:
                _add(options, option[1], option[2])
            elif ignores:
                why.append(word)
            elif word == _IGNORE:
                ignores = True
            else:
                raise SteeringError(f"{word[:40]!r} is unknown; {_KNOWN}")
        return cls(options, ignores, " ".join(why))


_KNOWN = "known are tag=…, platform=…, ignore and until=…"


def _words(comment: str) -> list[str]:
    match = _COMMENT.match(comment)
    if match is None:
        return []
    words = comment[match.end() :].split()
    if match[1] is None:
        # Prose may begin with our name; only what looks like an order is taken for one.
        if words and (words[0] == _IGNORE or words[0].partition("=")[0] in _KEYS):
            raise SteeringError(f"a colon is missing: write 'digestbot: {words[0][:40]}'")
        return []
    if not words:
        raise SteeringError(f"nothing follows 'digestbot:'; {_KNOWN}")
    return words


def _add(options: dict[str, str], key: str, value: str) -> None:
    if key not in _KEYS:
        raise SteeringError(f"{key[:40]}= is unknown; {_KNOWN}")
    if key in options:
        raise SteeringError(f"{key}= is given twice")
    options[key] = value


def _tag(text: str) -> str:
    try:
        parsed = ImageReference.parse(f"image:{text}")
    except InvalidReferenceError as error:
        raise SteeringError(f"tag={text[:40]} is not a tag") from error
    if parsed.tag != text:
        raise SteeringError(f"tag={text[:40]} is not a tag alone")
    return text


def _platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except ValueError as error:
        raise SteeringError(f"platform={text[:40]} is not like linux/arm64") from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SteeringError(f"until={text[:40]} is not a date like 2027-01-31") from error

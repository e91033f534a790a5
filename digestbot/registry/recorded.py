"""Answers from a file in place of registries: `{"docker.io/library/python:3.12": "sha256:…"}`.

A question about one platform has it behind the name: `docker.io/library/python:3.12 linux/arm64`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from digestbot.errors import UsageError
from digestbot.image import Digest, ImageReference, InvalidReferenceError, Platform
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution

MAX_TEXT = 16 * 1024 * 1024
_HINT = 'expected one object: {"docker.io/library/python:3.12": "sha256:…"}'


class RecordedResolver:
    """Answers from a record; nobody is asked."""

    def __init__(self, answers: Mapping[str, Digest]) -> None:
        self._answers = answers

    def resolve(self, query: Query) -> Resolution:
        """The recorded digest.

        Raises:
            RegistryError: The record does not mention the image.
        """
        key = make_key(query)
        digest = self._answers.get(key)
        if digest is None:
            raise RegistryError(
                f"{query}: the recorded answers do not mention {key!r}",
                code="not-recorded",
                host=query.image.registry,
                hint="record again with --record, or add the image to the file",
            )
        return Resolution(query, digest, answered_by="record")


def make_key(query: Query) -> str:
    """The name under which an answer is recorded."""
    return f"{query.image} {query.platform}" if query.platform else str(query.image)


def read_answers(text: str) -> dict[str, Digest]:
    """Read a record; names may be short (`python:3.12`), the outcome has them in full.

    Raises:
        UsageError: The text is not a JSON object of names and digests; the message says where.
    """
    if len(text) > MAX_TEXT:
        raise UsageError(f"the recorded answers have more than {MAX_TEXT} characters", hint=_HINT)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the recorded answers are not JSON: {error}", hint=_HINT) from error
    except RecursionError as error:
        raise UsageError("the recorded answers are nested too deep", hint=_HINT) from error
    if not isinstance(data, dict):
        raise UsageError("the recorded answers are not a JSON object", hint=_HINT)
    return dict(_read_answer(key, value) for key, value in data.items())


def write_answers(resolutions: Iterable[Resolution]) -> str:
    """The record of these answers, sorted, to be read by `read_answers`."""
    answers = {make_key(one.query): str(one.digest) for one in resolutions}
    return json.dumps(answers, indent=2, sort_keys=True) + "\n"


def _read_answer(key: str, value: object) -> tuple[str, Digest]:
    try:
        if not isinstance(value, str):
            raise ValueError("the digest must be text")  # noqa: TRY004, TRY301 - as Digest.parse
        return make_key(_read_key(key)), Digest.parse(value)
    except (ValueError, InvalidReferenceError) as error:
        raise UsageError(f"recorded answer {key[:200]!r}: {error}", hint=_HINT) from error


def _read_key(key: str) -> Query:
    name, _, platform = key.partition(" ")
    reference = ImageReference.parse(name)
    if reference.digest is not None or reference.followed is None:
        raise ValueError("a name with a tag and without a digest is expected")
    return Query(reference.followed, Platform.parse(platform) if platform else None)

"""The hidden marker in a pull request's body: what it proposes, for digestbot to read again.

`<!-- digestbot:v1 {"fingerprint": "…", "keys": ["docker.io/library/python:3.12@sha256:…"]} -->`
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

_MARKER = re.compile(r"<!-- digestbot:v1 (\{[^<>]{0,30000}\}) -->")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a body says to machines.

    `keys` are those of the updates; `is_obsolete` says that digestbot itself closed it, so
    that it is no rejection.
    """

    fingerprint: str
    keys: tuple[str, ...]
    is_obsolete: bool = False

    def __str__(self) -> str:
        data: dict[str, object] = {"fingerprint": self.fingerprint, "keys": list(self.keys)}
        if self.is_obsolete:
            data["closed"] = "obsolete"
        # Neither a digest nor an image's name has a `<` or `>`, so nothing ends the comment.
        return f"<!-- digestbot:v1 {json.dumps(data)} -->"


def read_marker(body: str) -> Marker | None:
    """The marker in a body; None where there is none that can be read, or several."""
    found = _MARKER.findall(body)
    if len(found) != 1:
        return None
    try:
        data = json.loads(found[0])
    except (ValueError, RecursionError):
        return None
    fingerprint, keys = data.get("fingerprint"), data.get("keys")
    if not isinstance(fingerprint, str) or not isinstance(keys, list):
        return None
    texts = tuple(key for key in keys if isinstance(key, str))
    return Marker(fingerprint, texts, data.get("closed") == "obsolete")


def as_obsolete(body: str) -> str:
    """The body, with the word that digestbot itself closes it."""
    marker = read_marker(body)
    if marker is None:
        return body
    return _MARKER.sub(lambda _found: str(replace(marker, is_obsolete=True)), body)

"""What a registry says beside its answers: quotas and warnings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from digestbot.registry.message import Response

MAX_WARNINGS = 8
_QUOTA = re.compile(r"([0-9]{1,9})(?:;w=([0-9]{1,9}))?")
_WARNING = re.compile(r'299 \S{1,255} "((?:[^"\\]|\\.){1,512})"|299 - "((?:[^"\\]|\\.){1,512})"')


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may still be pulled: `remaining` of `limit` in a window of `window_s` seconds.

    See Docker Hub's documentation of pull usage and limits.
    """

    limit: int
    remaining: int
    window_s: int


@dataclass(slots=True)
class HostNotes:
    """The last quota, and every warning once."""

    quota: Quota | None = None
    warnings: list[str] = field(default_factory=list)

    def add(self, response: Response) -> None:
        """Note what this answer says."""
        self.quota = read_quota(response) or self.quota
        for line in response.header_lines("warning"):
            text = read_warning(line)
            if text and text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
                self.warnings.append(text)


def read_quota(response: Response) -> Quota | None:
    """The quota in `ratelimit-limit: 100;w=21600` and `ratelimit-remaining`; None without both."""
    limit = _QUOTA.fullmatch(response.header("ratelimit-limit"))
    remaining = _QUOTA.fullmatch(response.header("ratelimit-remaining"))
    if limit is None or remaining is None:
        return None
    return Quota(int(limit[1]), int(remaining[1]), int(limit[2] or 0))


def read_warning(line: str) -> str:
    """The text of `Warning: 299 - "text"`, on one line; empty for any other warning."""
    found = _WARNING.match(line)
    text = (found[1] or found[2]) if found else ""
    return "".join(c if c.isprintable() else " " for c in text).strip()

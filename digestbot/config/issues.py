"""What is wrong with a configuration: one line each, all of them at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from digestbot.errors import UsageError

MAX_LINES = 100
_LOGIN = re.compile(r"[^\s/@]+@")
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, and where.

    `source` is a file, an option (`--jobs`) or an environment variable; `line` and `column`
    count from 1 and are 0 where there are none; `key` is a dotted path, empty for the whole.
    """

    source: str
    message: str
    key: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigError(UsageError):
    """The configuration is wrong; `issues` are in the order they stand in the file."""

    def __init__(self, issues: Sequence[Issue], *, hint: str = "") -> None:
        self.issues = tuple(sorted(issues, key=lambda issue: (issue.line, issue.column)))
        lines = [str(issue) for issue in self.issues[:MAX_LINES]]
        if len(self.issues) > MAX_LINES:
            lines.append(f"… and {len(self.issues) - MAX_LINES} more")
        super().__init__("\n".join(lines), hint=hint)


def dotted(path: KeyPath) -> str:
    """The path for people: `("ignore", 0, "image")` is `ignore[0].image`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown(part)}" if text else shown(part)
    return text


def shown(text: str, limit: int = 80) -> str:
    """Text of the file, fit to print: on one line, not too long, without `user:password@`."""
    start = _LOGIN.sub("…@", text[:limit])
    printable = "".join(letter if letter.isprintable() else "�" for letter in start)
    return printable if len(text) <= limit else f"{printable}…"

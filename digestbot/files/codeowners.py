r"""CODEOWNERS: who looks after which files, as GitHub reads it.

The last pattern that matches a path decides. Patterns are those of gitignore without `!`, `[ ]`
and `\#`; a line that is none is passed over, and one that names nobody takes a path from all.
What a repo writes here costs no more than `EFFORT`, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

PATHS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where it may be; the first that a repo has counts."""
MOST_OWNERS: Final = 20
"""So many of one file are told; a review is asked of no more at once, either."""
MAX_LENGTH: Final = 1024
"""Of a pattern, and of a path, in characters."""
EFFORT: Final = 100_000_000
"""So many times may a character of a pattern be held against one of a path, in one repo."""
_PATH_EFFORT, _GLOB_EFFORT = 16, 500
_ANY_DEPTH: Final = "**"
_WORD = re.compile(r"(?:\\.?|[^\s\\])+")
_ESCAPED = re.compile(r"\\(.)")
_WILD = re.compile(r"(?<!\\)(?:\\\\)*[*?]")
_RANGE = re.compile(r"(?:^|[^\\])(?:\\\\)*[\[\]]")
_OWNER = re.compile(
    r"@[a-z0-9][a-z0-9_-]{0,99}(?:/[a-z0-9._-]{1,100})?"
    r"|[a-z0-9.!#$%&'*+=?^_`{|}~-]{1,64}@[a-z0-9.-]{1,190}"
)


@dataclass(slots=True)
class _Segment:
    """What stands between two slashes; `glob` as `fnmatch` has it, or plain text."""

    glob: str
    is_wild: bool
    _compiled: re.Pattern[str] | None = None

    def fits(self, name: str) -> bool:
        if not self.is_wild:
            return name == self.glob
        if self._compiled is None:
            # Of thousands most are never asked, as a name before them does not fit.
            self._compiled = re.compile(translate(self.glob))
        return self._compiled.match(name) is not None


_DEEP: Final = _Segment(_ANY_DEPTH, is_wild=True)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line: what it is about, and who looks after that.

    `has_below`: what is in a folder that matches, too; `has_itself`: what matches itself.
    """

    segments: tuple[_Segment, ...]
    owners: tuple[str, ...]
    has_below: bool = True
    has_itself: bool = True

    def covers(self, names: Sequence[str]) -> bool:
        """Whether it is about this path; all ways through the segments are gone at once."""
        live = self._on({0})
        for used, name in enumerate(names, 1):
            live = self._on(self._after(live, name))
            is_whole = used == len(names)
            if len(self.segments) in live and (self.has_itself if is_whole else self.has_below):
                return True
            if not live:
                return False
        return False

    def _after(self, live: set[int], name: str) -> set[int]:
        """Where a name leads from these places."""
        last = len(self.segments)
        return {
            place if self.segments[place] is _DEEP else place + 1
            for place in live
            if place < last and (self.segments[place] is _DEEP or self.segments[place].fits(name))
        }

    def _on(self, places: set[int]) -> set[int]:
        """These, and those behind a `**`, which may be nothing."""
        last = len(self.segments)
        return places | {p + 1 for p in places if p < last and self.segments[p] is _DEEP}

    def effort(self, length: int) -> int:
        """What it costs at most to hold it against paths of this length altogether."""
        if not any(one.is_wild for one in self.segments):
            return length
        return _GLOB_EFFORT + length * sum(len(one.glob) + 1 for one in self.segments)


def owners_of(data: bytes, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Who looks after these files, by path: `@ann`, `@acme/platform`, `ann@example.org`.

    All are in lower case, as forges disregard it. Paths lack that nobody looks after, or of which
    it cannot be told within bounds.
    """
    left = {path: path.split("/") for path in paths if len(path) <= MAX_LENGTH}
    found: dict[str, tuple[str, ...]] = {}
    effort = EFFORT
    for rule in _rules(data):
        effort -= rule.effort(sum(len(path) + _PATH_EFFORT for path in left))
        if not left or effort < 0:
            break
        for path in [path for path, names in left.items() if rule.covers(names)]:
            del left[path]
            if rule.owners:
                found[path] = rule.owners
    return found


def is_owner(text: str) -> bool:
    """Whether CODEOWNERS could name somebody so."""
    return _OWNER.fullmatch(text.lower()) is not None


def _rules(data: bytes) -> Iterator[_Rule]:
    """The last first; where one is too long to be followed, the rest is left."""
    for line in reversed(data.decode("utf-8-sig", "replace").split("\n")):
        pattern, *named = list(_words(line)) or [""]
        if len(pattern) > MAX_LENGTH:
            return
        owners = tuple(dict.fromkeys(map(str.lower, named)))
        if _is_pattern(pattern) and all(map(is_owner, owners)):
            yield _rule(pattern, owners[:MOST_OWNERS])


def _words(line: str) -> Iterator[str]:
    """The words of a line up to a comment; a space may be escaped."""
    for word in _WORD.findall(line):
        if word.startswith("#"):
            return
        yield word


def _is_pattern(word: str) -> bool:
    return bool(word.strip("/")) and not word.startswith(("!", "\\#")) and not _RANGE.search(word)


def _rule(pattern: str, owners: tuple[str, ...]) -> _Rule:
    parts = pattern.strip("/").split("/")
    if "/" not in pattern[:-1]:
        parts.insert(0, _ANY_DEPTH)
    kept = [
        one
        for one, after in zip(parts, [*parts[1:], ""], strict=True)
        if not one == after == _ANY_DEPTH
    ]
    if kept[-1] == _ANY_DEPTH:
        # What is in a folder, however deep: something in it, and what is below that.
        kept[-1] = "*"
    return _Rule(
        tuple(map(_segment, kept)),
        owners,
        has_below=not pattern.endswith("/*"),
        has_itself=not pattern.endswith("/"),
    )


def _segment(text: str) -> _Segment:
    if text == _ANY_DEPTH:
        return _DEEP
    if _WILD.search(text):
        return _Segment(_ESCAPED.sub(_as_glob, text), is_wild=True)
    return _Segment(_ESCAPED.sub(r"\1", text), is_wild=False)


def _as_glob(found: re.Match[str]) -> str:
    return f"[{found[1]}]" if found[1] in "*?[" else found[1]

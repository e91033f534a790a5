"""The patterns of `${X#p}`, `${X%p}` and `${X/p/r}`: `*`, `?` and escapes, in linear time.

The rules are those of BuildKit, frontend/dockerfile/shell/lex.go. `*` never has to be tried
twice: a chunk between two stars that fits at its first place fits for whatever follows, so
each is matched atomically, and only the last star of a greedy pattern looks for the end.
"""

from __future__ import annotations

import re


class PatternError(Exception):
    """The pattern escapes something that needs no escape."""


def prefix_length(pattern: str, text: str, *, longest: bool) -> int:
    """How much of the start of `text` the pattern matches; 0 if it does not.

    Raises:
        PatternError: The pattern is not well formed.
    """
    match = _anchored(_chunks(pattern), longest=longest).match(text)
    return match.end() if match else 0


def suffix_length(pattern: str, text: str, *, longest: bool) -> int:
    """How much of the end of `text` the pattern matches; 0 if it does not.

    Raises:
        PatternError: The pattern is not well formed.
    """
    chunks = [chunk[::-1] for chunk in reversed(_chunks(pattern))]
    match = _anchored(chunks, longest=longest).match(text[::-1])
    return match.end() if match else 0


def spans(pattern: str, text: str, *, every: bool) -> list[tuple[int, int]]:
    """Where `text` matches, as far as possible: the first place, or one behind the other.

    Raises:
        PatternError: The pattern is not well formed.
    """
    first, *others = _chunks(pattern)
    rest = _anchored([[], *others], longest=True).pattern if others else ""
    compiled = re.compile(f"(?>.*?({_escaped(first)})){rest}", re.DOTALL)
    found: list[tuple[int, int]] = []
    at = 0
    while at <= len(text) and (match := compiled.match(text, at)) is not None:
        start, end = match.start(1), match.end()
        # An empty match right behind another one does not count, as in Go.
        if start < end or not found or found[-1][1] < start:
            found.append((start, end))
        if not every:
            break
        at = end + (start == end)
    return found


def _chunks(pattern: str) -> list[list[str]]:
    """The pattern split at its stars; "" in a chunk stands for any character."""
    found: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            found.append([])
        elif char == "?":
            found[-1].append("")
        elif char != "\\":
            found[-1].append(char)
        elif pattern[at : at + 1] not in {"}", "/"}:
            escaped = pattern[at : at + 1]
            if escaped not in {"*", "?", "\\"}:
                raise PatternError(f"the pattern escapes {escaped!r}")
            found[-1].append(escaped)
            at += 1
    return found


def _anchored(chunks: list[list[str]], *, longest: bool) -> re.Pattern[str]:
    first, *others = map(_escaped, chunks)
    parts = [first, *(f"(?>.*?{chunk})" for chunk in others)]
    if longest and others:
        parts[-1] = f".*{others[-1]}"
    return re.compile("".join(parts), re.DOTALL)


def _escaped(chunk: list[str]) -> str:
    return "".join(re.escape(char) if char else "." for char in chunk)

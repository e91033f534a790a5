"""The changes as a unified diff that `git apply` takes, byte for byte.

See: https://git-scm.com/docs/diff-format, "Generating patch text with -p".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import eq

from digestbot.report.plain import path_bytes

_CONTEXT = 3
_NO_NEWLINE = b"\n\\ No newline at end of file\n"
# Git's C-style quoting (quote.c).
_NAMED = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r"}
_NAMED |= {ord('"'): b'\\"', ord("\\"): b"\\\\"}
_PRINTABLE = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines `old_start:old_end` of the old file become `new_start:new_end` of the new."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def unified_diff(changes: Iterable[tuple[str, bytes, bytes]]) -> bytes:
    """The diff of (path, before, after) with three lines of context; empty where all is equal.

    Bytes, because a file may be in any encoding, and its line ends are part of the diff. Takes
    linear time: an edit keeps the number of lines, so lines are compared pair by pair; should
    the number differ, all that lies between the first and the last difference is one block.
    """
    return b"".join(
        _file(path, _lines(before), _lines(after))
        for path, before, after in changes
        if before != after
    )


def _file(path: str, old: list[bytes], new: list[bytes]) -> bytes:
    a, b = (_quoted(prefix + path_bytes(path)) for prefix in (b"a/", b"b/"))
    # Without the tab, some readers take what follows a space for a time stamp.
    tab = b"\t" if b" " in a else b""
    header = b"diff --git %b %b\n--- %b%b\n+++ %b%b\n" % (a, b, a, tab, b, tab)
    return header + b"".join(_hunk(hunk, old, new) for hunk in _hunks(_blocks(old, new)))


def _lines(data: bytes) -> list[bytes]:
    r"""The lines with their ends; only `\n` ends a line, as for git."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _blocks(old: list[bytes], new: list[bytes]) -> Iterator[_Block]:
    if len(old) == len(new):
        start = 0
        for same, run in groupby(map(eq, old, new)):
            end = start + sum(1 for _ in run)
            if not same:
                yield _Block(start, end, start, end)
            start = end
        return
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    left = range(shorter - head)
    tail = next((i for i in left if old[-1 - i] != new[-1 - i]), len(left))
    yield _Block(head, len(old) - tail, head, len(new) - tail)


def _hunks(blocks: Iterable[_Block]) -> Iterator[list[_Block]]:
    """The blocks in groups; those whose context would meet share a hunk."""
    hunk: list[_Block] = []
    for block in blocks:
        if hunk and block.old_start - hunk[-1].old_end > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(block)
    yield hunk


def _hunk(blocks: list[_Block], old: list[bytes], new: list[bytes]) -> bytes:
    first, last = blocks[0], blocks[-1]
    before = min(_CONTEXT, first.old_start)
    after = min(_CONTEXT, len(old) - last.old_end)
    start, end = first.old_start - before, last.old_end + after
    where = (
        _range(start, end),
        _range(first.new_start - before, last.new_end + after),
    )
    parts = [b"@@ -%b +%b @@\n" % where]
    for block in blocks:
        parts += _marked(b" ", old[start : block.old_start])
        parts += _marked(b"-", old[block.old_start : block.old_end])
        parts += _marked(b"+", new[block.new_start : block.new_end])
        start = block.old_end
    parts += _marked(b" ", old[start:end])
    return b"".join(parts)


def _range(start: int, end: int) -> bytes:
    """Lines counted from 1; an empty range is named by the line before it."""
    count = end - start
    return b"%d,%d" % (start + 1 if count else start, count)


def _marked(mark: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + (line if line.endswith(b"\n") else line + _NO_NEWLINE)


def _quoted(path: bytes) -> bytes:
    if all(byte in _PRINTABLE and byte not in _NAMED for byte in path):
        return path
    return b'"%b"' % b"".join(map(_escaped, path))


def _escaped(byte: int) -> bytes:
    if byte in _NAMED:
        return _NAMED[byte]
    return bytes([byte]) if byte in _PRINTABLE else b"\\%03o" % byte

"""A burndown drawn in characters, which says the same with and without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from digestbot.report.layout import ink, width_of
from digestbot.report.style import Style
from digestbot.service.rollouts.standing_contract import RolloutBurn

HEIGHT: Final = 8
_WAITING, _OPEN, _DONE = "█", "▒", " "
_COLORS = {_WAITING: "blue", _OPEN: "cyan"}
_WIDEST = 72


def draw(points: Sequence[RolloutBurn], style: Style) -> Iterator[str]:
    """What waits and what is open above it, from the beginning at the left until the end.

    Lines without indent, of the width of `style` less two cells at most; nothing without points.
    """
    total = max((_all(point) for point in points), default=0)
    if not total:
        return
    label = len(f"{total:,}")
    columns = min(width_of(style), _WIDEST) - label - 4
    cells = [_column(_at(points, number, columns), total) for number in range(columns)]
    for row in range(HEIGHT):
        head = f"{total:,}" if row == 0 else ""
        line = "".join(column[HEIGHT - 1 - row] for column in cells).rstrip()
        yield f"{head:>{label}} ┤{_inked(line, style)}"
    yield f"{0:>{label}} └{'─' * columns}"
    first, last = _moments(points)
    yield f"{'':{label + 2}}{first}{last:>{columns - len(first)}}"
    yield f"{'':{label + 2}}{_WAITING} waiting   {_OPEN} open"


def _all(point: RolloutBurn) -> int:
    return point.waiting + point.open + point.merged + point.left


def _at(points: Sequence[RolloutBurn], number: int, columns: int) -> RolloutBurn:
    return points[number * (len(points) - 1) // (columns - 1)]


def _column(point: RolloutBurn, total: int) -> str:
    """The cells of one moment, from below; what there is has a cell at least."""
    left = point.waiting + point.open
    height = max(round(left * HEIGHT / total), 1) if left else 0
    full = round(point.waiting * HEIGHT / total)
    if point.open:
        full = min(full, height - 1)
    return (_WAITING * full + _OPEN * (height - full)).ljust(HEIGHT, _DONE)


def _inked(line: str, style: Style) -> str:
    """The line, each stretch of one character in its colour."""
    found = ""
    while line:
        length = len(line) - len(line.lstrip(line[0]))
        piece, line = line[:length], line[length:]
        color = _COLORS.get(piece[0])
        found += ink(piece, color, style) if color else piece
    return found


def _moments(points: Sequence[RolloutBurn]) -> tuple[str, str]:
    """The first and the last one, with their days where these differ."""
    first, last = (datetime.fromisoformat(point.at) for point in (points[0], points[-1]))
    form = "%H:%M" if first.date() == last.date() else "%m-%d %H:%M"
    return f"{first:{form}}", f"{last:{form}} UTC"

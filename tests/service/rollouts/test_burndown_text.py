from __future__ import annotations

import re
from datetime import timedelta

import pytest

from digestbot.report.style import Style
from digestbot.service.rollouts.burndown_text import HEIGHT, draw
from digestbot.service.rollouts.standing_contract import RolloutBurn
from digestbot.service.times import stamp
from tests.service.rollouts.standing import DAY, HOUR, NOW

STYLE = Style(width=40)
INK = re.compile(r"\x1b\[[0-9;]*m")


def burn(waiting: int, opened: int, merged: int = 0, *, at: timedelta = timedelta()) -> RolloutBurn:
    return RolloutBurn(stamp(NOW + at), waiting, opened, merged, 0)


def test_it_goes_from_all_to_nothing() -> None:
    points = [
        burn(8, 0),
        burn(4, 4, at=HOUR),
        burn(0, 4, 4, at=2 * HOUR),
        burn(0, 0, 8, at=3 * HOUR),
    ]

    lines = list(draw(points, Style(width=48)))

    assert lines == [
        "8 ┤██████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤██████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤██████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤██████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "  ┤████████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
        "0 └───────────────────────────────────────────",
        "   09:30                             12:30 UTC",
        "   █ waiting   ▒ open",
    ]


def test_of_thousands_the_last_one_that_is_open_is_seen() -> None:
    lines = list(draw([burn(3000, 0), burn(0, 1, 2999, at=HOUR)], STYLE))

    assert lines[0].startswith("3,000 ┤█")
    assert lines[HEIGHT - 1].endswith("▒")


def test_one_that_is_open_among_thousands_that_wait_is_seen() -> None:
    lines = list(draw([burn(2999, 1), burn(2999, 1, at=HOUR)], STYLE))

    assert "▒" in lines[0]


def test_colours_change_no_character() -> None:
    points = [burn(8, 0), burn(4, 4, at=HOUR), burn(0, 4, 4, at=2 * HOUR)]

    plain, inked = (list(draw(points, Style(48, color))) for color in (False, True))

    assert "\x1b" in inked[0]
    assert [INK.sub("", line) for line in inked] == plain


def test_days_are_named_where_they_differ() -> None:
    lines = list(draw([burn(1, 0), burn(0, 0, 1, at=2 * DAY)], STYLE))

    assert "11-21 09:30" in lines[-2]
    assert "11-23 09:30 UTC" in lines[-2]


@pytest.mark.parametrize("width", [20, 48, 80, 200])
def test_it_fits(width: int) -> None:
    lines = list(draw([burn(1000, 200), burn(0, 0, 1200, at=DAY)], Style(width)))

    assert max(map(len, lines)) <= max(width, 48) - 2


@pytest.mark.parametrize("points", [[], [burn(0, 0), burn(0, 0)]], ids=["none", "of-nothing"])
def test_without_repos_nothing_is_drawn(points: list[RolloutBurn]) -> None:
    assert list(draw(points, STYLE)) == []

from __future__ import annotations

import pytest

from digestbot.service.notify.message import Turn
from digestbot.service.notify.text import SHOWN, TEST_TEXT, body, tame
from tests.service.notify.builders import make_message, make_news


@pytest.mark.parametrize(
    "text",
    ["@here", "a@everyone", "<@U123>", "<!channel>", "<#C1>", "http://x", "[a](b)", "www.x.io"],
)
def test_nothing_of_others_comes_to_life(text: str) -> None:
    tamed = tame(text, 100)

    assert tamed != text
    assert tamed.replace("\u200b", "") == text


@pytest.mark.parametrize("text", ["ghcr.io/acme/tool:1.2", "acme/my_app", "3 < 4", "a @ b", "x: y"])
def test_ordinary_names_stay_as_they_are(text: str) -> None:
    assert tame(text, 100) == text


def test_control_characters_and_lines_are_made_visible() -> None:
    assert tame("a\nb\x1b[2J\u202e", 100) == r"a\nb\x1b[2J\u202e"


def test_what_is_long_loses_its_middle() -> None:
    assert tame("a" * 50 + "b" * 50, 10) == "aaaaa…bbbbb"


@pytest.mark.parametrize("character", ["\U000e0001", "\u202e", "\n"])
def test_what_is_made_visible_is_no_longer_for_it(character: str) -> None:
    assert len(tame(character * 1000, 100)) <= 101


def test_full_digests_are_shown_short() -> None:
    assert tame(f"moved to sha256:{'ab' * 32}", 200) == "moved to abababa"


def test_news_end_with_the_address_of_their_page() -> None:
    link = "https://dash.corp/repos?q=acme%2Fapp"

    lines = body(make_message(make_news(link=link), make_news())).splitlines()

    assert [number for number, line in enumerate(lines) if line == f"  {link}"] == [3]
    assert len(lines) == 7


def test_what_is_resolved_needs_no_hint() -> None:
    text = body(make_message(make_news(Turn.RESOLVED)))

    assert "hint" not in text


def test_the_rest_is_counted() -> None:
    text = body(make_message(*[make_news()] * (SHOWN + 3)))

    assert text.splitlines()[-1] == "and 3 more; all of it: digestbot status"
    assert text.count("▲") == SHOWN


def test_a_test_message_has_one_sentence() -> None:
    assert body(make_message(is_test=True)) == TEST_TEXT

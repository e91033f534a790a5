from __future__ import annotations

import pytest

from digestbot.service.notify.message import TURNS, News, Turn
from tests.service.notify.builders import HOSTILE, make_message, make_news


@pytest.mark.parametrize(
    "news, title",
    [
        pytest.param([make_news()], "digestbot: 1 new", id="one"),
        pytest.param(
            [make_news(turn) for turn in (Turn.DONE, Turn.RESOLVED, Turn.NEW, Turn.NEW)],
            "digestbot: 2 new, 1 resolved, 1 done",
            id="several, in one order",
        ),
        pytest.param([make_news()] * 1200, "digestbot: 1,200 new", id="many"),
        pytest.param([make_news(subject=HOSTILE)], "digestbot: 1 new", id="no word of others"),
    ],
)
def test_the_title_counts(news: list[News], title: str) -> None:
    assert make_message(*news).title == title


def test_each_turn_is_explained() -> None:
    assert set(TURNS) == set(Turn)

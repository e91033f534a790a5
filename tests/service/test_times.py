from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from digestbot.service.times import age, stamp


def test_a_stamp_is_in_utc_to_the_second() -> None:
    moment = datetime(2026, 11, 21, 9, 30, 15, 999, tzinfo=timezone(timedelta(hours=2)))

    assert stamp(moment) == "2026-11-21T07:30:15Z"
    assert datetime.fromisoformat(stamp(moment)).tzinfo == UTC


@pytest.mark.parametrize(
    "span, text",
    [
        ({"seconds": 59}, "under a minute"),
        ({"minutes": 1}, "1 min"),
        ({"minutes": 119}, "119 min"),
        ({"hours": 2}, "2 h"),
        ({"hours": 47}, "47 h"),
        ({"days": 2}, "2 days"),
        ({"days": 2000}, "2,000 days"),
    ],
)
def test_an_age_is_said_in_the_unit_that_fits(span: dict[str, int], text: str) -> None:
    assert age(timedelta(**span)) == text

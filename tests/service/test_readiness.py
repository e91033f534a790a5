"""When the service is ready, and when it says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.service.readiness import Readiness

START = datetime(2026, 11, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hourly(after: datetime) -> datetime:
    return after.replace(minute=0, second=0) + HOUR


def readiness(
    *,
    last: datetime | None = START,
    now: datetime = START,
    error: DigestbotError | None = None,
    is_running: bool = True,
    has_timetable: bool = True,
    started: datetime = START,
) -> Readiness:
    def last_success() -> datetime | None:
        if error is not None:
            raise error
        return last

    return Readiness(
        last_success=last_success,
        is_running=lambda: is_running,
        next_cycle=hourly if has_timetable else lambda _after: None,
        started=started,
        clock=Clock(wall=now.timestamp),
    )


def slugs(found: Readiness) -> list[str]:
    return [reason.reason for reason in found.reasons()]


def test_a_service_that_works_is_ready() -> None:
    assert readiness(now=START + HOUR).reasons() == ()


def test_a_service_that_just_began_is_ready() -> None:
    assert slugs(readiness(last=None)) == []


def test_without_an_engine_it_is_not() -> None:
    assert slugs(readiness(is_running=False)) == ["engine-stopped"]


UNREACHABLE = DigestbotError(
    "the state in postgresql://bot@db.corp/digestbot: connection refused", hint="see that it runs"
)


def test_without_its_state_it_is_not_and_says_nothing_of_where_that_is() -> None:
    (reason,) = readiness(error=UNREACHABLE).reasons()

    assert reason.reason == "state-unreachable"
    assert "the state cannot be read" in reason.message
    assert not [word for word in ("bot@", "db.corp", "/digestbot", "://") if word in reason.message]


def test_why_is_for_the_log_once_however_often_anybody_asks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = readiness(error=UNREACHABLE)

    for _ in range(5):
        found.reasons()

    (line,) = [one.msg for one in caplog.records]
    assert line == {
        "event": "state.failed",
        "problem": str(UNREACHABLE),
        "hint": "see that it runs",
    }


def test_another_cause_and_the_next_time_are_logged_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors: list[DigestbotError | None] = [
        UNREACHABLE,
        DigestbotError("the disk is full"),
        None,
        UNREACHABLE,
        UNREACHABLE,
    ]

    def last_success() -> datetime:
        error = errors.pop(0)
        if error is not None:
            raise error
        return START

    found = replace(readiness(), last_success=last_success)
    for _ in range(len(errors)):
        found.reasons()

    told = [cast("dict[str, str]", one.msg)["problem"] for one in caplog.records]
    assert told == [str(UNREACHABLE), "the disk is full", str(UNREACHABLE)]


def test_it_says_all_that_is_wrong() -> None:
    found = readiness(is_running=False, now=START + 9 * HOUR)

    assert slugs(found) == ["engine-stopped", "cycle-late"]


@pytest.mark.parametrize(
    "hours, expected",
    [
        pytest.param(1, [], id="the first is under way"),
        pytest.param(4, [], id="three came to nothing and the fourth begins"),
        pytest.param(4.1, ["cycle-late"], id="the fourth is under way too"),
        pytest.param(100, ["cycle-late"], id="long ago"),
    ],
)
def test_some_cycles_may_come_to_nothing(hours: float, expected: list[str]) -> None:
    now = START + hours * HOUR

    assert slugs(readiness(now=now)) == expected
    assert slugs(readiness(last=None, now=now)) == expected


def test_what_was_before_this_process_is_not_its_fault() -> None:
    found = readiness(last=START - 100 * HOUR, now=START + HOUR)

    assert slugs(found) == []


def test_it_says_when_a_cycle_last_succeeded() -> None:
    now = START + 50 * HOUR

    (late,) = readiness(now=now).reasons()
    (never,) = readiness(now=now, last=None).reasons()

    assert late.message.endswith("2026-11-21 00:00 UTC")
    assert never.message.endswith("never yet")


def test_where_no_cycle_is_due_none_is_late() -> None:
    assert slugs(readiness(now=START + 100 * HOUR, has_timetable=False)) == []

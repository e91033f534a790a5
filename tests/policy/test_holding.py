"""Which digest may be proposed: old enough, never denied, and in the end always one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.image import Digest
from digestbot.policy.holding import Hold, HoldRules, Sighting, first_seen, is_older, offers
from digestbot.policy.reasons import REASONS
from tests.policy.sightings import (
    DAY,
    HOUR,
    START,
    digest,
    durations,
    histories,
    rules_of_any_kind,
    seen,
)

SETTLE = HoldRules(settle=3 * HOUR)
AGE = HoldRules(min_age=5 * DAY)


def offered(
    history: Sequence[Sighting], rules: HoldRules, now: datetime
) -> tuple[list[Digest], Hold | None]:
    """The digests, and the hold behind them."""
    found = offers(history, rules, now)
    digests = [one for one in found if isinstance(one, Digest)]
    holds = [one for one in found if isinstance(one, Hold)]
    assert len(holds) <= 1
    assert holds == [one for one in found[-1:] if isinstance(one, Hold)]
    return digests, holds[0] if holds else None


def at(hours: float) -> datetime:
    return START + hours * HOUR


def test_nothing_is_known_of_a_tag_that_was_never_seen() -> None:
    assert offers((), SETTLE, START) == ()


@pytest.mark.parametrize(
    "history, rules, now, digests, reason, until",
    [
        pytest.param(seen("a 0"), SETTLE, at(0), "", "settling", at(3), id="first-seen"),
        pytest.param(seen("a 2"), SETTLE, at(2.9), "", "settling", at(3), id="almost-settled"),
        pytest.param(seen("a 2"), SETTLE, at(3), "a", "", None, id="settled"),
        pytest.param(seen("a 9", "b 1"), SETTLE, at(10), "a", "settling", at(12), id="moved"),
        pytest.param(seen("a 9", "b 4"), SETTLE, at(13), "b a", "", None, id="moved-and-settled"),
        pytest.param(seen("a 2", "b 4"), SETTLE, at(6), "b", "", None, id="was-never-settled"),
        pytest.param(seen("a 9", "b 1", "a 0"), SETTLE, at(10), "a", "", None, id="was-settled"),
        pytest.param(
            seen("a 9", "b 1", "a 1", "b 1"), SETTLE, at(12), "a", "flapping", at(14), id="back"
        ),
        pytest.param(
            seen("a 1", "b 1", "a 1", "b 1", "c 0"), SETTLE, at(4), "", "flapping", at(7), id="busy"
        ),
        pytest.param(
            seen("a 9", "b .5", "c .5", "d .5", "e 0"),
            SETTLE,
            at(10.5),
            "a",
            "settling",
            at(13.5),
            id="busy-but-always-new",
        ),
        pytest.param(seen("a 99"), AGE, at(99), "", "too-new", START + 5 * DAY, id="too-new"),
        pytest.param(seen("a 120"), AGE, at(120), "a", "", None, id="old-enough"),
        pytest.param(
            seen("a 200", "b 9"), AGE, at(209), "a", "too-new", at(200) + 5 * DAY, id="older-one"
        ),
        pytest.param(
            seen("a 1", "b 130", "a 1"), AGE, at(132), "a b", "", None, id="its-first-sighting"
        ),
        pytest.param(
            seen("a 200", "b 1"),
            replace(AGE, settle=3 * HOUR),
            at(201),
            "a",
            "settling",
            at(200) + 5 * DAY,
            id="both-rules-the-later-date",
        ),
    ],
)
def test_what_may_be_proposed(
    history: Sequence[Sighting],
    rules: HoldRules,
    now: datetime,
    digests: str,
    reason: str,
    until: datetime | None,
) -> None:
    found, hold = offered(history, rules, now)

    assert found == [digest(name) for name in digests.split()]
    assert (hold.reason if hold else "", hold.until if hold else None) == (reason, until)


@pytest.mark.parametrize(
    "deny, digests, reason",
    [("b", "a", "deny-listed"), ("a", "b", ""), ("ab", "", "deny-listed"), ("c", "b a", "")],
)
def test_what_is_denied_is_never_proposed(deny: str, digests: str, reason: str) -> None:
    rules = HoldRules(deny=frozenset(map(digest, deny)))

    found, hold = offered(seen("a 9", "b 9"), rules, at(18))

    assert found == [digest(name) for name in digests.split()]
    assert (hold.reason if hold else "") == reason
    assert hold is None or hold.until is None


def test_the_message_says_since_when_and_until_when() -> None:
    _, hold = offered(seen("a 9", "b 1"), SETTLE, at(10))

    assert hold is not None
    assert hold.message == (
        "the tag has it since 2026-11-01 19:00 UTC; "
        "proposed from 2026-11-01 22:00 UTC on, if it stays"
    )


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    found, hold = offered(seen("a 9", "b 9"), HoldRules(), START - DAY)

    assert (found[0], hold) == (digest("b"), None)


@pytest.mark.parametrize(
    "candidate, pinned, expected",
    [("a", "b", True), ("b", "a", False), ("a", "a", False), ("a", "x", False), ("x", "a", False)],
)
def test_going_backwards_is_known_by_the_first_sighting(
    candidate: str, pinned: str, expected: bool
) -> None:
    history = seen("a 1", "b 1", "a 1")

    assert is_older(history, digest(candidate), digest(pinned)) is expected


def test_a_tag_that_moves_every_day_does_not_starve() -> None:
    rules = HoldRules(settle=3 * HOUR, min_age=5 * DAY)
    history = seen(*(f"{day} 24" for day in range(30)))

    for day in range(6, 30):
        so_far = history[: day + 1]
        found, hold = offered(so_far, rules, so_far[-1].first_seen + HOUR)
        assert found[0] == digest(day - 5)
        assert hold is not None
        assert hold.reason == "settling"


@given(histories(), durations)
def test_without_rules_the_current_digest_is_offered_at_once(
    history: tuple[Sighting, ...], later: timedelta
) -> None:
    found, hold = offered(history, HoldRules(), history[-1].last_seen + later)

    assert (found[0], hold) == (history[-1].digest, None)


@given(histories(), rules_of_any_kind, durations)
def test_whatever_is_offered_is_allowed(
    history: tuple[Sighting, ...], rules: HoldRules, later: timedelta
) -> None:
    now = history[-1].last_seen + later
    found, hold = offered(history, rules, now)

    ages = {one: now - born for one in found if (born := first_seen(history, one))}
    current = history[-1]
    lasted = [(one.digest, one.last_seen - one.first_seen) for one in history[:-1]]
    lasted.append((current.digest, now - current.first_seen))
    assert rules.deny.isdisjoint(found)
    assert all(age >= rules.min_age for age in ages.values())
    assert all(any(one == d and t >= rules.settle for d, t in lasted) for one in found)
    assert len(found) == len(set(found))
    assert (hold is None) == (current.digest in found)
    assert hold is not None or found[0] == current.digest
    assert hold is None or hold.reason in REASONS


@given(histories(), rules_of_any_kind, durations)
def test_what_is_held_is_offered_when_it_was_said_to_be(
    history: tuple[Sighting, ...], rules: HoldRules, later: timedelta
) -> None:
    now = history[-1].last_seen + later
    _, hold = offered(history, rules, now)

    if hold is None or hold.reason == "deny-listed":
        return
    assert hold.until is not None
    assert hold.until > now
    before, at_last = (offered(history, rules, hold.until - d) for d in (DAY / 86400, 0 * DAY))
    assert before[1] is not None
    assert at_last == ([history[-1].digest, *at_last[0][1:]], None)


@given(histories(), rules_of_any_kind)
def test_in_the_end_the_current_digest_is_offered(
    history: tuple[Sighting, ...], rules: HoldRules
) -> None:
    now = history[-1].last_seen + rules.settle + rules.min_age

    found, hold = offered(history, rules, now)

    is_denied = history[-1].digest in rules.deny
    assert (history[-1].digest in found, hold is not None) == (not is_denied, is_denied)


@given(
    moves=st.integers(6, 20),
    settle=st.integers(0, 24).map(lambda hours: hours * HOUR),
    late=st.integers(0, 23).map(lambda hours: hours * HOUR),
)
def test_some_digest_is_always_old_enough_where_a_tag_moves_every_day(
    moves: int, settle: timedelta, late: timedelta
) -> None:
    rules = HoldRules(settle=settle, min_age=5 * DAY)
    history = seen(*(f"{day} 24" for day in range(moves)))
    now = history[-1].first_seen + late

    found, _ = offered(history, rules, now)

    assert found
    assert first_seen(history, found[0]) == START + (now - 5 * DAY - START) // DAY * DAY

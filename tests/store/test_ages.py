"""How long pins are behind, by what was seen of their tag."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, text

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.store import ages, findings
from digestbot.store.ages import PinGroup
from digestbot.store.tables import REPOS
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_repos,
    finding,
)
from tests.store.statements import planned

A, B, C = OLD, NEW, Digest("sha256", "c" * 64)


def add_stale(connection: Connection, *pinned: Digest, name: str = "acme/a") -> int:
    number = add_repos(connection, name)[name]
    found = [finding(status=Status.STALE, digest=one, line=line) for line, one in enumerate(pinned)]
    add_findings(connection, number, *found)
    return number


def see(connection: Connection, *seen: Digest) -> None:
    """One digest a day, the last of them now."""
    for number, digest in enumerate(seen, 1):
        add_digest(connection, "python:3.12", digest, NOW - (len(seen) - number) * DAY)


def add_behind(connection: Connection, age: timedelta, places: int = 1) -> None:
    """Pins of what the tag ceased to have that long ago."""
    add_digest(connection, "python:3.12", A, NOW - age - DAY)
    add_digest(connection, "python:3.12", B, NOW - age)
    add_stale(connection, *[A] * places)


def group(age: timedelta | None, places: int = 1, *, is_at_least: bool = False) -> PinGroup:
    since = None if age is None else NOW - age
    return PinGroup(1, "sha256:x", places, since, is_at_least)


@pytest.mark.parametrize(
    "seen, since, is_at_least",
    [
        pytest.param([A, B], NOW, False, id="since the next one came"),
        pytest.param([A, A, B, C], NOW - DAY, False, id="not since the newest came"),
        pytest.param([A, B, A, C], NOW, False, id="since it was the tag's for the last time"),
        pytest.param([B, C], NOW - DAY, True, id="never seen: since the first, at least"),
        pytest.param([B, A], None, False, id="the tag came back: not behind"),
        pytest.param([], None, True, id="nobody asked"),
    ],
)
def test_a_pin_is_behind_since_its_digest_ceased_to_be_the_tags(
    connection: Connection, seen: Sequence[Digest], since: datetime | None, is_at_least: bool
) -> None:
    add_stale(connection, A)
    see(connection, *seen)

    (found,) = ages.groups(connection)

    assert (found.behind_since, found.is_at_least) == (since, is_at_least)


def test_pins_are_counted_by_image_and_digest(connection: Connection) -> None:
    add_stale(connection, A, A, B)
    add_stale(connection, A, name="acme/b")

    found = ages.groups(connection)

    assert [(one.digest, one.places) for one in found] == [(str(A), 3), (str(B), 1)]


def test_only_what_is_stale_or_held_is_behind(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/a").values()
    found = [finding(status=status, line=line) for line, status in enumerate(Status)]
    add_findings(connection, number, *found)

    (behind,) = ages.groups(connection)

    assert behind.places == 2


def test_repos_that_are_left_out_are_not_counted(connection: Connection) -> None:
    add_stale(connection, A)
    connection.execute(text("UPDATE repos SET left_out = 'fork'"))

    assert ages.groups(connection) == []


def test_of_some_images_alone(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/a").values()
    names = ("debian:12", "node:24", "python:3")
    add_findings(connection, number, *(finding(name, Status.STALE) for name in names))
    first, _, third = ages.groups(connection)

    assert ages.groups(connection, [first.image_id, third.image_id]) == [first, third]
    assert ages.groups(connection, []) == []


def test_what_is_summed_up_is_found_by_index(connection: Connection) -> None:
    add_stale(connection, A)
    see(connection, A, B)

    with planned(connection) as plans:
        ages.groups(connection)

    # Which of those that know image and status is for the database to say.
    assert any("ix_findings" in step and "image_id" in step for step in plans)
    assert any("ix_sightings_image_id_digest_id" in step for step in plans)


@pytest.mark.parametrize(
    "age, place",
    [
        pytest.param(timedelta(0), 0, id="now"),
        pytest.param(DAY - HOUR, 0, id="under a day"),
        pytest.param(DAY, 1, id="a day"),
        pytest.param(3 * DAY, 2, id="2 to 4"),
        pytest.param(5 * DAY, 3, id="4 to 7"),
        pytest.param(7 * DAY, 4, id="a week"),
        pytest.param(20 * DAY, 5, id="14 to 30"),
        pytest.param(89 * DAY, 6, id="30 to 90"),
        pytest.param(900 * DAY, 7, id="over"),
        pytest.param(-HOUR, 0, id="from the future"),
    ],
)
def test_a_pin_is_in_the_bucket_of_its_age(
    connection: Connection, age: timedelta, place: int
) -> None:
    add_behind(connection, age, places=3)

    found = ages.histogram(connection, NOW).buckets

    assert [one.places for one in found] == [3 if number == place else 0 for number in range(8)]


def test_buckets_follow_each_other_and_the_last_has_no_end(connection: Connection) -> None:
    found = ages.histogram(connection, NOW).buckets

    assert [one.below for one in found[:-1]] == [one.above for one in found[1:]]
    assert (found[0].above, found[-1].below) == (timedelta(0), None)


def test_a_bucket_ends_at_the_target(connection: Connection) -> None:
    add_behind(connection, 10 * DAY)

    found = ages.histogram(connection, NOW, 10 * DAY).buckets

    assert [one.above for one in found if one.places] == [10 * DAY]


def test_what_is_behind_for_longer_than_is_known_is_told_apart(connection: Connection) -> None:
    add_behind(connection, DAY, places=2)
    never_seen = [finding("never:seen", Status.STALE, digest=C, line=line) for line in range(3)]
    nobody_asked = finding("nobody:asked", Status.STALE, digest=C)
    add_digest(connection, "never:seen", B, NOW - DAY)
    number = add_repos(connection, "acme/b")["acme/b"]
    add_findings(connection, number, *never_seen, nobody_asked)

    found = ages.histogram(connection, NOW)

    assert (found.buckets[1].places, found.buckets[1].at_least) == (5, 3)
    assert sum(one.places for one in found.buckets) == 5
    assert found.unknown == 1


@pytest.mark.parametrize(
    "places, share, days",
    [
        pytest.param([1, 1, 1], 0.5, 2, id="the one in the middle"),
        pytest.param([1, 1], 0.5, 1, id="the lower of two"),
        pytest.param([8, 1, 1], 0.5, 1, id="each place counts"),
        pytest.param([8, 1, 1], 0.9, 2, id="nine of ten"),
        pytest.param([1], 0.9, 1, id="a single one"),
        pytest.param([], 0.5, None, id="none"),
    ],
)
def test_percentiles_are_ages_of_pins(places: list[int], share: float, days: int | None) -> None:
    found = [group((number + 1) * DAY, count) for number, count in enumerate(places)]

    expected = None if days is None else days * DAY
    assert ages.percentile([*reversed(found), group(None)], share, NOW) == expected


class TestOfRepos:
    """What is kept with each repo is what its findings and the history say."""

    def since(self, connection: Connection) -> datetime | None:
        return connection.scalar(select(REPOS.c.behind_since))

    def test_its_oldest_pin_counts(self, connection: Connection) -> None:
        (number,) = add_repos(connection, "acme/a").values()
        see(connection, A, B, C)
        found = [finding(status=Status.STALE, digest=one) for one in (B, A)]

        add_findings(connection, number, *found)

        assert self.since(connection) == NOW - DAY

    def test_who_is_fresh_again_is_not_behind(self, connection: Connection) -> None:
        see(connection, A, B)
        number = add_stale(connection, A)
        before = self.since(connection)

        findings.replace(connection, number, [finding(digest=B)], NOW)

        assert (before, self.since(connection)) == (NOW, None)

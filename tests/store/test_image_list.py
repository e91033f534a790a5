"""The list of images that somebody follows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, text

from digestbot.policy.finding import Status
from digestbot.store import image_list
from digestbot.store.image_list import HeldBy, ImageFilter, ListedImage, Sort
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_failure,
    add_findings,
    add_repos,
    finding,
    held,
)
from tests.store.statements import counted, planned

STALE, HELD, FAILED = Status.STALE, Status.HELD, Status.FAILED
NODE, PYTHON, DEBIAN, BROKEN = "node:24", "python:3.12", "debian:12", "ghcr.io/acme/broken:1"


def name_of(one: ListedImage) -> str:
    return str(one.query).removeprefix("docker.io/library/")


def names(found: Sequence[ListedImage]) -> list[str]:
    return [name_of(one) for one in found]


@pytest.fixture
def fleet(connection: Connection) -> Connection:
    """Two repos are behind with python, one of them with node, too; nobody is with debian."""
    for image, since in ((PYTHON, NOW - DAY), (NODE, NOW - 5 * DAY), (DEBIAN, NOW - 9 * DAY)):
        add_digest(connection, image, OLD, since - 20 * DAY)
        add_digest(connection, image, NEW, since)
    numbers = add_repos(connection, "acme/a", "acme/b", "acme/c")
    python, debian = finding(PYTHON, STALE), finding(DEBIAN, digest=NEW)
    on_hold = held(NODE, "too-young", NOW + DAY)
    add_findings(connection, numbers["acme/a"], python, python, on_hold, debian)
    add_findings(connection, numbers["acme/b"], python, finding(PYTHON, digest=NEW), debian)
    add_findings(connection, numbers["acme/c"], finding(BROKEN, FAILED), debian)
    add_failure(connection, BROKEN, "timeout", NOW - HOUR)
    return connection


def one_of(connection: Connection, image: str) -> ListedImage:
    found = image_list.page(connection, ImageFilter())
    return next(one for one in found if name_of(one) == image)


def test_those_come_first_where_most_repos_are_behind(fleet: Connection) -> None:
    found = image_list.page(fleet, ImageFilter())

    assert names(found) == [PYTHON, NODE, DEBIAN, BROKEN]
    assert [one.repos_behind for one in found] == [2, 1, 0, 0]


@pytest.mark.parametrize(
    "sort, expected",
    [
        pytest.param("name", [DEBIAN, NODE, PYTHON, BROKEN], id="name"),
        pytest.param("oldest", [NODE, PYTHON, DEBIAN, BROKEN], id="oldest"),
    ],
)
def test_other_orders(fleet: Connection, sort: Sort, expected: list[str]) -> None:
    assert names(image_list.page(fleet, ImageFilter(), sort=sort)) == expected


def test_places_and_repos_are_counted(fleet: Connection) -> None:
    found = one_of(fleet, PYTHON)

    assert found.places == {STALE: 3, Status.CURRENT: 1}
    assert (found.repos, found.repos_behind) == (2, 2)


def test_what_its_tag_has_and_since_when_somebody_is_behind(fleet: Connection) -> None:
    found = one_of(fleet, NODE)

    assert (found.digest, found.since) == (str(NEW), NOW - 5 * DAY)
    assert (found.behind_since, found.is_at_least) == (NOW - 5 * DAY, False)
    assert found.held == HeldBy("too-young", "node:24 is held: too-young", NOW + DAY)


def test_nobody_is_behind_with_what_is_current(fleet: Connection) -> None:
    found = one_of(fleet, DEBIAN)

    assert (found.behind_since, found.is_at_least, found.held) == (None, False, None)


def test_what_its_registry_says(fleet: Connection) -> None:
    found = one_of(fleet, BROKEN)

    assert (found.failing_since, found.failing_code) == (NOW - HOUR, "timeout")
    assert found.failing_host == "ghcr.io"


@pytest.mark.parametrize(
    "asked, expected",
    [
        pytest.param(ImageFilter("THON"), [PYTHON], id="part of the name"),
        pytest.param(ImageFilter(":24"), [NODE], id="part of the tag"),
        pytest.param(ImageFilter("ghcr.io/ac"), [BROKEN], id="part of the registry"),
        pytest.param(ImageFilter("%"), [], id="no wildcard"),
        pytest.param(ImageFilter("_"), [], id="nor this one"),
        pytest.param(ImageFilter(registry="ghcr.io"), [BROKEN], id="registry"),
        pytest.param(ImageFilter(registry="ghcr"), [], id="a whole registry"),
        pytest.param(ImageFilter(state="behind"), [PYTHON, NODE], id="behind"),
        pytest.param(ImageFilter(state="stale"), [PYTHON], id="stale"),
        pytest.param(ImageFilter(state="held"), [NODE], id="held"),
        pytest.param(ImageFilter(state="failing"), [BROKEN], id="failing"),
        pytest.param(ImageFilter(state="current"), [DEBIAN], id="current"),
        pytest.param(ImageFilter("node", "docker.io", "held"), [NODE], id="all at once"),
    ],
)
def test_filters(fleet: Connection, asked: ImageFilter, expected: list[str]) -> None:
    assert names(image_list.page(fleet, asked)) == expected
    assert image_list.count(fleet, asked) == len(expected)
    assert set(names(image_list.after(fleet, asked))) == set(expected)


def test_a_page_of_it(fleet: Connection) -> None:
    found = image_list.page(fleet, ImageFilter(), offset=1, limit=2)

    assert names(found) == [NODE, DEBIAN]


def test_all_of_it_in_pieces(fleet: Connection) -> None:
    found: list[ListedImage] = []
    last = 0
    while piece := image_list.after(fleet, ImageFilter(), last, 3):
        found, last = [*found, *piece], piece[-1].id

    assert len(found) == 4
    assert [one.id for one in found] == sorted(one.id for one in found)


def test_what_nobody_follows_is_not_listed(fleet: Connection) -> None:
    fleet.execute(text("UPDATE repos SET left_out = 'fork' WHERE name = 'acme/c'"))

    assert BROKEN not in names(image_list.page(fleet, ImageFilter()))
    assert one_of(fleet, DEBIAN).repos == 2
    assert image_list.census(fleet).registries == ("docker.io",)


def test_registries_are_told_once(fleet: Connection) -> None:
    assert image_list.census(fleet).registries == ("docker.io", "ghcr.io")


def test_a_census_counts_what_each_filter_lets_through(fleet: Connection) -> None:
    census = image_list.census(fleet)

    assert census.total == image_list.count(fleet, ImageFilter())
    assert set(census.states) == {"failing", "behind", "stale", "held", "current"}
    for state, number in census.states.items():
        assert number == image_list.count(fleet, ImageFilter(state=state)), state


def test_numbers_are_whole(fleet: Connection) -> None:
    places = [
        number for one in image_list.page(fleet, ImageFilter()) for number in one.places.values()
    ]

    assert {type(number) for number in places} == {int}


def test_an_empty_state(connection: Connection) -> None:
    assert image_list.page(connection, ImageFilter()) == []
    assert image_list.count(connection, ImageFilter()) == 0
    assert image_list.census(connection).total == 0


def test_a_page_costs_as_many_statements_however_many_images_it_has(fleet: Connection) -> None:
    with counted(fleet) as of_one:
        image_list.page(fleet, ImageFilter(), limit=1)
    with counted(fleet) as of_all:
        image_list.page(fleet, ImageFilter())

    assert len(of_one) == len(of_all) == 3


@pytest.mark.parametrize("sort", ["behind", "oldest"])
def test_it_is_summed_up_by_index(fleet: Connection, sort: Sort) -> None:
    with planned(fleet) as plans:
        image_list.page(fleet, ImageFilter(), sort=sort)

    assert any("ix_findings_status_image_id_digest_repo_id" in step for step in plans)

"""The list of images that somebody follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from digestbot.files.occurrence import Steering
from digestbot.image import Platform
from digestbot.policy.finding import Status
from digestbot.store import image_list
from digestbot.store.image_list import HeldBy, ImageFilter, ListedImage, Sort, page
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


ALL = ImageFilter()


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
    (found,) = page(connection, ImageFilter(image)).images
    return found


def sorted_by(connection: Connection, sort: Sort) -> list[ListedImage]:
    return page(connection, ALL, sort=sort).images


def test_those_come_first_where_most_repos_are_behind(fleet: Connection) -> None:
    found = sorted_by(fleet, "behind")

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
    assert names(sorted_by(fleet, sort)) == expected


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
    found = page(fleet, asked)

    assert names(found.images) == expected
    assert found.total == len(expected)


@pytest.mark.parametrize("sort", ["behind", "name", "oldest"])
def test_pages_follow_each_other(fleet: Connection, sort: Sort) -> None:
    pages = [page(fleet, ALL, sort=sort, offset=start, limit=3) for start in (0, 3, 6)]

    assert [one for found in pages for one in found.images] == sorted_by(fleet, sort)
    assert [len(one.images) for one in pages] == [3, 1, 0]


def test_what_all_come_to_is_told_on_every_page(fleet: Connection) -> None:
    asked = ImageFilter("python")

    pages = [page(fleet, asked, offset=start, limit=1) for start in (0, 1)]

    assert [len(one.images) for one in pages] == [1, 0]
    assert [one.total for one in pages] == [1, 1]
    assert pages[0].census == pages[1].census == page(fleet, ALL).census


def test_they_are_read_in_order_of_their_ids(fleet: Connection) -> None:
    found = image_list.after(fleet, ALL)

    assert len(found) == 4
    assert found == sorted(sorted_by(fleet, "name"), key=lambda one: one.id)
    assert image_list.after(fleet, ALL, found[1].id, 1) == found[2:3]
    assert image_list.after(fleet, ALL, found[-1].id) == []


def test_what_is_read_is_filtered(fleet: Connection) -> None:
    found = image_list.after(fleet, ImageFilter("python", state="stale"))

    assert names(found) == [PYTHON]
    assert image_list.after(fleet, ImageFilter("python", state="held")) == []


def test_platforms_are_in_order_and_their_names_told_apart(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/a").values()
    of_all = finding(PYTHON, STALE)
    arm, amd = (
        replace(of_all, occurrence=replace(of_all.occurrence, steering=Steering(platform=one)))
        for one in (Platform("linux", "arm64"), Platform("linux", "amd64"))
    )
    add_findings(connection, number, arm, of_all, amd)

    found = sorted_by(connection, "name")

    assert [str(one.query.platform or "") for one in found] == ["", "linux/amd64", "linux/arm64"]


def test_what_nobody_follows_is_not_listed(fleet: Connection) -> None:
    fleet.execute(text("UPDATE repos SET left_out = 'fork' WHERE name = 'acme/c'"))

    found = page(fleet, ALL)

    assert BROKEN not in names(found.images)
    assert one_of(fleet, DEBIAN).repos == 2
    assert (found.total, found.census.registries) == (3, ("docker.io",))


def test_registries_are_told_once(fleet: Connection) -> None:
    assert page(fleet, ALL).census.registries == ("docker.io", "ghcr.io")


def test_a_census_counts_what_each_filter_lets_through(fleet: Connection) -> None:
    found = page(fleet, ALL)

    assert found.census.total == found.total == 4
    assert set(found.census.states) == {"failing", "behind", "stale", "held", "current"}
    for state, number in found.census.states.items():
        assert number == page(fleet, ImageFilter(state=state)).total, state


def test_numbers_are_whole(fleet: Connection) -> None:
    found = page(fleet, ALL)

    numbers = [*found.census.states.values(), found.total, found.census.total]
    for one in found.images:
        numbers += [one.repos, one.repos_behind, *one.places.values()]
    assert {type(number) for number in numbers} == {int}


def test_an_empty_state(connection: Connection) -> None:
    found = page(connection, ALL)

    assert (found.images, found.total, found.census.total) == ([], 0, 0)
    assert set(found.census.states.values()) == {0}


def test_as_many_statements_are_made_however_many_images_there_are(fleet: Connection) -> None:
    with counted(fleet) as statements:
        page(fleet, ALL)

    assert len(statements) == 3


def test_findings_are_summed_up_by_index(fleet: Connection) -> None:
    with planned(fleet) as plans:
        page(fleet, ALL)

    # Which of those that know image and status is for the database to say.
    assert any("ix_findings" in step and "image_id" in step for step in plans)


def test_on_sqlite_each_finding_is_looked_at_once_however_often_it_counts(
    fleet: Connection,
) -> None:
    with planned(fleet) as plans:
        page(fleet, ImageFilter("o", state="behind"), sort="name")

    if fleet.dialect.name == "sqlite":
        assert sum("ix_findings_image_id_repo_id_status" in step for step in plans) == 1

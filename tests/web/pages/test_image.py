from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter
from sqlalchemy import Connection

from digestbot.image import Digest, ImageTag
from digestbot.policy.finding import Finding, Status
from digestbot.store import images
from digestbot.store.database import Database
from digestbot.web.page import Look, NotHereError, asked
from digestbot.web.pages import image
from digestbot.web.pages.image import ImageQuestion
from digestbot.web.pages.image_view import ImageFailing, ImagePin, ImageView
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
    query,
    state,
)
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import Element, cells, parse
from tests.web.rows import Pin, Rows

PYTHON, NGINX, ALPINE, BASE, JAVA, DISTROLESS, NODE, PROMETHEUS, LOST = range(1, 10)
SHOP, WORKER, EDGE, HOSTILE, MONO = 1, 3, 7, 8, 10


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        yield database


@pytest.fixture
def fleet(database: Database) -> Database:
    small(database)
    return database


def view_of(
    database: Database, number: int, *, deny: list[str] | None = None, **given: Any
) -> ImageView:
    look = Look(database, loaded_with(deny=deny or []), (), NOW, NOW)
    return image.read(look, asked(ImageQuestion, {"id": number, **given}))


def page_of(database: Database, path: object, role: str = "reader", status: int = 200) -> Element:
    with asking(database, role) as client:
        answer = client.get(f"/images/{path}")
    assert answer.status_code == status
    return parse(answer.text)


def table_after(page: Element, label: str) -> Element:
    """The table in the region of this name."""
    (region,) = [one for one in page.all("div", role="region") if one.get("aria-label") == label]
    return region.one("table")


def digests_of(name: ImageTag, moves: int) -> list[str]:
    """What the seed has of an image, the newest first."""
    return [Rows(NOW).image(name, range(moves)).digest(back) for back in range(moves)]


PYTHONS = digests_of(ImageTag("docker.io", "library/python", "3.12-slim"), 5)


def test_an_image_says_how_it_stands(fleet: Database) -> None:
    view = view_of(fleet, PYTHON)

    assert (view.name, view.platform) == ("docker.io/library/python:3.12-slim", None)
    assert (view.digest, view.since) == (PYTHONS[0], "2026-11-19T09:30:00Z")
    assert view.checked_at == "2026-11-21T09:26:00Z"
    assert (view.repos, view.repos_behind) == (5, 4)
    assert view.places == {"current": 11, "stale": 23, "unpinned": 0, "held": 0, "failed": 0}
    assert view.fresh == 11 / 34
    assert (view.failing, view.held, view.came_back) == (None, [], 0)


def test_the_current_digest_stands_there_in_full(fleet: Database) -> None:
    page = page_of(fleet, PYTHON)

    codes = [one.text for one in page.one("dl", class_="facts").all("code")]
    assert codes == [PYTHONS[0], f"docker.io/library/python:3.12-slim@{PYTHONS[0]}"]


def test_who_is_behind_for_longest_comes_first(fleet: Database) -> None:
    view = view_of(fleet, PYTHON)

    assert [(one.id, one.behind_since) for one in view.behind] == [
        (WORKER, "2026-07-23T09:30:00Z"),
        (HOSTILE, "2026-11-09T09:30:00Z"),
        (MONO, "2026-11-09T09:30:00Z"),
        (SHOP, "2026-11-19T09:30:00Z"),
    ]
    assert view.behind[2].places == 20
    assert sorted(view.behind[2].pins, key=lambda one: PYTHONS.index(one.digest)) == [
        ImagePin(PYTHONS[1], "stale", "digest-moved", 10),
        ImagePin(PYTHONS[2], "stale", "digest-moved", 10),
    ]


def test_repos_that_are_behind_are_linked_to_with_what_is_proposed(fleet: Database) -> None:
    rows = cells(table_after(page_of(fleet, PYTHON), "Repos that are behind"))

    last = rows[-1]
    assert last["Repo"].one("a")["href"] == f"/repos/{SHOP}"
    assert last["Behind for"].text == "2 days"
    assert last["Pull request"].one("a")["href"] == "https://github.com/acme/shop/pull/101"
    assert last["Pull request"].text == "#101 ● open 45 h ago"
    assert rows[0]["Pull request"].text == "none"


def test_what_waits_for_its_turn_is_told_without_a_link(fleet: Database) -> None:
    rows = cells(table_after(page_of(fleet, NGINX), "Repos that are behind"))

    [worker] = [one for one in rows if one["Repo"].text == "acme/worker"]
    assert worker["Pull request"].all("a") == []
    assert "waiting" in worker["Pull request"].text


def test_a_pin_that_was_never_the_tags_is_behind_for_at_least_so_long(fleet: Database) -> None:
    view = view_of(fleet, NGINX)

    oldest = view.behind[0]
    assert (oldest.name, oldest.behind_since) == ("acme/old-timer", "2026-07-14T09:30:00Z")
    assert oldest.behind_at_least
    assert "at least 130 days" in page_of(fleet, NGINX).text


def test_digests_are_told_from_the_newest_to_what_was_never_seen(fleet: Database) -> None:
    view = view_of(fleet, NGINX)

    told = [(one.is_current, one.behind_since, one.first_seen) for one in view.digests]
    assert told == [
        (True, None, "2026-11-12T09:30:00Z"),
        (False, "2026-11-12T09:30:00Z", "2026-10-22T09:30:00Z"),
        (False, "2026-08-18T09:30:00Z", "2026-07-14T09:30:00Z"),
        (False, "2026-07-14T09:30:00Z", None),
    ]
    assert view.digests_total == 4
    assert [(one.repos, one.places, one.behind) for one in view.digests] == [
        (1, 1, 0),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
    ]


def test_how_many_repos_pin_which_digest_is_drawn_from_a_table(fleet: Database) -> None:
    page = page_of(fleet, PYTHON)

    rows = cells(page.one("table", **{"data-plot": "bars"}))
    assert [[cell.text for cell in row.values()] for row in rows] == [
        [PYTHONS[0][7:14], "2", "0", "0"],
        [PYTHONS[1][7:14], "0", "2", "0"],
        [PYTHONS[2][7:14], "0", "2", "0"],
        [PYTHONS[4][7:14], "0", "1", "0"],
    ]


def test_its_history_is_told_the_newest_first(fleet: Database) -> None:
    view = view_of(fleet, PYTHON)

    assert [one.digest for one in view.sightings] == PYTHONS
    newest, before, *_ = view.sightings
    assert (newest.first_seen, newest.last_seen) == ("2026-11-19T09:30:00Z", "2026-11-21T09:26:00Z")
    assert newest.lasted_s == 2 * 24 * 3600 - 4 * 60
    assert before.last_seen == "2026-11-19T09:00:00Z"


def test_its_history_is_a_list_and_a_plot_of_the_same(fleet: Database) -> None:
    page = page_of(fleet, PYTHON)

    steps = page.one("ol", class_="timeline").all("li")
    assert [one.one("code")["title"] for one in steps] == PYTHONS
    assert "for 47 h" in steps[0].text
    rows = cells(page.one("table", **{"data-plot": "spans"}))
    assert [row["Digest"].text for row in rows] == [one[7:14] for one in PYTHONS]
    assert int(rows[0]["First seen"]["data-value"]) == (NOW - 2 * DAY).timestamp() * 1000


def test_what_never_moved_needs_no_plot(fleet: Database) -> None:
    page = page_of(fleet, ALPINE)

    assert page.all("table", **{"data-plot": "spans"}) == []
    assert len(page.one("ol", class_="timeline").all("li")) == 1
    assert "Nobody is behind" in page.text


def test_a_long_history_has_its_newest_steps_in_the_list_and_all_in_the_numbers(
    fleet: Database,
) -> None:
    page = page_of(fleet, BASE)

    assert len(page.one("ol", class_="timeline").all("li")) == 10
    assert "50 earlier ones" in page.text
    assert len(page.one("table", **{"data-plot": "spans"}).all("tr")) == 1 + 60


def test_a_registry_without_an_answer_is_told_first_with_what_to_do(fleet: Database) -> None:
    view, page = view_of(fleet, PROMETHEUS), page_of(fleet, PROMETHEUS)

    assert view.failing == ImageFailing(
        since="2026-11-18T09:30:00Z",
        host="quay.io",
        code="unauthorized",
        message="quay.io answers 401 to prometheus/prometheus:v3: <b>no</b> token",
        meaning="The registry does not accept the username and password.",
        hint="check username and password for quay.io",
    )
    notice = page.one("section", class_="notice")
    assert "What to do: check username and password for quay.io." in notice.text
    assert "<b>no</b>" in notice.text


def test_an_image_that_was_never_seen_says_so(fleet: Database) -> None:
    view, page = view_of(fleet, LOST), page_of(fleet, LOST)

    assert (view.digest, view.since, view.checked_at, view.fresh) == (None, None, None, None)
    assert view.places["failed"] == 2
    assert "nobody answered yet" in page.text
    assert "The tag was never seen" in page.text


@pytest.mark.parametrize(
    "number, reason, until, needs_somebody",
    [
        pytest.param(DISTROLESS, "settling", "2026-11-21T11:30:00Z", False, id="for a while"),
        pytest.param(JAVA, "platform-lost", None, True, id="until somebody decides"),
    ],
)
def test_what_is_held_says_why_and_until_when(
    fleet: Database, number: int, reason: str, until: str | None, needs_somebody: bool
) -> None:
    view, page = view_of(fleet, number), page_of(fleet, number)

    [held] = view.held
    assert (held.reason, held.until, held.places, held.repos) == (reason, until, 1, 1)
    assert held.needs_somebody is needs_somebody
    notice = page.one("section", class_="hold")
    assert f"Held back: {reason}" in notice.text
    assert ("What to do" in notice.text) is needs_somebody
    assert ("in 2 h" in notice.text) is (until is not None)


def test_the_platform_that_is_followed_is_told(fleet: Database) -> None:
    assert view_of(fleet, JAVA).platform == "linux/arm64"
    assert "linux/arm64" in page_of(fleet, JAVA).one("h1").text


def test_a_digest_of_the_deny_list_that_is_pinned_is_told_first(fleet: Database) -> None:
    view = view_of(fleet, PYTHON, deny=[PYTHONS[1]])
    with asking(fleet, loaded=loaded_with(deny=[PYTHONS[1]])) as client:
        page = parse(client.get(f"/images/{PYTHON}").text)

    assert [one.digest for one in view.digests if one.is_denied] == [PYTHONS[1]]
    notice = page.one("section", class_="bad")
    assert "is on the deny list, and pinned at 11 places in 2 repos" in notice.text
    bars = cells(page.one("table", **{"data-plot": "bars"}))
    assert [row["Denied"].text for row in bars] == ["0", "2", "0", "0"]


def flapping(connection: Connection) -> int:
    """A tag that had `OLD` a month ago, and went back and forth in the last hours."""
    number = add_repos(connection, "acme/a")["acme/a"]
    moves = [30 * DAY, 6 * HOUR, 4 * HOUR, 3 * HOUR, HOUR]
    for place, before in enumerate(moves):
        add_digest(connection, "python:3.12", NEW if place % 2 else OLD, NOW - before)
    add_findings(connection, number, finding(status=Status.STALE, digest=NEW))
    return images.known(connection, query())[0]


def test_a_tag_that_goes_back_and_forth_is_said_to(database: Database) -> None:
    with database.begin() as connection:
        number = flapping(connection)

    view, page = view_of(database, number), page_of(database, number)

    assert [one.came_back for one in view.sightings] == [True, True, True, False, False]
    assert view.came_back == 3
    assert "a digest that it had before 3 times" in page.one("section", class_="notice").text
    steps = page.one("ol", class_="timeline").all("li")
    assert ["came back" in one.text for one in steps] == [True, True, True, False, False]
    rows = cells(page.one("table", **{"data-plot": "spans"}))
    assert len({row["Digest"].text for row in rows}) == 2


def test_what_came_back_is_behind_since_it_ceased_last(database: Database) -> None:
    with database.begin() as connection:
        number = flapping(connection)

    view = view_of(database, number)

    [repo], [digest] = view.behind, view.digests
    assert repo.behind_since == digest.behind_since == "2026-11-21T08:30:00Z"


def stale(digest: Digest = OLD) -> Finding:
    return finding(status=Status.STALE, digest=digest)


def test_many_repos_come_in_pages(database: Database) -> None:
    names = [f"acme/r{number:02}" for number in range(53)]
    with database.begin() as connection:
        add_digest(connection, "python:3.12", OLD, NOW - DAY)
        add_digest(connection, "python:3.12", NEW, NOW)
        for number in add_repos(connection, *names).values():
            add_findings(connection, number, stale())
        number = images.known(connection, query())[0]

    first, second = view_of(database, number), view_of(database, number, page=2)

    assert [one.name for one in first.behind] == names[:50]
    assert [one.name for one in second.behind] == names[50:]
    assert second.repos_behind == 53
    page = page_of(database, f"{number}?page=2")
    assert {one["href"] for one in page.all("a", rel="prev")} == {f"/images/{number}"}
    assert page.all("a", rel="next") == []
    assert "not so many pages" in page_of(database, f"{number}?page=3").text


def test_what_is_followed_no_more_still_has_its_history(database: Database) -> None:
    with database.begin() as connection:
        add_digest(connection, "python:3.12", OLD, NOW)
        number = images.known(connection, query())[0]

    assert view_of(database, number).repos == 0
    assert "none follows it any more" in page_of(database, number).text


@pytest.mark.parametrize("role, may", [("reader", False), ("operator", True)])
def test_only_operators_are_offered_to_ask_for_something(
    fleet: Database, role: str, may: bool
) -> None:
    forms = page_of(fleet, PYTHON, role).one("main").all("form")

    assert [one["action"] for one in forms] == ["/actions/scan", "/actions/ignore"] * may


def test_a_lookup_is_asked_for_by_the_name_of_the_image(fleet: Database) -> None:
    form = page_of(fleet, JAVA, "operator").one("form", action="/actions/scan")

    fields = {one["name"]: one["value"] for one in form.all("input")}
    assert fields["image"] == "registry.corp.example:5000/platform/java:21"
    assert fields["next"] == f"/images/{JAVA}"


def test_what_failed_is_asked_again(fleet: Database) -> None:
    page = page_of(fleet, PROMETHEUS, "operator")

    assert page.one("form", action="/actions/retry").one("button").text == "Look it up now"


def test_an_image_is_ignored_with_a_day_and_a_reason(fleet: Database) -> None:
    form = page_of(fleet, PYTHON, "operator").one("form", action="/actions/ignore")

    fields = {one["name"]: one for one in form.all("input")}
    assert fields["image"]["value"] == "docker.io/library/python:3.12-slim"
    assert (fields["until"]["type"], fields["until"]["min"]) == ("date", "2026-11-21")
    assert "required" in fields["reason"].attributes
    assert "required" in fields["until"].attributes


def test_names_that_want_to_harm_are_only_text(database: Database) -> None:
    rows = Rows(NOW)
    one = rows.image(ImageTag("docker.io", "library/x", "1"), [9, 2])
    name = 'acme/"><img src=x onerror=alert(1)>'
    harmful = rows.repo(name, [Pin(one, 1)], url="javascript:alert(1)")
    rows.proposal(harmful, one, "open", "opened", 1, url="javascript:alert(2)", title="<b>x</b>")
    rows.write(database)

    page = page_of(database, 1)

    [row] = cells(table_after(page, "Repos that are behind"))
    assert row["Repo"].text == name
    assert row["Pull request"].all("a") == []
    assert page.one("main").all("img") == []
    assert not [a for a in page.all("a") if not a["href"].startswith(("/", "#", "https://"))]


@pytest.mark.parametrize(
    "path, status",
    [
        pytest.param("4711", 404, id="none such"),
        pytest.param("nginx", 404, id="no number"),
        pytest.param("99999999999999999999", 400, id="too large"),
        pytest.param("1?page=0", 400, id="no page"),
        pytest.param("1?page=x", 400, id="no number of a page"),
    ],
)
def test_what_cannot_be_asked_is_no_page(fleet: Database, path: str, status: int) -> None:
    page_of(fleet, path, status=status)


def test_what_is_not_there_says_where_all_are(database: Database) -> None:
    with pytest.raises(NotHereError) as caught:
        view_of(database, 1)

    assert caught.value.hint == "all of them are at /images"


@pytest.mark.parametrize("number", range(1, 10))
def test_the_twin_is_the_view_and_fits_its_schema(fleet: Database, number: int) -> None:
    with asking(fleet) as client:
        answer = client.get(f"/images/{number}.json")

    data = answer.json()["data"]
    assert answer.json()["page"] == "image"
    assert data == TypeAdapter(ImageView).dump_python(view_of(fleet, number), mode="json")
    jsonschema.validate(data, TypeAdapter(ImageView).json_schema(mode="serialization"))

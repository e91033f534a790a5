from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from pydantic import TypeAdapter

from digestbot.image import ImageTag
from digestbot.policy.finding import Status
from digestbot.store import ignores
from digestbot.store.database import Database
from digestbot.web.page import Look, NotHereError, asked
from digestbot.web.pages import repo
from digestbot.web.pages.repo import RepoQuestion
from digestbot.web.pages.repo_view import RepoReason, RepoView
from tests.service.state import DAY, HOUR, NOW, query, state
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import Element, cells, parse
from tests.web.rows import Pin, Rows, hex_of

SHOP, API, WORKER, OLD, PAYMENTS, ML, EDGE, HOSTILE, PLAIN, MONO, LONG, LEGACY = range(1, 13)
ARCHIVE, FORK, GONE = range(13, 16)
BY_IGNORES = {"aria-labelledby": "ignores"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        yield database


@pytest.fixture
def fleet(database: Database) -> Database:
    small(database)
    return database


def view_of(database: Database, number: int, **given: Any) -> RepoView:
    look = Look(database, loaded_with(), (), NOW, NOW)
    return repo.read(look, asked(RepoQuestion, {"id": number, **given}))


def page_of(database: Database, path: object, role: str = "reader", status: int = 200) -> Element:
    with asking(database, role) as client:
        answer = client.get(f"/repos/{path}")
    assert answer.status_code == status
    return parse(answer.text)


def found_in(page: Element) -> list[dict[str, Element]]:
    (found,) = [one for one in page.all("table") if one.get("aria-labelledby") == "findings"]
    return cells(found)


def facts_of(page: Element) -> dict[str, str]:
    facts = page.one("dl", class_="facts")
    told = [one.text for one in facts.all("dd")]
    return dict(zip([one.text for one in facts.all("dt")], told, strict=True))


def test_a_repo_says_how_it_stands(fleet: Database) -> None:
    view = view_of(fleet, SHOP)

    head = hex_of("acme/shop", "head", length=40)
    assert (view.name, view.target, view.state) == ("acme/shop", "github:acme", "stale")
    assert view.url == "https://github.com/acme/shop"
    assert (view.default_branch, view.head, view.scanned_head) == ("main", head, head)
    assert view.scanned_at == "2026-11-21T09:26:00Z"
    assert view.listed_at == "2026-11-21T09:10:00Z"
    assert (view.due, view.due_at, view.left_out, view.gone_at) == (None, None, None, None)
    assert view.behind_since == "2026-11-12T09:30:00Z"
    assert view.counts[Status.STALE] == 2
    assert view.counts[Status.CURRENT] == 1
    assert (view.denied, view.errors, view.total) == (0, [], 3)


def test_each_place_is_linked_to_at_the_commit_that_was_scanned(fleet: Database) -> None:
    (first, second, third) = found_in(page_of(fleet, SHOP))

    head = hex_of("acme/shop", "head", length=40)
    blob = f"https://github.com/acme/shop/blob/{head}"
    assert first["Place"].text == "Dockerfile:3"
    assert first["Place"].one("a")["href"] == f"{blob}/Dockerfile#L3"
    assert second["Place"].one("a")["href"] == f"{blob}/web/Dockerfile#L12"
    assert third["Place"].one("a")["rel"] == "noreferrer"


def test_the_commit_of_the_links_is_not_the_newest_one(database: Database) -> None:
    rows = Rows(NOW)
    image = rows.image(ImageTag("docker.io", "library/python", "3.12"), [9, 2])
    rows.repo("acme/app", [Pin(image, 1, "x/Dockerfile", 4)], head="e" * 40, settled_head="5" * 40)
    rows.write(database)

    page = page_of(database, 1)

    (row,) = found_in(page)
    link = f"https://github.com/acme/app/blob/{'5' * 40}/x/Dockerfile#L4"
    assert row["Place"].one("a")["href"] == link
    assert facts_of(page)["Next scan"] == "in the next cycle: its default branch moved"
    assert facts_of(page)["Last scan"] == "4 min ago, of 5555555555"


def test_each_place_says_what_is_pinned_and_what_is_to_be(fleet: Database) -> None:
    view = view_of(fleet, SHOP)
    row = found_in(page_of(fleet, SHOP))[1]

    finding = view.findings[1]
    assert finding.image == "docker.io/library/nginx:1.27"
    assert finding.behind_since == "2026-11-12T09:30:00Z"
    assert finding.digest
    assert finding.new_digest
    assert row["Image"].one("a")["href"] == f"/images/{finding.image_id}"
    old, new = row["Pinned"].all("code")
    assert (old["title"], new["title"]) == (finding.digest, finding.new_digest)
    assert row["Status"].text == "▲ stale digest-moved"
    assert row["Behind for"].text == "9 days"


def test_a_pin_that_nobody_ever_saw_is_behind_for_at_least_so_long(fleet: Database) -> None:
    rows = {row["Image"].text: row for row in found_in(page_of(fleet, OLD))}

    assert rows["docker.io/library/nginx:1.27"]["Behind for"].text == "at least 130 days"


def test_what_is_held_says_why_and_until_when(fleet: Database) -> None:
    rows = {row["Image"].text: row for row in found_in(page_of(fleet, EDGE))}

    settling = rows["gcr.io/distroless/static-debian12:nonroot"]["Status"].text
    lost = rows["registry.corp.example:5000/platform/java:21 (linux/arm64)"]["Status"].text
    assert settling.startswith("◆ held settling gcr.io/distroless/static-debian12:nonroot moved to")
    assert settling.endswith("looked at again in 2 h")
    assert "looked at again" not in lost


def test_what_failed_says_what_to_do(fleet: Database) -> None:
    row = next(one for one in found_in(page_of(fleet, ML)) if "quay.io" in one["Image"].text)

    assert row["Status"].text.startswith("✗ failed unauthorized quay.io answers 401")
    assert "<b>no</b> token" in row["Status"].text
    assert row["Status"].text.endswith("What to do: give it a token")


def test_failed_lookups_are_said_at_the_top(fleet: Database) -> None:
    (notice,) = page_of(fleet, ML).all("section", class_="bad")

    assert "At 3 places: see why" in notice.text
    assert notice.one("a")["href"] == "?status=failed#findings"


def test_a_denied_digest_is_said_before_all_else(fleet: Database) -> None:
    page = page_of(fleet, PAYMENTS)

    (notice, *_) = page.all("section", class_="bad")
    assert "A digest of the deny list is pinned" in notice.text
    assert notice.one("a")["href"] == "?status=denied#findings"
    assert found_in(page)[0]["Status"].text.startswith("✗ denied denied-pinned")


def test_what_has_no_page_is_no_link(fleet: Database) -> None:
    (row,) = found_in(page_of(fleet, PLAIN))

    assert row["Place"].text == "Dockerfile:1"
    assert row["Place"].all("a") == []
    assert view_of(fleet, PLAIN).url is None


def test_what_is_not_followed_has_no_page(fleet: Database) -> None:
    rows = {row["Place"].text: row for row in found_in(page_of(fleet, LEGACY))}

    assert rows["Dockerfile:9"]["Image"].text == "$BASE"
    assert rows["Dockerfile:9"]["Image"].all("a") == []
    assert rows["Dockerfile:9"]["Pinned"].text == "none"
    assert rows["Dockerfile:9"]["Status"].text.endswith("skipped build-arg no default")


def test_errors_say_what_to_do(fleet: Database) -> None:
    page = page_of(fleet, PLAIN)

    errors = page.one("section", id="errors")
    assert errors.one("li").text == "it refused the push push-refused What to do: x"


def test_names_that_want_to_harm_are_text(fleet: Database) -> None:
    page = page_of(fleet, HOSTILE)

    assert page.one("h1").text == 'acme/<script>alert(1)</script>"quoted"'
    assert all(one.get("src") for one in page.all("script"))
    assert {one["src"].partition("?")[0] for one in page.all("img")} == {
        "/static/icon.svg",
        "/badges/repos/acme/%3Cscript%3Ealert%281%29%3C/script%3E%22quoted%22.svg",
    }
    assert not any(name[:2] == "on" for one in page.all("td") for name in one.attributes)
    assert all(row["Place"].all("a") == [] for row in found_in(page))
    assert "\\u202e" in page.text
    assert "\u202e" not in page.text
    assert view_of(fleet, HOSTILE).url is None


def test_paths_that_want_to_lead_elsewhere_lead_to_their_line(database: Database) -> None:
    rows = Rows(NOW)
    image = rows.image(ImageTag("docker.io", "library/python", "3.12"), [9, 2])
    rows.repo("acme/app", [Pin(image, 1, "a b/#?%2e%2e/Dockerfile", 2), Pin(image, 1, "../../x")])
    rows.write(database)

    up, odd = found_in(page_of(database, 1))

    head = hex_of("acme/app", "head", length=40)
    quoted = "a%20b/%23%3F%252e%252e/Dockerfile"
    assert odd["Place"].one("a")["href"] == f"https://github.com/acme/app/blob/{head}/{quoted}#L2"
    assert up["Place"].all("a") == []


def test_open_pull_requests_wait_to_be_merged(fleet: Database) -> None:
    notice = page_of(fleet, SHOP).one("section", class_="info")

    assert [one["href"] for one in notice.all("a")] == [
        "https://github.com/acme/shop/pull/102",
        "https://github.com/acme/shop/pull/101",
    ]
    assert "opened 8 days ago" in notice.text


def test_what_is_not_opened_yet_says_why(fleet: Database) -> None:
    notice = page_of(fleet, WORKER).one("section", class_="info")

    assert notice.one("h2").text == "● Waits to be opened"
    assert notice.one("li").text.endswith(", not opened yet: 4 are open already")


def test_proposals_say_what_became_of_them(fleet: Database) -> None:
    (found,) = [
        one for one in page_of(fleet, OLD).all("table") if one["aria-labelledby"] == "proposals"
    ]

    rows = cells(found)
    assert [row["State"].text.split()[1] for row in rows] == ["adopted", "closed"]
    assert [row["Opened"].text for row in rows] == ["14 days ago", "60 days ago"]
    assert [row["Ended"].text for row in rows] == ["7 days ago", "30 days ago"]
    assert rows[0]["Pull request"].one("a")["href"] == "https://github.com/acme/old-timer/pull/107"


def test_a_proposal_without_pull_request_is_no_link(fleet: Database) -> None:
    view = view_of(fleet, WORKER)

    (waiting, rejected) = view.proposals
    assert (waiting.state, waiting.number, waiting.url) == ("waiting", None, None)
    assert waiting.message == "4 are open already"
    assert (rejected.state, rejected.number) == ("rejected", 104)


@pytest.mark.parametrize(
    "status, total",
    [
        pytest.param("", 60, id="all"),
        pytest.param("stale", 40, id="stale"),
        pytest.param("current", 20, id="current"),
        pytest.param("denied", 0, id="denied"),
    ],
)
def test_findings_are_filtered_and_told_in_pages(fleet: Database, status: str, total: int) -> None:
    view = view_of(fleet, MONO, status=status)

    assert view.total == total
    assert len(view.findings) == min(total, 50)
    assert view.counts[Status.STALE] == 40


def test_the_second_page_has_the_rest(fleet: Database) -> None:
    page = page_of(fleet, f"{MONO}?page=2")

    assert len(found_in(page)) == 10
    assert page.one("a", rel="prev")["href"] == f"/repos/{MONO}"
    assert page.all("a", rel="next") == []


def test_a_handful_of_findings_needs_no_filter(fleet: Database) -> None:
    page = page_of(fleet, SHOP)

    assert page.all("form", role="search") == []


def test_the_filter_says_how_many_there_are_of_each(fleet: Database) -> None:
    form = page_of(fleet, f"{MONO}?status=stale").one("form", role="search")

    options = {one["value"]: one for one in form.all("option")}
    assert options[""].text == "all (60)"
    assert options["stale"].text == "stale (40)"
    assert "selected" in options["stale"].attributes
    assert options["denied"].text == "denied digest (0)"


@pytest.mark.parametrize(
    "path, said",
    [
        pytest.param(f"{MONO}?status=failed", "No image in it has that status.", id="none of it"),
        pytest.param(f"{MONO}?page=7", "This page is behind the last one", id="behind the end"),
    ],
)
def test_what_is_empty_says_why(fleet: Database, path: str, said: str) -> None:
    page = page_of(fleet, path)

    assert page.one("div", id="found").text.startswith(said)


def test_a_repo_that_was_not_scanned_says_so(database: Database) -> None:
    rows = Rows(NOW)
    rows.repo("acme/new", settled_at=None, settled_head=None, settled_pulse=None, head=None)
    rows.write(database)

    page = page_of(database, 1)

    assert page.one("div", id="found").text == "It was not scanned yet."
    assert facts_of(page)["Last scan"] == "never"
    assert facts_of(page)["Next scan"] == "in the next cycle: it was not scanned yet"
    assert facts_of(page)["Default branch"] == "main, nothing was ever committed"


def test_a_repo_without_images_says_so(database: Database) -> None:
    rows = Rows(NOW)
    rows.repo("acme/docs", due_at=NOW + 3 * HOUR)
    rows.write(database)

    page = page_of(database, 1)

    assert page.one("div", id="found").text == "No file in it that is read names an image."
    assert facts_of(page)["Next scan"] == "when something moves, or in 3 h"


def test_a_repo_that_is_left_out_says_why(fleet: Database) -> None:
    view, page = view_of(fleet, ARCHIVE), page_of(fleet, ARCHIVE, "operator")

    assert view.state == "left-out"
    assert view.left_out == RepoReason("archived", "it is archived")
    assert view.badge is None
    assert "It is not worked on: it is archived" in page.one("section", class_="notice").text
    assert "Next scan" not in facts_of(page)
    assert page.all("form", class_="act") == []


def test_a_repo_that_is_gone_says_so(fleet: Database) -> None:
    view, page = view_of(fleet, GONE), page_of(fleet, GONE, "operator")

    assert (view.state, view.gone_at) == ("gone", "2026-11-15T09:30:00Z")
    assert "listed no more 6 days ago" in page.one("section", class_="notice").text
    assert page.all("form", class_="act") == []


def test_its_badge_can_be_pasted(fleet: Database) -> None:
    page = page_of(fleet, SHOP)

    assert [one["src"] for one in page.one("main").all("img")] == ["/badges/repos/acme/shop.svg"]
    assert page.one("pre").text == (
        "[![base images](http://testserver/badges/repos/acme/shop.svg)]"
        f"(http://testserver/repos/{SHOP})"
    )


def test_its_badge_leads_to_where_people_reach_the_dashboard(fleet: Database) -> None:
    loaded = loaded_with(dashboard={"url": "https://digestbot.example.com/"})
    with asking(fleet, loaded=loaded) as client:
        page = parse(client.get(f"/repos/{SHOP}", headers={"host": "10.0.0.9:8080"}).text)

    assert [one["src"] for one in page.one("main").all("img")] == ["/badges/repos/acme/shop.svg"]
    assert page.one("pre").text == (
        "[![base images](https://digestbot.example.com/badges/repos/acme/shop.svg)]"
        f"(https://digestbot.example.com/repos/{SHOP})"
    )


def test_a_name_cannot_leave_the_markdown_of_its_badge(database: Database) -> None:
    rows = Rows(NOW)
    rows.repo("acme/x](javascript:alert(1))[")
    rows.write(database)

    markdown = page_of(database, 1).one("pre").text

    assert "badges/repos/acme/x%5D%28javascript%3Aalert%281%29%29%5B.svg)" in markdown


def test_operators_may_ask_for_something(fleet: Database) -> None:
    acts = page_of(fleet, SHOP, "operator").one("div", class_="acts").all("form")

    assert [one["action"] for one in acts] == ["/actions/scan", "/actions/propose"]
    for one in acts:
        assert one["method"] == "post"
        assert one.one("input", name="repo")["value"] == "acme/shop"
        assert one.one("input", name="next")["value"] == f"/repos/{SHOP}"
        assert one.one("input", name="csrf")["value"]


def test_what_went_wrong_may_be_tried_again(fleet: Database) -> None:
    acts = page_of(fleet, PLAIN, "operator").one("div", class_="acts").all("form")

    assert "/actions/retry" in [one["action"] for one in acts]


def test_a_lookup_that_failed_may_be_tried_again_by_itself(fleet: Database) -> None:
    rows = found_in(page_of(fleet, ML, "operator"))

    images = [row["Status"].one("input", name="image")["value"] for row in rows]
    assert images[0] == "quay.io/prometheus/prometheus:v3"
    assert images[1:] == ["registry.gone.example/team/tool:stable"] * 2


def ignored(database: Database, image: str, repo: str, reason: str, days: int = 14) -> None:
    until = (NOW + days * DAY).date()
    with database.begin() as connection:
        ignores.add(connection, query(image).image, until, reason, "ann", NOW - 2 * HOUR, repo)


def test_an_image_of_it_may_be_ignored_until_a_day(fleet: Database) -> None:
    form = page_of(fleet, SHOP, "operator").one("form", action="/actions/ignore")

    assert form.one("input", name="repo")["value"] == "acme/shop"
    assert form.one("input", name="next")["value"] == f"/repos/{SHOP}"
    assert form.one("input", name="csrf")["value"]
    assert [one.text for one in form.one("select", name="image").all("option")] == [
        "docker.io/library/alpine:3.20",
        "docker.io/library/nginx:1.27",
        "docker.io/library/python:3.12-slim",
    ]
    until, reason = form.one("input", name="until"), form.one("input", name="reason")
    assert (until["type"], until["min"]) == ("date", "2026-11-21")
    assert (reason["maxlength"], "required" in reason.attributes) == ("300", True)
    assert view_of(fleet, SHOP).images[0] == "docker.io/library/alpine:3.20"


def test_what_is_ignored_is_told_with_who_asked_and_why(fleet: Database) -> None:
    ignored(fleet, "nginx:1.27", "acme/shop", "<b>migration</b>")
    ignored(fleet, "python:3.12-slim", "", "frozen")
    ignored(fleet, "nginx:1.27", "acme/api", "another repo")
    ignored(fleet, "alpine:3.20", "acme/shop", "over", days=-1)

    view = view_of(fleet, SHOP)

    everywhere, here = view.ignores
    assert (everywhere.image, everywhere.is_everywhere) == (
        "docker.io/library/python:3.12-slim",
        True,
    )
    assert (here.image, here.is_everywhere) == ("docker.io/library/nginx:1.27", False)
    assert (here.until, here.reason, here.who) == ("2026-12-05", "<b>migration</b>", "ann")
    assert here.at == "2026-11-21T07:30:00Z"


def test_operators_may_take_an_ignore_back(fleet: Database) -> None:
    ignored(fleet, "nginx:1.27", "acme/shop", "<b>migration</b>")

    (row,) = cells(page_of(fleet, SHOP, "operator").one("table", **BY_IGNORES))

    assert row["Image"].text == "docker.io/library/nginx:1.27"
    assert row["Until the end of"].text == "2026-12-05"
    assert row["Why"].text == "<b>migration</b>"
    assert row["Asked for"].text == "by ann 2 h ago"
    form = row["Action"].one("form", action="/actions/unignore")
    assert form.one("input", name="ignore")["value"] == "1"
    assert form.one("button").text == "Take back"


def test_readers_see_what_is_ignored_and_cannot_take_it_back(fleet: Database) -> None:
    ignored(fleet, "nginx:1.27", "", "frozen")

    table = page_of(fleet, SHOP).one("table", **BY_IGNORES)

    assert "in all repos" in table.text
    assert table.all("form") == []


def test_what_is_shown_can_be_taken_as_csv(fleet: Database) -> None:
    page = page_of(fleet, f"{SHOP}?status=stale")

    link = page.one("a", href=f"/exports/findings.csv?repo={SHOP}&status=stale")
    assert link.text == "All of these as CSV"


def test_readers_are_offered_nothing(fleet: Database) -> None:
    page = page_of(fleet, f"{ML}?status=failed")

    assert [one.get("method") for one in page.one("main").all("form")] == ["get"]


def test_the_twin_says_the_same_and_keeps_its_contract(fleet: Database) -> None:
    with asking(fleet) as client:
        answer = client.get(f"/repos/{MONO}.json?status=stale&page=1")

    schema = TypeAdapter(RepoView).json_schema(mode="serialization")
    data = answer.json()["data"]
    jsonschema.validate(data, schema)
    view = view_of(fleet, MONO, status="stale")
    assert data == TypeAdapter(RepoView).dump_python(view, mode="json")


@pytest.mark.parametrize("number", range(1, 16))
def test_no_repo_leads_anywhere_but_to_its_forge(fleet: Database, number: int) -> None:
    links = [urlsplit(one["href"]) for one in page_of(fleet, number).all("a")]

    assert {one.netloc for one in links} <= {"", "github.com"}
    assert {one.scheme for one in links} <= {"", "https"}


@pytest.mark.parametrize(
    "path, status",
    [
        pytest.param("99", 404, id="none with this id"),
        pytest.param("x", 404, id="no id"),
        pytest.param("1?page=0", 400, id="no page"),
        pytest.param("1?status=odd", 400, id="no status"),
        pytest.param(str(2**31 - 1), 404, id="an id beyond all"),
        pytest.param(str(2**70), 400, id="an id that no database takes"),
    ],
)
def test_what_is_not_there_is_said(fleet: Database, path: str, status: int) -> None:
    page = page_of(fleet, path, status=status)

    assert page.all("table") == []


def test_what_is_not_there_is_said_with_where_to_look(database: Database) -> None:
    with pytest.raises(NotHereError, match="there is no such repo") as caught:
        view_of(database, 5)

    assert caught.value.hint == "all of them are at /repos"


def test_what_was_proposed_days_ago_is_in_utc(fleet: Database) -> None:
    view = view_of(fleet, API)

    (merged,) = view.proposals
    assert merged.opened_at == (NOW - 2 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert merged.ended_at == (NOW - DAY).strftime("%Y-%m-%dT%H:%M:%SZ")

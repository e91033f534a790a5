from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter
from sqlalchemy import Engine

from digestbot.config.load import LoadedSettings
from digestbot.image import ImageTag
from digestbot.scan.result import Problem
from digestbot.service.readiness import Reason
from digestbot.service.times import stamp
from digestbot.store.database import Database
from digestbot.web.page import AskedWrongError, Look, asked
from digestbot.web.pages import overview
from digestbot.web.pages.overview import OverviewQuestion
from digestbot.web.pages.overview_view import OverviewNeed, OverviewTally, OverviewView
from tests.service.state import DAY, HOUR, NOW, state
from tests.store.statements import counted
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import Element, cells, parse
from tests.web.rows import Image, Pin, Rows, hex_of

HUB = "docker.io"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        yield database


@pytest.fixture
def rows() -> Rows:
    """Nothing but a cycle that came to its end."""
    rows = Rows(NOW)
    rows.run(HOUR, 60, "done")
    return rows


def image_of(rows: Rows, name: str = "python", moved: tuple[float, ...] = (20, 3)) -> Image:
    return rows.image(ImageTag(HUB, f"library/{name}", "1"), moved)


def read(
    database: Database,
    days: str = "30",
    *,
    loaded: LoadedSettings | None = None,
    reasons: tuple[Reason, ...] = (),
    **config: Any,
) -> OverviewView:
    look = Look(database, loaded or loaded_with(**config), reasons, NOW, NOW)
    return overview.read(look, asked(OverviewQuestion, {"days": days}))


def seen(rows: Rows, database: Database, **more: Any) -> OverviewView:
    rows.write(database)
    return read(database, **more)


def page(
    database: Database, path: str = "/", role: str = "reader", loaded: LoadedSettings | None = None
) -> Element:
    with asking(database, role, loaded) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    return parse(answer.text)


def plotted(shown: Element, kind: str) -> Element:
    return shown.one("table", **{"data-plot": kind})


def only(view: OverviewView) -> OverviewNeed:
    (need,) = view.needs
    return need


# What needs somebody


def test_a_glance_is_as_many_questions_however_large_the_fleet(database: Database) -> None:
    small(database)

    with counted(Engine) as statements:
        read(database)

    assert len([one for one in statements if one.startswith("SELECT")]) <= 17


def test_where_nothing_needs_anybody_that_is_said(database: Database, rows: Rows) -> None:
    rows.repo("acme/app", [Pin(image_of(rows))])

    view = seen(rows, database)

    assert (view.needs, view.phase) == ([], "on")
    assert "Nothing needs attention." in page(database).one("main").text


def test_a_service_that_is_not_ready_comes_first(database: Database, rows: Rows) -> None:
    rows.repo("acme/app", problems=[Problem("repo", "acme/app", "denied", "no", "log in")])

    view = seen(rows, database, reasons=(Reason("cycle-late", "a cycle ended: never yet"),))

    assert [one.kind for one in view.needs] == ["not-ready", "repos"]
    assert view.needs[0].examples[0].label == "a cycle ended: never yet"
    assert view.needs[0].path == "/about"


def test_a_target_that_cannot_be_listed_is_told_with_what_to_do(
    database: Database, rows: Rows
) -> None:
    rows.run(HOUR / 2, 9, "failed")
    rows.condition("target:github:acme", "cycle", "github:acme: 401", "renew the token", 1)
    rows.condition("cycle", "cycle", "the last cycle broke off", "see it", 1)

    need = only(seen(rows, database))

    assert (need.kind, need.message, need.advice) == (
        "target",
        "github:acme: 401",
        "renew the token",
    )
    assert need.path.startswith("/runs/")


@pytest.mark.parametrize("stands", ["halted", "paused", "went-back"])
def test_a_rollout_that_does_not_go_on_by_itself_is_told(
    database: Database, rows: Rows, stands: str
) -> None:
    rows.condition("rollout:0c907c9ea3", "rollout", f"rollout of nginx: {stands}", "", 1, stands)
    rows.condition("rollout:1111111111", "rollout", "rollout of java: running", "", 1, "running")

    need = only(seen(rows, database))

    assert (need.kind, need.code, need.path) == ("rollout", stands, "/rollouts/0c907c9ea3")
    assert need.advice


def test_a_cycle_that_broke_off_is_told_with_a_link_to_it(database: Database, rows: Rows) -> None:
    rows.run(HOUR / 2, 9, "failed")
    rows.write(database)

    need = only(read(database))

    assert need.kind == "cycle"
    with asking(database) as client:
        assert client.get(need.path).status_code == 200


def test_digests_of_the_deny_list_are_told_while_they_are_in_use(
    database: Database, rows: Rows
) -> None:
    python = image_of(rows)
    pin = Pin(python, 1, reason="denied-pinned")
    rows.repo("acme/app", [pin, Pin(python, 1, line=9)])
    rows.repo("acme/web", [pin])

    need = only(seen(rows, database, deny=[python.digest(1), f"sha256:{hex_of('unused')}"]))

    assert (need.kind, need.count, need.path) == ("denied", 1, "/repos?status=denied")
    assert need.message == "1 digest of the deny list is in use"
    (example,) = need.examples
    assert (example.label, example.detail) == (python.digest(1), "3 places in 2 repos")


def failing(rows: Rows, name: str, host: str, code: str, days: float) -> Image:
    return rows.image(
        ImageTag(host, name, "1"),
        failing_since=NOW - timedelta(days=days),
        failing_host=host,
        failing_code=code,
        failing_message=f"{host} says {code}",
    )


def test_failing_lookups_are_told_by_host_and_cause(database: Database, rows: Rows) -> None:
    some = [
        failing(rows, "a", "quay.io", "unauthorized", 2),
        failing(rows, "b", "quay.io", "unauthorized", 4),
        failing(rows, "c", "quay.io", "timeout", 1),
        failing(rows, "d", "ghcr.io", "timeout", 3),
    ]
    rows.repo("acme/a", [Pin(one, line=line) for line, one in enumerate(some, 1)])
    failing(rows, "nobody-follows-it", "gcr.io", "timeout", 3)

    view = seen(rows, database)

    assert [(one.kind, one.code, one.count, one.since) for one in view.needs] == [
        ("lookups", "unauthorized", 2, stamp(NOW - 4 * DAY)),
        ("lookups", "timeout", 1, stamp(NOW - 3 * DAY)),
        ("lookups", "timeout", 1, stamp(NOW - DAY)),
    ]
    first = view.needs[0]
    assert first.message.startswith("2 images cannot be looked up at quay.io: ")
    assert first.advice == "check username and password for quay.io"
    assert first.path == "/images?state=failing&registry=quay.io"
    assert first.examples[0].label == "quay.io/b:1"


def test_a_host_that_is_longer_than_any_is_shown_and_leads_to_all_that_fail(
    database: Database, rows: Rows
) -> None:
    host = "a." * 500 + "example"
    rows.repo("acme/a", [Pin(failing(rows, "x", host, "unreachable", 1))])

    need = only(seen(rows, database))

    assert host in need.message
    with asking(database) as client:
        assert client.get(need.path).status_code == 200


def test_what_one_repo_alone_names_does_not_hide_what_many_share(
    database: Database, rows: Rows
) -> None:
    made_up = [failing(rows, "x", f"r{number}.example", "unreachable", 9) for number in range(8)]
    shared = failing(rows, "base", "ghcr.io", "unauthorized", 1)
    rows.repo("acme/odd", [Pin(one, line=line) for line, one in enumerate(made_up, 1)])
    rows.repo("acme/app", [Pin(shared)])
    rows.repo("acme/web", [Pin(shared)])

    view = seen(rows, database)

    assert len(view.needs) == 5
    assert view.needs[0].code == "unauthorized"
    assert view.more_causes == 4
    assert "And 4 more causes" in page(database).one("main").text


def test_repos_with_problems_are_told_by_cause_the_most_common_first(
    database: Database, rows: Rows
) -> None:
    for number in range(4):
        problem = Problem("repo", "x", "push-refused", f"refused {number}", "allow pushes")
        rows.repo(f"acme/r{number}", problems=[problem])
    rows.repo("acme/a", problems=[Problem("file", "x", "invalid-dockerfile", "line 1", "mend it")])

    view = seen(rows, database)

    assert [(one.kind, one.code, one.count, one.advice) for one in view.needs] == [
        ("repos", "push-refused", 4, "allow pushes"),
        ("repos", "invalid-dockerfile", 1, "mend it"),
    ]
    assert [(one.label, one.detail, one.path) for one in view.needs[0].examples] == [
        (f"acme/r{number}", f"refused {number}", f"/repos/{number + 1}#errors")
        for number in range(3)
    ]
    assert "and 1 more" in page(database).all("li", class_="notice")[0].text


def test_what_stays_held_is_told_and_what_comes_by_itself_is_counted(
    database: Database, rows: Rows
) -> None:
    lost, new = image_of(rows, "lost"), image_of(rows, "new")
    rows.repo("acme/app", [Pin(lost, 1, status="held", reason="platform-lost")])
    rows.repo(
        "acme/web",
        [
            Pin(lost, 1, status="held", reason="platform-lost"),
            Pin(new, 1, line=2, status="held", reason="settling", until=NOW + HOUR),
        ],
    )

    view = seen(rows, database)

    need = only(view)
    assert (need.kind, need.code, need.count, need.path) == (
        "held",
        "platform-lost",
        1,
        "/images?state=held",
    )
    assert "hold.lost_platforms" in need.advice
    assert [(one.path, one.detail) for one in need.examples] == [
        (f"/images/{lost.id}", "in 2 repos")
    ]
    assert view.settling == 1


def test_pull_requests_that_wait_for_longer_than_the_target_are_told(
    database: Database, rows: Rows
) -> None:
    python = image_of(rows)
    for number, days in enumerate([1, 9, 30]):
        repo = rows.repo(f"acme/r{number}", [Pin(python, 1)])
        rows.proposal(repo, python, "open", "unchanged", days)

    view = seen(rows, database)

    need = only(view)
    assert (need.kind, need.count, need.since) == ("proposals", 2, stamp(NOW - 30 * DAY))
    assert need.message == "2 pull requests waited for longer than 7 days"
    assert [(one.label, one.url) for one in need.examples] == [
        ("acme/r2#103", "https://github.com/acme/r2/pull/103"),
        ("acme/r1#102", "https://github.com/acme/r1/pull/102"),
    ]
    assert read(database, dashboard={"target": "14d"}).needs[0].count == 1
    assert read(database, dashboard={"target": "60d"}).needs == []


def test_no_link_leads_off_the_host_of_the_repo(database: Database, rows: Rows) -> None:
    python = image_of(rows)
    repo = rows.repo("acme/a", [Pin(python, 1)])
    rows.proposal(repo, python, "open", "unchanged", 9, url="https://evil.example/acme/a/pull/1")

    need = only(seen(rows, database))

    assert need.examples[0].url is None
    assert "evil.example" not in str(page(database).one("main"))


# How the fleet stands


def test_totals_are_those_of_live_repos(database: Database, rows: Rows) -> None:
    python, node = image_of(rows), image_of(rows, "node")
    rows.repo("acme/a", [Pin(python), Pin(python, line=2), Pin(node, 1, line=3)])
    rows.repo(
        "acme/b", [Pin(node, 1, status="held", reason="settling"), Pin(node, status="failed")]
    )
    rows.repo("acme/off", [Pin(python, 1)], left_out="archived")
    rows.repo("acme/new", settled_at=None)

    totals = seen(rows, database).totals

    assert (totals.repos, totals.settled, totals.images) == (3, 2, 2)
    assert (totals.current, totals.stale, totals.held, totals.failed) == (2, 1, 1, 1)
    assert totals.fresh_percent == 50


def test_all_are_fresh_only_if_every_single_one_is(database: Database, rows: Rows) -> None:
    python = image_of(rows)
    rows.repo("acme/a", [Pin(python, int(line == 1), line=line) for line in range(1, 400)])

    assert seen(rows, database).totals.fresh_percent == 99


def test_the_next_cycle_is_the_next_by_the_timetable_or_when_something_is_due(
    database: Database, rows: Rows
) -> None:
    rows.repo("acme/a", due_at=NOW + HOUR)
    rows.write(database)

    cycle = read(database, service={"cron": ["0 12 * * *"]}).cycle

    assert cycle.last_success == stamp(NOW - HOUR + timedelta(minutes=1))
    assert cycle.next == stamp(NOW + HOUR)
    assert read(database, service={"cron": ["0 10 * * *"]}).cycle.next == "2026-11-21T10:00:00Z"
    assert cycle.running_id is None


def test_operators_may_have_everything_looked_at_now(database: Database, rows: Rows) -> None:
    rows.write(database)

    shown, hidden = page(database, role="operator"), page(database, role="reader")

    form = shown.one("form", action="/actions/scan")
    assert form.one("input", name="next")["value"] == "/"
    assert hidden.all("form") == []


def test_while_a_cycle_is_under_way_it_is_shown_and_no_other_asked_for(
    database: Database, rows: Rows
) -> None:
    rows.repo("acme/a")
    rows.run(HOUR / 6, None, "running")

    cycle = seen(rows, database).cycle

    assert cycle.running_since == stamp(NOW - HOUR / 6)
    shown = page(database, role="operator")
    assert shown.all("form", action="/actions/scan") == []
    assert shown.all("a", href=f"/runs/{cycle.running_id}")


# How that changes


@pytest.mark.parametrize(
    ("days", "expected"), [("7", 1), ("30", 2), ("90", 3), ("365", 4), ("", 2)]
)
def test_the_range_of_the_plots_is_in_the_address(
    database: Database, rows: Rows, days: str, expected: int
) -> None:
    rows.repo("acme/a")
    counts = {"current": 7, "stale": 2, "held": 1, "failed": 0, "unpinned": 3}
    for ago in (3, 20, 80, 300, 500):
        rows.tally(ago * DAY, counts, 2 * DAY)

    view = seen(rows, database, days=days)

    assert len(view.tallies) == expected
    assert view.tallies[-1] == OverviewTally(
        stamp(NOW - 3 * DAY), 7, 2, 1, 0, p50_s=2 * 86400, p90_s=6 * 86400
    )


def test_the_plots_are_drawn_from_tables_that_say_the_same(database: Database) -> None:
    small(database)
    view = read(database, "7")

    shown = page(database, "/?days=7")

    areas, lines = cells(plotted(shown, "areas")), cells(plotted(shown, "lines"))
    assert len(areas) == len(lines) == len(view.tallies)
    first = areas[0]
    assert first["Current"].text == str(view.tallies[0].current)
    at = datetime.fromisoformat(view.tallies[0].at)
    assert first["Time"]["data-x"] == str(round(at.timestamp() * 1000))
    p50 = view.tallies[0].p50_s
    assert p50 is not None
    assert lines[0]["Half, in days"].text == f"{p50 / 86400:.1f}"
    assert shown.one("nav", class_="ranges").one("a", **{"aria-current": "true"}).text == "7 days"


def test_where_nothing_was_behind_the_line_has_a_gap(database: Database, rows: Rows) -> None:
    rows.repo("acme/a")
    rows.tally(HOUR, dict.fromkeys(("current", "stale", "held", "failed", "unpinned"), 0), DAY)
    rows.write(database)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE tallies SET p50_s = NULL, p90_s = NULL")

    row = cells(plotted(page(database), "lines"))[0]
    assert row["Half, in days"]["data-value"] == ""


def test_pins_are_counted_by_how_long_they_are_behind(database: Database, rows: Rows) -> None:
    python, node = image_of(rows, moved=(50, 10, 0.5)), image_of(rows, "node", moved=(50, 3))
    rows.repo("acme/a", [Pin(python, 1), Pin(python, 1, line=2), Pin(python, 2, line=3)])
    rows.repo("acme/b", [Pin(node, 1), Pin(node, 5, line=2), Pin(node, line=3)])

    view = seen(rows, database)

    assert {one.label: (one.pins, one.at_least) for one in view.behind if one.pins} == {
        "under 1 day": (2, 0),
        "2 to 4 days": (1, 0),
        "7 to 14 days": (1, 0),
        "30 to 90 days": (1, 1),
    }
    late = [one.label for one in view.behind if one.is_late]
    assert late == ["7 to 14 days", "14 to 30 days", "30 to 90 days", "90 days and more"]


@pytest.mark.parametrize(
    ("target", "words", "labels"),
    [
        pytest.param("7d", "7 days", ("4 to 7 days", "7 to 14 days"), id="at a bound"),
        pytest.param("10d", "10 days", ("7 to 10 days", "10 to 14 days"), id="within a bucket"),
        pytest.param("36h", "36 h", ("1 day to 36 h", "36 h to 2 days"), id="no whole days"),
        pytest.param("100d", "100 days", ("90 to 100 days", "100 days and more"), id="beyond all"),
    ],
)
def test_the_target_lies_between_two_bars(
    database: Database, rows: Rows, target: str, words: str, labels: tuple[str, str]
) -> None:
    rows.repo("acme/a")
    rows.write(database)
    loaded = loaded_with(dashboard={"target": target})

    view = read(database, loaded=loaded)

    first = next(place for place, one in enumerate(view.behind) if one.is_late)
    assert (view.behind[first - 1].label, view.behind[first].label) == labels
    table = plotted(page(database, loaded=loaded), "bars")
    assert table["data-target"] == f"target: {words}"
    assert table.all("tr", class_="late")[0].all("th")[0].text == labels[1]


def test_what_moved_this_week_is_told_with_who_is_on_the_old_digest(
    database: Database, rows: Rows
) -> None:
    python = image_of(rows, moved=(50, 3, 2))
    java = rows.image(ImageTag("ghcr.io", "acme/java", "21"), [30, 6], platform="linux/arm64")
    image_of(rows, "old", moved=(50, 8))
    rows.repo("acme/a", [Pin(python, 1), Pin(python, 1, line=2)])
    rows.repo("acme/b", [Pin(python, 1), Pin(java, line=2)])
    rows.repo("acme/c", [Pin(python, 2)])

    view = seen(rows, database)

    assert view.moved == 2
    assert [
        (one.image, one.platform, one.old_digest, one.new_digest, one.times, one.repos_on_old)
        for one in view.moves
    ] == [
        (f"{HUB}/library/python:1", "", python.digest(1), python.digest(), 2, 2),
        ("ghcr.io/acme/java:21", "linux/arm64", java.digest(1), java.digest(), 1, 0),
    ]
    assert view.moves[0].at == stamp(NOW - 2 * DAY)
    assert page(database).all("a", href=f"/images/{python.id}")


# The beginning


def test_before_the_first_cycle_the_page_says_what_comes(database: Database) -> None:
    view = read(database)

    assert (view.phase, view.needs, view.tallies) == ("new", [], [])
    assert view.totals.fresh_percent is None
    text = page(database).one("main").text
    assert "The first cycle begins in 30 min at the latest" in text
    assert "Nothing needs attention" not in text


def test_while_the_first_cycle_is_under_way_the_page_says_how_far_it_is(
    database: Database,
) -> None:
    rows = Rows(NOW)
    rows.run(HOUR / 60, None, "running")

    view = seen(rows, database)

    assert view.phase == "first"
    shown = page(database).one("main")
    assert "The first cycle is under way" in shown.text
    assert shown.all("a", href=f"/runs/{view.cycle.running_id}")


def test_where_the_first_cycle_came_to_nothing_that_needs_somebody(database: Database) -> None:
    rows = Rows(NOW)
    rows.run(HOUR, 3, "failed")

    view = seen(rows, database)

    assert (view.phase, only(view).kind) == ("first", "cycle")
    assert "No cycle came to its end yet" in page(database).one("main").text


def test_without_a_timetable_nobody_is_promised_anything(database: Database) -> None:
    loaded = loaded_with(service={"cron": ["0 0 30 2 *"]})

    assert read(database, loaded=loaded).cycle.next is None
    assert "when somebody asks for it" in page(database, loaded=loaded).one("main").text


# The page as such


def test_every_link_of_the_page_leads_somewhere(database: Database) -> None:
    small(database)
    shown = page(database)
    links = {one["href"].partition("#")[0] for one in shown.one("main").all("a")}
    own = {link for link in links if link.startswith("/")}

    with asking(database) as client:
        answers = {link: client.get(link).status_code for link in own}

    assert len(own) > 10
    assert set(answers.values()) == {200}, answers


def test_what_is_linked_to_within_a_page_is_there(database: Database) -> None:
    small(database)
    links = {one["href"] for one in page(database).one("main").all("a")}
    parted = [link.partition("#")[::2] for link in links if link.startswith("/") and "#" in link]

    with asking(database) as client:
        found = {(path, name): f'id="{name}"' in client.get(path).text for path, name in parted}

    assert found
    assert all(found.values()), found


def test_names_that_want_to_harm_are_shown_as_they_are(database: Database) -> None:
    small(database)

    with asking(database) as client:
        text = client.get("/").text

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "javascript:" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_what_cannot_be_asked_is_refused(database: Database) -> None:
    with pytest.raises(AskedWrongError):
        read(database, "12")
    with asking(database) as client:
        assert client.get("/?days=12").status_code == 400
        assert client.get("/overview.json?days=x").status_code == 400


def test_the_json_twin_is_the_view_and_keeps_its_contract(database: Database) -> None:
    small(database)
    schema = TypeAdapter(OverviewView).json_schema(mode="serialization")

    with asking(database) as client:
        answer = client.get("/overview.json?days=7")

    data = answer.json()["data"]
    jsonschema.validate(data, schema)
    assert data == TypeAdapter(OverviewView).dump_python(read(database, "7"), mode="json")
    assert [one["kind"] for one in data["needs"]] == [
        "lookups",
        "lookups",
        "repos",
        "repos",
        "held",
        "proposals",
    ]

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from digestbot.policy.finding import Status
from digestbot.store.database import Database
from digestbot.store.engines import engine_for
from digestbot.store.location import Location
from digestbot.store.standing import Standing
from digestbot.web.badges import Badge, badge_of, badge_svg, is_public
from tests.service.state import add_findings, add_repos, finding, held, settle, state
from tests.web.asking import asking, loaded_with

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Database]:
    """One repo that is fresh, one with two that are behind and one held, one not looked at yet."""
    with state(tmp_path) as database:
        with database.begin() as connection:
            ids = add_repos(connection, "acme/fresh", "acme/behind", "acme/new")
            add_findings(connection, ids["acme/fresh"], finding())
            stale = [finding(status=Status.STALE, line=line) for line in (1, 2)]
            add_findings(connection, ids["acme/behind"], *stale, held("alpine:3", "settling"))
            for name in ("acme/fresh", "acme/behind"):
                settle(connection, ids[name], name)
        yield database


def said(svg: str) -> str:
    root = ET.fromstring(svg)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == root.get("aria-label")
    return title.text or ""


@pytest.mark.parametrize(
    "stands, word, tone",
    [
        pytest.param(Standing(), "unknown", "dim", id="nothing there"),
        pytest.param(Standing(1, 0), "unknown", "dim", id="not looked at yet"),
        pytest.param(Standing(1, 1, current=4), "fresh", "good", id="fresh"),
        pytest.param(Standing(1, 1, current=4, stale=3), "3 behind", "warn", id="behind"),
        pytest.param(Standing(1, 1, stale=1, held=2), "3 behind", "warn", id="held, too"),
        pytest.param(Standing(1, 1, current=1, held=2), "2 behind", "hold", id="held alone"),
        pytest.param(Standing(9, 9, stale=1234), "1,234 behind", "warn", id="many"),
        pytest.param(Standing(1, 1, current=4, failed=1), "unknown", "dim", id="nobody can say"),
        pytest.param(Standing(1, 1), "none pinned", "dim", id="without pins"),
    ],
)
def test_a_badge_says_how_things_stand(stands: Standing, word: str, tone: str) -> None:
    assert badge_of(stands) == Badge(word, tone)


def test_a_badge_is_read_aloud_and_as_wide_as_its_words() -> None:
    root = ET.fromstring(badge_svg(Badge("3 behind", "warn")))

    label, word = root.iter(f"{SVG}text")
    end = float(word.get("x", 0)) + float(word.get("textLength", 0))
    assert said(badge_svg(Badge("3 behind", "warn"))) == "base images: 3 behind"
    assert root.get("role") == "img"
    assert float(label.get("textLength", 0)) < float(word.get("x", 0))
    assert 4 <= float(root.get("width", 0)) - end <= 8


def test_a_badge_escapes_what_it_says() -> None:
    hostile = '"><script>alert(1)</script>&'

    svg = badge_svg(Badge(hostile, "good"), hostile)

    assert "<script" not in svg
    assert said(svg) == f"{hostile}: {hostile}"


def test_a_badge_has_neither_script_nor_style_nor_anything_from_elsewhere() -> None:
    svg = badge_svg(Badge("fresh", "good"))

    assert not {"script", "style", "image", "use", "foreignObject", "a"} & {
        node.tag.removeprefix(SVG) for node in ET.fromstring(svg).iter()
    }
    assert "href" not in svg


@pytest.mark.parametrize(
    "path, status, expected",
    [
        pytest.param("/badges/fleet.svg", 200, "base images: 3 behind", id="fleet"),
        pytest.param("/badges/repos/acme/fresh.svg", 200, "base images: fresh", id="fresh"),
        pytest.param("/badges/repos/ACME/Fresh.svg", 200, "base images: fresh", id="case"),
        pytest.param("/badges/repos/acme/behind.svg", 200, "base images: 3 behind", id="behind"),
        pytest.param("/badges/repos/acme/new.svg", 200, "base images: unknown", id="new"),
        pytest.param("/badges/repos/acme/none.svg", 404, "base images: unknown", id="no such repo"),
    ],
)
def test_readers_see_the_badges(fleet: Database, path: str, status: int, expected: str) -> None:
    with asking(fleet) as client:
        answer = client.get(path)
        head = client.head(path)

    assert (answer.status_code, head.status_code) == (status, status)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "private, max-age=300"
    assert said(answer.text) == expected
    assert head.text == ""


def test_a_badge_is_sent_once_while_it_says_the_same(fleet: Database) -> None:
    with asking(fleet) as client:
        tag = client.get("/badges/fleet.svg").headers["etag"]
        same = client.get("/badges/fleet.svg", headers={"if-none-match": f'"x", W/{tag}'})
        other = client.get("/badges/fleet.svg", headers={"if-none-match": '"other"'})

    assert (same.status_code, same.text, same.headers["etag"]) == (304, "", tag)
    assert other.status_code == 200


def test_nobody_sees_a_badge_unless_it_is_public(fleet: Database) -> None:
    with asking(fleet, "nobody") as client:
        answers = [
            client.get(path, headers={"accept": "application/json"})
            for path in ("/badges/fleet.svg", "/badges/repos/acme/fresh.svg")
        ]

    assert [answer.status_code for answer in answers] == [401, 401]


def test_a_public_badge_is_for_anybody_on_any_page(fleet: Database) -> None:
    loaded = loaded_with(dashboard={"public_badges": ["acme/fr*"]})

    with asking(fleet, "nobody", loaded) as client:
        repo = client.get("/badges/repos/acme/fresh.svg")
        whole = client.get("/badges/fleet.svg")

    assert said(repo.text) == "base images: fresh"
    assert whole.status_code == 200
    assert repo.headers["cache-control"] == "public, max-age=300"
    assert repo.headers["cross-origin-resource-policy"] == "cross-origin"


def test_public_badges_tell_nobody_that_another_repo_is_there(fleet: Database) -> None:
    loaded = loaded_with(dashboard={"public_badges": ["acme/fr*"]})

    with asking(fleet, "nobody", loaded) as client:
        there = client.get("/badges/repos/acme/behind.svg", headers={"accept": "image/*"})
        elsewhere = client.get("/badges/repos/acme/bewrong.svg", headers={"accept": "image/*"})

    assert there.status_code == elsewhere.status_code == 303
    assert there.text == elsewhere.text
    assert "behind" in there.headers["location"]


def test_strangers_are_not_told_where_the_state_lies(tmp_path: Path) -> None:
    loaded = loaded_with(dashboard={"public_badges": ["*"]})
    database = Database(Location(folder=tmp_path), engine_for(Location(folder=tmp_path / "none")))

    told = {}
    for role in ("nobody", "reader"):
        with asking(database, role, loaded) as client:
            answer = client.get("/badges/fleet.svg", headers={"accept": "application/json"})
            told[role] = (answer.status_code, str(tmp_path) in answer.text)
    database.close()

    assert told == {"nobody": (503, False), "reader": (503, True)}


@pytest.mark.parametrize(
    "path, globs, expected",
    [
        pytest.param("/badges/fleet.svg", [], False, id="no globs"),
        pytest.param("/badges/fleet.svg", ["acme/site"], True, id="fleet"),
        pytest.param("/badges/repos/acme/site.svg", ["Acme/Site"], True, id="case"),
        pytest.param("/badges/repos/acme/site-b.svg", ["acme/site"], False, id="whole names"),
        pytest.param("/badges/repos/acme/site", ["*"], False, id="no badge"),
        pytest.param("/repos/acme/site.svg", ["*"], False, id="no badge either"),
        pytest.param("/badges/other.svg", ["*"], False, id="unknown"),
    ],
)
def test_globs_say_which_badges_are_public(path: str, globs: list[str], expected: bool) -> None:
    assert is_public(path, globs) is expected


@pytest.mark.parametrize(
    "host", ["x/badges/fleet.svg", "x/static/", "x/badges/repos/acme/fresh.svg?", "x/login#"]
)
def test_no_host_makes_another_page_a_public_badge(fleet: Database, host: str) -> None:
    loaded = loaded_with(dashboard={"public_badges": ["*"]})

    with asking(fleet, "nobody", loaded) as client:
        answer = client.get("/runs.json", headers={"host": host})

    assert answer.status_code == 401

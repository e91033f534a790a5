from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import Verb
from digestbot.rollout.plan import RolloutRules
from digestbot.rollout.progress import TargetState
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.web.page import AskedWrongError, Look, NotHereError
from digestbot.web.pages import rollout
from digestbot.web.pages.rollout import PAGE, RolloutQuestion
from digestbot.web.pages.rollout_view import RolloutView
from tests.service.state import DAY, HOUR, NOW, state
from tests.web import rollout_seeds
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import Element, cells, parse
from tests.web.rollout_seeds import ALPINE, CHECKS, Seed, digest_of, plan_for, services

_S = TargetState


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Nobody changes anything in it."""
    with state(tmp_path_factory.mktemp("fleet")) as database:
        small(database)
        yield database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as database:
        yield database


def ids(database: Database) -> dict[str, str]:
    """The rollouts of the small fleet, by state; each is written as it was before."""
    with asking(database) as client:
        rows = client.get("/rollouts.json").json()["data"]["rollouts"]
    return {row["state"]: row["id"] for row in rows}


def view_of(database: Database, name: str, **asked: Any) -> RolloutView:
    look = Look(database, loaded_with(), (), NOW, NOW)
    return rollout.read(look, RolloutQuestion(id=name, **asked))


def page_of(database: Database, path: str, role: str = "operator") -> Element:
    with asking(database, role) as client:
        answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


@pytest.mark.parametrize(
    "state, reason, todo, verbs",
    [
        pytest.param("planned", "planned", "start it", ["start", "abort"], id="planned"),
        pytest.param(
            "running",
            "soaking",
            "promotes it",
            ["pause", "promote", "approve", "abort", "rollback"],
            id="running",
        ),
        pytest.param(
            "halted",
            "halted",
            "which checks fail",
            ["resume", "promote", "approve", "abort", "rollback"],
            id="halted",
        ),
        pytest.param("closed", "closed", "", ["rollback"], id="closed"),
        pytest.param("rolled-back", "rolled-back", "that lead back", [], id="rolled back"),
    ],
)
def test_each_state_says_what_it_waits_for_and_what_to_do(
    fleet: Database, state: str, reason: str, todo: str, verbs: list[str]
) -> None:
    view = view_of(fleet, ids(fleet)[state])

    assert view.state == state
    assert view.waits.reason == reason
    assert todo in view.todo
    assert [one.verb for one in view.verbs if one.verb != "rollback" or verbs] == verbs


def test_how_far_it_is_is_counted_by_wave_and_by_state(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["running"])

    told = [(one.wave, one.repos, one.merged, one.red, one.pending) for one in view.waves]
    assert told == [(0, 2, 2, 0, 0), (1, 5, 5, 0, 0), (2, 20, 5, 2, 7)]
    assert view.wave == 2
    assert (view.repos, view.fleet, view.total) == (27, 400, 27)
    assert view.counts["merged"] == 12
    assert view.counts["blocked"] == view.counts["unknown"] == view.counts["rejected"] == 1
    assert sum(view.counts.values()) == 27


def test_what_fails_is_grouped_by_check_with_its_repos(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["halted"])

    names = [one.name for one in view.failing]
    assert names == list(CHECKS)
    assert [len(one.repos) for one in view.failing] == [9, 4]
    assert "9 of 11 repos fail" in view.waits.message


def test_whoever_is_in_the_way_is_named_with_what_they_can_do(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["running"])

    told = {one.state.value: (one.who, one.act) for one in view.stragglers}
    assert set(told) == {"failed", "red", "blocked", "green"}
    assert told["red"][0].startswith("@acme/team-")
    assert view.stragglers_total == 4


def test_the_burndown_begins_with_all_and_ends_with_how_it_is(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["running"])

    first, last = view.burndown[0], view.burndown[-1]
    # Somebody else's pull request was there before.
    assert (first.waiting, first.open, first.merged) == (24, 3, 0)
    assert first.at == "2026-11-21T04:30:00Z"
    # What could not be proposed waits, as far as a burndown knows.
    assert (last.waiting, last.open, last.merged, last.left) == (1, 12, 12, 2)
    assert last.at == "2026-11-21T09:30:00Z"


def test_what_is_over_does_not_burn_on(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["closed"])

    assert view.burndown[-1].at < "2026-11-01"
    assert view.burndown[-1].merged == 20
    assert not view.is_live


def test_a_plan_has_no_burndown_yet(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["planned"])

    assert view.burndown == []
    assert view.started_at is None
    assert view.events == []
    assert not view.is_live


@pytest.mark.parametrize(
    "asked, total",
    [
        pytest.param({}, 27, id="all"),
        pytest.param({"state": "merged"}, 12, id="state"),
        pytest.param({"state": "open"}, 12, id="open"),
        pytest.param({"wave": 0}, 2, id="canary"),
        pytest.param({"wave": 1, "state": "merged"}, 5, id="wave and state"),
        pytest.param({"q": "UNIT-tests"}, 1, id="check"),
        pytest.param({"q": "conflicts"}, 1, id="reason"),
        pytest.param({"q": "acme/shop"}, 1, id="name"),
        pytest.param({"q": "nobody"}, 0, id="none"),
        pytest.param({"wave": 9}, 0, id="no such wave"),
    ],
)
def test_repos_are_found(fleet: Database, asked: dict[str, Any], total: int) -> None:
    view = view_of(fleet, ids(fleet)["running"], **asked)

    assert view.total == len(view.targets) == total


def test_long_tables_have_pages(database: Database) -> None:
    name = Seed(plan_for(ALPINE, services(120), HOUR, number=1)).write(database)

    views = [view_of(database, name, page=page) for page in (1, 2, 3, 4)]

    assert [len(view.targets) for view in views] == [50, 50, 20, 0]
    assert len({one.repo for view in views for one in view.targets}) == 120


def test_only_links_to_the_forge_of_a_known_repo_are_links(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["running"])

    links = {one.repo: one.url for one in view.targets if one.number}
    assert links["acme/shop"] is not None
    assert links["acme/shop"].startswith("https://github.com/acme/shop/pull/")
    assert links["acme/service-01"] is None
    # The address of this one's page is a script.
    assert [url for repo, url in links.items() if "script" in repo] == [None]


@pytest.mark.parametrize(
    "repo_state, verbs",
    [
        pytest.param(_S.RED, ["retry", "skip"], id="red"),
        pytest.param(_S.FAILED, ["retry", "skip"], id="failed"),
        pytest.param(_S.REJECTED, ["retry"], id="rejected"),
        pytest.param(_S.SKIPPED, ["retry"], id="skipped"),
        pytest.param(_S.APPROVED, ["skip"], id="approved"),
        pytest.param(_S.MERGED, [], id="merged"),
    ],
)
def test_a_repo_is_offered_what_helps_it(
    fleet: Database, repo_state: TargetState, verbs: list[str]
) -> None:
    view = view_of(fleet, ids(fleet)["running"], state=repo_state.value)

    assert all(one.verbs == verbs for one in view.targets)
    assert view.targets


def test_a_tag_that_moved_since_is_told_and_changes_nothing(fleet: Database) -> None:
    (image,) = view_of(fleet, ids(fleet)["halted"]).images

    assert image.digest == str(digest_of(rollout_seeds.NGINX, 2))
    assert image.moved_to == str(digest_of(rollout_seeds.NGINX, 3))
    assert image.moved_at == "2026-11-12T09:30:00Z"
    warned = page_of(fleet, f"/rollouts/{ids(fleet)['halted']}")
    assert "The tag moved 9 days ago" in warned.text


def test_a_tag_that_stands_is_not_told_to_have_moved(fleet: Database) -> None:
    (image,) = view_of(fleet, ids(fleet)["running"]).images

    assert (image.moved_to, image.moved_at) == (None, None)
    assert [one.digest for one in image.before] == [str(digest_of(rollout_seeds.PYTHON, 3))]


@pytest.mark.parametrize(
    "seed, expected",
    [
        pytest.param(rollout_seeds.old, ["3 days old", "11 of 20 repos"], id="old and large"),
        pytest.param(
            lambda: Seed(
                plan_for(
                    ALPINE,
                    services(4),
                    HOUR,
                    number=1,
                    rules=RolloutRules(gate=GateRules(probe=True)),
                )
            ),
            ["whom to ask"],
            id="a webhook that nobody named",
        ),
    ],
)
def test_what_speaks_against_a_plan_is_said_instead_of_a_button(
    database: Database, seed: Any, expected: list[str]
) -> None:
    name = seed().write(database)

    view = view_of(database, name)
    page = page_of(database, f"/rollouts/{name}")

    assert len(view.objections) == len(expected)
    for told, part in zip(view.objections, expected, strict=True):
        assert part in told
        assert part in page.text
    assert not [one for one in page.all("a") if one["href"].endswith("/start")]


def test_the_way_back_is_told_beside_each_repo(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["rolled-back"])

    back = {one.back.state for one in view.targets if one.back}
    assert back == {"merged", "pending"}
    assert view.back["merged"] == view.back["pending"] == 1
    assert "it does not start on arm64" in [one.reason for one in view.events]


def test_what_happened_is_told_the_newest_first(fleet: Database) -> None:
    view = view_of(fleet, ids(fleet)["running"])

    assert [one.verb for one in view.events] == [Verb.ADVANCE, Verb.ADVANCE, Verb.START]
    assert (view.events[-1].by, view.events[-1].reason) == ("ann", "CVE-2026-4711")


def test_of_what_happened_only_the_last_is_told(database: Database) -> None:
    seed = Seed(plan_for(ALPINE, services(4), 2 * DAY, number=1))
    seed.said(Verb.START, DAY)
    for _ in range(40):
        seed.said(Verb.PAUSE, HOUR)
        seed.said(Verb.RESUME, HOUR)

    view = view_of(database, seed.write(database))

    assert len(view.events) == 50
    assert view.events_total == 81


def test_the_page_has_waves_and_repos_as_tables(fleet: Database) -> None:
    page = page_of(fleet, f"/rollouts/{ids(fleet)['running']}")

    waves = cells(page.one("table", **{"aria-labelledby": "waves"}))
    assert [row["Wave"].text for row in waves] == ["canary", "wave 1", "wave 2"]
    assert [row["State"].text for row in waves] == ["✓ through", "✓ through", "● under way"]
    repos = cells(page.one("table", **{"aria-labelledby": "repos"}))
    assert len(repos) == 27
    assert len(page.all("table", **{"data-plot": "areas"})) == 1


def test_another_tag_is_told_with_the_plan_and_each_edit(database: Database) -> None:
    plan = plan_for(ALPINE, ["acme/app"], HOUR)
    to = replace(ALPINE, tag="3.99")
    [target] = plan.targets
    target = replace(target, edits=tuple(replace(edit, to=to) for edit in target.edits))
    moves = tuple(replace(move, to=to) for move in plan.moves)
    with database.begin() as connection:
        name = rollouts.create(connection, replace(plan, moves=moves, targets=(target,)))

    text = page_of(database, f"/rollouts/{name}").text

    digest = digest_of(ALPINE, 4)
    assert f"{digest}, and follows {to} then" in text
    assert f"→ 3.99@{digest.short}" in text
    assert f"Rollout of {plan.moves[0].image} → 3.99" in text


def test_only_operators_see_what_it_may_be_told(fleet: Database) -> None:
    path = f"/rollouts/{ids(fleet)['running']}"

    assert page_of(fleet, path).all("form", method="post")
    assert page_of(fleet, path, "reader").all("form", method="post") == []
    assert page_of(fleet, path, "reader").all("a", class_="danger") == []


def test_names_of_repos_and_checks_are_escaped(fleet: Database) -> None:
    for state_ in ("running", "halted"):
        page = page_of(fleet, f"/rollouts/{ids(fleet)[state_]}")

        assert "<script>alert(1)</script>" in page.text
        assert all(one.get("src") for one in page.all("script"))


@pytest.mark.parametrize("kind", ["planned", "running", "halted", "closed", "rolled-back"])
def test_the_twin_tells_the_view(fleet: Database, kind: str) -> None:
    name = ids(fleet)[kind]
    with asking(fleet) as client:
        told = client.get(f"/rollouts/{name}.json").json()["data"]

    assert TypeAdapter(RolloutView).validate_python(told) == view_of(fleet, name)


@pytest.mark.parametrize("name", ["0" * 10, "f", "ff" * 30])
def test_what_is_not_there_is_not_found(fleet: Database, name: str) -> None:
    with pytest.raises(NotHereError, match="no such rollout"):
        view_of(fleet, name)
    with asking(fleet) as client:
        assert client.get(f"/rollouts/{name}").status_code == 404


@pytest.mark.parametrize("given", [{"wave": "x"}, {"state": "lost"}, {"page": "0"}, {"wave": "-2"}])
def test_what_cannot_be_asked_is_named(given: dict[str, str]) -> None:
    with pytest.raises(AskedWrongError, match=next(iter(given))):
        PAGE.asked({"id": "abc", **given})


def test_no_other_word_is_an_id() -> None:
    with pytest.raises(AskedWrongError, match="id"):
        PAGE.asked({"id": "../etc"})


def test_what_is_said_of_a_wave_names_the_one_that_was_seen(fleet: Database) -> None:
    name = ids(fleet)["running"]

    page = page_of(fleet, f"/rollouts/{name}")

    told = [one["value"] for one in page.all("input") if one["name"] == "wave"]
    assert told == [str(view_of(fleet, name).wave)]

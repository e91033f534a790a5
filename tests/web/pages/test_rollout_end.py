from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.service.rollouts.checking import Checked
from digestbot.service.rollouts.pullable import Lost
from digestbot.service.times import stamp
from digestbot.store.database import Database
from digestbot.web.page import AskedWrongError, Look, NotHereError
from digestbot.web.pages import rollout_end
from digestbot.web.pages.rollout_end import (
    MOST_LOST,
    MOST_REPOS,
    PAGE,
    RolloutEndQuestion,
    RolloutEndView,
)
from tests.proposals.builders import digest
from tests.service.rollouts.arena import tag
from tests.service.state import NOW, state
from tests.web import rollout_seeds
from tests.web.asking import asking, loaded_with
from tests.web.fleets import small
from tests.web.markup import parse

GONE = digest("gone")


def lost(*repos: str) -> Lost:
    return Lost(tag("alpine:3.22"), GONE, "not-found", "it is gone\x1b[2J", repos)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Nobody changes anything in it."""
    with state(tmp_path_factory.mktemp("fleet")) as database:
        small(database)
        yield database


def ids(database: Database) -> dict[str, str]:
    with asking(database) as client:
        rows = client.get("/rollouts.json").json()["data"]["rollouts"]
    return {row["state"]: row["id"] for row in rows}


def view_of(
    database: Database, name: str, verb: str, checked: Checked | None = None
) -> RolloutEndView:
    look = Look(database, loaded_with(), (), NOW, NOW, checked=lambda _name: checked)
    return rollout_end.read(look, PAGE.asked({"id": name, "verb": verb}))


@pytest.mark.parametrize(
    "kind, verb, parts",
    [
        pytest.param(
            "running",
            "abort",
            ["comment: 11", "any more: 0", "keep it: 12", "stay open: 1"],
            id="end what is under way",
        ),
        pytest.param("running", "rollback", ["had: 12", "comment: 11"], id="go back half way"),
        pytest.param("closed", "rollback", ["had: 20", "comment: 0"], id="go back from the end"),
        pytest.param(
            "planned", "start", ["One pull request", "2 waves it reaches 2 repos"], id="start"
        ),
        pytest.param("planned", "abort", ["comment: 0", "any more: 2"], id="drop a plan"),
    ],
)
def test_what_would_happen_is_said_in_figures(
    fleet: Database, kind: str, verb: str, parts: list[str]
) -> None:
    view = view_of(fleet, ids(fleet)[kind], verb)

    assert view.is_possible
    told = "\n".join(view.effects)
    for part in parts:
        assert part in told


@pytest.mark.parametrize(
    "kind, verb",
    [("running", "start"), ("closed", "abort"), ("planned", "rollback"), ("closed", "start")],
)
def test_what_does_nothing_cannot_be_asked_for(fleet: Database, kind: str, verb: str) -> None:
    name = ids(fleet)[kind]

    assert not view_of(fleet, name, verb).is_possible
    with asking(fleet, "operator") as client:
        page = parse(client.get(f"/rollouts/{name}/{verb}").text)
    assert page.all("form") == []
    assert "That does nothing" in page.one("p", class_="empty").text


@pytest.mark.parametrize("verb, needs", [("abort", True), ("rollback", True), ("start", False)])
def test_the_form_needs_a_reason_where_much_is_at_stake(
    fleet: Database, verb: str, needs: bool
) -> None:
    name = ids(fleet)["planned" if verb == "start" else "running"]

    with asking(fleet, "operator") as client:
        page = parse(client.get(f"/rollouts/{name}/{verb}").text)

    (form,) = page.all("form", action="/actions/rollout")
    sent = {one["name"]: one["value"] for one in form.all("input")}
    assert sent.items() >= {"rollout": name, "verb": verb, "next": f"/rollouts/{name}"}.items()
    assert (form.one("textarea").get("required") is not None) == needs


@pytest.mark.parametrize("verb", ["abort", "rollback"])
def test_a_reader_sees_what_would_happen_and_no_form(fleet: Database, verb: str) -> None:
    with asking(fleet, "reader") as client:
        page = parse(client.get(f"/rollouts/{ids(fleet)['running']}/{verb}").text)

    assert page.all("form") == []
    assert "Operators alone" in page.text


def test_a_plan_that_is_no_longer_right_is_not_started_here(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        name = rollout_seeds.old().write(database)

        view = view_of(database, name, "start")
        with asking(database, "operator") as client:
            page = parse(client.get(f"/rollouts/{name}/start").text)

    assert not view.is_possible
    older, large, changed = view.objections
    assert "3 days old" in older
    assert "11 of 20 repos" in large
    assert "not chosen any more" in changed
    assert page.all("form") == []


def test_how_far_a_plan_may_reach_is_in_the_configuration(fleet: Database) -> None:
    loaded = loaded_with(rollout={"most_share": 0.01})
    look = Look(fleet, loaded, (), NOW, NOW)

    view = rollout_end.read(look, RolloutEndQuestion(ids(fleet)["planned"], "start"))

    assert not view.is_possible
    assert "more than 1% of all is large" in view.objections[0]


def test_that_registries_are_asked_before_it_goes_back_is_said(fleet: Database) -> None:
    names = ids(fleet)

    told = view_of(fleet, names["running"], "rollback").effects
    else_told = view_of(fleet, names["running"], "abort").effects

    assert any("asked first whether 1 digest can still be pulled" in one for one in told)
    assert not any("Registries" in one for one in else_told)


def test_what_was_not_known_to_be_there_is_said_with_who_had_it(fleet: Database) -> None:
    checked = Checked(NOW, 3, (lost("acme/shop", "acme/app"),))

    view = view_of(fleet, ids(fleet)["running"], "rollback", checked)

    assert view.checked is not None
    assert (view.checked.at, view.checked.wanted) == (stamp(NOW), 3)
    (one,) = view.checked.lost
    assert (one.image, one.digest) == ("docker.io/library/alpine:3.22", str(GONE))
    assert (one.code, one.message) == ("not-found", "it is gone\\x1b[2J")
    assert (one.repos, one.repos_total) == (["acme/shop", "acme/app"], 2)


def test_of_much_that_is_lost_the_first_is_shown(fleet: Database) -> None:
    repos = [f"acme/app{number}" for number in range(MOST_REPOS + 1)]
    checked = Checked(NOW, 900, (lost(*repos),) * (MOST_LOST + 1))

    view = view_of(fleet, ids(fleet)["running"], "rollback", checked)

    assert view.checked is not None
    assert (len(view.checked.lost), view.checked.lost_total) == (MOST_LOST, MOST_LOST + 1)
    assert (view.checked.lost[0].repos, view.checked.lost[0].repos_total) == (
        repos[:MOST_REPOS],
        MOST_REPOS + 1,
    )


@pytest.mark.parametrize(
    "kind, verb, is_lost",
    [
        pytest.param("running", "rollback", False, id="all is there"),
        pytest.param("running", "abort", True, id="it is to end"),
        pytest.param("planned", "rollback", True, id="there is no way back"),
    ],
)
def test_nothing_is_said_of_registries_where_it_helps_nobody(
    fleet: Database, kind: str, verb: str, is_lost: bool
) -> None:
    checked = Checked(NOW, 3, (lost("acme/shop"),) if is_lost else ())

    assert view_of(fleet, ids(fleet)[kind], verb, checked).checked is None


def test_the_form_has_what_was_typed_and_nothing_that_is_not_asked(fleet: Database) -> None:
    name = ids(fleet)["running"]
    typed = "<b>it</b> & so on"

    with asking(fleet, "operator") as client:
        asked = client.get(f"/rollouts/{name}/rollback", params={"reason": typed})
        long = client.get(f"/rollouts/{name}/rollback", params={"reason": "x" * 301})
    page = parse(asked.text)

    assert page.one("textarea").text == typed
    assert page.all("input", name="without_check") == []
    assert long.status_code == 400


@pytest.mark.parametrize("verb", ["pause", "halt", "x"])
def test_nothing_else_is_asked_about_twice(verb: str) -> None:
    with pytest.raises(AskedWrongError, match="verb"):
        PAGE.asked({"id": "abc", "verb": verb})


def test_what_is_not_there_is_not_found(fleet: Database) -> None:
    with pytest.raises(NotHereError):
        view_of(fleet, "0" * 10, "abort")

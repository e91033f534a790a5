from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from digestbot.scan.result import Problem
from digestbot.store import runs as stored
from digestbot.store.database import Database
from digestbot.store.runs import STATES, Requests, RunState
from digestbot.web.page import Look, NotHereError
from digestbot.web.pages import run
from digestbot.web.pages.run import RunAnswers, RunCause, RunLeft, RunQuestion, RunView, causes_of
from tests.service.state import HOUR, NOW, add_run, state
from tests.web.asking import asking, loaded_with

HOSTILE = "<script>alert(1)</script>"
DENIED = Problem("registry", "quay.io", "unauthorized", "401 says quay.io", "give it a token")
REQUESTS = Requests(
    registries={"quay.io": {"401": 3, "200": 40, "429": 2}, "ghcr.io": {"timeout": 1}},
    forges={"api.github.com": {"200": 7, "502": 1, "404": 5}},
    left={"api.github.com": {"graphql": 4990.0, "core": 0.0}},
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as database:
        yield database


def add(
    database: Database,
    *problems: Problem,
    ended: RunState = RunState.INCOMPLETE,
    requests: Requests | None = None,
) -> None:
    with database.begin() as connection:
        stored.begin(connection, "r1", "cycle", NOW - HOUR)
        counts = {"listed": 7, "lookups": 3, "proposals_opened": 1}
        if ended is RunState.RUNNING:
            stored.note_progress(connection, "r1", counts, len(problems))
        else:
            stored.finish(connection, "r1", ended, counts, problems, NOW, requests)


def view_of(database: Database, run_id: str = "r1") -> RunView:
    return run.read(Look(database, loaded_with(), (), NOW, NOW), RunQuestion(run_id))


def repo(name: str, code: str = "unreachable") -> Problem:
    return Problem("repo", name, code, f"{name} does not answer", "try again")


@pytest.mark.parametrize(
    "problems, expected",
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            [DENIED, repo("acme/a"), repo("acme/b"), repo("acme/c", "denied")],
            [
                ("repo", "unreachable", "", 2, "acme/a"),
                ("registry", "unauthorized", "quay.io", 1, "quay.io"),
                ("repo", "denied", "", 1, "acme/c"),
            ],
            id="by cause, most first",
        ),
        pytest.param(
            [DENIED, Problem("registry", "ghcr.io", "unauthorized", "401", "")],
            [
                ("registry", "unauthorized", "quay.io", 1, "quay.io"),
                ("registry", "unauthorized", "ghcr.io", 1, "ghcr.io"),
            ],
            id="each registry by itself",
        ),
        pytest.param(
            [Problem("file", "Dockerfile", "too-large", "is large", "", "acme/a")],
            [("file", "too-large", "", 1, "acme/a Dockerfile")],
            id="a file and its repo",
        ),
    ],
)
def test_problems_are_told_by_cause(
    problems: Sequence[Problem], expected: list[tuple[str, str, str, int, str]]
) -> None:
    found = causes_of(problems)

    assert [(one.scope, one.code, one.host, one.number, one.subject) for one in found] == expected


def test_a_cause_has_an_example_and_what_to_do(database: Database) -> None:
    add(database, DENIED)

    assert view_of(database).causes == [
        RunCause(
            scope="registry",
            code="unauthorized",
            host="quay.io",
            number=1,
            subject="quay.io",
            message="401 says quay.io",
            hint="give it a token",
        )
    ]


def test_who_asked_for_it_is_told(database: Database) -> None:
    with database.begin() as connection:
        stored.begin(connection, "r1", "hint", NOW, ["ann (scan now)", f"{HOSTILE} (try again)"])
        stored.begin(connection, "r2", "cycle", NOW)
    with asking(database) as client:
        asked, planned = client.get("/runs/r1").text, client.get("/runs/r2").text
        listed = client.get("/runs").text
        table = client.get("/exports/runs.csv").text

    assert view_of(database).run.asked_by == f"ann (scan now), {HOSTILE} (try again)"
    assert view_of(database, "r2").run.asked_by == ""
    escaped = "ann (scan now), &lt;script&gt;alert(1)&lt;/script&gt; (try again)"
    assert f"<dt>Asked by</dt><dd>{escaped}</dd>" in asked
    assert "Asked by" not in planned
    assert listed.count("asked by ") == 1
    assert f"asked by {escaped}<" in listed
    assert table.splitlines()[0].endswith(",asked_by")
    assert "ann (scan now), <script>" in table


def test_requests_are_told_by_host_and_code(database: Database) -> None:
    add(database, requests=REQUESTS)

    view = view_of(database)

    assert view.answers == [
        RunAnswers("registry", "ghcr.io", "timeout", 1, is_error=True),
        RunAnswers("registry", "quay.io", "200", 40, is_error=False),
        RunAnswers("registry", "quay.io", "401", 3, is_error=False),
        RunAnswers("registry", "quay.io", "429", 2, is_error=True),
        RunAnswers("forge", "api.github.com", "200", 7, is_error=False),
        RunAnswers("forge", "api.github.com", "404", 5, is_error=False),
        RunAnswers("forge", "api.github.com", "502", 1, is_error=True),
    ]
    assert view.left == [
        RunLeft("api.github.com", "core", 0.0),
        RunLeft("api.github.com", "graphql", 4990.0),
    ]


@pytest.mark.parametrize("ended", [one for one in RunState if one is not RunState.LOST])
def test_each_state_says_what_it_means(database: Database, ended: RunState) -> None:
    add(database, ended=ended)

    view = view_of(database)

    assert view.about == STATES[ended]
    assert [(one.name, one.number) for one in view.counts] == [
        ("listed", 7),
        ("lookups", 3),
        ("proposals_opened", 1),
    ]
    assert (view.answers, view.left) == ([], [])


def test_what_strangers_say_is_shown_and_does_nothing(database: Database) -> None:
    add(database, Problem("registry", HOSTILE, "odd", f"{HOSTILE}\n\u202e", HOSTILE))

    with asking(database) as client:
        html = client.get("/runs/r1").text

    assert HOSTILE not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\n\\u202e" in html


@pytest.mark.parametrize(
    "ended, path, is_live",
    [
        pytest.param(RunState.RUNNING, "/runs/r1", True, id="under way"),
        pytest.param(RunState.RUNNING, "/runs/r1?live=false", False, id="it is to stand still"),
        pytest.param(RunState.DONE, "/runs/r1", False, id="over"),
    ],
)
def test_the_page_refreshes_itself_while_the_run_is_under_way(
    database: Database, ended: RunState, path: str, is_live: bool
) -> None:
    add(database, ended=ended)

    with asking(database) as client:
        html = client.get(path).text

    assert ('hx-get="/runs/r1"' in html) is is_live
    assert ('hx-trigger="every 2s"' in html) is is_live
    assert (f'href="{path}">Refresh</a>' in html) is (ended is RunState.RUNNING)


def test_the_page_shows_what_its_twin_tells(database: Database) -> None:
    add(database, DENIED, requests=REQUESTS)

    with asking(database) as client:
        told = client.get("/runs/r1.json").json()
        html = client.get("/runs/r1").text

    view = TypeAdapter(RunView).validate_python(told["data"])
    assert told["page"] == "run"
    assert view == view_of(database)
    for words in ("unauthorized", "at quay.io", "give it a token", "api.github.com", "4,990"):
        assert words in html
    assert '<a href="/runs" aria-current="page">' in html


@pytest.mark.parametrize(
    "path, status",
    [
        pytest.param("/runs/none.json", 404, id="no such run"),
        pytest.param("/runs/none", 404, id="no such page"),
        pytest.param("/runs/r1%0A.json", 404, id="a line break, too"),
        pytest.param("/runs/%27%20or%201.json", 400, id="no id"),
        pytest.param(f"/runs/{'x' * 101}.json", 400, id="too long"),
        pytest.param("/runs/r1.json?live=perhaps", 400, id="live"),
        pytest.param("/runs/r1.json?id=none", 200, id="the path says which one"),
    ],
)
def test_what_is_not_there_is_said(database: Database, path: str, status: int) -> None:
    add(database)

    with asking(database) as client:
        assert client.get(path).status_code == status
        assert client.head(path).status_code == status


def test_a_run_that_is_forgotten_is_an_error(database: Database) -> None:
    with pytest.raises(NotHereError):
        view_of(database, "gone")


def test_the_link_in_the_list_leads_to_the_run(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection, "a1b2c3")

    with asking(database) as client:
        assert 'href="/runs/a1b2c3"' in client.get("/runs").text
        assert client.get("/runs/a1b2c3").status_code == 200

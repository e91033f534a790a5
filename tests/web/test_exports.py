from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome
from digestbot.scan.result import Problem
from digestbot.store.database import Database
from digestbot.store.runs import RunState
from digestbot.web import exports
from digestbot.web.page import Look
from digestbot.web.tables import EXPORTS
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_findings,
    add_proposal,
    add_repos,
    add_run,
    finding,
    held,
    settle,
    state,
)
from tests.web.asking import asking, loaded_with

FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as database:
        with database.begin() as connection:
            _fill(connection)
        yield database


def _fill(connection: Connection) -> None:
    add_digest(connection, "python:3.12", OLD, NOW - 9 * DAY)
    add_digest(connection, "python:3.12", NEW, NOW - 3 * DAY)
    ids = add_repos(connection, "acme/app", "acme/site", "other/tool", left_out=["acme/fork"])
    stale = finding(status=Status.STALE, path=FORMULA, message="two\nlines", reason="moved")
    add_findings(connection, ids["acme/app"], stale, finding(line=9), held("alpine:3", "settling"))
    add_findings(connection, ids["other/tool"], finding())
    denied = finding("nginx:1", Status.CURRENT, reason="denied-pinned", line=8)
    add_findings(connection, ids["acme/site"], denied)
    for name in ids:
        settle(connection, ids[name], name, *[_problem()] if name == "acme/site" else [])
    add_proposal(connection, ids["acme/app"], "acme/app", pull=7)
    add_proposal(connection, ids["acme/site"], "acme/site", Outcome.MERGED, pull=8)
    for number in range(5):
        add_run(connection, f"r{number}", at=NOW - number * HOUR, listed=3, proposals_opened=1)
    add_run(connection, "bad", RunState.FAILED, _problem(), at=NOW - 2 * HOUR)


def _problem() -> Problem:
    return Problem("repo", "acme/site", "unreachable", "@it does not answer", "try again")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def get(database: Database, path: str) -> list[dict[str, str]]:
    with asking(database) as client:
        answer = client.get(path)

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return rows_of(answer.text)


def test_findings_are_told_with_where_they_are(fleet: Database) -> None:
    first, second, third, fourth, _ = get(fleet, "/exports/findings.csv")

    assert first["repo"] == "acme/app"
    assert first["path"] == f"'{FORMULA}"
    assert first["message"] == "two\\nlines"
    assert (first["status"], first["line"], first["digest"]) == ("stale", "3", str(OLD))
    assert (first["behind_since"], first["is_at_least"]) == ("2026-11-18T09:30:00Z", "false")
    assert (second["status"], second["behind_since"]) == ("current", "")
    assert third["reason"] == "settling"
    assert fourth["repo"] == "other/tool"


def test_images_are_told_with_who_is_behind(fleet: Database) -> None:
    rows = {row["image"]: row for row in get(fleet, "/exports/images.csv")}

    python, alpine = rows["docker.io/library/python:3.12"], rows["docker.io/library/alpine:3"]
    assert (python["digest"], python["since"]) == (str(NEW), "2026-11-18T09:30:00Z")
    assert (python["repos"], python["repos_behind"]) == ("2", "1")
    assert (python["stale"], python["current"], python["held"]) == ("1", "2", "0")
    assert python["behind_since"] == "2026-11-18T09:30:00Z"
    assert (alpine["held"], alpine["held_reason"]) == ("1", "settling")


def test_repos_are_told_with_what_they_come_to(fleet: Database) -> None:
    rows = {row["name"]: row for row in get(fleet, "/exports/repos.csv")}

    assert rows.keys() == {"acme/app", "acme/site", "other/tool"}
    app, site = rows["acme/app"], rows["acme/site"]
    assert (app["stale"], app["current"], app["held"], app["state"]) == ("1", "1", "1", "stale")
    assert app["behind_since"] == "2026-11-18T09:30:00Z"
    assert app["open_proposals"] == "1"
    assert (site["errors"], site["error"]) == ("1", "'@it does not answer")


def test_proposals_are_told_with_their_pull_request(fleet: Database) -> None:
    first, second = get(fleet, "/exports/proposals.csv")

    assert (first["repo"], first["state"], first["number"]) == ("acme/app", "open", "7")
    assert first["url"] == "https://github.com/acme/app/pull/7"
    assert (second["state"], second["ended_at"]) == ("merged", "2026-11-20T09:30:00Z")


def test_runs_are_told_the_newest_first(fleet: Database) -> None:
    rows = get(fleet, "/exports/runs.csv")

    assert [row["id"] for row in rows] == ["r0", "r1", "bad", "r2", "r3", "r4"]
    assert (rows[0]["listed"], rows[0]["opened"], rows[0]["took_s"]) == ("3", "1", "12.0")
    assert (rows[2]["state"], rows[2]["problems"]) == ("failed", "1")


@pytest.mark.parametrize(
    "path, key, expected",
    [
        pytest.param(
            "findings.csv?status=held", "image", ["docker.io/library/alpine:3"], id="status"
        ),
        pytest.param("findings.csv?status=denied", "line", ["8"], id="denied"),
        pytest.param("findings.csv?q=TOOL", "repo", ["other/tool"], id="name"),
        pytest.param("findings.csv?q=%25", "repo", [], id="no wildcard"),
        pytest.param("findings.csv?repo=99", "repo", [], id="repo"),
        pytest.param("findings.csv?image=99", "repo", [], id="image"),
        pytest.param(
            "images.csv?state=held", "image", ["docker.io/library/alpine:3"], id="images held"
        ),
        pytest.param("images.csv?registry=quay.io", "image", [], id="registry"),
        pytest.param("repos.csv?q=acme%2F&status=stale", "name", ["acme/app"], id="repos"),
        pytest.param("repos.csv?status=left-out", "name", ["acme/fork"], id="left out"),
        pytest.param("proposals.csv?state=merged", "repo", ["acme/site"], id="state"),
        pytest.param("proposals.csv?q=app", "repo", ["acme/app"], id="name of a repo"),
        pytest.param("proposals.csv?repo=99", "repo", [], id="proposals of a repo"),
        pytest.param("runs.csv?state=failed&page=3", "id", ["bad"], id="runs, whatever the page"),
        pytest.param("runs.csv?kind=hint", "id", [], id="kind"),
        pytest.param("runs.csv?colour=blue&state=failed&kind=", "id", ["bad"], id="unknown key"),
    ],
)
def test_filters_are_those_of_the_pages(
    fleet: Database, path: str, key: str, expected: list[str]
) -> None:
    assert [row[key] for row in get(fleet, f"/exports/{path}")] == expected


@pytest.mark.parametrize("name", sorted(EXPORTS))
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pieces_make_the_whole_table_each_row_once(
    fleet: Database, name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = get(fleet, f"/exports/{name}.csv")
    monkeypatch.setattr(exports, "PIECE", size)

    assert get(fleet, f"/exports/{name}.csv") == whole
    assert len(whole) > 1


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_no_transaction_is_open_while_somebody_reads(
    fleet: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PIECE", 1)
    watched = _Watched(fleet)
    look = Look(watched, loaded_with(), (), NOW, NOW)  # type: ignore[arg-type]  # as one

    for _piece in EXPORTS[name].pieces(look, EXPORTS[name].question()):
        assert watched.is_open == 0

    assert watched.opened > 1


class _Watched:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_open = self.opened = 0

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self.opened += 1
        self.is_open += 1
        with self._database.reading() as connection:
            yield connection
        self.is_open -= 1


def test_a_file_is_saved_under_a_name_of_its_own(fleet: Database) -> None:
    with asking(fleet) as client:
        answer = client.get("/exports/runs.csv")
        head = client.head("/exports/runs.csv")

    expected = 'attachment; filename="digestbot-runs-2026-11-21.csv"'
    assert answer.headers["content-disposition"] == expected
    assert head.headers["content-disposition"] == expected
    assert (head.status_code, head.text) == (200, "")


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_an_empty_table_has_its_columns(tmp_path: Path, name: str) -> None:
    with state(tmp_path) as database, asking(database) as client:
        text = client.get(f"/exports/{name}.csv").text

    assert text == f"{','.join(EXPORTS[name].columns)}\r\n"


@pytest.mark.parametrize(
    "path, field",
    [
        pytest.param("findings.csv?status=perhaps", "status", id="status"),
        pytest.param("findings.csv?repo=-1", "repo", id="id"),
        pytest.param("findings.csv?repo=99999999999999999999", "repo", id="id too large"),
        pytest.param(f"repos.csv?q={'x' * 201}", "q", id="too long"),
    ],
)
def test_what_cannot_be_asked_is_named(fleet: Database, path: str, field: str) -> None:
    with asking(fleet) as client:
        answer = client.get(f"/exports/{path}", headers={"accept": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{field}: ")


def test_only_readers_take_a_table(fleet: Database) -> None:
    with asking(fleet, "nobody") as client:
        answer = client.get("/exports/runs.csv", headers={"accept": "application/json"})

    assert answer.status_code == 401


def test_a_state_that_does_not_answer_is_said(
    fleet: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asking(fleet) as client:
        with fleet.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE runs RENAME TO walks")
        answer: Any = client.get("/exports/runs.csv", headers={"accept": "application/json"})

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "state-unreachable"

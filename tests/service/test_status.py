from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest

from digestbot.config.models import Settings
from digestbot.errors import NoInputError
from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from digestbot.service import status_json, status_text
from digestbot.service.status import MOST, read_status
from digestbot.service.status_contract import StatusReport, status_schema
from digestbot.store import repos
from digestbot.store.database import Database
from digestbot.store.runs import RunState
from tests.report.builders import HOSTILE
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    add_digest,
    add_failure,
    add_findings,
    add_proposal,
    add_repos,
    add_run,
    finding,
    held,
    settle,
    state,
)

BROKEN = Problem("repo", "acme/app", "invalid-config", "line 3", "mend it")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as opened:
        yield opened


def status(database: Database, now: datetime = NOW, **keys: object) -> StatusReport:
    report = read_status(database, Settings.model_validate(keys), now)
    printed = json.loads(status_json.render(report, Style()))
    jsonschema.validate(printed, status_schema(), format_checker=jsonschema.FormatChecker())
    assert printed == json.loads(json.dumps(asdict(report)))
    return report


def test_a_state_without_a_run_has_no_status(database: Database) -> None:
    with pytest.raises(NoInputError, match="has no run yet") as caught:
        status(database)

    assert caught.value.hint == "begin one: digestbot run"


def test_the_first_run_of_an_empty_fleet(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection)

    report = status(database)

    assert report.at == "2026-11-21T09:30:00Z"
    assert report.summary.repos == report.summary.images == 0
    assert report.totals.denied == report.totals.open_proposals == 0
    assert report.freshness.oldest_stale_since is None
    assert "Nothing needs you" in status_text.render(report, Style())


def test_runs_are_told_the_newest_first_with_how_long_they_took(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection, "a1", RunState.INCOMPLETE, BROKEN, at=NOW - 2 * HOUR, problems=1)
        add_run(connection, "a2", RunState.DONE, at=NOW - HOUR, seconds=90, lookups=300)
        add_run(connection, "a3", RunState.RUNNING, at=NOW)

    report = status(database)

    assert [(run.id, run.state, run.duration_s) for run in report.runs] == [
        ("a3", "running", None),
        ("a2", "done", 90.0),
        ("a1", "incomplete", 12.0),
    ]
    assert report.runs[1].counts == {"lookups": 300}
    assert [error.code for error in report.runs[2].errors] == ["invalid-config"]
    assert report.summary.last_success == "2026-11-21T08:31:30Z"


def test_the_fleet_is_counted(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection)
        ids = add_repos(connection, "acme/app", "acme/web", left_out=["acme/fork"])
        settle(connection, ids["acme/app"], "acme/app", BROKEN)
        settle(connection, ids["acme/web"], "acme/web")
        add_digest(connection, "node:22", OLD, NOW - 5 * DAY)
        add_digest(connection, "node:22", NEW, NOW - 3 * DAY)
        add_findings(
            connection,
            ids["acme/app"],
            finding("python:3.12"),
            finding("node:22", Status.STALE, reason="digest-moved"),
        )
        add_findings(connection, ids["acme/web"], finding("python:3.12"))

    report = status(database)

    assert (report.summary.repos, report.summary.left_out, report.summary.images) == (2, 1, 2)
    assert (report.freshness.current, report.freshness.stale, report.freshness.held) == (2, 1, 0)
    assert report.freshness.oldest_stale_since == "2026-11-18T09:30:00Z"
    assert report.findings[Status.CURRENT] == 2
    assert [one.repo for one in report.troubled] == ["acme/app"]
    assert report.troubled[0].errors[0].hint == "mend it"


def test_denied_digests_in_use_are_told_with_some_places(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection)
        ids = add_repos(connection, "acme/app", "acme/web")
        for name, number in ids.items():
            found = (finding(path=f"{name}/Dockerfile", line=n) for n in range(1, 9))
            add_findings(connection, number, *found)

    report = status(database, deny=[str(NEW), str(OLD)])

    (denied,) = report.denied
    assert (denied.digest, denied.places, denied.repos) == (str(OLD), 16, 2)
    assert denied.examples[0] == "acme/app acme/app/Dockerfile:1"
    assert len(denied.examples) == 5
    assert status(database).denied == []


def test_failing_lookups_are_told_by_cause_since_the_first(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection)
        (number,) = add_repos(connection, "acme/app").values()
        some = ["ghcr.io/acme/a:1", "ghcr.io/acme/b:1", "python:3.12"]
        add_findings(connection, number, *map(finding, some))
        add_failure(connection, some[0], at=NOW - HOUR)
        add_failure(connection, some[1], at=NOW - DAY)
        add_failure(connection, some[1], at=NOW)
        add_failure(connection, some[2], "timeout", at=NOW)

    report = status(database)

    assert [(one.host, one.code, one.images, one.since) for one in report.failing] == [
        ("ghcr.io", "rate-limited", 2, "2026-11-20T09:30:00Z"),
        ("docker.io", "timeout", 1, "2026-11-21T09:30:00Z"),
    ]
    assert report.failing[0].example == "ghcr.io/acme/b:1"


def test_what_is_held_is_told_by_image_what_needs_somebody_first(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection)
        ids = add_repos(connection, "acme/app", "acme/web")
        add_findings(
            connection,
            ids["acme/app"],
            held("redis:7", "settling", NOW + DAY),
            held("nginx:1", "same-images"),
            held("python:3.12", "too-new", NOW + HOUR),
            held("node:22", "platform-lost"),
        )
        add_findings(connection, ids["acme/web"], held("redis:7", "settling", NOW + 2 * DAY))

    report = status(database)

    assert [(one.image, one.reason, one.repos, one.until) for one in report.held] == [
        ("docker.io/library/node:22", "platform-lost", 1, None),
        ("docker.io/library/python:3.12", "too-new", 1, "2026-11-21T10:30:00Z"),
        ("docker.io/library/redis:7", "settling", 2, "2026-11-22T09:30:00Z"),
        ("docker.io/library/nginx:1", "same-images", 1, None),
    ]
    assert [one.needs_somebody for one in report.held] == [True, False, False, False]


def test_proposals_are_told_the_one_that_waits_for_longest_first(database: Database) -> None:
    with database.begin() as connection:
        add_run(connection)
        ids = add_repos(connection, "acme/app", "acme/old", "acme/done")
        add_proposal(connection, ids["acme/app"], "acme/app", at=NOW - DAY)
        add_proposal(connection, ids["acme/old"], "acme/old", at=NOW - 40 * DAY, pull=7)
        add_proposal(connection, ids["acme/done"], "acme/done", Outcome.MERGED)

    report = status(database)

    assert [(one.repo, one.number) for one in report.open_proposals] == [
        ("acme/old", 7),
        ("acme/app", 12),
    ]
    assert report.open_proposals[0].opened_at == "2026-10-12T09:30:00Z"
    assert report.open_proposals[0].url == "https://github.com/acme/old/pull/7"
    assert (report.proposals["open"], report.proposals["merged"]) == (2, 1)


@pytest.mark.parametrize(
    "cron, due, expected",
    [
        pytest.param(["0 12 * * *"], None, "2026-11-21T11:00:00Z", id="the timetable, in its zone"),
        pytest.param(["0 12 * * *"], NOW + HOUR, "2026-11-21T10:30:00Z", id="a date before it"),
        pytest.param(["0 12 * * *"], NOW - HOUR, "2026-11-21T11:00:00Z", id="a date gone by"),
        pytest.param(["0 0 30 2 *"], None, None, id="never"),
    ],
)
def test_the_next_cycle(
    database: Database, cron: list[str], due: datetime | None, expected: str | None
) -> None:
    with database.begin() as connection:
        add_run(connection)
        ((name, number),) = add_repos(connection, "acme/app").items()
        (listed,) = repos.due(connection, target="github:acme", rules="1", now=NOW)
        repos.settle(connection, number, repo=listed.repo, rules="1", due_at=due, now=NOW)

    report = status(database, service={"cron": cron, "timezone": "Europe/Berlin"})

    assert name == "acme/app"
    assert report.summary.next_cycle == expected


def test_hostile_texts_are_told_as_they_are_and_printed_harmless(database: Database) -> None:
    bad = Problem("repo", "acme/app", "broken", HOSTILE.replace("\ud800", ""))
    with database.begin() as connection:
        add_run(connection)
        (number,) = add_repos(connection, "acme/app").values()
        settle(connection, number, "acme/app", bad)

    report = status(database)

    printed = status_json.render(report, Style())
    assert printed.isascii()
    assert json.loads(printed)["troubled"][0]["errors"][0]["message"] == bad.message
    assert "\x1b" not in status_text.render(report, Style())


def test_a_fleet_of_10000_repos_has_a_short_status(database: Database) -> None:
    names = [f"acme/r{n:05}" for n in range(10_000)]
    with database.begin() as connection:
        add_run(connection)
        ids = add_repos(connection, *names)
        for name in names[:300]:
            settle(connection, ids[name], name, *[BROKEN] * 30)
            image = f"registry-{name[-5:]}.example.com/a:1"
            add_findings(connection, ids[name], held(image, "settling", NOW + DAY), finding(image))
            add_failure(connection, image)
            add_proposal(connection, ids[name], name)

    report = status(database, deny=[str(OLD)])

    totals = report.totals
    assert report.summary.repos == 10_000
    assert (totals.failing, totals.troubled, totals.held, totals.open_proposals) == (300,) * 4
    for some in (report.failing, report.troubled, report.held, report.open_proposals):
        assert len(some) == MOST
    assert len(report.troubled[0].errors) == 20
    assert len(status_json.render(report, Style())) < 1_000_000
    assert len(status_text.render(report, Style()).splitlines()) < 150
    assert "… and 290 more (-v lists more)" in status_text.render(report, Style())

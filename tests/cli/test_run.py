"""`digestbot run` from the outside: one cycle over a fleet that is played in memory."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digestbot.cli import run, serving
from digestbot.cli.answers import open_resolver
from digestbot.cli.forges import ForgeOptions, forge_options
from digestbot.cli.targets import Target
from digestbot.forge.errors import ForgeError
from digestbot.forge.repo import Repo
from digestbot.forge.steps import Step
from digestbot.registry.resolution import Resolver
from digestbot.service.tracing import ENDPOINT
from digestbot.store import conditions, images, run_rows, runs
from digestbot.store.runs import RunState
from tests.cli import program
from tests.cli.fleet import Fleet, log_of, make_fleet, repo
from tests.cli.program import Outcome, digestbot
from tests.proposals.builders import digest
from tests.proposals.memory import MemoryForge, MemoryRepo
from tests.service.notify.receiver import receiving
from tests.service.test_tracing import attributes, collecting

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)
ELSEWHEN = {"cron": [f"0 0 1 {(TODAY.month + 5) % 12 + 1} *"]}
FROZEN = {"start": str(TODAY - DAY), "end": str(TODAY + DAY), "reason": "the fair"}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """One repo with a stale pin; nothing is held back for its age."""
    return make_fleet(tmp_path, monkeypatch, repo())


def crowd(fleet: Fleet, count: int) -> None:
    """Let there be so many repos, each with a stale pin."""
    made = [repo(f"acme/app-{number:02}") for number in range(count)]
    fleet.forge.rooms.update({one.name: one for one in made})


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = report["summary"]["outcomes"]
    return found


# What it does


def test_the_first_run_proposes_and_the_next_has_nothing_to_do(fleet: Fleet) -> None:
    first, second = fleet.run(), fleet.run()
    third = fleet.run()

    assert (first.code, second.code, third.code) == (0, 0, 0)
    assert "✓ opened  acme/app  #1 Update python:3 digest" in first.stdout
    assert "✓ 1 repo: 1 opened · 1 lookup in " in first.stdout
    assert "1 unchanged" in second.stdout
    assert third.stdout.startswith("0 repos · 1 lookup in ")
    assert fleet.pulls() == 1


def test_a_repo_where_nothing_is_to_be_done_is_counted_and_not_listed(fleet: Fleet) -> None:
    fleet.digests = {"python:3": 0}

    report = fleet.report()

    assert report["repos"] == []
    assert (report["summary"]["repos"], report["summary"]["current"]) == (1, 1)
    assert fleet.report()["summary"]["repos"] == 0


def test_json_is_the_contract_of_update(fleet: Fleet) -> None:
    report = fleet.report()

    assert report["schema"] == "digestbot/update/v1"
    assert outcomes(report) == {"opened": 1}
    assert report["summary"]["lookups"] == 1
    assert report["repos"][0]["proposals"][0]["number"] == 1


def test_a_new_digest_is_held_back_and_shown_with_its_date(fleet: Fleet) -> None:
    fleet.configure(hold={"settle": "3h"})

    text, report = fleet.run(), fleet.report()

    assert text.code == 0
    said = " ".join(text.stdout.split())
    assert "‖ held acme/app settling: docker.io/library/python:3 moved to" in said
    assert "proposed from 20" in said
    assert report["summary"]["repos"] == 0, "nothing changed since the text was printed"
    assert fleet.pulls() == 0


def test_json_says_until_when_it_is_held(fleet: Fleet) -> None:
    fleet.configure(hold={"settle": "3h"})

    (held,) = fleet.report()["repos"][0]["held"]

    until = datetime.fromisoformat(held["until"])
    assert held["reason"] == "settling"
    assert timedelta(hours=2) < until - datetime.now(UTC) <= timedelta(hours=3)


def test_what_is_held_is_proposed_by_a_run_after_its_time(fleet: Fleet) -> None:
    fleet.digests = {"python:3": 0}
    fleet.run()
    fleet.configure(hold={"settle": "1s"})
    fleet.digests = {"python:3": 1}
    held = fleet.run()

    while not fleet.pulls():
        assert fleet.run().code == 0

    assert "held" in held.stdout
    assert fleet.pulls() == 1


def test_what_was_seen_of_a_tag_is_written_down(fleet: Fleet) -> None:
    fleet.digests = {"python:3": 0}
    fleet.run()
    fleet.digests = {"python:3": 1}
    fleet.run()

    with fleet.state() as database, database.reading() as connection:
        (query,) = images.queries(connection)
        seen = [one.digest for one in images.history(connection, query)]

    assert seen == [digest(0), digest(1)]


def test_whom_it_asked_is_written_down(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    forge: list[Callable[[str, str], None]] = []

    def options(*words: Any, **told: Any) -> ForgeOptions:
        forge.append(told["on_answer"])
        return forge_options(*words, **told)

    def resolver(*words: Any, **told: Any) -> AbstractContextManager[Resolver]:
        told["on_answer"]("ghcr.io", "200")
        told["on_left"]("ghcr.io", "pulls", 99)
        forge[-1]("api.github.com", "304")
        return open_resolver(*words, **told)

    monkeypatch.setattr(serving, "forge_options", options)
    monkeypatch.setattr(serving, "open_resolver", resolver)

    fleet.run()

    with fleet.state() as database, database.reading() as connection:
        found = run_rows.one(connection, runs.latest(connection)[0].id)
    assert found is not None
    assert found.row.asked_by == ("digestbot run",)
    assert found.requests == {
        "registries": {"ghcr.io": {"200": 1}},
        "forges": {"api.github.com": {"304": 1}},
        "left": {"ghcr.io": {"pulls": 99}},
    }


def test_a_denied_digest_is_shown_first_and_never_proposed(fleet: Fleet) -> None:
    bad = repo("acme/zoo", at=2)
    fleet.forge.rooms[bad.name] = bad
    fleet.configure(deny=[str(digest(2)), str(digest(1))])

    outcome = fleet.run()

    assert outcome.stdout.splitlines()[0].startswith("! denied  acme/zoo")
    assert fleet.pulls() == 0


@pytest.mark.parametrize(
    "rules, words",
    [
        pytest.param({"freeze": [FROZEN]}, "as there is a freeze: the fair", id="freeze"),
        pytest.param({"schedule": ELSEWHEN}, "as the schedule says", id="schedule"),
    ],
)
@pytest.mark.parametrize("by_repo", [False, True], ids=["org", "repo"])
def test_outside_its_hours_a_repo_gets_nothing_new(
    fleet: Fleet, rules: dict[str, Any], words: str, by_repo: bool
) -> None:
    other = repo("acme/other")
    fleet.forge.rooms[other.name] = other
    if by_repo:
        fleet.forge.rooms["acme/app"].push({".digestbot.yaml": json.dumps(rules).encode()})
    else:
        fleet.configure(**rules)

    outcome = fleet.run()

    assert outcome.code == 0
    assert words in " ".join(outcome.stdout.split())
    assert len(fleet.forge.rooms["acme/app"].open_pulls()) == 0
    assert len(other.open_pulls()) == by_repo


def test_what_is_open_is_kept_up_to_date_in_a_freeze(fleet: Fleet) -> None:
    fleet.run()
    fleet.configure(freeze=[FROZEN])
    fleet.digests = {"python:3": 2}

    report = fleet.report()

    assert outcomes(report) == {"refreshed": 1}


def test_after_a_freeze_the_next_run_makes_up_for_it(fleet: Fleet) -> None:
    fleet.configure(freeze=[FROZEN])
    fleet.run()
    fleet.configure()

    fleet.run()

    assert fleet.pulls() == 1


# How it ends


def test_a_registry_that_does_not_answer_makes_it_incomplete(fleet: Fleet) -> None:
    fleet.digests = {}

    first, second = fleet.run(), fleet.run()

    assert (first.code, second.code) == (5, 5)
    assert "not-recorded" in first.stdout
    assert "not-recorded" in second.stdout


def test_a_repo_that_fails_leaves_the_others_alone(fleet: Fleet) -> None:
    broken = repo("acme/broken", **{".digestbot.yaml": "group: [\n"})
    fleet.forge.rooms[broken.name] = broken

    outcome = fleet.run()

    assert outcome.code == 5
    assert ".digestbot.yaml" in outcome.stdout
    assert len(fleet.forge.rooms["acme/app"].open_pulls()) == 1


def test_a_target_that_cannot_be_listed_leaves_the_others_alone(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_forge(target: Target, _options: ForgeOptions) -> MemoryForge:
        if str(target) == "github:gone":
            raise ForgeError("GitHub knows no gone", code="not-found")
        return fleet.forge

    monkeypatch.setattr(serving, "open_forge", open_forge)
    fleet.configure(targets=["github:gone", "github:acme"])

    outcome = fleet.run()

    assert outcome.code == 5
    assert "GitHub knows no gone" in outcome.stdout
    (line,) = [one for one in log_of(outcome.stderr) if one["event"] == "target.failed"]
    assert (line["target"], line["code"]) == ("github:gone", "not-found")
    assert fleet.pulls() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_finishes_what_is_under_way_and_the_next_run_does_the_rest(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    crowd(fleet, 60)
    perform, at = fleet.forge.perform, iter([lambda: os.kill(os.getpid(), number)])

    def ask_to_end(found: Repo, step: Step) -> None:
        next(at, lambda: None)()
        perform(found, step)

    monkeypatch.setattr(fleet.forge, "perform", ask_to_end)

    stopped = fleet.run()
    begun = fleet.pulls()
    rest = fleet.run()

    assert (stopped.code, rest.code) == (130, 0)
    assert 0 < begun < 60
    assert fleet.pulls() == 61
    with fleet.state() as database, database.reading() as connection:
        states = [one.state for one in runs.latest(connection)]
    assert states == [RunState.DONE, RunState.STOPPED]


def test_asked_twice_it_ends_at_once_and_the_next_run_makes_up_for_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ended = threading.Event(), threading.Event()

    def insist(_found: Repo, _step: Step) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        asked.wait(10)
        os.kill(os.getpid(), signal.SIGTERM)
        ended.wait(10)

    with monkeypatch.context() as patched:
        patched.setattr(fleet.forge, "perform", insist)
        patched.setattr(run, "_log_stopping", lambda _message: asked.set())
        outcome = fleet.run()
        ended.set()

    assert (outcome.code, outcome.stdout) == (130, "")
    assert outcome.stderr.splitlines()[-1] == "interrupted; no file is half-written"
    assert "Traceback" not in outcome.stderr
    assert log_of(outcome.stderr.rpartition("interrupted")[0])[-1]["state"] == "stopped"
    assert fleet.run().code == 0
    assert fleet.pulls() == 1


def test_a_run_that_was_killed_is_written_down_as_lost_by_the_next(fleet: Fleet) -> None:
    with fleet.state() as database, database.begin() as connection:
        runs.begin(connection, "killed", "cycle", datetime.now(UTC) - DAY)

    fleet.run()

    with fleet.state() as database, database.reading() as connection:
        states = [one.state for one in runs.latest(connection)]
    assert states == [RunState.DONE, RunState.LOST]


# What it refuses


def refused(fleet: Fleet, *words: str) -> Outcome:
    outcome = fleet.run(*words)
    assert outcome.stdout == ""
    assert "Traceback" not in outcome.stderr
    assert fleet.forge.performed == []
    return outcome


@pytest.mark.parametrize(
    "keys, words",
    [
        pytest.param({"targets": None}, "names no targets", id="no-targets"),
        pytest.param({"state": None}, "names no state", id="no-state"),
        pytest.param({"targets": ["acme"]}, "targets", id="no-target"),
        pytest.param({"state": {"folder": "x", "url": "postgresql://x/y"}}, "state", id="two"),
        pytest.param({"github": {"token_env": "NOTHING"}}, "NOTHING", id="no-token"),
    ],
)
def test_a_configuration_that_cannot_be_served_is_a_usage_error(
    fleet: Fleet, keys: dict[str, Any], words: str
) -> None:
    fleet.configure(**keys)

    outcome = refused(fleet)

    assert outcome.code == 2
    assert words in outcome.stderr


def test_somebody_without_an_address_costs_the_run_nothing(fleet: Fleet) -> None:
    fleet.configure(notify=[{"name": "x", "kind": "slack", "url_env": "NOTHING"}])

    outcome = fleet.run()

    assert outcome.code == 0
    (line,) = [one for one in log_of(outcome.stderr) if one["event"] == "notification.failed"]
    assert "NOTHING is not set" in line["problem"]


def test_without_a_configuration_it_says_what_to_write(fleet: Fleet) -> None:
    outcome = digestbot("run")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        "error: the configuration names no targets to watch and no state to keep what it saw in\n"
        "hint: name a file with --config, and write in it: `targets: [github:acme]` (an owner; "
        "`github:acme/app` is one repo) and `state: {folder: /var/lib/digestbot}`\n"
    )
    assert not (fleet.folder / "state").exists()


def test_a_configuration_that_was_merely_found_begins_nothing(fleet: Fleet) -> None:
    fleet.config.rename(fleet.folder / "digestbot.yaml")

    outcome = digestbot("run")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert "is not taken from a file that was only found" in outcome.stderr
    assert "--config digestbot.yaml" in outcome.stderr
    assert not (fleet.folder / "state").exists()


def test_one_process_works_with_a_state_at_a_time(fleet: Fleet) -> None:
    with fleet.state() as database, database.alone():
        outcome = refused(fleet)

    assert outcome.code == 5
    assert "another digestbot works with the state in " in outcome.stderr
    assert "hint: one `serve` or `run` at a time" in outcome.stderr
    assert fleet.run().code == 0


def test_a_folder_that_cannot_be_made_is_named(fleet: Fleet) -> None:
    (fleet.folder / "file").write_text("")
    fleet.configure(state={"folder": "file/state"})

    outcome = refused(fleet)

    assert outcome.code == 5
    assert f"error: cannot make {fleet.folder / 'file' / 'state'}" in outcome.stderr
    assert "hint: name a folder on a local disk" in outcome.stderr


def test_a_folder_that_may_not_be_written_is_named(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def access(path: Path, mode: int) -> bool:
        return not (mode & os.W_OK)

    monkeypatch.setattr(os, "access", access)

    outcome = refused(fleet)

    assert outcome.code == 5
    assert "may not be written" in outcome.stderr


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "canary-of-the-database")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"postgresql://digestbot@127.0.0.1:{port}/digestbot"
    fleet.configure(state={"url": url, "password_env": "PASSWORD"})

    outcome = refused(fleet, "-vv")

    assert outcome.code == 5
    assert str(port) in outcome.stderr
    assert "canary" not in outcome.stderr


def test_a_state_of_a_newer_digestbot_is_left_alone(fleet: Fleet) -> None:
    fleet.run()
    with fleet.state() as database, database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    outcome = fleet.run()

    assert outcome.code == 5
    assert "newer" in outcome.stderr
    assert outcome.stdout == ""


# What it says


def test_each_line_of_its_log_is_for_programs_and_belongs_to_one_run(fleet: Fleet) -> None:
    fleet.digests = {"python:3": 0}
    fleet.run()
    fleet.digests = {"python:3": 1}

    outcome = fleet.run()

    lines = log_of(outcome.stderr)
    (run_id,) = {line["run_id"] for line in lines}
    assert [line["event"] for line in lines] == [
        "cycle.started",
        "image.moved",
        "proposal.opened",
        "repo.updated",
        "cycle.finished",
    ]
    assert [line["image"] for line in lines if "image" in line] == ["docker.io/library/python:3"]
    assert {line["repo"] for line in lines if "repo" in line} == {"acme/app"}
    with fleet.state() as database, database.reading() as connection:
        assert runs.latest(connection)[0].id == run_id


@pytest.mark.parametrize(
    "word, found",
    [
        ('"repo": "acme/app-1"', {"repo.failed"}),
        ('"image": "docker.io/library/gone:1"', {"lookup.failed"}),
    ],
)
def test_a_line_is_found_by_repo_and_by_image(fleet: Fleet, word: str, found: set[str]) -> None:
    fleet.forge.rooms["acme/app-1"] = repo("acme/app-1", **{".digestbot.yaml": "group: [\n"})
    fleet.forge.rooms["acme/app-2"] = repo("acme/app-2", "gone:1")

    outcome = fleet.run()

    lines = [line for line in outcome.stderr.splitlines() if word in line]
    assert {line["event"] for line in log_of("\n".join(lines))} == found


def test_quiet_leaves_only_what_went_wrong(fleet: Fleet) -> None:
    well = fleet.run("--quiet")
    fleet.digests = {}
    failed = fleet.run("--quiet")

    assert well.stderr == ""
    assert [line["event"] for line in log_of(failed.stderr)] == ["lookup.failed"]


def test_a_person_at_a_terminal_is_told_in_words(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program._Stream, "isatty", lambda _self: True)
    monkeypatch.setenv("TERM", "dumb")

    outcome = fleet.run()

    assert outcome.stderr == "1 repo listed, 1 image looked up; 1 repo worked on\n"


def test_a_change_is_told_once_over_several_runs(fleet: Fleet) -> None:
    with receiving() as receiver:
        fleet.configure(notify=[{"name": "hook", "kind": "webhook", "url": receiver.url}])
        fleet.run()
        fleet.digests = {}
        for _ in range(3):
            fleet.run()
        fleet.digests = {"python:3": 1}
        for _ in range(3):
            fleet.run()

    told = [
        {(item["turn"], item["event"]) for item in one.json["items"]} for one in receiver.received
    ]
    assert told == [
        {("done", "proposals")},
        {("new", "lookups"), ("new", "cycle")},
        {("resolved", "lookups"), ("resolved", "cycle")},
    ]


def test_who_cannot_be_told_now_is_told_by_the_next_run(fleet: Fleet) -> None:
    fleet.digests = {}
    with receiving(500) as receiver:
        fleet.configure(notify=[{"name": "hook", "kind": "webhook", "url": receiver.url}])
        failed = fleet.run()
        with fleet.state() as database, database.reading() as connection:
            waiting = list(conditions.pending(connection, "hook"))
        receiver.behaviour = 200
        fleet.run()
        fleet.run()

    assert failed.code == 5
    assert waiting
    assert len(receiver.received) == 2
    assert "notification.failed" in {line["event"] for line in log_of(failed.stderr)}


def test_spans_of_a_run_arrive_where_they_are_collected(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        outcome = fleet.run()
        again = fleet.run()

    spans = collector.spans
    assert (outcome.code, again.code) == (0, 0)
    assert {"cycle", "cycle.list", "cycle.lookups", "image.lookup", "repo.update"} <= spans.keys()
    assert {span.trace_id for span in spans.values()} == {spans["cycle"].trace_id}
    assert attributes(spans["repo.update"])["digestbot.repo"] == "acme/app"
    assert collector.resource["service.name"] == "digestbot"


def test_an_endpoint_that_cannot_be_used_is_a_usage_error(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, "collector:4318")

    assert refused(fleet).code == 2


def test_hostile_words_of_repos_are_shown_harmless(fleet: Fleet) -> None:
    content = {".digestbot.yaml": b"'\x1b[31m ::error::': [\n##[error]: \xe2\x80\xae"}
    name = "acme/evil\x1b[31m\n::error::"
    fleet.forge.rooms[name] = MemoryRepo.of(content, name)

    outcome = fleet.run()

    assert outcome.code == 5
    assert not {"\x1b", "\u202e"} & set(outcome.stdout + outcome.stderr)
    assert not any(line.startswith("::") for line in outcome.stdout.splitlines())
    assert "repo.failed" in {line["event"] for line in log_of(outcome.stderr)}

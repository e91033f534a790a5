"""`digestbot serve` from the outside, over a fleet and a registry that are played in memory."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as untyped_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_plain
from starlette.types import ASGIApp

from digestbot.cli import serve, serving
from digestbot.forge.repo import Repo
from digestbot.forge.steps import Step
from digestbot.service import endpoint
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.scheduler import CYCLE
from digestbot.service.series import SERIES
from digestbot.service.tracing import ENDPOINT
from digestbot.store import runs, schedules
from digestbot.store.runs import RunRecord, RunState
from tests.cli import program
from tests.cli.fleet import Fleet, log_of, make_fleet, repo
from tests.cli.program import Outcome, digestbot
from tests.proposals.builders import digest
from tests.service.notify.receiver import receiving
from tests.service.test_tracing import collecting
from tests.service.world import TestRegistry

PATIENCE_S = 10.0
# By this timetable no cycle begins while a test lasts.
RARELY: dict[str, Any] = {"cron": ["0 0 29 2 *"], "jitter": "0s", "listen": "127.0.0.1:0"}
QUICK = {"settle": "0s"}
DAY = timedelta(days=1)
read_openmetrics: Callable[[str], Iterator[Metric]] = untyped_openmetrics


def nothing(_service: Service) -> None:
    """Watch nothing: end it as soon as it answers."""


@dataclass
class Service:
    """`digestbot serve` in this process; somebody watches it from another thread, then ends it."""

    fleet: Fleet
    registry: TestRegistry
    signal: signal.Signals = signal.SIGTERM
    port: int = 0
    ran: int = 0
    is_ending: bool = False
    failures: list[BaseException] = field(default_factory=list)

    def configure(self, hold: object = QUICK, **keys: Any) -> None:
        """Write its configuration; `service` comes on top of a timetable without cycles."""
        service = RARELY | keys.pop("service", {})
        self.fleet.configure(hold=hold, service=service, **keys)

    def run(self, watch: Callable[[Service], object], *words: str) -> Outcome:
        """Serve until `watch` is over, which is begun once the service answers."""
        real, self.ran, self.is_ending = endpoint.serving, self.count(), False

        @contextmanager
        def announced(app: ASGIApp, host: str, port: int) -> Iterator[int]:
            with real(app, host, port) as self.port:
                thread = threading.Thread(target=self._watch, args=(watch,))
                thread.start()
                try:
                    yield self.port
                finally:
                    # While signals are still meant for the service.
                    thread.join()

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(endpoint, "serving", announced)
            outcome = digestbot("serve", "--config", str(self.fleet.config), *words)
        assert self.failures == []
        assert "Traceback" not in outcome.stderr
        return outcome

    def get(self, path: str, accept: str = "") -> tuple[int, str]:
        """Status and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metrics(self) -> dict[str, float]:
        """The samples without labels but `state`, `status` or `result`, by name."""
        families = read_plain(self.get("/metrics")[1])
        return {
            ":".join([one.name, *one.labels.values()]): one.value
            for family in families
            for one in family.samples
        }

    def records(self) -> list[RunRecord]:
        """The runs so far, the newest first."""
        with self.fleet.state() as database, database.reading() as connection:
            return runs.latest(connection)

    def count(self) -> int:
        """How many runs there were so far; asking makes no state."""
        return len(self.records()) if (self.fleet.folder / "state").exists() else 0

    def wait_for(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so."""
        pause, end = threading.Event(), datetime.now(UTC) + timedelta(seconds=PATIENCE_S)
        while not is_so():
            assert datetime.now(UTC) < end, "waited in vain"
            pause.wait(0.02)

    def wait_for_cycle(self) -> None:
        """Wait until a cycle came to its end that this service began."""
        self.wait_for(lambda: sum(one.finished_at is not None for one in self.records()) > self.ran)

    def end(self) -> None:
        """Ask it to end."""
        self.is_ending = True
        os.kill(os.getpid(), self.signal)

    def end_soon(self) -> None:
        """Ask it to end, and wait until it has heard that."""
        self.end()
        self.wait_for(lambda: self.get("/readyz")[0] == 503)

    def _watch(self, watch: Callable[[Service], object]) -> None:
        try:
            watch(self)
        except BaseException as error:  # noqa: BLE001 - it is told in the test's own thread
            self.failures.append(error)
        finally:
            if not self.is_ending:
                self.end()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """One repo with a stale pin, and a service that begins with a cycle."""
    fleet, registry = make_fleet(tmp_path, monkeypatch, repo()), TestRegistry({"python:3": 1})
    monkeypatch.delenv("DIGESTBOT_LISTEN", raising=False)

    @contextmanager
    def open_resolver(*_settings: object, **_watchers: object) -> Iterator[TestRegistry]:
        yield registry

    monkeypatch.setattr(serving, "open_resolver", open_resolver)
    made = Service(fleet, registry)
    made.configure()
    return made


# What it does


def test_it_begins_with_a_cycle_and_ends_when_it_is_told_to(service: Service) -> None:
    outcome = service.run(Service.wait_for_cycle)

    assert (outcome.code, outcome.stdout) == (0, "")
    events = [line["event"] for line in log_of(outcome.stderr)]
    assert events[-2:] == ["service.stopping", "service.stopped"]
    assert {"service.started", "cycle.started", "proposal.opened", "cycle.finished"} <= set(events)
    assert service.fleet.pulls() == 1
    assert [one.state for one in service.records()] == [RunState.DONE]


def test_what_is_held_back_is_proposed_by_itself_when_its_time_has_come(service: Service) -> None:
    service.configure(hold={"settle": "1s"})

    outcome = service.run(lambda _service: service.wait_for(service.fleet.pulls))

    assert outcome.code == 0
    assert len(service.records()) >= 2
    assert service.records()[-1].counts.get("proposals_opened") is None


def test_it_may_begin_without_a_cycle(service: Service) -> None:
    service.configure(service={"run_on_start": False})

    outcome = service.run(nothing)

    assert outcome.code == 0
    assert service.records() == []


def test_a_run_that_was_missed_is_made_up_for_once(service: Service) -> None:
    service.configure(service={"run_on_start": False, "cron": ["0 0 * * *"]})
    with service.fleet.state() as database, database.begin() as connection:
        schedules.note_started(connection, CYCLE.key, datetime.now(UTC) - 5 * DAY)

    service.run(Service.wait_for_cycle)
    service.run(nothing)

    assert len(service.records()) == 1


def test_a_freeze_holds_and_what_was_frozen_is_asked_about_again_when_it_is_over(
    service: Service,
) -> None:
    today = datetime.now(UTC).date()
    service.configure(freeze=[{"start": str(today), "end": str(today + DAY)}])

    service.run(Service.wait_for_cycle)
    frozen = service.fleet.pulls()
    service.configure()
    service.run(lambda _service: service.wait_for(service.fleet.pulls))

    assert frozen == 0
    assert service.fleet.pulls() == 1


def test_somebody_is_told_and_it_is_counted(service: Service) -> None:
    with receiving() as receiver:
        service.configure(notify=[{"name": "hook", "kind": "webhook", "url": receiver.url}])
        counted: list[dict[str, float]] = []

        def watch(_service: Service) -> None:
            service.wait_for(lambda: receiver.received)
            service.wait_for(lambda: service.metrics().get("digestbot_notifications_total:hook:ok"))
            counted.append(service.metrics())

        service.run(watch)
        service.run(Service.wait_for_cycle)

    assert len(receiver.received) == 1
    assert counted[0]["digestbot_notifications_total:hook:ok"] == 1


def test_spans_arrive_where_they_are_collected(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        service.run(Service.wait_for_cycle)

    assert {"cycle", "image.lookup", "repo.update"} <= collector.spans.keys()


# What it tells


def test_prometheus_reads_its_metrics(service: Service) -> None:
    texts: list[str] = []

    def watch(_service: Service) -> None:
        service.wait_for_cycle()
        texts.append(service.get("/metrics")[1])
        texts.append(service.get("/metrics", accept="application/openmetrics-text")[1])

    service.run(watch)

    plain = {family.name: family for family in read_plain(texts[0])}
    named = {one.name.removesuffix("_total") for one in SERIES}
    assert named - plain.keys() == set()
    assert {family.name for family in read_openmetrics(texts[1])} == named


def test_metrics_and_status_say_the_same(service: Service) -> None:
    service.fleet.forge.rooms["acme/held"] = repo("acme/held", "debian:12")
    service.fleet.forge.rooms["acme/fails"] = repo("acme/fails", "gone:1")
    service.registry.tags["debian:12"] = 0
    found: list[Any] = []

    def watch(_service: Service) -> None:
        service.wait_for_cycle()
        said = digestbot("status", "--config", str(service.fleet.config), "--format", "json")
        found.extend([service.metrics(), json.loads(said.stdout)])

    # Both ask the state, and the command prints to where the service does.
    service.run(lambda _service: watch(service))
    metrics, status = found

    for kind, name in (("findings", "findings"), ("proposals", "proposals")):
        counts = {key: value for key, value in status[kind].items() if value}
        shown = {
            key.rpartition(":")[2]: value
            for key, value in metrics.items()
            if key.startswith(f"digestbot_{name}:") and value
        }
        assert shown == counts
    assert metrics["digestbot_repos:live"] == status["summary"]["repos"] == 3
    assert metrics["digestbot_images_failing"] == status["totals"]["failing"] == 1


def test_it_is_ready_and_alive_while_it_serves(service: Service) -> None:
    answers: list[tuple[int, str]] = []

    def watch(_service: Service) -> None:
        service.wait_for_cycle()
        answers.extend([service.get("/healthz"), service.get("/readyz")])

    service.run(watch)

    assert answers == [(200, '{"status":"ok"}'), (200, '{"status":"ready"}')]


def test_a_line_is_found_by_run_by_repo_and_by_image(service: Service) -> None:
    service.registry.tags["python:3"] = 0
    service.fleet.forge.rooms["acme/fails"] = repo("acme/fails", "gone:1")
    service.run(Service.wait_for_cycle)
    service.registry.tags["python:3"] = 1

    outcome = service.run(Service.wait_for_cycle)

    (record,) = service.records()[:1]
    lines = outcome.stderr.splitlines()

    def grep(word: str) -> set[str]:
        found = [line for line in lines if word in line]
        return {one["event"] for one in log_of("\n".join(found))}

    assert grep(f'"run_id": "{record.id}"') >= {"cycle.started", "image.moved", "cycle.finished"}
    assert grep('"repo": "acme/app"') == {"proposal.opened", "repo.updated"}
    assert grep('"image": "docker.io/library/python:3"') == {"image.moved"}
    assert grep('"image": "docker.io/library/gone:1"') == {"lookup.failed"}
    apart = {one["event"] for one in log_of(outcome.stderr) if "run_id" not in one}
    assert apart == {"service.started", "service.stopping", "service.stopped"}


def test_a_person_at_a_terminal_reads_lines(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program._Stream, "isatty", lambda _self: True)
    monkeypatch.setenv("NO_COLOR", "1")

    outcome = service.run(nothing)

    assert "service.started" in outcome.stderr
    assert not outcome.stderr.startswith("{")
    assert "\x1b" not in outcome.stderr


# How it ends


def hang(service: Service, released: threading.Event) -> threading.Event:
    """Have the next step on the forge wait until it is released; the event says that it began."""
    begun, perform = threading.Event(), service.fleet.forge.perform

    def wait(found: Repo, step: Step) -> None:
        begun.set()
        released.wait(PATIENCE_S)
        perform(found, step)

    # For this fleet alone.
    setattr(service.fleet.forge, "perform", wait)  # noqa: B010 - a method is no variable to mypy
    return begun


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_finished(
    service: Service, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    service.signal, stop = number, InProcessEngine.stop
    crowd = [repo(f"acme/app-{one:02}") for one in range(60)]
    service.fleet.forge.rooms.update({one.name: one for one in crowd})
    released = threading.Event()
    begun = hang(service, released)

    def watch(_service: Service) -> None:
        assert begun.wait(PATIENCE_S)

    def stop_and_release(engine: InProcessEngine, timeout_s: float) -> bool:
        threading.Timer(0.5, released.set).start()
        return stop(engine, timeout_s)

    monkeypatch.setattr(InProcessEngine, "stop", stop_and_release)

    outcome = service.run(watch)
    done = service.fleet.pulls()
    service.run(Service.wait_for_cycle)

    assert outcome.code == 0
    assert log_of(outcome.stderr)[-1]["is_done"] is True
    assert 0 < done < 60
    assert [one.state for one in service.records()] == [RunState.DONE, RunState.STOPPED]
    assert service.fleet.pulls() == 61


def test_what_hangs_is_left_to_the_next(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STOP_S", 0.1)
    released = threading.Event()
    begun = hang(service, released)

    outcome = service.run(lambda _service: begun.wait(PATIENCE_S))
    released.set()

    assert outcome.code == 0
    assert log_of(outcome.stderr)[-1]["is_done"] is False


def test_asked_twice_it_ends_at_once(service: Service) -> None:
    released = threading.Event()
    begun = hang(service, released)

    def watch(_service: Service) -> None:
        assert begun.wait(PATIENCE_S)
        service.end_soon()
        service.end()

    outcome = service.run(watch)
    released.set()

    assert outcome.code == 130
    assert outcome.stderr.splitlines()[-1].startswith("interrupted")


def test_once_it_is_asked_to_end_it_is_not_ready(service: Service) -> None:
    released = threading.Event()
    begun = hang(service, released)
    answers: list[tuple[int, str]] = []

    def watch(_service: Service) -> None:
        assert begun.wait(PATIENCE_S)
        service.end_soon()
        answers.append(service.get("/readyz"))
        released.set()

    outcome = service.run(watch)

    assert outcome.code == 0
    assert "engine-stopped" in answers[0][1]


# What it refuses


def refused(service: Service, *words: str) -> Outcome:
    outcome = service.run(nothing, *words)
    assert outcome.stdout == ""
    assert service.port == 0
    return outcome


@pytest.mark.parametrize(
    "keys, words",
    [
        pytest.param({"targets": None}, "names no targets", id="no-targets"),
        pytest.param({"state": None}, "names no state", id="no-state"),
        pytest.param({"service": {"cron": ["61 * * * *"]}}, "service.cron", id="no-minute"),
        pytest.param({"service": {"listen": "everywhere"}}, "service.listen", id="no-address"),
        pytest.param({"service": {"timezone": "Mars/Base"}}, "service.timezone", id="no-zone"),
        pytest.param({"github": {"token_env": "NOTHING"}}, "NOTHING", id="no-token"),
    ],
)
def test_a_configuration_that_cannot_be_served_is_a_usage_error(
    service: Service, keys: dict[str, Any], words: str
) -> None:
    service.configure(**keys)

    outcome = refused(service)

    assert outcome.code == 2
    assert words in outcome.stderr


@pytest.mark.parametrize(
    "text, lacks, example",
    [
        pytest.param("jobs: 4\n", "no targets to watch and no state", "github:acme/app", id="both"),
        pytest.param("state: {folder: s}\n", "no targets to watch", "targets: [", id="targets"),
        pytest.param("targets: []\nstate: {folder: s}\n", "no targets", "targets: [", id="empty"),
        pytest.param("targets: [github:a]\n", "no state to keep", "state: {folder", id="state"),
    ],
)
def test_a_file_that_lacks_something_is_named_with_what_to_write(
    tmp_path: Path, text: str, lacks: str, example: str
) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(text)

    outcome = digestbot("serve", "--config", str(path))

    assert (outcome.code, outcome.stdout) == (2, "")
    error, hint = outcome.stderr.splitlines()
    assert error.startswith(f"error: {path} names {lacks}")
    assert hint.startswith(f"hint: write in {path}: `")
    assert example in hint


@pytest.mark.parametrize("listen", ["8080", "localhost", "127.0.0.1:70000", ":1"])
def test_an_address_that_is_none_is_a_usage_error(service: Service, listen: str) -> None:
    outcome = refused(service, "--listen", listen)

    assert outcome.code == 2
    assert outcome.stderr.startswith(f"error: --listen {listen}: ")
    assert not (service.fleet.folder / "state").exists()


@pytest.mark.parametrize("by_variable", [False, True])
def test_where_it_listens_can_be_said_on_the_command_line(
    service: Service, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    service.configure(service={"listen": "192.0.2.1:1"})
    words = () if by_variable else ("--listen", "127.0.0.1:0")
    if by_variable:
        monkeypatch.setenv("DIGESTBOT_LISTEN", "127.0.0.1:0")

    outcome = service.run(nothing, *words)

    assert outcome.code == 0
    (started,) = [one for one in log_of(outcome.stderr) if one["event"] == "service.started"]
    assert started["address"] == f"127.0.0.1:{service.port}"


def test_a_port_that_is_in_use_is_named(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        outcome = refused(service, "--listen", address)

    assert outcome.code == 2
    assert f"error: cannot listen on {address}: Address already in use" in outcome.stderr
    assert "hint:" in outcome.stderr
    assert service.records() == []


def test_one_process_works_with_a_state_at_a_time(service: Service) -> None:
    with service.fleet.state() as database, database.alone():
        outcome = refused(service)

    assert outcome.code == 5
    assert "another digestbot works with the state" in outcome.stderr


def test_while_it_serves_run_and_serve_refuse_and_the_others_do_not(service: Service) -> None:
    codes: dict[str, int] = {}

    def watch(_service: Service) -> None:
        service.wait_for_cycle()
        config = ("--config", str(service.fleet.config))
        for words in (("run",), ("status",), ("db", "check"), ("db", "upgrade")):
            codes[words[-1]] = program.spawn(*words, *config, cwd=service.fleet.folder).code

    service.run(watch)

    assert codes == {"run": 5, "status": 0, "check": 0, "upgrade": 0}


def test_a_configuration_that_was_merely_found_begins_nothing(service: Service) -> None:
    service.fleet.config.rename(service.fleet.folder / "digestbot.yaml")

    outcome = digestbot("serve")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert "is not taken from a file that was only found" in outcome.stderr
    assert not (service.fleet.folder / "state").exists()


def test_a_denied_digest_is_told_first_by_status(service: Service) -> None:
    service.configure(deny=[str(digest(0))])
    service.registry.failing["python:3"] = "unavailable"

    service.run(Service.wait_for_cycle)

    said = digestbot("status", "--config", str(service.fleet.config)).stdout.splitlines()
    assert said[0] == "Needs attention"
    assert "denied" in said[1]

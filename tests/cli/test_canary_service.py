"""No secret leaves the service either: not by its log, its state, its metrics or its messages."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from psycopg import sql

from digestbot.service import cycle
from tests.cli.house import (
    House,
    configure,
    open_house,
    recorder,
    revoked,
    use_app,
    wrong_password,
)
from tests.cli.program import Outcome, digestbot, start
from tests.service.notify.receiver import Receiver, receiving
from tests.store.postgres import PASSWORD as DATABASE_PASSWORD
from tests.store.postgres import Server, running

# Of one of Apprise's own packages.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
TOKEN = "canary-hook-t0ken"
PATH = "canary-in-the-path"
PHONE = "canary-phone-pa55"
COMMANDS = (("status", "-v"), ("status", "--format", "json"), ("db", "check"), ("doctor",))
_CYCLE = re.compile(rb"^digestbot_last_success_timestamp_seconds ", re.MULTILINE)


@dataclass
class Service:
    """The house with a state, and with three who are told what changes."""

    house: House
    told: dict[str, Receiver]
    extra: dict[str, bytes] = field(default_factory=dict)

    def run(self, *arguments: str) -> Outcome:
        """`digestbot ARGUMENTS` in this process."""
        first, *others = arguments
        words = [first, others.pop(0)] if first in {"db", "notify"} else [first]
        return digestbot(*words, "--config", str(self.house.root / "org.yaml"), *others)

    def configure(self, state: str) -> None:
        """Write the configuration, with the state in that place."""
        notify = (
            "{name: ops, kind: slack, url_env: SLACK_URL}",
            f"{{name: hook, kind: webhook, url_file: {self.house.kept}/url, token_env: TOKEN}}",
            "{name: phone, kind: apprise, url_env: PHONE_URL}",
        )
        self.house.more = (
            f"targets: [github:acme]\ntimeout: 5\nhold: {{settle: 0s}}\nstate: {state}\n"
            "service: {listen: '127.0.0.1:0', jitter: 0s}\n"
            f"notify: [{', '.join(notify)}]\n"
        )
        configure(self.house)

    def leaks(self, outcome: Outcome) -> list[str]:
        """Where a secret is that should not be there."""
        messages = {
            f"message to {name}": one.body + (str(one.headers).encode() if name == "ops" else b"")
            for name, receiver in self.told.items()
            for one in receiver.received
        }
        others = [
            place
            for place, data in (messages | self.extra).items()
            if any(secret.encode() in data for secret in self.house.secrets)
        ]
        return others + self.house.leaks(outcome)


@pytest.fixture
def service(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    kept = tmp_path_factory.mktemp("kept")
    with ExitStack() as stack:
        house = stack.enter_context(open_house(tmp_path, kept, monkeypatch))
        told = {name: stack.enter_context(receiving()) for name in ("ops", "hook", "phone")}
        (kept / "url").write_text(told["hook"].url)
        monkeypatch.setenv("SLACK_URL", told["ops"].url)
        monkeypatch.setenv("TOKEN", TOKEN)
        monkeypatch.setenv("PHONE_URL", f"json://me:{PHONE}@127.0.0.1:{told['phone'].port}/{PATH}")
        house.secrets += [TOKEN, PATH, PHONE]
        made = Service(house, told)
        made.configure(f"{{folder: {tmp_path}/state}}")
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


def in_postgresql(service: Service, server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keep the state in PostgreSQL; the name of the database."""
    location = server.make()
    service.configure(f"{{url: '{location.url}', password_env: DATABASE_PASSWORD}}")
    service.house.secrets.append(DATABASE_PASSWORD)
    monkeypatch.setenv("DATABASE_PASSWORD", DATABASE_PASSWORD)
    return location.url.partition("?")[0].rpartition("/")[2]


def contents(server: Server, name: str) -> bytes:
    """All rows of a database."""
    with closing(server.connect(name)) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        queries = [
            sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(str(t))) for (t,) in tables
        ]
        rows = [row for query in queries for row in connection.execute(query).fetchall()]
    return "\n".join(map(str, rows)).encode()


# -- the search itself


@pytest.mark.parametrize("place", ["state", "message", "log"])
def test_what_is_planted_is_found(service: Service, place: str) -> None:
    outcome = service.run("run")
    match place:
        case "state":
            (service.house.root / "state" / "left").write_text(PATH)
        case "message":
            service.told["ops"].received[0].body = TOKEN.encode()
        case "log":
            outcome = Outcome(0, "", PHONE)

    assert service.leaks(outcome)


# -- one cycle


@pytest.mark.parametrize("identity", ["token", "app"])
def test_a_cycle_tells_everybody_and_nothing_that_is_secret(
    service: Service, monkeypatch: pytest.MonkeyPatch, identity: str
) -> None:
    if identity == "app":
        use_app(service.house, monkeypatch)

    outcome = service.run("run", "-vv")

    assert outcome.code == 0, outcome.stdout
    assert all(receiver.received for receiver in service.told.values())
    assert service.leaks(outcome) == []


def test_a_state_in_postgresql_holds_no_secret(
    service: Service, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = in_postgresql(service, server, monkeypatch)

    outcome = service.run("run", "-vv")

    assert outcome.code == 0, outcome.stdout
    service.extra["rows"] = contents(server, name)
    assert b"acme/app" in service.extra["rows"]
    assert service.leaks(outcome) == []


def test_other_commands_that_read_the_state_tell_no_secret(service: Service) -> None:
    service.run("run")

    outcomes = [service.run(*words, "-vv") for words in COMMANDS]
    outcomes.append(service.run("db", "backup", str(service.house.root / "copy.db"), "-vv"))
    outcomes.append(service.run("notify", "test", "-vv"))

    assert [one.code for one in outcomes] == [0] * len(outcomes)
    assert [leak for one in outcomes for leak in service.leaks(one)] == []


# -- where it fails


def says_no(service: Service) -> None:
    """Whoever is told refuses, and repeats all that it knows."""
    for receiver in service.told.values():
        receiver.behaviour = 403
        receiver.body = f"{TOKEN} {PATH} {PHONE}".encode()


def sends_elsewhere(service: Service) -> None:
    for receiver in service.told.values():
        receiver.behaviour, receiver.location = 302, f"http://127.0.0.1:9/{PATH}?t={TOKEN}"


def has_no_addresses(service: Service) -> None:
    (service.house.kept / "url").write_text(f"ftp://{PATH}\n{TOKEN}")


def fails_everywhere(service: Service) -> None:
    wrong_password(service.house)
    revoked(service.house)


@pytest.mark.parametrize("arrange", [says_no, sends_elsewhere, has_no_addresses, fails_everywhere])
def test_a_cycle_in_which_something_fails_tells_no_secret(
    service: Service, arrange: Callable[[Service], None]
) -> None:
    arrange(service)

    outcomes = [service.run("run", "-vv"), service.run("run", "-vv", "--format", "json")]
    outcomes += [service.run(*words, "-vv") for words in COMMANDS]
    outcomes.append(service.run("notify", "test", "-vv"))

    assert [leak for one in outcomes for leak in service.leaks(one)] == []


@pytest.mark.parametrize("arrange", ["another", "shouting", "nobody there"])
def test_a_database_that_cannot_be_used_is_no_reason_to_tell_its_password(
    service: Service, server: Server, monkeypatch: pytest.MonkeyPatch, arrange: str
) -> None:
    in_postgresql(service, server, monkeypatch)
    match arrange:
        case "another":
            password = "canary-pg-wr0ng"
        case "shouting":
            password = "canary-pg-\x1b[2J\nwr0ng'\" @/:"
        case "nobody there":
            password = DATABASE_PASSWORD
            service.configure(
                "{url: 'postgresql://me@127.0.0.1:9/x', password_env: DATABASE_PASSWORD}"
            )
    monkeypatch.setenv("DATABASE_PASSWORD", password)
    service.house.secrets += [password, "wr0ng"]

    outcomes = [service.run(*words, "-vv") for words in [("run",), ("serve",), *COMMANDS]]

    assert 0 not in [one.code for one in outcomes[:4]]
    assert [leak for one in outcomes for leak in service.leaks(one)] == []


def test_a_crash_tells_no_secret(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_arguments: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(cycle.Cycle, "_look_up", explode)

    outcome = service.run("run", "-vv")

    assert outcome.code == 3
    assert "RuntimeError: boom" in outcome.stderr
    assert service.leaks(outcome) == []


# -- the service


class Served:
    """`digestbot serve` in a process of its own, whose log is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[str] = []
        self.port = 0
        self._has_port = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def get(self, path: str) -> bytes:
        """What it answers, once it has said where."""
        assert self._has_port.wait(30), "".join(self.log)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()

    def end(self) -> Outcome:
        """Ask it to end, and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        said = self.process.stdout.read()
        self._thread.join()
        return Outcome(self.process.wait(30), said, "".join(self.log))

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if '"service.started"' in line:
                self.port = int(json.loads(line)["address"].rpartition(":")[2])
                self._has_port.set()


@pytest.mark.parametrize("is_well", [True, False], ids=["well", "failing"])
def test_the_service_tells_no_secret(service: Service, is_well: bool) -> None:
    house = service.house
    if not is_well:
        says_no(service)
        wrong_password(house)
    path = f"{recorder(house.root)}:/usr/local/bin:/usr/bin:/bin"
    words = ("serve", "--config", str(house.root / "org.yaml"), "-vv")
    surroundings = {"PATH": path, "TMPDIR": str(house.root / "temp")}

    with start(*words, cwd=house.root, **surroundings) as process:
        served = Served(process)
        ticks = threading.Event()
        while not _CYCLE.search(served.get("/metrics")):
            assert process.poll() is None
            ticks.wait(0.2)
        service.extra |= {one: served.get(one) for one in ("/healthz", "/readyz", "/metrics")}
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        outcome = served.end()

    assert outcome.code == 0, outcome.stderr
    assert "cycle.finished" in outcome.stderr
    service.extra["command line"] = command
    assert service.leaks(outcome) == []

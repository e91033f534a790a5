"""No secret leaves: canaries in every place a secret comes from, looked for in every other."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from digestbot.cli import update
from digestbot.proposals import propose
from tests.cli.house import (
    PASSWORD,
    House,
    configure,
    open_house,
    revoked,
    use_app,
    wrong_password,
)
from tests.cli.program import Outcome, digestbot
from tests.github.errors import ApiError


@pytest.fixture
def house(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    with open_house(tmp_path, tmp_path_factory.mktemp("kept"), monkeypatch) as made:
        yield made


# -- the search itself


@pytest.mark.parametrize("place", ["file", "pull request", "commit", "output"])
def test_what_is_planted_is_found(house: House, place: str) -> None:
    (token,) = house.cli.github.world.tokens
    outcome = house.run("github:acme")
    match place:
        case "file":
            hidden = base64.b64encode(f"x-access-token:{token}".encode())
            (house.root / "cache" / "left").write_bytes(hidden)
        case "pull request":
            house.cli.pull().body = token
        case "commit":
            house.cli.github.commit("acme/app", "other", {"x": "y"}, message=PASSWORD)
        case "output":
            outcome = Outcome(0, token, "")

    assert house.leaks(outcome)


# -- where all goes well


@pytest.mark.parametrize("identity", ["token", "app"])
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("-vv",), id="text"),
        pytest.param(("-vv", "--format", "json"), id="json"),
        pytest.param(("-vv", "--dry-run"), id="rehearsal"),
    ],
)
def test_no_secret_is_told_where_all_goes_well(
    house: House, monkeypatch: pytest.MonkeyPatch, identity: str, arguments: tuple[str, ...]
) -> None:
    if identity == "app":
        use_app(house, monkeypatch)

    outcome = house.run("github:acme", *arguments)

    assert outcome.code == ("--dry-run" in arguments), outcome.stdout
    assert "acme/app" in outcome.stdout
    assert "digestbot.forge.github" in outcome.stderr, "the log is there"
    assert house.leaks(outcome) == []


@pytest.mark.parametrize("identity", ["token", "app"])
def test_git_gets_the_token_for_its_host_alone_and_writes_it_nowhere(
    house: House, monkeypatch: pytest.MonkeyPatch, identity: str
) -> None:
    if identity == "app":
        use_app(house, monkeypatch)

    outcome = house.spawn("github:acme", "--write-by", "git", "-vv")

    assert outcome.code == 0, outcome.stdout
    words = [path.read_text() for path in (house.root / "notes").glob("*/argv")]
    assert any("push" in one for one in words), "git was seen"
    copies = list((house.root / "notes").glob("*/temp/**/config"))
    assert copies, "its configuration was seen"
    assert house.leaks(outcome) == []


@pytest.mark.parametrize("identity", ["token", "app"])
@pytest.mark.parametrize("is_valid", [True, False], ids=["valid", "revoked"])
@pytest.mark.parametrize("command", ["scan", "doctor"])
def test_other_commands_tell_no_secret_either(
    house: House, monkeypatch: pytest.MonkeyPatch, identity: str, is_valid: bool, command: str
) -> None:
    if identity == "app":
        use_app(house, monkeypatch, is_known=is_valid)
    if not is_valid:
        revoked(house)
    config = str(house.root / "org.yaml")

    outcome = digestbot(command, "--config", config, "-vv", "github:acme")

    assert outcome.code in ({0, 1} if is_valid else {5}), outcome.stdout
    assert house.leaks(outcome) == []


# -- where it does not


@contextmanager
def elsewhere(location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A host that notes who comes with which login, and sends everybody on."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            seen.append(str(self.headers))
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(307 if location else 404)
            self.send_header("Location", f"{location}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _answer  # noqa: N815 - as called

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def echoing(status: int) -> Callable[[House], None]:
    """GitHub says no, and repeats the token while it does."""

    def arrange(house: House) -> None:
        (token,) = house.cli.github.world.tokens

        def refuse() -> None:
            raise ApiError(status, f"{token} may not", kind="FORBIDDEN")

        house.cli.github.faults.add(refuse, times=0)

    return arrange


def broken_write(house: House) -> None:
    house.cli.github.faults.add("502-after", method="POST", path="/repos/*", times=0)


def refused_connection(house: House) -> None:
    configure(house, url="http://127.0.0.1:9")


def no_tls(house: House) -> None:
    configure(house, url=house.cli.github.url.replace("http:", "https:"))


@pytest.mark.parametrize(
    "arrange, code",
    [
        pytest.param(revoked, "unauthorized", id="401"),
        pytest.param(echoing(401), "unauthorized", id="401-with-echo"),
        pytest.param(echoing(403), "no-permission", id="403-with-echo"),
        pytest.param(echoing(422), "refused", id="422-with-echo"),
        pytest.param(echoing(502), "unavailable", id="502-with-echo"),
        pytest.param(broken_write, "unsettled", id="502-after-writes"),
        pytest.param(refused_connection, "unreachable", id="connection-refused"),
        pytest.param(no_tls, "untrusted", id="tls"),
        pytest.param(wrong_password, "unauthorized", id="registry"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_told_where_something_fails(
    house: House, arrange: Callable[[House], None], code: str, form: str
) -> None:
    arrange(house)

    outcome = house.run("github:acme", "-vv", "--format", form)

    assert outcome.code == 5
    assert code in outcome.stdout
    assert house.leaks(outcome) == []


def test_a_redirect_does_not_take_the_token_along(house: House) -> None:
    with elsewhere() as (other, stolen), elsewhere(other) as (first, _):
        configure(house, url=first)

        outcome = house.run("github:acme", "-vv")

    assert outcome.code == 5
    assert "redirects to another host" in " ".join(outcome.stdout.split())
    assert stolen == []
    assert house.leaks(outcome) == []


def test_a_rejected_push_tells_no_secret(house: House) -> None:
    hook = house.cli.github.repo("acme/app").git.folder / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on my watch\nenv\nexit 1\n")
    hook.chmod(0o755)

    outcome = house.spawn("github:acme", "--write-by", "git", "-vv")

    assert outcome.code == 5
    assert "push-refused" in outcome.stdout
    assert house.leaks(outcome) == []


@pytest.mark.parametrize(
    "token", ["canary-9d\x1bline", "canary-9d line", "canary-9dé", "canary-9d\nX-Evil: 1"]
)
def test_a_token_that_cannot_be_one_is_not_repeated(
    house: House, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    house.secrets.append("canary-9d")

    outcome = house.run("github:acme", "-vv")

    assert outcome.code == 5
    assert "bad-token" in outcome.stdout
    assert house.leaks(outcome) == []


@pytest.mark.parametrize("kind", ["unknown", "garbled"])
def test_a_key_of_an_app_that_is_none_is_not_repeated(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    use_app(house, monkeypatch, is_known=kind == "garbled")
    if kind == "garbled":
        (house.kept / "app.pem").write_text("-----BEGIN KEY-----\ncanary-key-5c\n")
        house.secrets.append("canary-key-5c")

    outcome = house.run("github:acme", "-vv")

    assert outcome.code == 5
    assert "private key" in " ".join(outcome.stdout.split())
    assert house.leaks(outcome) == []


# -- where digestbot itself fails


def explode(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("boom")


def test_a_failure_in_one_repo_leaves_a_traceback_without_secrets(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propose, "reconcile", explode)

    outcome = house.run("github:acme", "-vv")

    assert outcome.code == 5
    assert "internal" in outcome.stdout
    assert "RuntimeError: boom" in outcome.stderr
    assert house.leaks(outcome) == []


def test_a_crash_leaves_a_report_without_secrets(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "_exit_code", explode)

    outcome = house.run("github:acme", "-vv")

    assert outcome.code == 3
    assert "Please report this" in outcome.stderr
    assert "RuntimeError: boom" in outcome.stderr
    assert house.leaks(outcome) == []

"""`digestbot doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import digestbot
from tests.registries.fake import FakeRegistry
from tests.registries.tokens import basic_auth


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    """A registry; the working directory is empty, and docker has no logins."""
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with FakeRegistry() as server:
        yield server


def test_a_sound_registry_is_well(fake: FakeRegistry) -> None:
    outcome = digestbot("doctor", fake.host)

    assert outcome.code == 0
    assert outcome.stdout.splitlines()[0] == "ok    configuration: none; the built-in one is used"
    assert outcome.stdout.splitlines()[-1].startswith(f"ok    {fake.host} answers")


def test_without_arguments_it_looks_at_what_this_folder_pins(fake: FakeRegistry) -> None:
    Path("Dockerfile").write_text(f"FROM {fake.host}/team/app:1\n")

    outcome = digestbot("doctor")

    assert outcome.code == 0
    assert f"{fake.host} answers" in outcome.stdout


def test_a_mirror_rule_says_who_is_really_asked(fake: FakeRegistry) -> None:
    Path("Dockerfile").write_text("FROM python:3\n")
    Path("digestbot.yaml").write_text(f"mirrors:\n  docker.io/: {fake.host}/hub/\n")

    outcome = digestbot("doctor")

    assert outcome.code == 0
    assert "docker.io answers" not in outcome.stdout
    assert f"{fake.host} answers" in outcome.stdout


def test_a_login_that_works_is_named(fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    basic_auth(fake.local, {"robot$team": "secret-word"}, 'Basic realm="team"')
    monkeypatch.setenv("TEAM_PASSWORD", "secret-word")
    Path("digestbot.yaml").write_text(
        f'registries:\n  "{fake.host}":\n'
        "    username: robot$team\n    password_env: TEAM_PASSWORD\n"
    )

    outcome = digestbot("doctor", "--config", "digestbot.yaml")

    assert outcome.code == 0
    assert "accepts the login of 'robot$team'" in outcome.stdout
    assert "secret-word" not in outcome.stdout + outcome.stderr


def test_a_login_that_does_not_work_is_named_with_what_to_do(
    fake: FakeRegistry, tmp_path: Path
) -> None:
    basic_auth(fake.local, {"someone": "else"}, 'Basic realm="team"')
    auth = {"auths": {fake.host: {"username": "me", "password": "wrong-word"}}}
    (tmp_path / "config.json").write_text(json.dumps(auth))

    outcome = digestbot("doctor", fake.host)

    assert outcome.code == 5
    assert f"fail  {fake.host}" in outcome.stdout
    assert "hint:" in outcome.stdout
    assert "wrong-word" not in outcome.stdout + outcome.stderr


def test_a_registry_that_is_down(fake: FakeRegistry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"

    outcome = digestbot("doctor", host, fake.host, "--timeout", "2")

    assert outcome.code == 5
    assert f"fail  {host}" in outcome.stdout
    assert f"ok    {fake.host}" in outcome.stdout


def test_a_wrong_configuration_ends_it_with_the_line(fake: FakeRegistry) -> None:
    Path("digestbot.yaml").write_text("jobs: none\n")

    outcome = digestbot("doctor")

    assert outcome.code == 2
    assert "digestbot.yaml:1:1: jobs:" in outcome.stderr

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from digestbot.errors import UsageError
from digestbot.registry import helpers
from digestbot.registry.credentials import CredentialStore
from digestbot.registry.docker_config import ANONYMOUS, Credential
from digestbot.registry.errors import RegistryError
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.secret import Secret


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for credential helpers, on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def install(folder: Path, name: str, script: str) -> Path:
    """A helper whose standard input is in $server; returns the file of its calls."""
    program = folder / f"docker-credential-{name}"
    calls = folder / f"{name}.calls"
    program.write_text(f'#!/bin/sh\nread server\necho "$1 $server" >> {calls}\n{script}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return calls


def answer(username: str, secret: str) -> str:
    said = json.dumps({"ServerURL": "x", "Username": username, "Secret": secret})
    return f"echo '{said}'"


def make_store(config: dict[str, object], **settings: Any) -> CredentialStore:
    return CredentialStore(
        RegistrySettings(**settings),
        environ={"DOCKER_AUTH_CONFIG": json.dumps(config)},
        home=Path("/nonexistent"),
    )


class TestOrder:
    def test_own_settings_come_before_all_else(self) -> None:
        auths = {"r.example": {"username": "docker", "password": "pw"}}
        own = HostSettings(username="own", password=Secret("pw"))

        store = make_store({"auths": auths}, hosts={"r.example": own})

        assert store.find("r.example").username == "own"
        assert store.find("other.example") == ANONYMOUS

    def test_first_file_that_knows_a_login_counts(self, tmp_path: Path) -> None:
        docker, podman = tmp_path / ".docker", tmp_path / ".config" / "containers"
        for folder, name, user in ((docker, "config.json", "d"), (podman, "auth.json", "p")):
            folder.mkdir(parents=True)
            auths = {"both.example": {"username": user, "password": "pw"}}
            auths[f"{user}.example"] = {"username": user, "password": "pw"}
            (folder / name).write_text(json.dumps({"auths": auths}))

        store = CredentialStore(RegistrySettings(), environ={}, home=tmp_path)

        found = [store.find(f"{name}.example").username for name in ("both", "d", "p", "none")]
        assert found == ["d", "d", "p", ""]
        assert store.knows("p.example")
        assert not store.knows("none.example")

    def test_files_are_left_alone_where_so_configured(self) -> None:
        auths = {"r.example": {"username": "me", "password": "pw"}}

        store = make_store({"auths": auths}, docker_config=False)

        assert store.find("r.example") == ANONYMOUS

    def test_helper_of_a_host_comes_before_store_and_file(self, programs: Path) -> None:
        install(programs, "one", answer("helper", "pw"))
        install(programs, "two", answer("store", "pw"))
        auths = {"a.example": {"username": "file", "password": "pw"}}

        store = make_store(
            {"auths": auths, "credHelpers": {"a.example": "one"}, "credsStore": "two"}
        )

        assert store.find("a.example").username == "helper"
        assert store.find("b.example").username == "store"


class TestHelpers:
    def test_helper_is_asked_once_per_host(self, programs: Path) -> None:
        calls = install(programs, "one", answer("me", "pw"))
        store = make_store({"credsStore": "one"})

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: store.find("r.example", "team/app"), range(16)))

        assert set(found) == {Credential("me", Secret("pw"))}
        assert calls.read_text() == "get r.example\n"

    def test_docker_hub_goes_by_its_old_name(self, programs: Path) -> None:
        calls = install(programs, "one", answer("<token>", "abc"))
        store = make_store({"credHelpers": {"docker.io": "one"}})

        assert store.find("docker.io") == Credential(identity_token=Secret("abc"))
        assert calls.read_text() == "get https://index.docker.io/v1/\n"

    @pytest.mark.parametrize("stream", ["", ">&2"], ids=["stdout", "stderr"])
    def test_unknown_login_is_none(self, programs: Path, stream: str) -> None:
        said = "credentials not found in native keychain"
        install(programs, "one", f"echo '{said}' {stream}; exit 1")

        assert make_store({"credHelpers": {"r.example": "one"}}).find("r.example") == ANONYMOUS

    @pytest.mark.parametrize(
        "name, script, said",
        [
            pytest.param("absent", None, "is not installed", id="missing"),
            pytest.param("../../bin/sh", None, "is not installed", id="path-in-the-name"),
            pytest.param("-rf x", None, "is not installed", id="odd-name"),
            pytest.param("one", "echo hunter2; exit 3", "exit code 3", id="fails"),
            pytest.param("one", "echo hunter2", "did not answer in JSON", id="no-json"),
            pytest.param("one", "echo '[1]'", "did not answer in JSON", id="list"),
            pytest.param(
                "one", """echo '{"Username": 1, "Secret": "hunter2"}'""", "without", id="types"
            ),
        ],
    )
    def test_broken_helper_of_a_host_is_an_error_of_that_host(
        self, programs: Path, name: str, script: str | None, said: str
    ) -> None:
        if script:
            install(programs, name, script)
        store = make_store({"credHelpers": {"r.example": name}})

        with pytest.raises(RegistryError) as caught:
            store.find("r.example")

        assert caught.value.code == "credential-helper"
        assert said in str(caught.value)
        assert caught.value.hint
        assert "hunter2" not in str(caught.value) + caught.value.hint
        assert store.find("other.example") == ANONYMOUS

    def test_broken_store_is_a_problem_not_an_error(self) -> None:
        auths = {"r.example": {"username": "me", "password": "pw"}}
        store = make_store({"auths": auths, "credsStore": "absent"})

        assert store.find("r.example").username == "me"
        assert store.find("other.example") == ANONYMOUS
        assert store.problems == ["the credential helper 'absent' is not installed"]

    def test_helper_that_hangs_is_stopped(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(programs, "one", "exec sleep 60")
        monkeypatch.setattr(helpers, "TIMEOUT_S", 0.05)

        with pytest.raises(RegistryError) as caught:
            make_store({"credHelpers": {"r.example": "one"}}).find("r.example")

        assert "did not answer within" in str(caught.value)


class TestProblems:
    def test_file_that_cannot_be_read_is_named_and_others_count(self, tmp_path: Path) -> None:
        docker, podman = tmp_path / ".docker", tmp_path / ".config" / "containers"
        docker.mkdir()
        podman.mkdir(parents=True)
        (docker / "config.json").write_text('{"auths": {"r.example": {"auth": "hunter2"')
        auths = {"r.example": {"username": "p", "password": "pw"}}
        (podman / "auth.json").write_text(json.dumps({"auths": auths}))

        store = CredentialStore(RegistrySettings(), environ={}, home=tmp_path)

        assert store.find("r.example").username == "p"
        (problem,) = store.problems
        assert str(docker / "config.json") in problem
        assert "hunter2" not in problem

    def test_folder_in_place_of_a_file_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / ".docker" / "config.json").mkdir(parents=True)

        store = CredentialStore(RegistrySettings(), environ={}, home=tmp_path)

        assert "cannot be read" in store.problems[0]

    def test_password_that_cannot_be_read_is_an_error_of_that_host(self) -> None:
        def read() -> str:
            raise UsageError("HARBOR_PASSWORD is not set")

        host = HostSettings(username="me", password=Secret(read))
        store = make_store({}, hosts={"r.example": host})

        with pytest.raises(RegistryError) as caught:
            store.find("r.example")

        assert caught.value.code == "credentials"
        assert "HARBOR_PASSWORD" in str(caught.value)
        assert store.find("other.example") == ANONYMOUS

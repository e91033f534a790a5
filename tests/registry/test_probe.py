from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.registry.probe import Probe, probe
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.secret import Secret
from tests.registries.fake import Answer, FakeRegistry
from tests.registries.real import (
    PASSWORD,
    USERNAME,
    htpasswd_registry,
    open_registry,
    token_registry,
)
from tests.registries.tokens import TokenAuth
from tests.registry.asking import FakeTime


def probe_once(host: str, *, password: str = "") -> Probe:
    login = HostSettings(username=USERNAME, password=Secret(password))
    settings = RegistrySettings(hosts={host: login} if password else {})
    with RegistryResolver(settings, clock=FakeTime().clock) as resolver:
        return probe(resolver, host)


def test_open_registry_answers(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        found = probe_once(registry.host)

        assert registry.calls() == ["GET /v2/ 200"]

    assert found.is_ok
    assert "without a login" in found.message


def test_login_that_works_is_named(tmp_path: Path) -> None:
    with (
        htpasswd_registry(tmp_path / "basic") as basic,
        token_registry(tmp_path / "token", users={USERNAME: PASSWORD}) as bearer,
    ):
        found = [probe_once(host, password=PASSWORD) for host in (basic.host, bearer.host)]

    assert [one.login for one in found] == [USERNAME, USERNAME]
    assert all(one.is_ok for one in found)


def test_login_that_does_not_work_is_wrong(tmp_path: Path) -> None:
    with (
        htpasswd_registry(tmp_path / "basic") as basic,
        token_registry(tmp_path / "token", users={USERNAME: PASSWORD}) as bearer,
    ):
        found = [probe_once(host, password="wrong") for host in (basic.host, bearer.host)]

    assert [one.code for one in found] == ["unauthorized", "unauthorized"]
    assert not any(one.is_ok for one in found)
    assert "wrong" not in "".join(one.message + one.hint for one in found)


def test_missing_login_is_said(fake: FakeRegistry) -> None:
    TokenAuth(fake.local, fake.local)

    found = probe_once(fake.host)

    assert found.is_ok
    assert "no login is stored" in found.message
    assert "docker login" in found.hint
    assert "/token" not in {call.path for call in fake.local.calls}


@pytest.mark.parametrize(
    "answer, code",
    [
        (Answer(200, (("Content-Type", "text/html"),), b"<html>"), "not-a-registry"),
        (Answer(404, (("Content-Type", "text/html"),), b"<html>"), "not-a-registry"),
        (Answer.error(503), "unavailable"),
        (Answer(raw=b""), "unavailable"),
        (Answer.redirect("https://10.0.0.1/"), "private-address"),
    ],
    ids=["html", "html-404", "503", "hangs-up", "redirect"],
)
def test_what_is_wrong_is_named(fake: FakeRegistry, answer: Answer, code: str) -> None:
    fake.local.always(answer)

    found = probe_once(fake.host)

    assert not found.is_ok
    assert found.code == code


def test_host_that_is_down_is_unreachable() -> None:
    assert probe_once("127.0.0.1:1").code == "unreachable"

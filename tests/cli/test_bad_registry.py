"""Registries that misbehave: one clear line, the right exit code, and the file as it was."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from digestbot.image import Digest
from tests.cli.program import Outcome, digestbot
from tests.registries.fake import Answer, FakeRegistry
from tests.registries.real import tls_registry
from tests.registries.tokens import TokenAuth, basic_auth

OLD = Digest.of(b"old")
PASSWORD = "hunter2-but-longer"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    """A scriptable registry; the working directory pins three of its images."""
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with FakeRegistry() as server:
        names = ("a", "b", "c")
        lines = [f"FROM {server.host}/team/{name}:1@{OLD}\n" for name in names]
        (folder / "Dockerfile").write_text("".join(lines))
        for name in names:
            server.local.add(f"team/{name}", "1")
        yield server


def scan(*options: str) -> tuple[Outcome, dict[str, Any]]:
    before = Path("Dockerfile").read_bytes()
    outcome = digestbot("scan", "--write", "--format", "json", "--timeout", "5", *options)
    if outcome.code == 5:
        assert Path("Dockerfile").read_bytes() == before
    return outcome, json.loads(outcome.stdout)


def reasons(result: dict[str, Any]) -> set[str]:
    return {finding["reason"] for finding in result["findings"]}


def test_the_registry_is_sound_before_it_is_broken(fake: FakeRegistry) -> None:
    outcome, result = scan()

    assert outcome.code == 0
    assert result["summary"]["stale"] == 3


HTML = Answer(200, (("Content-Type", "text/html"),), b"<html>Please log in</html>")
WRONG_HEADER = Answer(
    200,
    (
        ("Content-Type", "application/vnd.oci.image.index.v1+json"),
        ("Docker-Content-Digest", "sha256:nonsense"),
    ),
    b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []',
)
OTHER_BODY = Answer(
    200,
    (
        ("Content-Type", "application/vnd.oci.image.index.v1+json"),
        ("Docker-Content-Digest", str(Digest.of(b"something else"))),
    ),
    b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",'
    b' "manifests": []}',
)


@pytest.mark.parametrize(
    "answer, method, code",
    [
        pytest.param(HTML, "", "not-a-registry", id="html"),
        pytest.param(WRONG_HEADER, "", "bad-manifest", id="wrong-digest-header-and-half-a-body"),
        pytest.param(Answer.error(404, "MANIFEST_UNKNOWN"), "", "not-found", id="gone"),
        pytest.param(Answer.error(412, "PROJECTPOLICYVIOLATION"), "", "policy", id="policy"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_failed_with_its_cause(
    fake: FakeRegistry, answer: Answer, method: str, code: str
) -> None:
    fake.local.always(answer, method=method, path="/manifests/")

    outcome, result = scan()

    assert outcome.code == 5
    assert reasons(result) == {code}
    assert {error["subject"] for error in result["errors"]} == {fake.host}


def test_a_body_that_does_not_match_its_digest(fake: FakeRegistry) -> None:
    fake.local.always(OTHER_BODY, path="/manifests/")
    fake.local.always(Answer(405), method="HEAD", path="/manifests/")

    outcome, result = scan()

    assert outcome.code == 5
    assert reasons(result) == {"digest-mismatch"}
    assert "promises sha256:" in result["errors"][0]["message"]


def test_a_registry_that_limits_for_ever_is_left_alone_soon(fake: FakeRegistry) -> None:
    fake.local.always(Answer.error(429, "TOOMANYREQUESTS", ("Retry-After", "3600")))

    outcome, result = scan("--jobs", "1")

    assert outcome.code == 5
    assert reasons(result) == {"rate-limited"}
    assert len(fake.local.calls) == 1, "the other images must not ask again"
    (error,) = result["errors"]
    assert "3600 s" in error["message"]
    assert error["hint"]


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A login that docker keeps; the user's password is wrong everywhere."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return base64.b64encode(f"robot$team:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_a_wrong_password_is_tried_once_and_never_shown(
    fake: FakeRegistry, login: str, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {fake.host: {"auth": login}}}))
    if kind == "basic":
        basic_auth(fake.local, {"robot$team": "other"}, 'Basic realm="team"')
    else:
        TokenAuth(fake.local, fake.local, service="team", users={"robot$team": "other"})

    outcome, result = scan("--jobs", "3")

    tries = [call for call in fake.local.calls if call.authorization.startswith("Basic")]
    assert outcome.code == 5
    assert reasons(result) == {"unauthorized"}
    assert len(tries) == 1
    assert "robot$team" in result["errors"][0]["message"]
    for secret in (PASSWORD, login):
        assert secret not in outcome.stdout + outcome.stderr


def test_a_missing_credential_helper_fails_only_its_own_host(
    fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    private = f"localhost:{fake.host.rpartition(':')[2]}"
    basic_auth(fake.site(private), {}, 'Basic realm="private"')
    helpers = {private: "no-such-helper"}
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": helpers}))
    with Path("Dockerfile").open("a") as file:
        file.write(f"FROM {private}/app:1@{OLD}\n")

    outcome = digestbot("scan", "--format", "json", "--timeout", "5")

    result = json.loads(outcome.stdout)
    assert outcome.code == 5
    assert [finding["status"] for finding in result["findings"]] == ["stale"] * 3 + ["failed"]
    assert result["errors"][0]["code"] == "credential-helper"
    assert "'no-such-helper'" in result["errors"][0]["message"]
    assert result["errors"][0]["hint"]


def test_a_self_signed_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with tls_registry(tmp_path / "registry") as registry:
        new = registry.push("team/app", "1")
        Path("Dockerfile").write_text(f"FROM {registry.host}/team/app:1@{OLD}\n")
        config = f'registries:\n  "{registry.host}":\n    ca_file: {{}}\n'
        Path("trusting.yaml").write_text(config.format(registry.ca_file))
        Path("distrusting.yaml").write_text(config.format(_other_authority(tmp_path)))

        refused, result = scan("--config", "distrusting.yaml")
        accepted = digestbot("scan", "--write", "--config", "trusting.yaml")

    assert refused.code == 5
    assert reasons(result) == {"tls"}
    assert "ca_file" in result["errors"][0]["hint"]
    assert accepted.code == 0
    assert str(new) in Path("Dockerfile").read_text()


def _other_authority(folder: Path) -> Path:
    path = folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1:5000", "[fe80::1]"])
def test_a_reference_in_a_file_cannot_lead_into_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_text(f"FROM {host}/app:1@{OLD}\n")

    outcome, result = scan()

    assert outcome.code == 5
    assert reasons(result) == {"private-address"}
    assert "registries" in result["errors"][0]["hint"]


def test_what_a_registry_says_reaches_the_terminal_harmless(fake: FakeRegistry) -> None:
    evil = "\\u001b[2J\\u202e::error::[link](http://evil.example) <b>x</b>"
    body = f'{{"errors": [{{"code": "DENIED", "message": "{evil}"}}]}}'.encode()
    fake.local.always(Answer(403, (("Content-Type", "application/json"),), body))

    for report in ("text", "markdown", "github"):
        outcome = digestbot("scan", "--format", report, "-v")

        assert outcome.code == 5
        assert "\x1b" not in outcome.stdout
        assert "\u202e" not in outcome.stdout

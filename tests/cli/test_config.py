"""`digestbot config`: validate, show, schema, init."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import digestbot

pytestmark = pytest.mark.usefixtures("in_tmp_path")


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_writes_a_file_that_validates() -> None:
    created = digestbot("config", "init")
    checked = digestbot("config", "validate")

    assert (created.code, checked.code) == (0, 0)
    assert created.stderr == "wrote digestbot.yaml; check it with: digestbot config validate\n"
    assert checked.stderr == "digestbot.yaml is valid\n"


def test_init_never_overwrites() -> None:
    Path("digestbot.yaml").write_text("pin: true\n")

    outcome = digestbot("config", "init")

    assert outcome.code == 2
    assert "digestbot.yaml exists already" in outcome.stderr
    assert Path("digestbot.yaml").read_text() == "pin: true\n"


def test_a_misspelt_key_is_named_with_line_and_fix() -> None:
    Path("digestbot.yaml").write_text("pin: true\nregistrys: {}\njobs: many\n")

    outcome = digestbot("config", "validate")

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert "digestbot.yaml:2:1: registrys: " in outcome.stderr
    assert "registries" in outcome.stderr
    assert "error: digestbot.yaml:3:1: jobs: " in outcome.stderr


def test_show_says_where_each_value_comes_from() -> None:
    Path("digestbot.yaml").write_text("# ours\njobs: 3\n")

    text = digestbot("config", "show")
    document = json.loads(digestbot("config", "show", "--format", "json").stdout)

    assert document["jobs"] == {"value": 3, "origin": "digestbot.yaml:2"}
    assert document["pin"] == {"value": False, "origin": "default"}
    assert [line.split() for line in text.stdout.splitlines() if line.startswith("jobs")] == [
        ["jobs", "3", "digestbot.yaml:2"]
    ]


def test_show_never_says_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARBOR_PASSWORD", "hunter2-secret")
    Path("digestbot.yaml").write_text(
        "registries:\n  harbor.example:\n    username: robot$x\n    password_env: HARBOR_PASSWORD\n"
    )

    outcome = digestbot("config", "show")

    assert "HARBOR_PASSWORD" in outcome.stdout
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_the_committed_schema_is_the_one_that_is_printed() -> None:
    committed = Path(__file__).parents[2] / "config" / "digestbot.schema.json"

    printed = digestbot("config", "schema")

    assert printed.stdout == committed.read_text(), (
        "run: digestbot config schema --output config/digestbot.schema.json"
    )


def test_the_schema_can_go_to_a_file() -> None:
    assert digestbot("config", "schema", "--output", "schema.json").code == 0
    assert json.loads(Path("schema.json").read_text())["type"] == "object"


def test_the_configuration_of_a_scanned_folder_is_not_read(tmp_path: Path) -> None:
    """A stranger's repository does not configure whom we ask."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "digestbot.yaml").write_text("no: such key\n")
    (stranger / "Dockerfile").write_text("FROM scratch\n")

    assert digestbot("scan", "--offline", "stranger").code == 0


@pytest.mark.parametrize("text", ["registries:\n  ghcr.io: {}\n", "allow_private: true\n"])
def test_a_file_that_is_merely_found_says_nothing_of_registries(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wrote it would decide who is sent the user's passwords."""
    Path("digestbot.yaml").write_text(text)
    Path("Dockerfile").write_text("FROM scratch\n")

    found = digestbot("scan", "--offline")
    named = digestbot("scan", "--offline", "--config", "digestbot.yaml")
    monkeypatch.setenv("DIGESTBOT_CONFIG", "digestbot.yaml")
    by_variable = digestbot("scan", "--offline")

    assert (found.code, named.code, by_variable.code) == (2, 0, 0)
    assert "digestbot.yaml:1: " in found.stderr
    assert "hint: if it is yours, name it: --config digestbot.yaml" in found.stderr

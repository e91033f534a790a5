from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli.main import run
from digestbot.config.example import example_text
from digestbot.config.issues import ConfigError
from digestbot.config.load import load_settings
from digestbot.config.models import Settings
from digestbot.config.parse import read_document
from digestbot.config.schema import SCHEMA_URL, schema_text, settings_schema
from tests.config.conftest import Write

FOLDER = Path(__file__).parents[2] / "config"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


def errors(text: str) -> list[str]:
    validator = Draft202012Validator(settings_schema())
    data = read_document(text, "a.yaml").data
    return [error.message for error in validator.iter_errors(data)]


def test_the_committed_schema_is_the_one_of_the_models() -> None:
    committed = (FOLDER / "digestbot.schema.json").read_text(encoding="utf-8")

    assert committed == schema_text(), (
        "the models have changed; write the schema again: "
        "digestbot config schema --output config/digestbot.schema.json"
    )


def test_the_schema_is_a_correct_one_with_name_title_and_descriptions() -> None:
    schema = json.loads(schema_text())

    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == SCHEMA_URL
    assert schema["title"] == "digestbot configuration"
    for section in (schema, *schema["$defs"].values()):
        assert section["additionalProperties"] is False
        assert all(spec["description"] for spec in section["properties"].values())


def test_there_are_examples() -> None:
    assert [path.name for path in EXAMPLES] == [
        "cronjob.yaml",
        "digestbot.yaml",
        "harbor.yaml",
        "organization.yaml",
        "service-postgresql.yaml",
        "service.yaml",
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_right_for_schema_and_loader(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert text.startswith("# yaml-language-server: $schema=digestbot.schema.json\n")
    assert errors(text) == []
    assert load_settings(path).settings != Settings()


def test_the_example_for_one_repo_may_be_found_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(FOLDER / "digestbot.yaml", tmp_path)
    Path("Dockerfile").write_text("FROM scratch\n")

    assert run(["scan", "."]) == 0
    assert capsys.readouterr().err == ""


def test_the_first_configuration_is_right_for_schema_and_loader(write: Write) -> None:
    text = example_text()

    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA_URL}\n")
    assert errors(text) == []
    assert load_settings(write(text)).settings.exclude == ("vendor/**",)


def test_the_first_configuration_may_name_a_schema_of_ones_own() -> None:
    assert example_text("my.json").startswith("# yaml-language-server: $schema=my.json\n")


def test_what_the_first_configuration_offers_in_comments_is_right_too(write: Write) -> None:
    comments = [line for line in example_text().splitlines() if line.startswith("#")]
    offered = [line[2:] for line in comments if line.startswith("#  ") or line.endswith(":")]

    settings = load_settings(write("\n".join(offered))).settings

    assert settings.ignore
    assert settings.registries
    assert settings.mirrors


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("jobs: 0", id="range"),
        pytest.param("jobs: many", id="type"),
        pytest.param("exclude: vendor", id="list"),
        pytest.param("exclude:", id="null"),
        pytest.param("fail_on: [never]", id="choice"),
        pytest.param("job: 1", id="unknown"),
        pytest.param("ignore: [{path: a}]", id="missing"),
        pytest.param("registries: {ghcr.io: {password: x}}", id="plain-password"),
        pytest.param("registries: {ghcr.io: {username: a}}", id="no-password"),
        pytest.param("registries: {ghcr.io: {password_env: A}}", id="no-username"),
        pytest.param(
            "registries: {ghcr.io: {username: a, password_env: A, password_file: b}}",
            id="two-passwords",
        ),
        pytest.param("registries: {ghcr.io: {client_key: a}}", id="no-certificate"),
        pytest.param(
            "registries: {ghcr.io: {username: a, password_env: '1 2'}}", id="variable-name"
        ),
        pytest.param("registries: {'https://ghcr.io': {}}", id="url"),
        pytest.param("mirrors: {a.io: b.io/}", id="left-without-slash"),
        pytest.param("mirrors: {a.io/: b.io}", id="right-without-slash"),
    ],
)
def test_editor_and_loader_both_refuse(write: Write, text: str) -> None:
    assert errors(text)
    with pytest.raises(ConfigError):
        load_settings(write(text))

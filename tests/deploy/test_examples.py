from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from digestbot.cli.main import run
from digestbot.config.load import load_settings
from digestbot.config.models import Settings
from tests.deploy.files import COMPOSE, EXAMPLES, ROOT, UNITS, read_unit, read_yaml

SERVICE = ROOT / "config" / "service.yaml"
POSTGRESQL = ROOT / "config" / "service-postgresql.yaml"
CRONJOB = ROOT / "config" / "cronjob.yaml"
FOLDER = Path("/etc/digestbot")


def settings_in(folder: Path, example: Path) -> Settings:
    """An example's settings where it lies beside what it names."""
    shutil.copy(example, folder / "digestbot.yaml")
    return load_settings(folder / "digestbot.yaml").settings


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_valid(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "validate", "--config", str(path)]) == 0
    assert capsys.readouterr().err == f"{path} is valid\n"


@pytest.mark.parametrize("path", [SERVICE, POSTGRESQL, CRONJOB], ids=lambda path: path.name)
def test_an_example_of_the_service_has_targets_and_a_state(path: Path) -> None:
    settings = load_settings(path).settings

    assert settings.targets
    assert settings.state is not None
    assert str(settings.cache) == "/var/cache/digestbot"


@pytest.mark.parametrize("path", [SERVICE, POSTGRESQL], ids=lambda path: path.name)
def test_what_an_example_names_is_handed_over_by_compose(tmp_path: Path, path: Path) -> None:
    settings = settings_in(tmp_path, path)
    service = read_yaml(COMPOSE)["services"]["digestbot"]
    given = {Path(each["target"]) for each in service["secrets"]}
    volumes = {each.split(":")[1] for each in service["volumes"]}

    named = {settings.github.app_key_file}
    if settings.state is not None:
        named |= {settings.state.password_file}
        assert settings.state.url or str(settings.state.folder) in volumes
    assert {FOLDER / each.name for each in named if each is not None} <= given
    assert str(settings.cache) in volumes


def test_what_the_example_names_is_handed_over_by_systemd(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, SERVICE)

    for unit in (read_unit(path.read_text()) for path in UNITS if path.suffix == ".service"):
        given = [tmp_path / each.split(":")[0] for each in unit["LoadCredential"]]
        assert given == [tmp_path / "digestbot.yaml", settings.github.app_key_file]
        assert settings.state is not None
        assert settings.state.folder == Path("/var/lib") / unit["StateDirectory"][0]
        assert settings.cache == Path("/var/cache") / unit["CacheDirectory"][0]


def test_the_database_of_the_example_is_the_one_of_compose() -> None:
    settings = load_settings(POSTGRESQL).settings
    environment = read_yaml(COMPOSE)["services"]["postgresql"]["environment"]

    assert settings.state is not None
    user, name = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
    assert settings.state.url == f"postgresql://{user}@postgresql/{name}"


def test_the_service_waits_and_keeps_to_office_hours_and_has_days_off() -> None:
    settings = load_settings(SERVICE).settings

    assert settings.hold.settle
    assert settings.hold.min_age
    assert settings.deny
    assert settings.schedule is not None
    assert settings.freeze
    assert [each.url_env for each in settings.notify] == ["SLACK_WEBHOOK_URL"]
    assert settings.service.listen.startswith("127.0.0.1:")

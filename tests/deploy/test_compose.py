from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from digestbot.image.reference import ImageReference
from tests.deploy.files import COMPOSE, DEPLOY, read_yaml, tool

SERVICES = sorted(read_yaml(COMPOSE)["services"])


def service(name: str) -> Any:
    return read_yaml(COMPOSE)["services"][name]


def complaint(path: Path) -> str:
    """What the schema of the Compose specification has to say."""
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)
    return done.stdout if done.returncode else ""


def test_the_file_is_right_by_the_schema_of_the_specification() -> None:
    assert complaint(COMPOSE) == ""


@pytest.mark.parametrize(
    "old, new",
    [
        pytest.param("stop_grace_period:", "stop_grace_time:", id="unknown-key"),
        pytest.param("read_only: true", "read_only: [maybe]", id="wrong-type"),
        pytest.param("condition: service_healthy", "condition: healthy", id="wrong-word"),
    ],
)
def test_the_schema_refuses_what_is_wrong(tmp_path: Path, old: str, new: str) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace(old, new, 1))

    assert complaint(wrong)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_as_little_as_possible(name: str) -> None:
    found = service(name)

    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & found.keys()
    assert int(found["user"].split(":")[0]) > 0
    assert any(each.startswith("/tmp:") for each in found["tmpfs"])
    assert found["pids_limit"]
    assert found["mem_limit"]
    assert found["cpus"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_and_has_time_to_stop(name: str) -> None:
    found = service(name)

    assert found["healthcheck"]["test"][0] == "CMD"
    assert found["restart"] == "unless-stopped"
    assert found["stop_grace_period"] == "30s"


def test_sqlite_is_the_default_and_postgresql_a_profile() -> None:
    assert "profiles" not in service("digestbot")
    assert service("digestbot")["depends_on"] == {
        "postgresql": {"condition": "service_healthy", "required": False}
    }
    assert service("postgresql")["profiles"] == ["postgresql"]
    assert "ports" not in service("postgresql")


def test_digestbot_is_built_from_this_repo_and_postgresql_is_pinned() -> None:
    found = service("digestbot")["build"]

    assert (DEPLOY / found["context"] / found["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    assert ImageReference.parse(service("postgresql")["image"]).digest is not None


def test_secrets_come_as_files() -> None:
    compose = read_yaml(COMPOSE)

    assert all(list(each) == ["file"] for each in compose["secrets"].values())
    assert service("postgresql")["environment"]["POSTGRES_PASSWORD_FILE"] == (
        "/run/secrets/postgresql-password"
    )


def test_what_is_mounted_is_declared_and_what_is_declared_is_mounted() -> None:
    compose = read_yaml(COMPOSE)
    volumes, secrets = set(), set()
    for each in compose["services"].values():
        volumes |= {volume.split(":")[0] for volume in each["volumes"]}
        secrets |= {s if isinstance(s, str) else s["source"] for s in each["secrets"]}

    assert volumes == compose["volumes"].keys()
    assert secrets == compose["secrets"].keys()


def test_nothing_is_published_to_other_hosts() -> None:
    assert service("digestbot")["ports"] == ["127.0.0.1:8080:8080"]


def test_a_database_that_is_not_asked_for_needs_no_password() -> None:
    assert read_yaml(COMPOSE)["secrets"]["postgresql-password"]["file"] == (
        "${POSTGRESQL_PASSWORD_FILE:-/dev/null}"
    )

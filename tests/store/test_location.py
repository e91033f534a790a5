"""Where the state is kept, and what of that is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.serving import StateConfig
from digestbot.secret import Secret
from digestbot.store.location import Location, location_of

URL = "postgresql://digestbot@db.example.com/digestbot"
CANARY = "canary-pa55 w%rd"


def config(**keys: str) -> StateConfig:
    return StateConfig.model_validate(keys)


def in_file(tmp_path: Path, content: bytes) -> StateConfig:
    path = tmp_path / "password"
    path.write_bytes(content)
    return config(url=URL, password_file=str(path))


def test_a_folder_has_a_file_in_it(tmp_path: Path) -> None:
    location = location_of(config(folder=str(tmp_path)), {})

    assert location == Location(tmp_path)
    assert location.file == tmp_path / "digestbot.db"
    assert str(location) == str(tmp_path / "digestbot.db")


def test_looking_where_it_is_makes_nothing(tmp_path: Path) -> None:
    location_of(config(folder=str(tmp_path / "state")), {})

    assert not (tmp_path / "state").exists()


def test_a_database_needs_no_password() -> None:
    location = location_of(config(url=URL), {"PGPASSWORD": CANARY})

    assert (location.folder, location.file, location.url) == (None, None, URL)
    assert not location.password


def test_its_password_is_in_a_variable() -> None:
    location = location_of(config(url=URL, password_env="DB_PASSWORD"), {"DB_PASSWORD": CANARY})

    assert location.password == Secret(CANARY)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CANARY.encode(), id="alone"),
        pytest.param(f"{CANARY}\n".encode(), id="line"),
        pytest.param(f"{CANARY}\r\n".encode(), id="line-of-windows"),
    ],
)
def test_its_password_is_in_a_file(tmp_path: Path, content: bytes) -> None:
    location = location_of(in_file(tmp_path, content), {})

    assert location.password == Secret(CANARY)


def test_of_several_line_ends_one_is_not_the_passwords(tmp_path: Path) -> None:
    location = location_of(in_file(tmp_path, b" two\n\n"), {})

    assert location.password == Secret(" two\n")


@pytest.mark.parametrize(
    "environ", [pytest.param({}, id="unset"), pytest.param({"DB_PASSWORD": ""}, id="empty")]
)
def test_a_variable_without_password_is_a_mistake(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="DB_PASSWORD is not set, or empty"):
        location_of(config(url=URL, password_env="DB_PASSWORD"), environ)


@pytest.mark.parametrize(
    "content, said",
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n", "is empty", id="line-end"),
        pytest.param(CANARY.encode() + b"\xff", "not UTF-8", id="bytes"),
    ],
)
def test_a_file_without_password_is_a_mistake(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        location_of(in_file(tmp_path, content), {})

    assert "state.password_file" in str(caught.value)
    assert "canary" not in f"{caught.value}{caught.value.__cause__!r}"


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "none"

    with pytest.raises(ConfigError, match="none cannot be read: No such file"):
        location_of(config(url=URL, password_file=str(path)), {})


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    location = location_of(config(url=URL, password_file=os.devnull.replace("null", "zero")), {})

    assert len(location.password.reveal()) == 64 * 1024


def test_the_password_is_never_shown() -> None:
    location = Location(None, URL, Secret(CANARY))

    assert str(location) == f"{location}" == URL
    assert "canary" not in repr(location)

"""Where the configuration says that the state is."""

from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.serving import StateConfig
from digestbot.store.location import Location, location_of

URL = "postgresql://bot@db.example.com/digestbot"


def in_file(path: Path, content: bytes) -> StateConfig:
    path.write_bytes(content)
    return StateConfig(url=URL, password_file=path)


def test_a_folder(tmp_path: Path) -> None:
    location = location_of(StateConfig(folder=tmp_path), {})

    assert location == Location(tmp_path)
    assert str(location) == str(location.file) == str(tmp_path / "digestbot.db")


def test_an_address_without_password() -> None:
    location = location_of(StateConfig(url=URL), {})

    assert (location.folder, location.file, location.url) == (None, None, URL)
    assert not location.password


def test_a_password_of_the_environment_is_never_shown() -> None:
    location = location_of(StateConfig(url=URL, password_env="PW"), {"PW": "canary"})

    assert location.password.reveal() == "canary"
    assert str(location) == URL
    assert "canary" not in repr(location)


@pytest.mark.parametrize(
    "content, password",
    [
        pytest.param(b"canary", "canary", id="bare"),
        pytest.param(b"canary\n", "canary", id="newline"),
        pytest.param(b"canary\r\n", "canary", id="windows"),
        pytest.param(b" can\nary \n", " can\nary ", id="all-else-is-part-of-it"),
        pytest.param("pässword".encode(), "pässword", id="utf-8"),
    ],
)
def test_a_password_of_a_file(tmp_path: Path, content: bytes, password: str) -> None:
    location = location_of(in_file(tmp_path / "password", content), {})

    assert location.password.reveal() == password


@pytest.mark.parametrize("environ", [{}, {"PW": ""}])
def test_a_variable_that_is_missing_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="PW is not set, or empty"):
        location_of(StateConfig(url=URL, password_env="PW"), environ)


@pytest.mark.parametrize(
    "content, said",
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n", "is empty", id="newline"),
        pytest.param(b"canary\xff", "is not UTF-8", id="bytes"),
    ],
)
def test_a_file_without_password_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    config = in_file(tmp_path / "password", content)

    with pytest.raises(ConfigError, match=said) as caught:
        location_of(config, {})

    assert "canary" not in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    config = StateConfig(url=URL, password_file=tmp_path / "nowhere")

    with pytest.raises(ConfigError, match="nowhere cannot be read"):
        location_of(config, {})


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    location = location_of(StateConfig(url=URL, password_file=Path("/dev/zero")), {})

    assert len(location.password.reveal()) == 64 * 1024


def test_looking_where_it_is_makes_nothing(tmp_path: Path) -> None:
    location_of(StateConfig(folder=tmp_path / "state"), {})

    assert not (tmp_path / "state").exists()

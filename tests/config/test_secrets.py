from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.models import RegistryConfig
from digestbot.config.secrets import read_password

FROM_VARIABLE = RegistryConfig(username="me", password_env="TOKEN")


def from_file(path: Path) -> RegistryConfig:
    return RegistryConfig(username="me", password_file=path)


def complaint(config: RegistryConfig, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read_password("ghcr.io", config, environ or {})
    return str(caught.value)


def test_without_a_password_there_is_none() -> None:
    assert read_password("ghcr.io", RegistryConfig(), {}) is None


@pytest.mark.parametrize(
    "written, password",
    [
        pytest.param("hunter2", "hunter2", id="plain"),
        pytest.param("hunter2\n", "hunter2", id="one-line-break"),
        pytest.param("hunter2\r\n", "hunter2", id="windows-line-break"),
        pytest.param("hunter2\n\n", "hunter2\n", id="only-one-line-break"),
        pytest.param(" hunter 2 ", " hunter 2 ", id="spaces-belong-to-it"),
        pytest.param("pässwörd", "pässwörd", id="not-ascii"),
    ],
)
def test_a_password_is_read_without_its_last_line_break(
    tmp_path: Path, written: str, password: str
) -> None:
    path = tmp_path / "pw"
    path.write_bytes(written.encode())

    of_file = read_password("ghcr.io", from_file(path), {})
    of_variable = read_password("ghcr.io", FROM_VARIABLE, {"TOKEN": written})

    assert of_file is not None
    assert of_variable is not None
    assert of_file.get_secret_value() == of_variable.get_secret_value() == password


def test_a_password_does_not_show_itself() -> None:
    password = read_password("ghcr.io", FROM_VARIABLE, {"TOKEN": "hunter2"})

    assert "hunter2" not in f"{password} {password!r}"


def test_a_variable_that_is_not_set_is_named_with_its_key() -> None:
    assert complaint(FROM_VARIABLE) == (
        "registries.ghcr.io.password_env: the environment variable TOKEN is not set"
    )


@pytest.mark.parametrize("text", ["", "\n", "\r\n"])
def test_an_empty_password_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pw"
    path.write_bytes(text.encode())

    assert complaint(FROM_VARIABLE, {"TOKEN": text}) == (
        "registries.ghcr.io.password_env: the password is empty"
    )
    assert complaint(from_file(path)) == "registries.ghcr.io.password_file: the password is empty"


def test_a_file_that_cannot_be_read_is_named_with_its_key(tmp_path: Path) -> None:
    path = tmp_path / "pw"

    assert complaint(from_file(path)) == (
        f"registries.ghcr.io.password_file: {path} cannot be read: No such file or directory"
    )


def test_a_file_that_is_no_text_is_refused_without_showing_any_of_it(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_bytes(b"hunter2\xff")

    with pytest.raises(ConfigError) as caught:
        read_password("ghcr.io", from_file(path), {})

    assert str(caught.value) == f"registries.ghcr.io.password_file: {path} is not UTF-8 text"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_file_that_is_no_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_bytes(b"x" * (64 * 1024 + 1))

    assert complaint(from_file(path)) == (
        f"registries.ghcr.io.password_file: {path} is larger than 64 KiB"
    )

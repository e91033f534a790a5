"""Passwords, read where the configuration says; the one place that sees them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from digestbot.config.issues import ConfigError, Issue
from digestbot.config.models import RegistryConfig

MAX_BYTES = 64 * 1024


def read_password(
    host: str, config: RegistryConfig, environ: Mapping[str, str]
) -> SecretStr | None:
    """The password for this registry; None where the configuration has none.

    One line break at the end is dropped: editors and `echo` add one.

    Raises:
        ConfigError: The variable is not set, the file cannot be read, or either is empty.
    """
    if config.password_env is not None:
        key = f"registries.{host}.password_env"
    elif config.password_file is not None:
        key = f"registries.{host}.password_file"
    else:
        return None
    password = read_secret(key, config.password_env, config.password_file, environ)
    if not password:
        raise ConfigError([Issue(key, "the password is empty")])
    return SecretStr(password)


def read_secret(
    key: str, variable: str | None, path: Path | None, environ: Mapping[str, str]
) -> str:
    """The text in this variable or else in this file, without one line break at its end.

    Raises:
        ConfigError: The variable is not set, or the file cannot be read; it speaks of `key`.
    """
    if variable is not None:
        text = _from_variable(variable, key, environ)
    elif path is not None:
        text = _from_file(path, key)
    else:
        raise ValueError("a secret without a place does not pass the configuration")
    return text.removesuffix("\n").removesuffix("\r")


def _from_variable(name: str, key: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise ConfigError([Issue(key, f"the environment variable {name} is not set")])
    return environ[name]


def _from_file(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigError([Issue(key, f"{path} cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError:
        # Without the cause: it would carry the bytes of the password.
        raise ConfigError([Issue(key, f"{path} is not UTF-8 text")]) from None
    if len(data) > MAX_BYTES:
        raise ConfigError([Issue(key, f"{path} is larger than 64 KiB")])
    return text

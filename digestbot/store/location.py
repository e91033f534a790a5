"""Where the state is kept: a folder, or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from digestbot.config.issues import ConfigError, Issue
from digestbot.config.serving import StateConfig
from digestbot.secret import NO_SECRET, Secret

FILE = "digestbot.db"
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Location:
    """Either a folder on a local disk, or the address of a database and its password.

    The address has no password in it.
    """

    folder: Path | None = None
    url: str = ""
    password: Secret = NO_SECRET

    @property
    def file(self) -> Path | None:
        """The SQLite file; None where the state is in PostgreSQL."""
        return self.folder / FILE if self.folder is not None else None

    def __str__(self) -> str:
        return str(self.file or self.url)


def location_of(config: StateConfig, environ: Mapping[str, str]) -> Location:
    """Where a configuration says that the state is.

    Raises:
        ConfigError: There is no password where it says there is one.
    """
    if config.folder is not None:
        return Location(config.folder)
    return Location(None, config.url or "", _password(config, environ))


def _password(config: StateConfig, environ: Mapping[str, str]) -> Secret:
    if config.password_env is not None:
        if not environ.get(config.password_env):
            message = f"the environment variable {config.password_env} is not set, or empty"
            raise ConfigError([Issue("state.password_env", message)])
        return Secret(environ[config.password_env])
    if config.password_file is not None:
        return Secret(_read(config.password_file))
    return NO_SECRET


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise ConfigError([Issue("state.password_file", message)]) from error
    except UnicodeDecodeError:
        # Without the cause: it would carry the bytes of the secret.
        raise ConfigError([Issue("state.password_file", f"{path} is not UTF-8 text")]) from None
    if not text:
        raise ConfigError([Issue("state.password_file", f"{path} is empty")])
    return text

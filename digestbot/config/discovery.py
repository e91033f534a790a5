"""Which configuration file counts: the named one, else the one of the folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from digestbot.config.issues import ConfigError, Issue

VARIABLE = "DIGESTBOT_CONFIG"
NAMES = tuple(
    f"{stem}{suffix}"
    for stem in ("digestbot", ".github/digestbot", ".digestbot")
    for suffix in (".yaml", ".yml")
)


def choose_config(named: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The configuration file: `--config`, else `DIGESTBOT_CONFIG`, else what the folder has.

    Raises:
        ConfigError: The named file does not exist, or the folder has more than one.
    """
    variable = environ.get(VARIABLE)
    if named is not None:
        return _existing(named, "--config")
    if variable:
        return _existing(Path(variable), VARIABLE)
    return find_config(folder)


def find_config(folder: Path) -> Path | None:
    """The configuration file of this folder, by the `NAMES` it may have; None without one.

    Raises:
        ConfigError: There are several, or it is a link that leaves the folder.
    """
    found = [path for path in (folder / name for name in NAMES) if path.is_file()]
    if not found:
        return None
    if len(found) > 1:
        names = " and ".join(str(path) for path in found)
        raise ConfigError(
            [Issue(str(folder), f"has several configuration files: {names}")],
            hint="keep one, or name one with --config",
        )
    if not found[0].resolve().is_relative_to(folder.resolve()):
        # A folder that is scanned may be a stranger's: it does not choose files elsewhere.
        raise ConfigError(
            [Issue(str(found[0]), "is a symbolic link that leaves the folder")],
            hint="name the file with --config",
        )
    return found[0]


def _existing(path: Path, origin: str) -> Path:
    if not path.exists():
        raise ConfigError([Issue(origin, f"{path} does not exist")])
    return path

"""From a file, and what options put on top of it, to settings that are right.

`yaml` is imported when a file is read, not before: many runs have no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from digestbot import __version__
from digestbot.config.document import Document
from digestbot.config.issues import ConfigError, Issue, KeyPath, dotted
from digestbot.config.models import Settings
from digestbot.config.requires import is_satisfied

MAX_BYTES = 1024 * 1024
_TOO_LARGE = "is larger than 1 MiB, which no configuration is"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Override:
    """A value from elsewhere that beats the file's; `origin` is `--jobs` or `DIGESTBOT_JOBS`."""

    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and where they come from.

    `origins` has every key that somebody wrote: `digestbot.yaml:12`, `--jobs`,
    `DIGESTBOT_JOBS`. What it lacks is a default. `path` is None without a file.
    """

    settings: Settings = field(default_factory=Settings)
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    path: Path | None = None


def load_settings(
    path: Path | None = None,
    overrides: Mapping[str, Override] | None = None,
    *,
    version: str = __version__,
) -> LoadedSettings:
    """The settings of this file (None is no file), with `overrides` of top-level keys on top.

    Relative paths in the file are relative to its folder. `version` is the digestbot that
    runs, for `requires`.

    Raises:
        ConfigError: With everything that is wrong, not only the first thing.
    """
    overrides = overrides or {}
    source = str(path or "")
    document = Document() if path is None else _read(path)
    _check_version(document, source, version)
    folder = path.parent.absolute() if path else Path()
    settings = _validate(document, source, folder, overrides)
    return LoadedSettings(settings, _origins(document, source, overrides), path)


def read_settings(data: bytes, source: str, *, version: str = __version__) -> LoadedSettings:
    """The settings in these bytes, which came from `source`: a repo's own, on its forge.

    Raises:
        ConfigError: With everything that is wrong, not only the first thing.
    """
    if len(data) > MAX_BYTES:
        raise ConfigError([Issue(source, _TOO_LARGE)])
    document = _parse(data, source)
    _check_version(document, source, version)
    settings = _validate(document, source, Path("/"), {})
    return LoadedSettings(settings, _origins(document, source, {}), Path(source))


def _read(path: Path) -> Document:
    return _parse(_read_bytes(path), str(path))


def _parse(data: bytes, source: str) -> Document:
    from digestbot.config.parse import read_document  # noqa: PLC0415 - imports yaml

    return read_document(_decode(data, source), source)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Issue(str(path), f"cannot be read: {error.strerror}")]) from error
    if len(data) > MAX_BYTES:
        raise ConfigError([Issue(str(path), _TOO_LARGE)])
    return data


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        found = "UTF-16" if data.startswith(_UTF16) else f"byte 0x{data[error.start]:02X}"
        message = f"is not UTF-8 ({found}); save it as UTF-8"
        raise ConfigError([Issue(source, message, line=line, column=column)]) from error


def _check_version(document: Document, source: str, version: str) -> None:
    requires = document.data.get("requires")
    if not isinstance(requires, str):
        return
    try:
        satisfied = is_satisfied(requires, version)
    except ValueError:
        return  # The model says so, together with everything else.
    if not satisfied:
        # Nothing else is said: a file for another version is full of unknown keys.
        message = f"the configuration needs digestbot {requires}, this is {version}"
        line, column = document.place_of(("requires",))
        raise ConfigError(
            [Issue(source, message, key="requires", line=line, column=column)],
            hint="install a version that fits, or change 'requires'",
        )


def _validate(
    document: Document, source: str, folder: Path, overrides: Mapping[str, Override]
) -> Settings:
    data = document.data | {key: override.value for key, override in overrides.items()}
    try:
        settings = Settings.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        raise ConfigError(_issues(error, document, source, overrides)) from error
    if document.issues:
        raise ConfigError(document.issues)
    return settings


def _issues(
    invalid: ValidationError, document: Document, source: str, overrides: Mapping[str, Override]
) -> list[Issue]:
    from digestbot.config.messages import explain, path_of  # noqa: PLC0415 - only for errors

    issues = list(document.issues)
    for error in invalid.errors(include_url=False):
        path = path_of(error)
        override = overrides.get(str(path[0])) if path else None
        if override is not None:
            issues.append(Issue(override.origin, explain(error), key=dotted(path[1:])))
        elif error["input"] is not None:  # "has no value" is among document.issues
            line, column = document.place_of(path)
            issues.append(Issue(source, explain(error), dotted(path), line, column))
    return issues


def _origins(
    document: Document, source: str, overrides: Mapping[str, Override]
) -> dict[KeyPath, str]:
    origins: dict[KeyPath, str] = {
        path: f"{source}:{line}"
        for path, (line, _) in document.places.items()
        if path[0] not in overrides
    }
    return origins | {(key,): override.origin for key, override in overrides.items()}

"""The models of the configuration: every key, its type, its default, what it means.

The descriptions become the reference documentation and the JSON Schema. No input or output
happens here; relative paths are joined to `info.context["folder"]` where the loader gives one.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    model_validator,
)

from digestbot.config import names
from digestbot.config.requires import read_specifier


def _read_date(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    # fromisoformat also reads week dates and dates without dashes.
    if day is None or day.isoformat() != value:
        raise ValueError("must be a date such as 2027-01-31")
    return day


def _read_path(value: object, info: ValidationInfo) -> object:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a path, as text")  # noqa: TRY004 - pydantic reports ValueError
    names.check_text(value)
    if value.startswith("~"):
        raise ValueError("must be absolute, or relative to the configuration file; '~' is not read")
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / value


def _check_specifier(text: str) -> str:
    read_specifier(text)
    return text


Text = Annotated[str, AfterValidator(names.check_text)]
Host = Annotated[str, AfterValidator(names.check_host)]
Prefix = Annotated[
    str, AfterValidator(names.check_prefix), Field(json_schema_extra={"pattern": "/$"})
]
ImageGlob = Annotated[str, AfterValidator(names.check_image_glob)]
PathGlob = Annotated[str, AfterValidator(names.check_path_glob)]
Username = Annotated[str, AfterValidator(names.check_username)]
Variable = Annotated[
    str,
    AfterValidator(names.check_variable),
    Field(json_schema_extra={"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
]
Specifier = Annotated[str, AfterValidator(_check_specifier)]
Day = Annotated[date, BeforeValidator(_read_date)]
FilePath = Annotated[Path, BeforeValidator(_read_path)]

_T = TypeVar("_T")
# A list in YAML, a tuple here: a configuration does not change once it is read.
Many = Annotated[tuple[_T, ...], Strict(strict=False)]
FailOn = Literal["stale", "unpinned", "held", "skipped"]


class _Model(BaseModel):
    """What all sections share: nothing unknown, nothing coerced, nothing changed later."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class IgnoreRule(_Model):
    """Images that are left alone: where, why and until when."""

    image: ImageGlob = Field(
        description="Glob on the full image name, with or without its tag: "
        "`docker.io/library/debian`, `ghcr.io/acme/*`, `docker.io/library/python:3.1*`. "
        "`*` also matches `/`."
    )
    path: PathGlob | None = Field(
        default=None,
        description="Glob on the path of the file, relative to the scanned folder. "
        "Without it the rule holds everywhere.",
    )
    reason: Text | None = Field(
        default=None, description="Why, in your words; reports repeat it beside the finding."
    )
    until: Day | None = Field(
        default=None,
        description="The last day on which the rule holds (`2027-01-31`). "
        "Without it the rule holds for ever.",
    )


class RegistryConfig(_Model):
    """How one registry is asked: credentials, certificates, limits."""

    # The same pairs as _check_pairs, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {
                "password_env": ["username"],
                "password_file": ["username"],
                "client_key": ["client_cert"],
            },
            "dependentSchemas": {
                "username": {
                    "oneOf": [{"required": ["password_env"]}, {"required": ["password_file"]}]
                }
            },
        }
    )

    username: Username | None = Field(
        default=None,
        description="User or robot account to log in with; needs `password_env` or "
        "`password_file`. Without it, the logins of docker and podman are used.",
    )
    password_env: Variable | None = Field(
        default=None, description="Name of the environment variable that holds the password."
    )
    password_file: FilePath | None = Field(
        default=None,
        description="File that holds the password; one line break at its end is dropped.",
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the certificate authorities to trust for this registry, "
        "in place of the system's.",
    )
    client_cert: FilePath | None = Field(
        default=None, description="PEM file with the client certificate to present."
    )
    client_key: FilePath | None = Field(
        default=None,
        description="PEM file with the key of `client_cert`, where it is not in the same file.",
    )
    http: bool = Field(
        default=False,
        description="Ask without TLS. Anyone on the way can read credentials and change "
        "answers; loopback hosts need no such permission.",
    )
    token_hosts: Many[Host] = Field(
        default=(),
        description="Further hosts that this registry may name as its token server, and that "
        "are then sent its credentials.",
    )
    concurrency: int = Field(
        default=8, ge=1, le=64, description="How many questions may be open at a time."
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.password_env is not None and self.password_file is not None:
            raise ValueError("has both password_env and password_file; keep one")
        has_password = self.password_env is not None or self.password_file is not None
        if has_password and self.username is None:
            raise ValueError("has a password but no username")
        if self.username is not None and not has_password:
            raise ValueError("has a username but neither password_env nor password_file")
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("has client_key but no client_cert")
        return self


class Settings(_Model):
    """The whole configuration."""

    model_config = ConfigDict(title="digestbot configuration")

    requires: Specifier | None = Field(
        default=None,
        description="Versions of digestbot that this file is written for (`>=0.1,<2`); "
        "any other stops with a clear message.",
    )
    exclude: Many[PathGlob] = Field(
        default=(),
        description="Globs on paths that are not scanned, relative to the scanned folder: "
        "`vendor/**`, `**/testdata/**`.",
    )
    pin: bool = Field(
        default=False,
        description="Also give a first digest to references that have none.",
    )
    fail_on: Many[FailOn] = Field(
        default=("stale",),
        description="Findings that make `digestbot scan` exit with code 1; `[]` is none.",
    )
    jobs: int = Field(
        default=16, ge=1, le=64, description="How many lookups may run at a time, over all hosts."
    )
    timeout: float = Field(
        default=30.0, gt=0, le=3600, description="Seconds that one whole lookup may take."
    )
    ignore: Many[IgnoreRule] = Field(
        default=(),
        description="Images to leave alone; reports show them as skipped, with the reason.",
    )
    registries: dict[Host, RegistryConfig] = Field(
        default={},
        json_schema_extra={"propertyNames": {"pattern": "^[^/@]+$"}},
        description="Settings per registry; the key is the host as image names spell it: "
        "`ghcr.io`, `localhost:5000`, `[::1]:5000`; Docker Hub is `docker.io`. A registry that "
        "is named here may be on a private network address; `{}` is enough to say so.",
    )
    allow_private: bool = Field(
        default=False,
        description="Allow every registry to be on a private network address, named here or not.",
    )
    mirrors: dict[Prefix, Prefix] = Field(
        default={},
        json_schema_extra={"propertyNames": {"pattern": "/$"}},
        description="Who is really asked for a name: the beginning of the pinned name on the "
        "left, what stands in its place on the right, both with `/` at the end "
        "(`harbor.corp/hub/: docker.io/`). The longest match counts; files keep what they say.",
    )

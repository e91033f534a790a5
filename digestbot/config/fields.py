"""The types that keys of the configuration have, each with its check."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    ValidationInfo,
)

from digestbot.config import addresses, names
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


def _read_duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a duration such as '90s', '3h' or '14d'")  # noqa: TRY004 - as above
    return addresses.read_duration(value)


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
Reviewer = Annotated[str, AfterValidator(names.check_reviewer)]
Login = Annotated[str, AfterValidator(names.check_login)]
Label = Annotated[str, AfterValidator(names.check_label)]
Slug = Annotated[
    str, AfterValidator(names.check_slug), Field(json_schema_extra={"pattern": "^[a-z0-9-]{1,40}$"})
]
Title = Annotated[str, AfterValidator(names.check_title)]
Signoff = Annotated[str, AfterValidator(names.check_signoff)]
Cron = Annotated[str, AfterValidator(names.check_cron)]
Zone = Annotated[str, AfterValidator(names.check_zone)]
ApiUrl = Annotated[str, AfterValidator(addresses.check_api_url)]
DigestText = Annotated[str, AfterValidator(addresses.check_digest)]
TargetWord = Annotated[str, AfterValidator(addresses.check_target)]
StateUrl = Annotated[str, AfterValidator(addresses.check_state_url)]
HttpUrl = Annotated[str, AfterValidator(addresses.check_http_url)]
SiteUrl = Annotated[
    str,
    AfterValidator(addresses.check_site_url),
    Field(json_schema_extra={"pattern": "^https?://[^/?#]+/?$"}),
]
Listen = Annotated[str, AfterValidator(addresses.check_listen)]
Network = Annotated[str, AfterValidator(addresses.check_network)]
HeaderName = Annotated[
    str,
    AfterValidator(addresses.check_header),
    Field(json_schema_extra={"pattern": "^[A-Za-z][A-Za-z0-9-]{0,99}$"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration, json_schema_input_type=str),
    PlainSerializer(addresses.write_duration, return_type=str),
    Field(json_schema_extra={"pattern": "^[0-9]{1,5}[smhd]$"}),
]
FilePath = Annotated[Path, BeforeValidator(_read_path)]

_T = TypeVar("_T")
MOST = 1000
# A list in YAML, a tuple here: a configuration does not change once it is read. It has an end,
# as each path and each image of a repo is held against each glob, and a repo may bring its own.
Many = Annotated[tuple[_T, ...], Strict(strict=False), Field(max_length=MOST)]
FailOn = Literal["stale", "unpinned", "held", "skipped"]


class Model(BaseModel):
    """What all sections share: nothing unknown, nothing coerced, nothing changed later."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )

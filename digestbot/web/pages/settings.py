"""Settings: the configuration that is in force, and where each value of it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, JsonValue

from digestbot.config.models import SECTIONS, Settings
from digestbot.config.origins import DEFAULT, Row, effective_rows
from digestbot.service.masking import MASK, masked
from digestbot.web.page import MOST_PAGES, Look, Page, Question

ROWS = 100
"""How many settings a page has; all of them, for nearly everybody."""
_GENERAL = "general"
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class SettingsQuestion(Question):
    """Which settings are shown."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    q: Annotated[str, Field(max_length=200)] = ""
    """Has this in its key, its value or its origin, in whatever case."""
    written: bool = False
    """Only what somebody wrote: no defaults."""
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1


@dataclass(frozen=True, slots=True)
class SettingsRow:
    """One key that has a value."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    key: str
    """With dots: `ignore[0].image`."""
    value: JsonValue
    """As JSON would have it. What may be secret is masked; secrets themselves stand in variables
    and files, of which these are the names."""
    origin: str
    """`default`, or where somebody wrote it: `digestbot.yaml:12`, `--jobs`, `DIGESTBOT_JOBS`."""
    is_default: bool
    """Whether nobody wrote it."""


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """Settings that belong together."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    name: str
    """The key that they stand below, or `general`."""
    about: str
    """What they are about, in a sentence."""
    rows: list[SettingsRow]


@dataclass(frozen=True, slots=True)
class SettingsView:
    """The configuration that is in force."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str | None
    """The file that it was read from; null without one."""
    total: int
    """How many settings match, on all pages."""
    written: int
    """How many of all settings somebody wrote."""
    sections: list[SettingsSection]
    """Those of this page, in the order of the reference documentation."""


def read(look: Look, question: SettingsQuestion) -> SettingsView:
    """What is in force, without a secret."""
    rows = [_row(one) for one in effective_rows(look.loaded)]
    found = [row for row in rows if _matches(row, question)]
    first = (question.page - 1) * ROWS
    return SettingsView(
        path=str(look.loaded.path) if look.loaded.path else None,
        total=len(found),
        written=sum(not row.is_default for row in rows),
        sections=list(_sections(found[first : first + ROWS])),
    )


def _row(row: Row) -> SettingsRow:
    return SettingsRow(
        masked(row.key), _harmless(row.key, row.value), masked(row.origin), row.origin == DEFAULT
    )


def _matches(row: SettingsRow, question: SettingsQuestion) -> bool:
    if question.written and row.is_default:
        return False
    wanted = question.q.strip().lower()
    # What is masked cannot be found out letter by letter, either.
    return wanted in f"{row.key}\n{row.value}\n{row.origin}".lower()


def _sections(rows: Iterable[SettingsRow]) -> Iterator[SettingsSection]:
    general = [row for row in rows if _section(row) == _GENERAL]
    if general:
        yield SettingsSection(_GENERAL, "What holds for everything.", general)
    for name, members in groupby((row for row in rows if _section(row) != _GENERAL), _section):
        about = Settings.model_fields[name].description or ""
        yield SettingsSection(name, about, list(members))


def _section(row: SettingsRow) -> str:
    name = row.key.partition(".")[0].partition("[")[0]
    return name if name in SECTIONS else _GENERAL


def _harmless(key: str, value: Any) -> JsonValue:  # noqa: ANN401 - whatever JSON has
    """The value without what could let somebody in: of an address, all but where it leads."""
    if isinstance(value, list):
        return [_harmless(key, one) for one in value]
    if isinstance(value, dict):
        return {name: _harmless(key, one) for name, one in value.items()}
    if not isinstance(value, str):
        plain: JsonValue = value
        return plain
    return masked(_address(key, value)) if "://" in value else masked(value)


def _address(key: str, text: str) -> str:
    """An address without login and query; of those that are told something, the host alone.

    Their paths are secrets with many services, whatever the configuration asks for.
    """
    try:
        url = urlsplit(text)
    except ValueError:
        return MASK
    host = url.netloc.rpartition("@")[2]
    login = f"{MASK}@" if "@" in url.netloc else ""
    path = f"/{MASK}" if key.startswith("notify") and url.path.strip("/") else url.path
    query = f"?{MASK}" if url.query else ""
    return f"{url.scheme}://{login}{host}{path}{query}"


PAGE = Page("settings", "/settings", "Settings", SettingsQuestion, SettingsView, read)

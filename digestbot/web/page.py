"""What a page is: an address, a question that the address asks, and a view that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from pydantic import Field, TypeAdapter, ValidationError

from digestbot.config.load import LoadedSettings
from digestbot.errors import DigestbotError
from digestbot.service.readiness import Reason
from digestbot.service.rollouts.checking import Checked
from digestbot.store.database import Database

ROWS = 50
"""How many rows a page of a table has."""
MOST_PAGES = 100_000
_LAST_ID = 2**31 - 1


class NotHereError(DigestbotError):
    """What an address names is not there, or not any more."""


class AskedWrongError(DigestbotError):
    """An address asks for something that cannot be."""


LastChecked = Callable[[str], Checked | None]


def nothing_checked(_name: str) -> Checked | None:
    """What is known of ways back where nobody asks registries."""
    return None


@dataclass(frozen=True, slots=True)
class Look:
    """What pages are read from, at one moment.

    Attributes:
        loaded: The configuration, and where each value of it comes from.
        reasons: Why the service is not ready; none where it is.
        started: When this process began.
        can_act: Whether whoever looks may ask for something, too.
        checked: What registries said of the way back of a rollout a moment ago, by its id.
    """

    database: Database
    loaded: LoadedSettings
    reasons: Sequence[Reason]
    started: datetime
    now: datetime
    can_act: bool = False
    checked: LastChecked = nothing_checked


@dataclass(frozen=True, slots=True)
class Question:
    """A page that can be asked nothing; what has filters or pages adds fields with defaults."""


@dataclass(frozen=True, slots=True)
class One(Question):
    """A page about one thing; `id` comes from the path."""

    id: Annotated[int, Field(ge=0, le=_LAST_ID)] = 0


Q = TypeVar("Q", bound=Question)
V = TypeVar("V")


class View(Protocol):
    """What a page shows: a frozen dataclass, which is also what its JSON twin has as `data`."""

    __dataclass_fields__: Any


@dataclass(frozen=True, slots=True)
class Page(Generic[Q, V]):
    """One page of the dashboard.

    Attributes:
        name: Names its template, and its part of the contract.
        path: Where it is, as Starlette writes it; its JSON twin is there with `.json`.
        title: What it is called where it is linked to.
        question: What may be asked in the address.
        view: What `read` gives.
        read: Answers; it raises `NotHereError` and `StoreError`.
        export: The CSV export of its table, if any.
    """

    name: str
    path: str
    title: str
    question: type[Q]
    view: type[V]
    read: Callable[[Look, Q], V]
    export: str = ""

    @property
    def twin(self) -> str:
        """The path of the JSON twin."""
        return f"{'/overview' if self.path == '/' else self.path}.json"

    def asked(self, given: Mapping[str, Any]) -> Q:
        """The question in an address; what it does not know is left alone.

        Raises:
            AskedWrongError: A value is none that can be asked for.
        """
        return asked(self.question, given)


def asked(question: type[Q], given: Mapping[str, Any]) -> Q:
    """The question of this type in what an address gives.

    An empty value is as good as none: that is what a form sends for a field left empty.

    Raises:
        AskedWrongError: A value is none that can be asked for.
    """
    known = {one.name for one in fields(question)}
    wanted = {key: value for key, value in given.items() if key in known and value != ""}
    for name, value in wanted.items():
        # No text of the state has it, and PostgreSQL takes none with it.
        if "\0" in str(value):
            raise AskedWrongError(f"{name}: no value has a NUL", hint="take it out of the address")
    try:
        found: Q = _adapter(question).validate_python(wanted)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if name == "id":
            # It is the path, and cannot be taken out of it.
            raise AskedWrongError(
                "id: nothing has such a one", hint="check the end of the address"
            ) from None
        raise AskedWrongError(
            f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}",
            hint="take it out of the address",
        ) from None
    return found


def _adapter(question: type[Any]) -> TypeAdapter[Any]:
    adapter = _ADAPTERS.get(question)
    if adapter is None:
        adapter = _ADAPTERS[question] = TypeAdapter(question)
    return adapter


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def query_of(question: Question, **changes: object) -> str:
    """What comes after the path to ask this with some changes: `?q=nginx&page=2`, or nothing."""
    told = replace(question, **changes)
    pairs = {
        one.name: _written(getattr(told, one.name))
        for one in fields(told)
        if one.name != "id" and getattr(told, one.name) != one.default
    }
    return f"?{urlencode(pairs)}" if pairs else ""


def _written(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value

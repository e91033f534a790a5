"""One run: what it did, whom it asked, and what went wrong, by cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from digestbot.scan.result import Problem
from digestbot.store import run_rows
from digestbot.store.run_rows import RunDetail
from digestbot.store.runs import STATES
from digestbot.web.page import Look, NotHereError, Page, Question
from digestbot.web.pages.runs import RunsRow, row_of

_DOCUMENTED = {"use_attribute_docstrings": True}
# The problems of these are about a host each; those of files and repos are about one of many.
_BY_SUBJECT = {"registry", "target"}
_TOO_MANY, _FAULT = "429", "5"


@dataclass(frozen=True, slots=True)
class RunQuestion(Question):
    """Which run."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,100}$")] = ""
    live: bool = True
    """Whether the page refreshes itself while the run is under way."""


@dataclass(frozen=True, slots=True)
class RunCount:
    """How often something happened."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    name: str
    """A slug: `listed`, `gone`, `lookups`, `updated`, `proposals_opened`, …"""
    number: int


@dataclass(frozen=True, slots=True)
class RunAnswers:
    """How often a host answered with a code."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    side: str
    """`registry` or `forge`."""
    host: str
    code: str
    """A status of HTTP, or the slug of an error where there was no answer."""
    number: int
    is_error: bool
    """Whether there was no answer, too many questions, or a fault of theirs. A 401 that asks for
    a login and a 404 are what hosts answer every day."""


@dataclass(frozen=True, slots=True)
class RunLeft:
    """What was left of a rate limit when a host said so last."""

    host: str
    resource: str
    left: float


@dataclass(frozen=True, slots=True)
class RunCause:
    """Errors that have one cause."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    scope: str
    """`registry`, `target`, `repo` or `file`."""
    code: str
    """A stable slug."""
    host: str
    """Which registry or target; empty for repos and files."""
    number: int
    """How many errors there are of it."""
    subject: str
    """What the first of them is about."""
    message: str
    """What the first of them says."""
    hint: str
    """What to do; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    run: RunsRow
    about: str
    """What its state means, in a sentence."""
    counts: list[RunCount]
    """All that it counted, so far."""
    causes: list[RunCause]
    """What went wrong, what there is most of first."""
    answers: list[RunAnswers]
    """Whom it asked, by host and code; nothing of runs from before this was counted."""
    left: list[RunLeft]
    """What was left of rate limits."""


def read(look: Look, question: RunQuestion) -> RunView:
    """All that is known of a run.

    Raises:
        NotHereError: There is none with this id, or not any more.
        StoreError: The state cannot be read.
    """
    with look.database.reading() as connection:
        found = run_rows.one(connection, question.id)
    if found is None:
        raise NotHereError(
            "there is no such run", hint="what it did may be forgotten; see /runs for the others"
        )
    return _view(look, found)


def _view(look: Look, found: RunDetail) -> RunView:
    requests = found.requests or {}
    return RunView(
        run=row_of(found.row, look.now),
        about=STATES[found.row.state],
        counts=[RunCount(name, number) for name, number in found.row.counts.items()],
        causes=causes_of(found.problems),
        answers=[
            *_answers("registry", requests.get("registries", {})),
            *_answers("forge", requests.get("forges", {})),
        ],
        left=[
            RunLeft(host, resource, left)
            for host, resources in sorted(requests.get("left", {}).items())
            for resource, left in sorted(resources.items())
        ],
    )


def causes_of(problems: Iterable[Problem]) -> list[RunCause]:
    """The problems by cause, with the first of each as its example; most first."""
    grouped: dict[tuple[str, str, str], list[Problem]] = {}
    for one in problems:
        host = one.subject if one.scope in _BY_SUBJECT else ""
        grouped.setdefault((one.scope, one.code, host), []).append(one)
    causes = [
        RunCause(
            scope=scope,
            code=code,
            host=host,
            number=len(found),
            subject=f"{found[0].repo} {found[0].subject}".strip(),
            message=found[0].message,
            hint=found[0].hint,
        )
        for (scope, code, host), found in grouped.items()
    ]
    return sorted(causes, key=lambda cause: -cause.number)


def _answers(side: str, hosts: Mapping[str, Mapping[str, int]]) -> Iterator[RunAnswers]:
    for host, codes in sorted(hosts.items()):
        for code, number in sorted(codes.items(), key=lambda pair: -pair[1]):
            yield RunAnswers(side, host, code, number, _is_error(code))


def _is_error(code: str) -> bool:
    return not code[:1].isdecimal() or code == _TOO_MANY or code.startswith(_FAULT)


PAGE = Page("run", "/runs/{id}", "Run", RunQuestion, RunView, read)

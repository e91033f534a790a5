"""About: what runs here, whether it is well, and what may be asked of it by programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from digestbot import __version__
from digestbot.service.times import stamp
from digestbot.service.timetable import next_fire
from digestbot.store import repos, runs
from digestbot.web.page import Look, Page, Question

_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class AboutReason:
    """Why the service is not ready."""

    reason: str
    """A stable slug."""
    message: str


@dataclass(frozen=True, slots=True)
class AboutView:
    """What runs here, and whether it is well."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    version: str
    """The version of digestbot."""
    revision: str
    """The version of the tables of the state."""
    started_at: str
    """When this process began, in UTC."""
    last_success: str | None
    """When a cycle last came to its end, in UTC; null where none did."""
    next_cycle: str | None
    """When the next cycle begins by the timetable, in UTC; null where never."""
    reasons: list[AboutReason]
    """Why the service is not ready; none where it is."""
    repos: int
    """Repos that are worked on."""


def read(look: Look, _question: Question) -> AboutView:
    """What runs here.

    Raises:
        StoreError: The state cannot be read.
    """
    service = look.loaded.settings.service
    fire = next_fire(service.cron, service.timezone, look.now)
    with look.database.reading() as connection:
        last = runs.last_success(connection)
        size = repos.count(connection)
    return AboutView(
        version=__version__,
        revision=look.database.revision,
        started_at=stamp(look.started),
        last_success=stamp(last) if last else None,
        next_cycle=stamp(fire) if fire else None,
        reasons=[AboutReason(one.reason, one.message) for one in look.reasons],
        repos=size.live,
    )


PAGE = Page("about", "/about", "About", Question, AboutView, read)

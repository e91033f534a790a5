"""Images: all that somebody follows, how fresh each is, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from digestbot.store import ignores, image_list
from digestbot.store.image_list import ImageFilter, ListedImage, Sort, Which
from digestbot.web.page import MOST_PAGES, ROWS, Look, Page, Question
from digestbot.web.pages.image_told import failing_of, fresh_of, ignore_of, places_of, told
from digestbot.web.pages.image_view import ImageFailing, ImageIgnore

_MOST_REGISTRIES = 200
_COUNTED: tuple[Which, ...] = ("failing", "behind", "held", "current")
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class ImagesQuestion(Question):
    """Which images, in which order."""

    q: Annotated[str, Field(max_length=200)] = ""
    registry: Annotated[str, Field(max_length=300)] = ""
    state: Which = ""
    sort: Sort = "behind"
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1

    @property
    def filter(self) -> ImageFilter:
        """What is asked for, whatever the order and the page."""
        return ImageFilter(self.q.strip(), self.registry.strip(), self.state)


@dataclass(frozen=True, slots=True)
class ImagesHeld:
    """What holds back most of the updates of an image."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    reason: str
    """A stable slug."""
    until: str | None
    """When the first of them is looked at again, in UTC; null where that is not known."""


@dataclass(frozen=True, slots=True)
class ImagesRow:
    """An image in the list; its page tells more."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
    """Its page is at `/images/{id}`."""
    name: str
    """With registry and tag: `docker.io/library/python:3.12`."""
    platform: str | None
    """The platform that is followed; null where it is all of them."""
    digest: str | None
    """What the tag has now, as far as is known; null where that was never answered."""
    since: str | None
    """Since when it has been seen to have it, in UTC."""
    checked_at: str | None
    """When somebody last answered, in UTC."""
    repos: int
    """Repos that follow the tag."""
    repos_behind: int
    """Repos with a pin that is stale or held."""
    places: dict[str, int]
    """How many references there are, by status."""
    fresh: float | None
    """The share of pins that are current, of those that are current, stale or held."""
    behind_since: str | None
    """Since when the oldest pin is behind, in UTC; null where none is, or it is not known."""
    behind_at_least: bool
    """It may be behind for longer."""
    failing: ImageFailing | None
    held: ImagesHeld | None


@dataclass(frozen=True, slots=True)
class ImagesView:
    """The images that somebody follows, and what is left alone."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    states: dict[str, int]
    """How many images there are in all that are `failing`, `behind`, `held` or `current`."""
    total: int
    """Of all pages."""
    images: list[ImagesRow]
    registries: list[str]
    """Those that may be asked for."""
    ignores: list[ImageIgnore]
    """Those that hold now, the newest first, up to 50."""
    ignores_total: int


def read(look: Look, question: ImagesQuestion) -> ImagesView:
    """A page of the images that are asked for.

    Raises:
        StoreError: The state cannot be read.
    """
    today = look.now.date()
    offset = (question.page - 1) * ROWS
    with look.database.reading() as connection:
        found = image_list.page(
            connection, question.filter, sort=question.sort, offset=offset, limit=ROWS
        )
        left_alone = ignores.holding(connection, today)
        ignored = ignores.count(connection, today)
    return ImagesView(
        states={one: found.census.states[one] for one in _COUNTED},
        total=found.total,
        images=[row_of(one) for one in found.images],
        registries=list(found.census.registries[:_MOST_REGISTRIES]),
        ignores=[ignore_of(one) for one in left_alone],
        ignores_total=ignored,
    )


def row_of(one: ListedImage) -> ImagesRow:
    """An image as the list has it."""
    return ImagesRow(
        id=one.id,
        name=str(one.query.image),
        platform=str(one.query.platform) if one.query.platform else None,
        digest=one.digest,
        since=told(one.since),
        checked_at=told(one.checked_at),
        repos=one.repos,
        repos_behind=one.repos_behind,
        places=places_of(one.places),
        fresh=fresh_of(one.places),
        behind_since=told(one.behind_since),
        behind_at_least=one.is_at_least,
        failing=failing_of(one),
        held=ImagesHeld(one.held.reason, told(one.held.until)) if one.held else None,
    )


PAGE = Page("images", "/images", "Images", ImagesQuestion, ImagesView, read, export="images")

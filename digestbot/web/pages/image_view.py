"""The contract of the pages of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class ImageFailing:
    """Why nobody says what the tag has now."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    since: str
    """Since when each question failed, in UTC."""
    host: str
    code: str
    """A stable slug, as in the errors of `digestbot/scan/v1`."""
    message: str
    """As it was said last."""
    meaning: str
    """What the code stands for; empty where that is not known."""
    hint: str
    """What to do; may be empty."""


@dataclass(frozen=True, slots=True)
class ImageSighting:
    """For how long a digest was the tag's without a break, as this bot saw it."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    digest: str
    first_seen: str
    last_seen: str
    lasted_s: int
    """From the first time it was seen to the last, in seconds."""
    came_back: bool
    """The tag had this digest before, and another one in between."""


@dataclass(frozen=True, slots=True)
class ImageDigest:
    """A digest that something pins."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    digest: str
    is_current: bool
    """Whether the tag has it now."""
    is_denied: bool
    """Whether it is on the deny list."""
    first_seen: str | None
    """When the tag was first seen to have it, in UTC; null where that was never seen."""
    behind_since: str | None
    """Since when the tag has another one, in UTC; null where that is not known, or not so."""
    behind_at_least: bool
    """It was never seen to be the tag's: whoever pins it is behind for longer."""
    repos: int
    places: int
    behind: int
    """So many of the places are stale or held; others may not have been judged yet."""


@dataclass(frozen=True, slots=True)
class ImagePin:
    """Places of one repo that pin the same digest."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    digest: str
    status: str
    """`stale` or `held`."""
    reason: str
    """A stable slug."""
    places: int


@dataclass(frozen=True, slots=True)
class ImageProposal:
    """What is proposed to a repo about the image."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    number: int | None
    """Of the pull request; null where there is none."""
    url: str | None
    title: str
    state: str
    """`open`, or `waiting` for its turn."""
    opened_at: str | None


@dataclass(frozen=True, slots=True)
class ImageBehind:
    """A repo that is behind."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
    """Its page is at `/repos/{id}`."""
    name: str
    places: int
    behind_since: str | None
    """Since when its oldest pin is behind, in UTC; null where that is not known."""
    behind_at_least: bool
    """It may be behind for longer."""
    pins: list[ImagePin]
    proposals: list[ImageProposal]


@dataclass(frozen=True, slots=True)
class ImageHeld:
    """Updates that are held back for one reason."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    reason: str
    """A stable slug."""
    meaning: str
    """What it stands for."""
    message: str
    """What is said of one of them."""
    hint: str
    """What to do; empty where waiting is enough."""
    until: str | None
    """When the first of them is looked at again, in UTC; null where that is not known."""
    needs_somebody: bool
    """Whether it stays held until somebody decides, or sees to the image."""
    places: int
    repos: int


@dataclass(frozen=True, slots=True)
class ImageIgnore:
    """That somebody asked to leave an image alone."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
    """What it is taken back by."""
    image: str
    """With registry and tag."""
    repo: str | None
    """Where; null where in all repos."""
    until: str
    """The last day on which it holds, in UTC: `2027-01-31`."""
    reason: str
    who: str
    """Asked for it."""
    at: str
    """When, in UTC."""


@dataclass(frozen=True, slots=True)
class ImageView:
    """One image: what its tag has and had, who is behind, what is held."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
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
    failing: ImageFailing | None
    came_back: int
    """How often in the last 7 days the tag went back to a digest that it had before."""
    sightings: list[ImageSighting]
    """The newest first, up to 200."""
    digests: list[ImageDigest]
    """The 50 most used: what the tag has, then what it had last, then what it never had."""
    digests_total: int
    behind: list[ImageBehind]
    """A page of them; those that are behind for longest first."""
    held: list[ImageHeld]
    ignores: list[ImageIgnore]
    """Those that hold now, the newest first, up to 50."""

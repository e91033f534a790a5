"""What the page of one image and the list of all say in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from digestbot.policy.finding import Status
from digestbot.registry.errors import CODES
from digestbot.report.plain import well_formed
from digestbot.service.times import stamp
from digestbot.store.ignores import IgnoreRow
from digestbot.store.image_list import ListedImage
from digestbot.store.of_image import ImageState
from digestbot.web.hints import of_lookup
from digestbot.web.pages.image_view import ImageFailing, ImageIgnore

_FOLLOWED = [one for one in Status if one is not Status.SKIPPED]
_JUDGED = (Status.CURRENT, Status.STALE, Status.HELD)


def told(moment: datetime | None) -> str | None:
    """A time as the contract has it."""
    return None if moment is None else stamp(moment)


def places_of(counted: Mapping[Status, int]) -> dict[str, int]:
    """How many places have each status that may be followed."""
    return {one.value: counted.get(one, 0) for one in _FOLLOWED}


def fresh_of(counted: Mapping[Status, int]) -> float | None:
    """The share of current pins; None without any."""
    judged = sum(counted.get(one, 0) for one in _JUDGED)
    return counted.get(Status.CURRENT, 0) / judged if judged else None


def failing_of(one: ImageState | ListedImage) -> ImageFailing | None:
    """Why there is no answer, and what to do; None where there is one."""
    if one.failing_since is None:
        return None
    host = one.failing_host or one.query.image.registry
    return ImageFailing(
        since=stamp(one.failing_since),
        host=host,
        code=one.failing_code,
        message=well_formed(one.failing_message),
        meaning=CODES.get(one.failing_code, ""),
        hint=of_lookup(one.failing_code, host),
    )


def ignore_of(one: IgnoreRow) -> ImageIgnore:
    """That an image is left alone."""
    return ImageIgnore(
        id=one.id,
        image=one.image,
        repo=well_formed(one.repo) or None,
        until=one.until.isoformat(),
        reason=well_formed(one.reason),
        who=well_formed(one.who),
        at=stamp(one.at),
    )

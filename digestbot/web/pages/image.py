"""One image: what its tag has and had, who is behind and by how long, what is held and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from digestbot.config.models import Settings
from digestbot.image import ImageTag
from digestbot.policy.reasons import REASONS
from digestbot.proposals.grouping import branch_of
from digestbot.proposals.setup import proposal_settings
from digestbot.report.plain import well_formed
from digestbot.service.conditions import NEEDS_SOMEBODY
from digestbot.service.times import stamp
from digestbot.store import behind_image, ignores, of_image
from digestbot.store.behind_image import BehindRepo, OpenProposal
from digestbot.store.of_image import HeldReason, PinnedDigest, Seen
from digestbot.web.hints import of_hold
from digestbot.web.links import pull_link
from digestbot.web.page import MOST_PAGES, ROWS, Look, NotHereError, One, Page
from digestbot.web.pages.image_told import failing_of, fresh_of, ignore_of, places_of, told
from digestbot.web.pages.image_view import (
    ImageBehind,
    ImageDigest,
    ImageHeld,
    ImagePin,
    ImageProposal,
    ImageSighting,
    ImageView,
)

MOST_DIGESTS = 50
_LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ImageQuestion(One):
    """Which image, and which page of the repos that are behind."""

    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1


def read(look: Look, question: ImageQuestion) -> ImageView:
    """How an image stands.

    Raises:
        NotHereError: There is none, or not any more.
        StoreError: The state cannot be read.
    """
    settings, number = look.loaded.settings, question.id
    offset = (question.page - 1) * ROWS
    with look.database.reading() as connection:
        state = of_image.image_state(connection, number)
        if state is None:
            raise NotHereError("no repo follows such an image", hint="all of them are at /images")
        branches = _branches(state.query.image, settings)
        behind = behind_image.repos(connection, number, branches, offset=offset, limit=ROWS)
        pinned, pinned_total = of_image.digests(connection, number, MOST_DIGESTS)
        seen = of_image.sightings(connection, number)
        left = ignores.holding(connection, look.now.date(), image=str(state.query.image))
        query, returns = state.query, _returns(seen)
        return ImageView(
            id=number,
            name=str(query.image),
            platform=str(query.platform) if query.platform else None,
            digest=state.digest,
            since=told(state.since),
            checked_at=told(state.checked_at),
            repos=state.repos,
            repos_behind=behind_image.count(connection, number),
            places=places_of(state.places),
            fresh=fresh_of(state.places),
            failing=failing_of(state),
            came_back=sum(one.first_seen > look.now - _LATELY for one in returns),
            sightings=[_sighting(one, came_back=one in returns) for one in seen],
            digests=_newest_first(
                [_digest(one, state.digest, seen, settings.deny) for one in pinned]
            ),
            digests_total=pinned_total,
            behind=[_repo(one) for one in behind],
            held=[_held(one) for one in of_image.held(connection, number)],
            ignores=[ignore_of(one) for one in left],
        )


def _returns(newest_first: Sequence[Seen]) -> list[Seen]:
    """The sightings of a digest that the tag had before."""
    known: set[str] = set()
    returns = []
    for one in reversed(newest_first):
        if one.digest in known:
            returns.append(one)
        known.add(one.digest)
    return returns


def _sighting(one: Seen, *, came_back: bool) -> ImageSighting:
    lasted = round((one.last_seen - one.first_seen).total_seconds())
    return ImageSighting(one.digest, stamp(one.first_seen), stamp(one.last_seen), lasted, came_back)


def _digest(
    one: PinnedDigest, current: str | None, newest_first: Sequence[Seen], deny: Iterable[str]
) -> ImageDigest:
    times = [seen.first_seen for seen in newest_first if seen.digest == one.digest]
    is_behind = current is not None and one.digest != current
    return ImageDigest(
        digest=one.digest,
        is_current=one.digest == current,
        is_denied=one.digest in deny,
        first_seen=told(min(times, default=None)),
        behind_since=told(_ceased(one.digest, newest_first)) if is_behind else None,
        behind_at_least=is_behind and not times,
        repos=one.repos,
        places=one.places,
        behind=one.behind,
    )


def _newest_first(digests: Iterable[ImageDigest]) -> list[ImageDigest]:
    """What the tag has, then what it had last; what it was never seen to have comes last."""
    known = sorted(digests, key=lambda one: one.behind_since or "", reverse=True)
    return sorted(known, key=lambda one: (not one.is_current, one.behind_at_least))


def _ceased(digest: str, newest_first: Sequence[Seen]) -> datetime | None:
    """When the tag was seen with another digest; when it was first seen, if never with this."""
    after = None
    for one in newest_first:
        if one.digest == digest:
            return after
        after = one.first_seen
    return after


def _branches(image: ImageTag, settings: Settings) -> list[str]:
    """The branches on which an update of the image travels, however updates are grouped."""
    wanted = proposal_settings(settings)
    plain = [replace(wanted, groups={}, group=group) for group in ("image", "repo")]
    return list(dict.fromkeys(branch_of(image, one) for one in (wanted, *plain)))


def _repo(repo: BehindRepo) -> ImageBehind:
    return ImageBehind(
        id=repo.id,
        name=well_formed(repo.name),
        places=repo.places,
        behind_since=told(repo.since),
        behind_at_least=repo.is_at_least,
        pins=[ImagePin(one.digest, one.status, one.reason, one.places) for one in repo.pins],
        proposals=[_proposal(repo, one) for one in repo.proposals],
    )


def _proposal(repo: BehindRepo, one: OpenProposal) -> ImageProposal:
    return ImageProposal(
        number=one.number or None,
        url=pull_link(repo.url, one.url),
        title=well_formed(one.title),
        state=one.state,
        opened_at=told(one.opened_at),
    )


def _held(one: HeldReason) -> ImageHeld:
    return ImageHeld(
        reason=one.reason,
        meaning=REASONS.get(one.reason, ""),
        message=well_formed(one.message),
        hint=of_hold(one.reason),
        until=told(one.until),
        needs_somebody=one.reason in NEEDS_SOMEBODY,
        places=one.places,
        repos=one.repos,
    )


PAGE = Page("image", "/images/{id:int}", "Image", ImageQuestion, ImageView, read)

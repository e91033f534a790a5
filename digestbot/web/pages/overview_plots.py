"""How the fleet changes, and how late it is: the numbers that the overview plots."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from digestbot.report.plain import well_formed
from digestbot.report.summary import plural
from digestbot.service.times import age, stamp
from digestbot.store.ages import Bucket
from digestbot.store.moves import Move
from digestbot.store.tallies import Tally
from digestbot.web.pages.overview_view import OverviewBucket, OverviewMove, OverviewTally

_DAY = timedelta(days=1)


def tallies_of(tallies: Iterable[Tally]) -> list[OverviewTally]:
    """How fresh the fleet was."""
    return [
        OverviewTally(
            at=stamp(one.at),
            current=one.current,
            stale=one.stale,
            held=one.held,
            failed=one.failed,
            p50_s=one.p50_s,
            p90_s=one.p90_s,
        )
        for one in tallies
    ]


def buckets_of(buckets: Iterable[Bucket], target: timedelta) -> list[OverviewBucket]:
    """How long pins are behind; the target lies between two buckets."""
    return [
        OverviewBucket(
            label=_label(one),
            above_s=round(one.above.total_seconds()),
            below_s=None if one.below is None else round(one.below.total_seconds()),
            pins=one.places,
            at_least=one.at_least,
            is_late=one.above >= target,
        )
        for one in buckets
    ]


def moves_of(moves: Iterable[Move]) -> list[OverviewMove]:
    """What moved."""
    return [
        OverviewMove(
            image_id=one.image_id,
            image=well_formed(str(one.query.image)),
            platform=str(one.query.platform or ""),
            old_digest=one.old_digest,
            new_digest=one.new_digest,
            at=stamp(one.at),
            times=one.times,
            repos_on_old=one.repos_on_old,
        )
        for one in moves
    ]


def span(length: timedelta) -> str:
    """Whole days as such, else about how long: `1 day`, `7 days`, `36 h`."""
    return age(length) if length % _DAY else plural(length // _DAY, "day")


def _label(one: Bucket) -> str:
    """`under 1 day`, `2 to 4 days`, `90 days and more`."""
    if one.below is None:
        return f"{span(one.above)} and more"
    if not one.above:
        return f"under {span(one.below)}"
    above, below = span(one.above), span(one.below)
    number, _, unit = above.partition(" ")
    return f"{number if unit.rstrip('s') == below.split()[-1].rstrip('s') else above} to {below}"

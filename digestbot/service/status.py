"""The status of the service, read from its state alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from digestbot import __version__
from digestbot.config.models import Settings
from digestbot.config.serving import ServiceConfig
from digestbot.errors import NoInputError
from digestbot.image import Digest
from digestbot.report.json_v1 import error_of
from digestbot.report.plain import well_formed
from digestbot.service.conditions import NEEDS_SOMEBODY, Cause, TroubledRepo, causes_of
from digestbot.service.status_contract import (
    SCHEMA,
    StatusDenied,
    StatusFailing,
    StatusFreshness,
    StatusHeld,
    StatusProposal,
    StatusReport,
    StatusRun,
    StatusSummary,
    StatusTotals,
    StatusTroubled,
)
from digestbot.service.times import stamp
from digestbot.service.timetable import next_fire
from digestbot.store import attention, findings, images, proposals, repos, runs
from digestbot.store.attention import DeniedDigest, HeldImage
from digestbot.store.database import Database
from digestbot.store.findings import Freshness, StoredFinding
from digestbot.store.proposals import StoredProposal
from digestbot.store.runs import RunRecord

MOST = 100
_RUNS = 10
_PROBLEMS = 20
_EXAMPLES = 5


def read_status(database: Database, settings: Settings, now: datetime) -> StatusReport:
    """How things are, as of one moment; the lists hold up to `MOST` items each.

    Raises:
        NoInputError: No run was made yet.
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        latest = runs.latest(connection, _RUNS)
        if not latest:
            raise NoInputError("the state has no run yet", hint="begin one: digestbot run")
        size = repos.count(connection)
        causes = causes_of(images.failing(connection))
        denied = attention.denied_digests(connection, settings.deny)
        return StatusReport(
            schema=SCHEMA,
            version=__version__,
            at=stamp(now),
            summary=StatusSummary(
                repos=size.live,
                left_out=size.left_out,
                gone=size.gone,
                images=len(images.queries(connection)),
                last_success=_stamp(runs.last_success(connection)),
                next_cycle=_stamp(_next(settings.service, repos.next_due(connection, now), now)),
            ),
            freshness=_freshness(findings.freshness(connection)),
            findings=findings.counts(connection),
            proposals=proposals.counts(connection),
            totals=StatusTotals(
                denied=len(denied),
                failing=len(causes),
                troubled=size.with_problems,
                held=attention.count_held(connection),
                open_proposals=attention.count_open(connection),
            ),
            runs=[_run(one) for one in latest],
            denied=[
                _denied(one, findings.denied(connection, [Digest.parse(one.digest)], _EXAMPLES))
                for one in denied[:MOST]
            ],
            failing=[_failing(one) for one in causes[:MOST]],
            troubled=[_troubled(one) for one in repos.with_problems(connection, MOST)],
            held=[
                _held(one)
                for one in attention.held_images(connection, first=NEEDS_SOMEBODY, limit=MOST)
            ],
            open_proposals=[_proposal(one) for one in proposals.open_ones(connection, MOST)],
        )


def _next(service: ServiceConfig, due: datetime | None, now: datetime) -> datetime | None:
    """By the timetable, or when what is held back may be looked at again."""
    times = (next_fire(service.cron, service.timezone, now), due)
    return min((time for time in times if time is not None), default=None)


def _freshness(found: Freshness) -> StatusFreshness:
    oldest = _stamp(found.oldest_stale_since)
    return StatusFreshness(found.current, found.stale, found.held, oldest)


def _run(run: RunRecord) -> StatusRun:
    took = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    return StatusRun(
        id=run.id,
        kind=run.kind,
        state=run.state.value,
        started_at=stamp(run.started_at),
        finished_at=_stamp(run.finished_at),
        duration_s=took,
        counts=dict(run.counts),
        errors=[error_of(problem) for problem in run.problems[:_PROBLEMS]],
    )


def _denied(one: DeniedDigest, examples: Sequence[StoredFinding]) -> StatusDenied:
    places = [well_formed(f"{found.repo} {found.path}:{found.line}") for found in examples]
    return StatusDenied(one.digest, one.places, one.repos, places)


def _failing(cause: Cause) -> StatusFailing:
    return StatusFailing(
        host=cause.host,
        code=cause.code,
        images=cause.images,
        example=str(cause.example.query),
        message=well_formed(cause.example.message),
        since=stamp(cause.since),
    )


def _troubled(repo: TroubledRepo) -> StatusTroubled:
    name, problems = repo
    return StatusTroubled(well_formed(name), [error_of(one) for one in problems[:_PROBLEMS]])


def _held(held: HeldImage) -> StatusHeld:
    return StatusHeld(
        image=held.image,
        reason=held.reason,
        message=well_formed(held.message),
        places=held.places,
        repos=held.repos,
        until=_stamp(held.until),
        needs_somebody=held.reason in NEEDS_SOMEBODY,
    )


def _proposal(one: StoredProposal) -> StatusProposal:
    return StatusProposal(
        repo=well_formed(one.repo),
        branch=well_formed(one.branch),
        title=well_formed(one.title),
        number=one.number or None,
        url=one.url or None,
        opened_at=_stamp(one.opened_at),
    )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)

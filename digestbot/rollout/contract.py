"""The contract `digestbot/rollout-plan/v1`: a plan as text, as it is shown, stored and read back.

Only additions are made to it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from digestbot import __version__
from digestbot.image import Digest, ImageReference, ImageTag, InvalidReferenceError, Platform
from digestbot.rollout.gates import GateRules
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.plan import Deadlines, Edit, Move, Plan, Planned, RolloutRules
from digestbot.rollout.selection import Selection
from digestbot.rollout.waves import WaveRules

SCHEMA: Literal["digestbot/rollout-plan/v1"] = "digestbot/rollout-plan/v1"
ID_LENGTH = 10
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class PlanSelection:
    """What was chosen."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image: str
    """Glob on the full name, with or without its tag."""
    digests: list[str]
    behind_s: int | None
    """At least so many seconds behind."""
    orgs: list[str]
    repos: list[str]
    topics: list[str]
    paths: list[str]
    owners: list[str]


@dataclass(frozen=True, slots=True)
class PlanMove:
    """An image, and the digest that it gets, whatever becomes of its tag."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image: str
    platform: str | None
    digest: str
    to: str | None
    """The tag that pins follow afterwards; null for the same."""
    platforms: list[str]
    created: str | None
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class PlanEdit:
    """One pin, and what it becomes."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str
    line: int
    image: str
    before: str
    after: str
    platform: str | None = None
    to: str | None = None
    """The tag that it follows afterwards; null for the same."""


@dataclass(frozen=True, slots=True)
class PlanTarget:
    """A repo."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    repo: str
    wave: int
    """From 0; the canary is the first."""
    owner: str
    """Whom caps count it to."""
    edits: list[PlanEdit]
    owners: list[str] = field(default_factory=list)
    """Who looks after the files, as CODEOWNERS has it."""


@dataclass(frozen=True, slots=True)
class PlanRules:
    """How it is gone about; times are in seconds, shares from 0 to 1."""

    canary: list[str]
    canary_topic: str
    canary_count: int
    shares: list[float]
    most_per_owner: int
    soak_s: int
    passed: float
    failed: float
    fewest_failed: int
    needs_approval: bool
    probe: bool
    per_minute: int
    per_hour: int
    writes_per_pull: int
    pending: int
    creep_s: int
    comment_s: int | None
    reviewers_s: int | None
    merge_s: int | None
    is_critical: bool
    watch_s: int


@dataclass(frozen=True, slots=True)
class PlanReport:
    """A plan."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/rollout-plan/v1"]
    version: str
    """The version of digestbot that made it."""
    made_at: str
    by: str
    selection: PlanSelection
    moves: list[PlanMove]
    rules: PlanRules
    targets: list[PlanTarget]
    fleet: int
    """How many repos there are in all."""
    left_out: dict[str, str]
    """Repos that were chosen and are not asked, with the reason."""


def report_of(plan: Plan) -> PlanReport:
    """A plan as texts and numbers."""
    return PlanReport(
        schema=SCHEMA,
        version=__version__,
        made_at=plan.made_at.astimezone(UTC).isoformat(),
        by=plan.by,
        selection=_told_selection(plan.selection),
        moves=[_told_move(move) for move in plan.moves],
        rules=_told_rules(plan.rules),
        targets=[_told_target(one) for one in plan.targets],
        fleet=plan.fleet,
        left_out=dict(plan.left_out),
    )


def plan_of(report: PlanReport) -> Plan:
    """The plan that these texts and numbers tell.

    Raises:
        ValueError: They tell none.
    """
    return Plan(
        made_at=datetime.fromisoformat(report.made_at),
        by=report.by,
        selection=_selection(report.selection),
        moves=tuple(_move(move) for move in report.moves),
        rules=_rules(report.rules),
        targets=tuple(_target(one) for one in report.targets),
        fleet=report.fleet,
        left_out=dict(report.left_out),
    )


def written(plan: Plan) -> str:
    """A plan as one line of JSON, always the same for the same plan."""
    return json.dumps(asdict(report_of(plan)), sort_keys=True, separators=(",", ":"))


def read(text: str) -> Plan:
    """The plan in JSON.

    Raises:
        ValueError: There is none in it.
    """
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who reads a plan pays for it

    try:
        return plan_of(TypeAdapter(PlanReport).validate_json(text))
    except InvalidReferenceError as error:
        raise ValueError(str(error)) from error


def plan_id(plan: Plan) -> str:
    """What a plan is called: it has another name as soon as anything about it is another."""
    return hashlib.sha256(written(plan).encode()).hexdigest()[:ID_LENGTH]


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(PlanReport).json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    return {**head, **schema, "title": f"{SCHEMA}: a plan of digestbot rollout"}


def _told_selection(selection: Selection) -> PlanSelection:
    return PlanSelection(
        image=selection.image,
        digests=sorted(str(digest) for digest in selection.digests),
        behind_s=_seconds(selection.behind),
        orgs=list(selection.orgs),
        repos=list(selection.repos),
        topics=list(selection.topics),
        paths=list(selection.paths),
        owners=list(selection.owners),
    )


def _selection(told: PlanSelection) -> Selection:
    return Selection(
        image=told.image,
        digests=frozenset(Digest.parse(digest) for digest in told.digests),
        behind=_span(told.behind_s),
        orgs=tuple(told.orgs),
        repos=tuple(told.repos),
        topics=tuple(told.topics),
        paths=tuple(told.paths),
        owners=tuple(told.owners),
    )


def _told_move(move: Move) -> PlanMove:
    return PlanMove(
        image=str(move.image),
        platform=str(move.platform) if move.platform else None,
        digest=str(move.digest),
        to=str(move.to) if move.to else None,
        platforms=list(move.platforms),
        created=move.created.astimezone(UTC).isoformat() if move.created else None,
        remarks=list(move.remarks),
    )


def _move(told: PlanMove) -> Move:
    return Move(
        image=_tag(told.image),
        digest=Digest.parse(told.digest),
        platform=Platform.parse(told.platform) if told.platform else None,
        to=_tag(told.to) if told.to else None,
        platforms=tuple(told.platforms),
        created=datetime.fromisoformat(told.created) if told.created else None,
        remarks=tuple(told.remarks),
    )


def _told_target(one: Planned) -> PlanTarget:
    edits = [_told_edit(edit) for edit in one.edits]
    return PlanTarget(one.repo, one.wave, one.owner, edits, list(one.owners))


def _target(told: PlanTarget) -> Planned:
    edits = tuple(_edit(edit) for edit in told.edits)
    return Planned(told.repo, told.wave, told.owner, edits, tuple(told.owners))


def _told_edit(edit: Edit) -> PlanEdit:
    platform = str(edit.platform) if edit.platform else None
    before, after = str(edit.before), str(edit.after)
    to = str(edit.to) if edit.to else None
    return PlanEdit(edit.path, edit.line, str(edit.image), before, after, platform, to)


def _edit(told: PlanEdit) -> Edit:
    before, after = Digest.parse(told.before), Digest.parse(told.after)
    platform = Platform.parse(told.platform) if told.platform else None
    to = _tag(told.to) if told.to else None
    return Edit(told.path, told.line, _tag(told.image), before, after, platform, to)


def _told_rules(rules: RolloutRules) -> PlanRules:
    waves, gate, pace, deadlines = rules.waves, rules.gate, rules.pace, rules.deadlines
    return PlanRules(
        canary=list(waves.canary),
        canary_topic=waves.canary_topic,
        canary_count=waves.canary_count,
        shares=list(waves.shares),
        most_per_owner=waves.most_per_owner,
        soak_s=int(gate.soak.total_seconds()),
        passed=gate.passed,
        failed=gate.failed,
        fewest_failed=gate.fewest_failed,
        needs_approval=gate.needs_approval,
        probe=gate.probe,
        per_minute=pace.per_minute,
        per_hour=pace.per_hour,
        writes_per_pull=pace.writes_per_pull,
        pending=pace.pending,
        creep_s=int(pace.creep.total_seconds()),
        comment_s=_seconds(deadlines.comment),
        reviewers_s=_seconds(deadlines.reviewers),
        merge_s=_seconds(deadlines.merge),
        is_critical=rules.is_critical,
        watch_s=int(rules.watch.total_seconds()),
    )


def _rules(told: PlanRules) -> RolloutRules:
    waves = WaveRules(
        tuple(told.canary),
        told.canary_topic,
        told.canary_count,
        tuple(told.shares),
        told.most_per_owner,
    )
    gate = GateRules(
        timedelta(seconds=told.soak_s),
        told.passed,
        told.failed,
        told.fewest_failed,
        told.needs_approval,
        told.probe,
    )
    creep = timedelta(seconds=told.creep_s)
    pace = PaceRules(told.per_minute, told.per_hour, told.writes_per_pull, told.pending, creep)
    deadlines = Deadlines(_span(told.comment_s), _span(told.reviewers_s), _span(told.merge_s))
    watch = timedelta(seconds=told.watch_s)
    return RolloutRules(waves, gate, pace, deadlines, told.is_critical, watch)


def _tag(text: str) -> ImageTag:
    found = ImageReference.parse(text).followed
    if found is None:
        raise ValueError(f"{text} has no tag")
    return found


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)

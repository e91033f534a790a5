"""A plan as programs get it: the contract, with its id and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from digestbot.report.contract import ScanError
from digestbot.report.json_v1 import error_of
from digestbot.rollout.contract import SCHEMA, PlanReport, plan_id, report_of
from digestbot.rollout.plan import Plan
from digestbot.scan.result import Problem


@dataclass(frozen=True, slots=True)
class PlanDocument(PlanReport):
    """A plan."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    id: str
    """What `digestbot rollout start` takes."""
    waves: int
    """How many there are, the canary counted."""
    edits: int
    share: float
    """The part of all repos that it reaches, from 0 to 1."""
    at_least_s: int
    """How many seconds it takes at least."""
    errors: list[ScanError]
    """Images about which there was no answer."""


def document(plan: Plan, problems: Sequence[Problem] = ()) -> PlanDocument:
    """A plan in the terms of the contract."""
    report = report_of(plan)
    return PlanDocument(
        **{field.name: getattr(report, field.name) for field in fields(report)},
        id=plan_id(plan),
        waves=plan.waves,
        edits=edits_of(plan),
        share=round(plan.share, 4),
        at_least_s=int(plan.at_least.total_seconds()),
        errors=[error_of(problem) for problem in problems],
    )


def edits_of(plan: Plan) -> int:
    """How many pins it changes."""
    return sum(len(target.edits) for target in plan.targets)


def document_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(PlanDocument).json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    return {**head, **schema, "title": f"{SCHEMA}: a plan of digestbot rollout"}

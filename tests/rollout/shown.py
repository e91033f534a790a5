"""Plans to be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from digestbot.rollout.objections import Limits, large
from digestbot.rollout.plan import Move, Plan
from digestbot.rollout.plan_words import Shown
from digestbot.scan.result import Problem
from tests.rollout.test_plan import ALPINE, NEW, OLD, OLDER, place, plan_of

MOVE = Move(
    ALPINE,
    NEW,
    platforms=("linux/amd64", "linux/arm64"),
    created=datetime(2026, 11, 20, 8, tzinfo=UTC),
    remarks=("The new image no longer runs on linux/arm/v7.",),
)
PROBLEM = Problem("registry", "ghcr.io", "denied", "ghcr.io refuses", "log in")


def small() -> Plan:
    """A canary, three repos more, and one that another rollout has."""
    return plan_of(
        place("acme/lab"),
        *(place(f"acme/app-{number}") for number in range(3)),
        place("acme/older", digest=OLDER),
        place("acme/busy"),
        moves=(MOVE,),
        by="ann",
        left_out={"acme/busy": "rollout 1a2b3c is under way in it"},
    )


def shown(plan: Plan | None = None, *problems: Problem) -> Shown:
    """The plan as `rollout plan` shows it."""
    told = plan if plan is not None else small()
    return Shown(told, "1f2e3d4c5b", large(told, Limits()), problems)


def hostile() -> Plan:
    """Names that would be something else if they were not shown as they are."""
    plan = plan_of(
        place("acme/\x1b[31mred\u202e|x"),
        place("acme/app", digest=OLD),
        moves=(
            replace(
                MOVE,
                platforms=("linux/<b>", "x\ny"),
                remarks=("::error::boo\n# heading @everyone",),
            ),
        ),
        by="<script>@ann",
        left_out={"acme/app": "`|\x00<img>"},
    )
    [target] = plan.targets
    edit = replace(target.edits[0], path="a|b`c\n<img src=x>/Dockerfile")
    return replace(plan, targets=(replace(target, edits=(edit,)),))

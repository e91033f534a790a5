"""What would happen to a rollout that is started, ended or taken back: asked about before it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from digestbot.report.plain import well_formed
from digestbot.report.summary import plural
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import OPEN, TargetState
from digestbot.service.rollouts.meanings import MEANINGS, command
from digestbot.service.rollouts.starting import against
from digestbot.service.rollouts.waiting import Scene, is_to_go_back
from digestbot.service.times import age
from digestbot.web.page import Look, Page, Question
from digestbot.web.pages.rollout import RolloutId, of_id, verbs_of

_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RolloutEndQuestion(Question):
    """Which rollout, and what is to become of it."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: RolloutId = ""
    verb: Literal["start", "abort", "rollback"] = "abort"


@dataclass(frozen=True, slots=True)
class RolloutEndView:
    """What would happen."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: str
    state: str
    image: str
    verb: str
    meaning: str
    is_possible: bool
    """Whether it can be told that now, here."""
    effects: list[str]
    """What would happen, in sentences."""
    objections: list[str]
    """Why it is not started here, but on the command line, by whoever says why."""


def read(look: Look, question: RolloutEndQuestion) -> RolloutEndView:
    """What would happen to a rollout.

    Raises:
        NotHereError: There is none with this id.
        StoreError: The state cannot be read.
    """
    scene, verb = of_id(look, question.id), Verb(question.verb)
    rollout = scene.rollout
    found = (
        list(against(look.database, rollout.plan, look.loaded.settings.rollout, look.now))
        if verb is Verb.START and rollout.standing.state is State.PLANNED
        else []
    )
    return RolloutEndView(
        id=rollout.id,
        state=rollout.standing.state.value,
        image=well_formed(", ".join(move.name for move in rollout.plan.moves)),
        verb=verb.value,
        meaning=MEANINGS[verb],
        is_possible=verb in verbs_of(rollout) and not found,
        effects=_EFFECTS[verb](scene),
        objections=found,
    )


def _start(scene: Scene) -> list[str]:
    plan = scene.rollout.plan
    first = sum(target.wave == 0 for target in plan.targets)
    repos = plural(len(plan.targets), "repo")
    return [
        f"{plural(first, 'pull request')} are opened at once: the first wave."
        if first != 1
        else "One pull request is opened at once: the first wave.",
        f"In {plural(plan.waves, 'wave')} it reaches {repos}, {plan.share:.0%} of the fleet.",
        f"It takes {age(plan.at_least)} at least. It may be paused or ended at any time.",
    ]


def _abort(scene: Scene) -> list[str]:
    ours = sum(one.state in OPEN and not one.is_adopted for one in scene.targets)
    theirs = sum(one.state in OPEN and one.is_adopted for one in scene.targets)
    merged = sum(one.state is TargetState.MERGED for one in scene.targets)
    waiting = sum(one.state is TargetState.WAITING for one in scene.targets)
    return [
        f"Open pull requests of the rollout that are closed, each with a comment: {ours}.",
        f"Repos that get none any more: {waiting}.",
        f"Repos that have the digest, and keep it: {merged}.",
        *([f"Pull requests of others that stay open: {theirs}."] if theirs else []),
        "It cannot be resumed.",
    ]


def _rollback(scene: Scene) -> list[str]:
    ours = sum(one.state in OPEN and not one.is_adopted for one in scene.targets)
    back = sum(is_to_go_back(one) for one in scene.targets)
    had = sum(one.state is TargetState.MERGED for one in scene.targets) - back
    told = command(Verb.ROLLBACK, scene.rollout.id)
    return [
        f"Repos that get a pull request back to the digest that each of them had: {back}.",
        f"Open pull requests of the rollout that are closed, each with a comment: {ours}.",
        *([f"Repos that had the digest before, and keep it: {had}."] if had else []),
        f"Not asked here: whether those can still be pulled; {told} asks first.",
        "It cannot be resumed.",
    ]


_EFFECTS: Mapping[Verb, Callable[[Scene], list[str]]] = {
    Verb.START: _start,
    Verb.ABORT: _abort,
    Verb.ROLLBACK: _rollback,
}

PAGE = Page(
    "rollout_end",
    "/rollouts/{id}/{verb}",
    "Rollout",
    RolloutEndQuestion,
    RolloutEndView,
    read,
)

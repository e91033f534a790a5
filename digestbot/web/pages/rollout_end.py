"""What would happen to a rollout that is started, ended or taken back: asked about before it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from digestbot.report.plain import one_line, well_formed
from digestbot.report.summary import plural
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import OPEN, TargetState
from digestbot.service.asking import LONGEST_REASON
from digestbot.service.rollouts.checking import Checked
from digestbot.service.rollouts.meanings import MEANINGS
from digestbot.service.rollouts.pullable import Lost, previous
from digestbot.service.rollouts.starting import against
from digestbot.service.rollouts.waiting import Scene, is_to_go_back
from digestbot.service.times import age, stamp
from digestbot.web.page import Look, Page, Question
from digestbot.web.pages.rollout import RolloutId, of_id, verbs_of

MOST_LOST, MOST_REPOS = 50, 10
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RolloutEndQuestion(Question):
    """Which rollout, and what is to become of it."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: RolloutId = ""
    verb: Literal["start", "abort", "rollback"] = "abort"
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    """Why, as it was typed before."""


@dataclass(frozen=True, slots=True)
class RolloutLost:
    """A digest that repos had, and that is not known to be there any more."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    image: str
    digest: str
    code: str
    """Why, as `digestbot image` names it: `not-found`, `timeout` and so on."""
    message: str
    repos: list[str]
    """Who had it; the first of them."""
    repos_total: int


@dataclass(frozen=True, slots=True)
class RolloutChecked:
    """What registries said when somebody wanted the rollout to go back a moment ago."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    at: str
    wanted: int
    """So many digests were asked for."""
    lost: list[RolloutLost]
    """The first of those that are not known to be there; for them nothing was done."""
    lost_total: int


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
    checked: RolloutChecked | None
    """Why it did not go back when it was told to; null where nobody asked, or all was well."""


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
    is_possible = verb in verbs_of(rollout) and not found
    checked = look.checked(rollout.id) if verb is Verb.ROLLBACK and is_possible else None
    return RolloutEndView(
        id=rollout.id,
        state=rollout.standing.state.value,
        image=well_formed(", ".join(move.name for move in rollout.plan.moves)),
        verb=verb.value,
        meaning=MEANINGS[verb],
        is_possible=is_possible,
        effects=_EFFECTS[verb](scene),
        objections=found,
        checked=_checked(checked) if checked is not None and checked.lost else None,
    )


def _checked(checked: Checked) -> RolloutChecked:
    shown = [_lost(one) for one in checked.lost[:MOST_LOST]]
    return RolloutChecked(stamp(checked.at), checked.wanted, shown, len(checked.lost))


def _lost(one: Lost) -> RolloutLost:
    return RolloutLost(
        image=well_formed(str(one.image)),
        digest=str(one.digest),
        code=one.code,
        message=one_line(one.message),
        repos=[well_formed(repo) for repo in one.repos[:MOST_REPOS]],
        repos_total=len(one.repos),
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
    digests = len(previous(scene.rollout.plan, scene.targets))
    return [
        f"Repos that get a pull request back to the digest that each of them had: {back}.",
        f"Open pull requests of the rollout that are closed, each with a comment: {ours}.",
        *([f"Repos that had the digest before, and keep it: {had}."] if had else []),
        *([_ASKED_FIRST.format(plural(digests, "digest"))] if digests else []),
        "It cannot be resumed.",
    ]


_ASKED_FIRST: Final = (
    "Registries are asked first whether {} can still be pulled, for twenty seconds at most. "
    "Where one is not known to be there nothing is done, and this page says which."
)
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

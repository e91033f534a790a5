"""One rollout: what it does now and waits for, how far it is, what is in its way, what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import OPEN, Target, grouped
from digestbot.service.rollouts.meanings import ABOUT_ONE, MEANINGS, command, helpful
from digestbot.service.rollouts.standing_contract import (
    RolloutReport,
    RolloutStraggler,
    RolloutVerb,
)
from digestbot.service.rollouts.standing_report import report_of
from digestbot.service.rollouts.starting import seen_at_once
from digestbot.service.rollouts.waiting import Scene
from digestbot.store import images, rollouts
from digestbot.store.images import TagNow
from digestbot.store.rollout_places import Home, homes
from digestbot.store.rollouts import OVER, Rollout
from digestbot.web.page import MOST_PAGES, ROWS, Look, NotHereError, Page, Question
from digestbot.web.pages.rollout_told import (
    Where,
    followed,
    image_of,
    repo_of,
    rules_of,
    straggler_of,
    todo_of,
)
from digestbot.web.pages.rollout_view import RolloutImage, RolloutRepo, RolloutView

MOST_LATE, MOST_EVENTS = 20, 50
RolloutId = Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
RepoState = Literal[
    "",
    "open",
    "waiting",
    "pending",
    "green",
    "red",
    "unknown",
    "approved",
    "blocked",
    "merged",
    "rejected",
    "skipped",
    "failed",
    "closed",
]


@dataclass(frozen=True, slots=True)
class RolloutQuestion(Question):
    """Which rollout, and which of its repos."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    id: RolloutId = ""
    q: Annotated[str, Field(max_length=200)] = ""
    """Part of the name of a repo, of what is in its way, or of a check that fails."""
    state: RepoState = ""
    """What became of the repos; `open` is whatever has an open pull request."""
    wave: Annotated[int, Field(ge=-1, le=1000)] = -1
    """From 0; -1 for all of them."""
    live: bool = True
    """Whether the page refreshes itself while something happens."""
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1

    def asks_for(self, target: Target) -> bool:
        """Whether a repo is asked for."""
        if self.wave not in (-1, target.wave):
            return False
        if self.state and not (
            target.state in OPEN if self.state == "open" else target.state == self.state
        ):
            return False
        wanted, said = self.q.strip().lower(), (target.repo, target.why, *target.failing)
        return not wanted or any(wanted in text.lower() for text in said)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the state has of a rollout."""

    scene: Scene
    asked: Sequence[Target]
    tags: Sequence[TagNow | None]
    report: RolloutReport
    homes: dict[str, Home]


def read(look: Look, question: RolloutQuestion) -> RolloutView:
    """All that is known of a rollout.

    Raises:
        NotHereError: There is none with this id.
        StoreError: The state cannot be read.
    """
    return _view(look, question, _found(look, question))


def of_id(look: Look, name: str) -> Scene:
    """A rollout with its repos, by its whole id.

    Raises:
        NotHereError: There is none with this id.
        StoreError: The state cannot be read.
    """
    with look.database.reading() as connection:
        rollout = rollouts.get(connection, name)
        if rollout is None:
            raise NotHereError("there is no such rollout", hint="see /rollouts for those there are")
        targets = rollouts.targets(connection, rollout.id)
        back = rollouts.targets(connection, rollout.id, is_back=True)
    return Scene(rollout, targets, back, look.now)


def _found(look: Look, question: RolloutQuestion) -> _Found:
    scene = of_id(look, question.id)
    asked = [target for target in scene.targets if question.asks_for(target)]
    # What tags have is looked up below, with their pages.
    report = report_of(scene, [None] * len(scene.rollout.plan.moves))
    first = (question.page - 1) * ROWS
    names = {target.repo for target in asked[first : first + ROWS]}
    names |= {one.repo for one in report.stragglers[:MOST_LATE]}
    with look.database.reading() as connection:
        tags = [images.tag_now(connection, followed(one)) for one in scene.rollout.plan.moves]
        places = homes(connection, names)
    return _Found(scene, asked, tags, report, places)


def _view(look: Look, question: RolloutQuestion, found: _Found) -> RolloutView:
    rollout, report = found.scene.rollout, found.report
    return RolloutView(
        id=rollout.id,
        state=report.state.value,
        meaning=report.meaning,
        since=report.since,
        is_live=is_live(rollout),
        waits=report.waits,
        todo=todo_of(report.state, report.waits.reason),
        verbs=_verbs(rollout),
        objections=_objections(look, rollout),
        wave=report.wave,
        planned_at=report.planned_at,
        planned_by=report.planned_by,
        started_at=report.started_at,
        fleet=report.fleet,
        repos=report.repos,
        counts={state.value: number for state, number in report.counts.items()},
        back=_back(found.scene),
        p50_s=report.p50_s,
        p90_s=report.p90_s,
        pace=report.pace,
        issue=report.issue,
        rules=rules_of(rollout.plan),
        images=_images(found),
        waves=report.waves,
        failing=report.failing,
        stragglers=_stragglers(found),
        stragglers_total=len(report.stragglers),
        left=report.left,
        burndown=report.burndown,
        total=len(found.asked),
        targets=_repos(found, question),
        events=report.events[: -MOST_EVENTS - 1 : -1],
        events_total=len(report.events),
    )


def _verbs(rollout: Rollout) -> list[RolloutVerb]:
    wave = rollout.standing.wave
    return [
        RolloutVerb(verb, MEANINGS[verb], command(verb, rollout.id, wave))
        for verb in verbs_of(rollout)
    ]


def _back(scene: Scene) -> dict[str, int]:
    """What became of those that were offered what they had; nothing where none was."""
    if not scene.back:
        return {}
    return {state.value: number for state, number in grouped(list(scene.back)).items()}


def _images(found: _Found) -> list[RolloutImage]:
    plan = found.scene.rollout.plan
    return [image_of(plan, move, tag) for move, tag in zip(plan.moves, found.tags, strict=True)]


def _stragglers(found: _Found) -> list[RolloutStraggler]:
    return [straggler_of(one, found.homes) for one in found.report.stragglers[:MOST_LATE]]


def _repos(found: _Found, question: RolloutQuestion) -> list[RolloutRepo]:
    """The repos of the page that is asked for."""
    rollout, back = found.scene.rollout, found.scene.back
    where = Where(
        planned={one.repo: one for one in rollout.plan.targets},
        homes=found.homes,
        back={one.repo: one for one in back},
        standing=rollout.standing,
    )
    first = (question.page - 1) * ROWS
    return [repo_of(one, where) for one in found.asked[first : first + ROWS]]


def is_live(rollout: Rollout) -> bool:
    """Whether something still happens by itself."""
    state = rollout.standing.state
    return state is not State.PLANNED and not (state in OVER and rollout.is_settled)


def verbs_of(rollout: Rollout) -> list[Verb]:
    """What all of it may be told that helps; there is no way back from where nothing began."""
    is_planned = rollout.standing.state is State.PLANNED
    return [
        verb
        for verb in helpful(rollout.standing)
        if verb not in ABOUT_ONE
        and not (verb is Verb.ROLLBACK and is_planned)
        and not (verb is Verb.ABORT and rollout.standing.state in OVER)
    ]


def _objections(look: Look, rollout: Rollout) -> list[str]:
    if rollout.standing.state is not State.PLANNED:
        return []
    return list(seen_at_once(rollout.plan, look.loaded.settings.rollout, look.now))


PAGE = Page("rollout", "/rollouts/{id}", "Rollout", RolloutQuestion, RolloutView, read)

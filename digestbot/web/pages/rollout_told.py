"""The parts of a rollout as its page tells them: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from digestbot.registry.resolution import Query
from digestbot.report.plain import well_formed
from digestbot.rollout.machine import Standing, State, Verb
from digestbot.rollout.plan import Move, Plan, Planned
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.meanings import ABOUT_ONE
from digestbot.service.rollouts.standing_contract import RolloutStraggler
from digestbot.service.times import age, stamp
from digestbot.store.images import TagNow
from digestbot.store.rollout_places import Home
from digestbot.web.links import pull_link
from digestbot.web.pages.rollout_view import (
    RolloutBack,
    RolloutBefore,
    RolloutEdit,
    RolloutImage,
    RolloutRepo,
    RolloutRules,
)

MOST_BEFORE = 5
_POINTLESS: Mapping[Verb, frozenset[TargetState]] = {
    Verb.RETRY: frozenset(
        {TargetState.MERGED, TargetState.WAITING, TargetState.GREEN, TargetState.APPROVED}
    ),
    Verb.SKIP: frozenset(
        {TargetState.MERGED, TargetState.SKIPPED, TargetState.REJECTED, TargetState.CLOSED}
    ),
}


@dataclass(frozen=True, slots=True)
class Where:
    """What rows are put together from.

    Attributes:
        planned: The repos of the plan, by name.
        homes: Where repos are, by name.
        back: The way back of repos, by name.
        standing: Of the rollout.
    """

    planned: Mapping[str, Planned]
    homes: Mapping[str, Home]
    back: Mapping[str, Target]
    standing: Standing


def followed(move: Move) -> Query:
    """The tag that a move is compared with."""
    return Query(move.to or move.image, move.platform)


def image_of(plan: Plan, move: Move, tag: TagNow | None) -> RolloutImage:
    """An image, what it replaces, and what its tag has by now."""
    before = Counter(
        str(edit.before)
        for target in plan.targets
        for edit in target.edits
        if (edit.image, edit.platform) == (move.image, move.platform)
    ).most_common()
    # A digest of one's own choice differs from the tag's from the beginning.
    is_later = tag is not None and tag.since is not None and tag.since > plan.made_at
    moved = tag if tag is not None and is_later and tag.digest != str(move.digest) else None
    return RolloutImage(
        image=str(move.image),
        image_id=tag.id if tag else None,
        platform=str(move.platform) if move.platform else None,
        digest=str(move.digest),
        to=str(move.to) if move.to else None,
        platforms=list(move.platforms),
        created=stamp(move.created) if move.created else None,
        remarks=[well_formed(text) for text in move.remarks],
        before=[RolloutBefore(digest, pins) for digest, pins in before[:MOST_BEFORE]],
        others=max(len(before) - MOST_BEFORE, 0),
        moved_to=moved.digest if moved else None,
        moved_at=stamp(moved.since) if moved and moved.since else None,
    )


def rules_of(plan: Plan) -> RolloutRules:
    """How it is gone about."""
    gate, is_critical = plan.rules.gate, plan.rules.is_critical
    return RolloutRules(
        chosen=_chosen(plan),
        pins=sum(len(target.edits) for target in plan.targets),
        share=plan.share,
        at_least_s=int(plan.at_least.total_seconds()),
        soak_s=0 if is_critical else int(gate.soak.total_seconds()),
        passed=gate.passed,
        failed=gate.failed,
        needs_approval=gate.needs_approval,
        probe=gate.probe,
        is_critical=is_critical,
    )


def _chosen(plan: Plan) -> list[str]:
    one = plan.selection
    pairs: Sequence[tuple[str, Sequence[str]]] = (
        ("pinned at", sorted(str(digest) for digest in one.digests)),
        ("of", one.orgs),
        ("named", one.repos),
        ("with the topic", one.topics),
        ("in files like", one.paths),
        ("looked after by", one.owners),
    )
    said = [f"{word} {' or '.join(values)}" for word, values in pairs if values]
    if one.behind is not None:
        word = f"for at least {age(one.behind)}" if one.behind else "by whatever time"
        said.insert(0, f"behind {word}")
    return [f"images like {one.image}", *said]


def repo_of(target: Target, where: Where) -> RolloutRepo:
    """A repo as its row has it."""
    home, planned = where.homes.get(target.repo), where.planned[target.repo]
    return RolloutRepo(
        repo=well_formed(target.repo),
        repo_id=home.id if home else None,
        wave=target.wave,
        state=target.state.value,
        why=well_formed(target.why),
        failing=[well_formed(name) for name in target.failing],
        number=target.number or None,
        url=_link(home, target.url),
        is_adopted=target.is_adopted,
        opened_at=stamp(target.opened_at) if target.opened_at else None,
        ended_at=stamp(target.ended_at) if target.ended_at else None,
        owner=well_formed(planned.owner),
        edits=_edits(planned),
        back=_back(where.back.get(target.repo), home),
        verbs=_verbs(target, where.standing),
    )


def straggler_of(one: RolloutStraggler, homes: Mapping[str, Home]) -> RolloutStraggler:
    """One whom somebody has to see to, with a link only to where its repo is."""
    url = _link(homes.get(one.repo), one.url or "")
    return replace(one, repo=well_formed(one.repo), url=url)


def todo_of(state: State, reason: str) -> str:
    """What somebody may do about what it waits for."""
    return _TODO.get(reason) or _TODO_STATE.get(state, "")


_TODO: Mapping[str, str] = {
    "working": "Nothing: pull requests are opened as fast as the limits allow.",
    "soaking": "Nothing. Whoever cannot wait promotes it.",
    "not-passed": "Have what is green merged, and what fails mended, retried or skipped.",
    "not-approved": "Look at what is merged so far, and approve it if that is well.",
    "nothing-known": "Merge what is open, or approve it where no checks are to be expected.",
    "probe-says-no": "See what the webhook looks at.",
}
_TODO_STATE: Mapping[State, str] = {
    State.PLANNED: "Read the plan below, and start it.",
    State.PAUSED: "Resume it once it may go on. What is open may be merged meanwhile.",
    State.HALTED: "See which checks fail. Mend or skip those repos and resume: what fails now is "
    "known then, and only what fails anew halts it again. Or end it, or go back.",
    State.WATCHING: "See below who is late.",
    State.ROLLING_BACK: "Have the pull requests merged that lead back.",
    State.ROLLED_BACK: "Have the pull requests merged that lead back.",
}


def _verbs(target: Target, standing: Standing) -> list[str]:
    return [
        verb.value
        for verb in standing.verbs()
        if verb in ABOUT_ONE and target.state not in _POINTLESS[verb]
    ]


def _edits(planned: Planned) -> list[RolloutEdit]:
    return [
        RolloutEdit(
            path=well_formed(edit.path),
            line=edit.line,
            image=str(edit.image),
            before=str(edit.before),
            after=str(edit.after),
            to=str(edit.to) if edit.to else None,
        )
        for edit in planned.edits
    ]


def _back(target: Target | None, home: Home | None) -> RolloutBack | None:
    if target is None:
        return None
    why, url = well_formed(target.why), _link(home, target.url)
    return RolloutBack(target.state.value, why, target.number or None, url)


def _link(home: Home | None, url: str) -> str | None:
    return pull_link(home.url, url) if home else None

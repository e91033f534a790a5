"""The hands of one step of a rollout: its repos are looked at, brought along and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError, UnsettledError
from digestbot.forge.interface import Forge
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.steps import Step
from digestbot.forge.watching import PullId
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.run import problem_of
from digestbot.rollout.gates import Evidence
from digestbot.rollout.machine import Event, State, Verb
from digestbot.rollout.pacing import room
from digestbot.rollout.progress import OPEN, Target, TargetState
from digestbot.service.jobs import Stop
from digestbot.service.logs import Event as Logged
from digestbot.service.logs import get_log
from digestbot.service.rollouts.frozen import bring
from digestbot.service.rollouts.goals import Frozen
from digestbot.service.rollouts.reading import after_look, after_update, unseen
from digestbot.service.rollouts.unordered import Unordered
from digestbot.service.rollouts.ways import LOOK_S, Ways
from digestbot.store import deeds, rollouts
from digestbot.store.deeds import Deed, Done
from digestbot.store.rollouts import Rollout

MOST_IN_VAIN: Final = 10
"""So many repos in one step that have to wait: their schedule is closed, or the forge is away."""
_SEEN_AT_ONCE = 50
_HOUR = timedelta(hours=1)
# Where the forge may merge by itself: on the way there, and on the way back.
_MERGING = {
    False: (State.RUNNING, State.PAUSED, State.WATCHING),
    True: (State.ROLLING_BACK, State.ROLLED_BACK),
}
_log = get_log(__name__)
T = TypeVar("T")


@dataclass
class Work:
    """What one step of one rollout works with; made anew for each.

    Attributes:
        is_back: It is about the way back.
        others: What became of the repos on the way there, which counts along.
    """

    ways: Ways
    rollout: Rollout
    stop: Stop
    targets: dict[str, Target] = field(default_factory=dict)
    is_back: bool = False
    others: Mapping[str, Target] = field(default_factory=dict)

    def read(self) -> None:
        """Know what became of its repos so far."""
        with self.ways.database.reading() as connection:
            found = rollouts.targets(connection, self.rollout.id, is_back=self.is_back)
        self.targets = {target.repo: target for target in found}

    def note(self, changed: Iterable[Target]) -> None:
        """Write down what became of repos, where it is something new."""
        new = [one for one in changed if one != self.targets.get(one.repo)]
        self.targets.update({one.repo: one for one in new})
        if new:
            with self.ways.database.begin() as connection:
                rollouts.note_targets(connection, self.rollout.id, new, is_back=self.is_back)

    def happen(self, verb: Verb, evidence: Evidence | None = None, reason: str = "") -> None:
        """Have something happen, log it and tell it."""
        event = Event(verb, self.ways.now(), reason=reason, evidence=evidence)
        with self.ways.database.begin() as connection:
            self.rollout = rollouts.append(connection, self.rollout, event)
        standing = self.rollout.standing
        _log.info(
            Logged.ROLLOUT_CHANGED,
            rollout=self.rollout.id,
            state=standing.state.value,
            wave=standing.wave,
            message=reason,
        )
        self.ways.tell(self.rollout, reason)

    def look(self, *others: TargetState) -> None:
        """See how all open pull requests fare, and those of repos in `others`.

        One that somebody closed may be opened again.
        """
        self.find_numbers()
        ids = {
            PullId(target.repo, target.number): target
            for target in self.targets.values()
            if target.state in {*OPEN, TargetState.REJECTED, *others} and target.number
        }
        for part in _parts(list(ids), _SEEN_AT_ONCE):
            statuses = self.ways.watching.statuses(part)
            self.note(
                after_look(ids[one], status, self.ways.now()) for one, status in statuses.items()
            )
            self.note(unseen(ids[one]) for one in part if one not in statuses)

    def bring(self, name: str, frozen: Frozen, *, forgets_order: bool = False) -> RepoOutcome:
        """Have one repo get these digests; while it is halted, nothing is merged by itself.

        What goes wrong in one repo ends there. With `forgets_order`, the forge is told to merge
        although it was told so before.
        """
        try:
            return self._bring(name, frozen, forgets_order=forgets_order)
        except ForgeError as error:
            return RepoOutcome(name, problems=(problem_of(name, error),))

    def frozen_for(self, name: str) -> Frozen:
        """The digests that a repo is brought."""
        plan = self.rollout.plan
        edits = next(one.edits for one in plan.targets if one.repo == name)
        return Frozen.back(edits) if self.is_back else Frozen.forward(plan.moves, edits)

    def _bring(self, name: str, frozen: Frozen, *, forgets_order: bool) -> RepoOutcome:
        with self.opened(name) as (forge, repo):
            if repo is None:
                return RepoOutcome(name, left_out=("gone", "it is not there any more"))
            if isinstance(repo, LeftOut):
                return RepoOutcome(name, left_out=(repo.reason, repo.message))
            may_merge = self.rollout.standing.state in _MERGING[self.is_back]
            run = self.ways.run_on(Unordered(forge) if forgets_order else forge)
            return bring(run, repo, frozen, self.rollout.id, may_merge=may_merge)

    @contextmanager
    def opened(self, name: str) -> Iterator[tuple[Forge, Repo | LeftOut | None]]:
        """The forge of a repo, and the repo itself where it is still there."""
        with closing(self.ways.open_repo(name)) as forge:
            yield forge, next(iter(forge.repos()), None)

    def room(self) -> int:
        """How many pull requests may be opened now."""
        rules, now = self.rollout.plan.rules.pace, self.ways.now()
        known = (*self.targets.values(), *self.others.values())
        opened = (one.opened_at for one in known if not one.is_adopted)
        writes = [
            moment
            for moment in opened
            if moment is not None and moment > now - _HOUR
            for _ in range(rules.writes_per_pull)
        ]
        pending = sum(one.state is TargetState.PENDING for one in known)
        return room(rules, self.rollout.pace, writes, pending, now)

    def slow_down(self) -> None:
        """The forge said that it was too much."""
        now = self.ways.now()
        pace = self.rollout.pace.at(self.rollout.plan.rules.pace, now).refused(now)
        self.rollout = replace(self.rollout, pace=pace)
        with self.ways.database.begin() as connection:
            rollouts.note_pace(connection, self.rollout.id, pace)

    def is_any(self, states: Iterable[TargetState]) -> bool:
        """Whether a repo is in one of these states."""
        wanted = set(states)
        return any(target.state in wanted for target in self.targets.values())

    def waiting(self) -> list[Target]:
        """Repos without anything yet; those tried before come last, each step from another on."""
        found = [one for one in self.targets.values() if one.state is TargetState.WAITING]
        tried = [one for one in found if one.why]
        steps = int(self.ways.now().timestamp() / LOOK_S)
        turn = steps * MOST_IN_VAIN % max(len(tried), 1)
        return [*(one for one in found if not one.why), *tried[turn:], *tried[:turn]]

    def own_open(self, *others: TargetState) -> list[Target]:
        """The repos with an open pull request of ours, whose number is known.

        Repos in one of the states `others` may have one, too.
        """
        return [
            one
            for one in self.targets.values()
            if one.state in {*OPEN, *others} and one.number and not one.is_adopted
        ]

    def must_end(self) -> bool:
        """Whether this step ends: the process does, or somebody said something meanwhile."""
        if self.stop.is_set():
            return True
        with self.ways.database.reading() as connection:
            happened = rollouts.happened(connection, self.rollout.id)
        return happened != len(self.rollout.events)

    def deeds(self) -> frozenset[Done]:
        """What was done about pull requests."""
        with self.ways.database.reading() as connection:
            return deeds.of(connection, self.rollout.id)

    def note_deed(self, target: Target, deed: Deed) -> None:
        """Something was done about the pull request of a repo."""
        with self.ways.database.begin() as connection:
            name, now = self.rollout.id, self.ways.now()
            deeds.note(connection, name, (target.repo, target.number, deed), now)

    def forget_deed(self, target: Target, deed: Deed) -> None:
        """It may be done again."""
        with self.ways.database.begin() as connection:
            deeds.forget(connection, self.rollout.id, (target.repo, target.number, deed))

    def find_numbers(self) -> None:
        """One that was opened a moment ago did not know its number yet."""
        for target in list(self.targets.values()):
            if target.state in OPEN and not target.number and not self.must_end():
                frozen = self.frozen_for(target.repo)
                outcome = self.bring(target.repo, frozen)
                after = after_update(target, outcome, frozen, self.ways.now())
                # What goes wrong in looking for it does not make it unopened.
                is_lost = outcome.problems and not outcome.verdicts
                self.note([replace(target, why=after.why) if is_lost else after])


def tried(name: str, act: Callable[[], T]) -> T | None:
    """What comes of something done in one repo; what goes wrong is logged, and ends there.

    Raises:
        DeferredError: The forge takes no more for now, of no repo.
    """
    try:
        return act()
    except DeferredError:
        raise
    except ForgeError as error:
        _log.warning(Logged.REPO_FAILED, repo=name, code=error.code, problem=str(error))
        return None


def performed(forge: Forge, repo: Repo, *steps: Step) -> bool:
    """Do these steps; whether they are done with: what the forge refuses is logged, and is.

    Raises:
        ForgeError: Not now.
    """
    try:
        for step in steps:
            forge.perform(repo, step)
    except UnsettledError:
        return False
    except RefusedError as error:
        _log.warning(Logged.REPO_FAILED, repo=repo.name, problem=str(error))
    return True


def _parts(found: Sequence[PullId], most: int) -> Iterator[Sequence[PullId]]:
    for start in range(0, len(found), most):
        yield found[start : start + most]

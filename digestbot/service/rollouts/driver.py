"""Drives a rollout: one step at a time, from what is written down and what the forge says.

A step may end anywhere and be made again: branches are found again by their names, and what
became of a repo is written down after it was seen, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from digestbot.clock import Clock
from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.interface import Forge
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.steps import ClosePull, DeleteBranch, Step
from digestbot.forge.watching import PullId, Watching
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.run import Run
from digestbot.rollout.gates import Evidence, Halt, Open, Verdict, WaveCount, judge
from digestbot.rollout.machine import Event, State, Verb
from digestbot.rollout.pacing import room
from digestbot.rollout.plan import Planned
from digestbot.rollout.progress import OPEN, Target, TargetState, count, last_opened
from digestbot.service.jobs import Stop
from digestbot.service.logs import Event as Logged
from digestbot.service.logs import get_log
from digestbot.service.rollouts.frozen import Frozen, branch_of, bring
from digestbot.service.rollouts.reading import after_look, after_update, is_refusal
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.rollouts import Rollout

LOOK_S = 60.0
"""How long after a step the next one is worth making, in seconds."""
_SEEN_AT_ONCE = 50
_HOUR = timedelta(hours=1)
_log = get_log(__name__)

Probe = Callable[[Rollout, WaveCount], bool | None]
"""Asks a webhook whether the next wave may begin; None where it does not answer."""
Tell = Callable[[Rollout, str], None]
"""Tells somebody what a rollout came to."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What a rollout is driven with.

    Attributes:
        open_repo: Opens the forge of one repo, by the repo's name.
        watching: Tells how pull requests fare.
        run_on: What a repo of this forge is updated by.
        probe: Asked where the gate's rules say so.
    """

    database: Database
    open_repo: Callable[[str], Forge]
    watching: Watching
    run_on: Callable[[Forge], Run]
    probe: Probe = lambda _rollout, _count: None
    tell: Tell = lambda _rollout, _text: None
    clock: Clock = field(default_factory=Clock)

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.clock.wall(), UTC)


@dataclass
class Driver:
    """One step of one rollout; made anew for each."""

    ways: Ways
    rollout: Rollout
    stop: Stop
    targets: dict[str, Target] = field(default_factory=dict)

    def step(self) -> Rollout:
        """Do what its state asks for; the rollout as it is then.

        Raises:
            StoreError: The state cannot be read or written.
            ForgeError: The forge cannot be asked how pull requests fare.
        """
        with self.ways.database.reading() as connection:
            found = rollouts.targets(connection, self.rollout.id)
        self.targets = {target.repo: target for target in found}
        _STEPS[self.rollout.standing.state](self)
        return self.rollout

    def go_on(self) -> None:
        """Running: look at what is open, open what may be, and see whether the gate holds."""
        self._leave_skipped()
        self._look()
        self._bring_wave()
        if self.stop.is_set():
            return
        verdict, evidence = self._judged()
        if isinstance(verdict, Halt):
            self._happen(Verb.HALT, evidence, verdict.message)
        elif isinstance(verdict, Open):
            is_last = self.rollout.standing.wave + 1 >= self.rollout.plan.waves
            self._happen(Verb.FINISH if is_last else Verb.ADVANCE, evidence)

    def look_on(self) -> None:
        """Paused or halted: only look; too many failures still halt."""
        self._leave_skipped()
        self._look()
        verdict, evidence = self._judged()
        if isinstance(verdict, Halt) and self.rollout.standing.state is State.PAUSED:
            self._happen(Verb.HALT, evidence, verdict.message)

    def wind_up(self) -> None:
        """Aborted: close what is open, and say why."""
        self._look()
        self._close_all("The rollout was ended.")
        self._settle_if_closed()

    def go_back(self) -> None:
        """Rolling back: close what is open, and offer each repo that was merged what it had."""
        self._look()
        self._close_all("The rollout is rolled back.")
        if self._settled_back() and not self._is_any(OPEN):
            self._happen(Verb.RETURNED)

    def watch(self) -> None:
        """Watching: see what is still open, and close the books after the time that was set."""
        self._look()
        since = self.rollout.standing.since
        if since is not None and self.ways.now() - since >= self.rollout.plan.rules.watch:
            self._happen(Verb.CLOSE)

    def rest(self) -> None:
        """Over: nothing is left to do."""
        with self.ways.database.begin() as connection:
            rollouts.note_settled(connection, self.rollout.id)

    def _judged(self) -> tuple[Verdict, Evidence]:
        standing, plan = self.rollout.standing, self.rollout.plan
        told = count(self.targets.values(), standing.wave)
        evidence = Evidence(
            count=told,
            now=self.ways.now(),
            last_opened=last_opened(self.targets.values(), standing.wave),
            is_hurried=standing.is_promoted or plan.rules.is_critical,
            is_approved=standing.is_approved,
            accepted=standing.accepted,
        )
        verdict = judge(plan.rules.gate, evidence)
        if plan.rules.gate.probe and not isinstance(verdict, Halt):
            # It is asked last, when nothing else stands in the way.
            if isinstance(judge(plan.rules.gate, replace(evidence, probe=True)), Open):
                evidence = replace(evidence, probe=self.ways.probe(self.rollout, told))
            verdict = judge(plan.rules.gate, evidence)
        return verdict, evidence

    def _happen(self, verb: Verb, evidence: Evidence | None = None, reason: str = "") -> None:
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

    def _look(self) -> None:
        """See how all open pull requests fare."""
        self._find_numbers()
        ids = {
            PullId(target.repo, target.number): target
            for target in self.targets.values()
            if target.state in OPEN and target.number
        }
        for part in _parts(list(ids), _SEEN_AT_ONCE):
            statuses = self.ways.watching.statuses(part)
            self._note(
                after_look(ids[one], status, self.ways.now()) for one, status in statuses.items()
            )

    def _find_numbers(self) -> None:
        """One that was opened a moment ago did not know its number yet."""
        frozen = Frozen.forward(self.rollout.plan.moves)
        for target in list(self.targets.values()):
            if target.state in OPEN and not target.number and not self.stop.is_set():
                outcome = self._bring(target.repo, frozen)
                self._note([after_update(target, outcome, frozen, self.ways.now())])

    def _bring_wave(self) -> None:
        """Open what may be opened now, of the waves that have begun."""
        frozen = Frozen.forward(self.rollout.plan.moves)
        for target in self._waiting():
            if self.stop.is_set() or self._room() < 1:
                return
            outcome = self._bring(target.repo, frozen)
            self._note([after_update(target, outcome, frozen, self.ways.now())])
            if is_refusal(outcome):
                self._slow_down()
                return

    def _waiting(self) -> list[Target]:
        wave = self.rollout.standing.wave
        return [
            one
            for one in self.targets.values()
            if one.wave <= wave and one.state is TargetState.WAITING
        ]

    def _room(self) -> int:
        rules, now = self.rollout.plan.rules.pace, self.ways.now()
        opened = (one.opened_at for one in self.targets.values() if not one.is_adopted)
        writes = [
            moment
            for moment in opened
            if moment is not None and moment > now - _HOUR
            for _ in range(rules.writes_per_pull)
        ]
        pending = sum(one.state is TargetState.PENDING for one in self.targets.values())
        return room(rules, self.rollout.pace, writes, pending, now)

    def _slow_down(self) -> None:
        now = self.ways.now()
        pace = self.rollout.pace.at(self.rollout.plan.rules.pace, now).refused(now)
        self.rollout = replace(self.rollout, pace=pace)
        with self.ways.database.begin() as connection:
            rollouts.note_pace(connection, self.rollout.id, pace)

    def _bring(self, name: str, frozen: Frozen, *, is_back: bool = False) -> RepoOutcome:
        with closing(self.ways.open_repo(name)) as forge:
            repo = next(iter(forge.repos()), None)
            if repo is None:
                return RepoOutcome(name, left_out=("gone", "it is not there any more"))
            if isinstance(repo, LeftOut):
                return RepoOutcome(name, left_out=(repo.reason, repo.message))
            return bring(self.ways.run_on(forge), repo, frozen, self.rollout.id, is_back=is_back)

    def _leave_skipped(self) -> None:
        now, skipped = self.ways.now(), self.rollout.standing.skipped
        why = "somebody left it out"
        self._note(
            replace(one, state=TargetState.SKIPPED, why=why, ended_at=now)
            for one in list(self.targets.values())
            if one.repo in skipped and one.ended_at is None
        )

    def _close_all(self, why: str) -> None:
        """Close the pull requests that we opened; those of others are theirs."""
        now = self.ways.now()
        for target in list(self.targets.values()):
            if self.stop.is_set():
                return
            if (
                target.state in OPEN and (target.is_adopted or self._has_closed(target, why))
            ) or target.state is TargetState.WAITING:
                self._note([replace(target, state=TargetState.CLOSED, why=why, ended_at=now)])

    def _has_closed(self, target: Target, why: str) -> bool:
        branch = branch_of(self.rollout.id)
        with closing(self.ways.open_repo(target.repo)) as forge:
            repo = next(iter(forge.repos()), None)
            if not isinstance(repo, Repo):
                return True
            found = forge.survey(repo, [branch]).branches.get(branch)
            steps: list[Step] = [ClosePull(target.number, why)]
            if found is not None:
                steps.append(DeleteBranch(branch, found.head))
            try:
                for step in steps:
                    forge.perform(repo, step)
            except UnsettledError:
                return False
            except RefusedError as error:
                _log.warning(Logged.REPO_FAILED, repo=target.repo, problem=str(error))
        return True

    def _settle_if_closed(self) -> None:
        if not self._is_any({*OPEN, TargetState.WAITING}):
            self.rest()

    def _settled_back(self) -> bool:
        """Offer what was merged the digests it had; whether each was offered them."""
        name = self.rollout.id
        planned = {one.repo: one for one in self.rollout.plan.targets}
        with self.ways.database.reading() as connection:
            known = {one.repo: one for one in rollouts.targets(connection, name, is_back=True)}
        for target in self.targets.values():
            if target.state is not TargetState.MERGED or target.opened_at is None:
                continue
            one = known.get(target.repo) or Target(target.repo, target.wave)
            if one.state is not TargetState.WAITING:
                continue
            if self.stop.is_set() or self._room() < 1:
                return False
            offered = self._offered_back(one, planned[target.repo])
            with self.ways.database.begin() as connection:
                rollouts.note_targets(connection, name, [offered], is_back=True)
        return True

    def _offered_back(self, target: Target, planned: Planned) -> Target:
        frozen = Frozen.back(planned.edits)
        outcome = self._bring(target.repo, frozen, is_back=True)
        return after_update(target, outcome, frozen, self.ways.now())

    def _is_any(self, states: Iterable[TargetState]) -> bool:
        wanted = set(states)
        return any(target.state in wanted for target in self.targets.values())

    def _note(self, changed: Iterable[Target]) -> None:
        """Write down what became of repos, where it is something new."""
        new = [one for one in changed if one != self.targets[one.repo]]
        self.targets.update({one.repo: one for one in new})
        if new:
            with self.ways.database.begin() as connection:
                rollouts.note_targets(connection, self.rollout.id, new)


_STEPS: dict[State, Callable[[Driver], None]] = {
    State.PLANNED: lambda _driver: None,
    State.RUNNING: Driver.go_on,
    State.PAUSED: Driver.look_on,
    State.HALTED: Driver.look_on,
    State.WATCHING: Driver.watch,
    State.CLOSED: Driver.rest,
    State.ABORTED: Driver.wind_up,
    State.ROLLING_BACK: Driver.go_back,
    State.ROLLED_BACK: Driver.rest,
}


def _parts(found: Sequence[PullId], most: int) -> Iterator[Sequence[PullId]]:
    for start in range(0, len(found), most):
        yield found[start : start + most]

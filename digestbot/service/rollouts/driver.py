"""Drives a rollout: one step at a time, from what is written down and what the forge says.

A step may end anywhere and be made again: branches are found again by their names, and what
became of a repo is written down after it was seen, never before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from digestbot.rollout.gates import Evidence, GateRules, Halt, Open, Verdict, judge
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import OPEN, Target, TargetState, count, last_opened
from digestbot.service.rollouts.backsliding import note_backsliding
from digestbot.service.rollouts.chasing import chase
from digestbot.service.rollouts.ending import close_all
from digestbot.service.rollouts.reading import after_update, is_refusal
from digestbot.service.rollouts.report import closing_words
from digestbot.service.rollouts.returning import is_back, offer_back, way_back
from digestbot.service.rollouts.ways import LOOK_S, Probe, Tell, Ways
from digestbot.service.rollouts.withdrawing import order_again, withdraw
from digestbot.service.rollouts.work import MOST_IN_VAIN, Work
from digestbot.store import rollouts
from digestbot.store.rollouts import Rollout

__all__ = ["LOOK_S", "Driver", "Probe", "Tell", "Ways"]


class Driver(Work):
    """One step of one rollout; made anew for each."""

    def step(self) -> Rollout:
        """Do what its state asks for; the rollout as it is then.

        Raises:
            StoreError: The state cannot be read or written.
            ForgeError: The forge cannot be asked how pull requests fare.
        """
        self.read()
        _STEPS[self.rollout.standing.state](self)
        return self.rollout

    def go_on(self) -> None:
        """Running: look at what is open, open what may be, and see whether the gate holds."""
        self.look()
        self._leave_skipped()
        # What fails is known by now: nothing more is written for a wave that halts.
        if self._halts():
            return
        order_again(self)
        chase(self)
        self._bring_wave()
        if self.must_end() or self._halts():
            return
        verdict, evidence = self._judged()
        if isinstance(verdict, Open):
            is_last = self.rollout.standing.wave + 1 >= self.rollout.plan.waves
            self.happen(Verb.FINISH if is_last else Verb.ADVANCE, evidence)

    def look_on(self) -> None:
        """Paused: only look; too many failures still halt."""
        self.look()
        self._leave_skipped()
        self._halts()

    def hold_on(self) -> None:
        """Halted: have nothing merged by itself, and look."""
        self.find_numbers()
        withdraw(self)
        self.look()
        self._leave_skipped()

    def wind_up(self) -> None:
        """Aborted: close what is open, in repos that were left out and on the way back, too."""
        self.look(TargetState.SKIPPED)
        close_all(self, "The rollout was ended.")
        back = way_back(self)
        back.look()
        close_all(back, "The rollout was ended.")
        if not any(one.is_any({*OPEN, TargetState.WAITING}) for one in (self, back)):
            self.rest()

    def go_back(self) -> None:
        """Rolling back: close what is open, and offer each repo that was merged what it had."""
        self.look(TargetState.SKIPPED)
        close_all(self, "The rollout is rolled back.")
        if offer_back(self) and not self.is_any(OPEN):
            self.happen(Verb.RETURNED)

    def see_off(self) -> None:
        """Rolled back: see what becomes of the offers, for as long as a rollout is watched."""
        since = self.rollout.standing.since
        is_late = since is None or self.ways.now() - since >= self.rollout.plan.rules.watch
        if is_back(self) or is_late:
            self.rest()

    def watch(self) -> None:
        """Watching: see what is still open and who goes back; close the books in the end."""
        self.look()
        order_again(self)
        chase(self)
        note_backsliding(self)
        since = self.rollout.standing.since
        if since is not None and self.ways.now() - since >= self.rollout.plan.rules.watch:
            self.happen(Verb.CLOSE, reason=closing_words(self.targets.values()))

    def rest(self) -> None:
        """Over: nothing is left to do."""
        with self.ways.database.begin() as connection:
            rollouts.note_settled(connection, self.rollout.id)

    def _halts(self) -> bool:
        """Have it halt, where too much fails; whether it does."""
        evidence = self._evidence()
        verdict = judge(self._gate(), evidence)
        if not isinstance(verdict, Halt):
            return False
        self.happen(Verb.HALT, evidence, verdict.message)
        withdraw(self)
        return True

    def _judged(self) -> tuple[Verdict, Evidence]:
        gate, evidence = self._gate(), self._evidence()
        # The webhook is asked last, when nothing else stands in the way.
        if gate.probe and isinstance(judge(gate, replace(evidence, probe=True)), Open):
            evidence = replace(evidence, probe=self.ways.probe(self.rollout, evidence.count))
        return judge(gate, evidence), evidence

    def _gate(self) -> GateRules:
        return self.rollout.plan.course.gate_after(self.rollout.standing.wave)

    def _evidence(self) -> Evidence:
        standing, plan = self.rollout.standing, self.rollout.plan
        return Evidence(
            count=count(self.targets.values(), standing.wave),
            now=self.ways.now(),
            last_opened=last_opened(self.targets.values(), standing.wave),
            is_hurried=standing.is_promoted or plan.rules.is_critical,
            is_approved=standing.is_approved,
            accepted=standing.accepted,
        )

    def _bring_wave(self) -> None:
        """Open what may be opened now, of the waves that have begun."""
        left = MOST_IN_VAIN
        for target in self._waiting():
            if self.must_end() or self.room() < 1 or not left:
                return
            frozen = self.frozen_for(target.repo)
            outcome = self.bring(target.repo, frozen)
            after = after_update(target, outcome, frozen, self.ways.now())
            self.note([after])
            left -= after.state is TargetState.WAITING
            if is_refusal(outcome):
                self.slow_down()
                return

    def _waiting(self) -> list[Target]:
        """Those whose turn has come."""
        wave = self.rollout.standing.wave
        return [one for one in self.waiting() if one.wave <= wave]

    def _leave_skipped(self) -> None:
        # After a look: what is left out without its number could never be closed.
        now, skipped = self.ways.now(), self.rollout.standing.skipped
        why = "somebody left it out"
        self.note(
            replace(one, state=TargetState.SKIPPED, why=why, ended_at=now)
            for one in list(self.targets.values())
            if one.repo in skipped and one.ended_at is None
        )


_STEPS: dict[State, Callable[[Driver], None]] = {
    State.PLANNED: lambda _driver: None,
    State.RUNNING: Driver.go_on,
    State.PAUSED: Driver.look_on,
    State.HALTED: Driver.hold_on,
    State.WATCHING: Driver.watch,
    State.CLOSED: Driver.rest,
    State.ABORTED: Driver.wind_up,
    State.ROLLING_BACK: Driver.go_back,
    State.ROLLED_BACK: Driver.see_off,
}

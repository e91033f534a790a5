"""From the updates of one repo to its pull requests: survey, plan, perform, look again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.pull import Pull, Survey
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    DeleteBranch,
    EnableAutoMerge,
    Merge,
    OpenPull,
    RequestReviews,
    Step,
)
from digestbot.proposals.adoption import adopted_by, foreign_paths
from digestbot.proposals.budget import Room
from digestbot.proposals.grouping import branch_names
from digestbot.proposals.outcome import OPEN, Outcome, Plan, RepoOutcome, Verdict
from digestbot.proposals.reconcile import Wish, reconcile
from digestbot.proposals.run import Run, Scanned, contained, problem_of, scan_repo
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.updates import denied_keys, unknown_images, updates_of
from digestbot.scan.result import Problem, ScanResult

MAX_ROUNDS = 5
# Steps without which a proposal still is what it should be.
_EXTRAS = (AddLabels, RequestReviews, Assign, EnableAutoMerge, Merge, DeleteBranch)


def update_repo(run: Run, repo: Repo | LeftOut) -> RepoOutcome:
    """Bring one repo's updates home; whatever goes wrong is in the outcome, and ends there."""
    return contained(repo, lambda found: _update(run, found))


def _update(run: Run, repo: Repo) -> RepoOutcome:
    scanned = scan_repo(run, repo)
    if not scanned.rules.proposals.enabled:
        reason = ("disabled", "its configuration says `enabled: false`")
        return RepoOutcome(repo.name, repo.url, left_out=reason, result=_denied(scanned.result))
    return _Proposing(run, scanned).outcome()


def _denied(result: ScanResult) -> ScanResult | None:
    """What a repo cannot keep from those who run all: the denied pins, if it has any."""
    findings = tuple(one for one in result.findings if one.is_denied)
    return replace(result, findings=findings, changes=(), resolutions=()) if findings else None


@dataclass
class _Proposing:
    """The work on one repo, and what came of it so far."""

    run: Run
    scanned: Scanned
    plan: Plan = field(default_factory=Plan)
    done: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    is_shown: bool = False

    def outcome(self) -> RepoOutcome:
        repo, result = self.scanned.repo, self.scanned.result
        try:
            self._work()
        except ForgeError as error:
            self.problems.append(problem_of(repo.name, error))
        return RepoOutcome(
            name=repo.name,
            url=repo.url,
            # What was done needs no bytes any more, and there may be thousands of repos.
            result=result if self.is_shown else replace(result, changes=(), resolutions=()),
            proposals=self.plan.proposals if self.is_shown else (),
            verdicts=tuple(self.verdicts.values()),
            steps=tuple(self.done),
            problems=(*result.problems, *self.problems),
            notices=self.scanned.rules.notices,
            opens_at=self.scanned.rules.opens_at,
            is_merging=self._is_merging(),
        )

    def _is_merging(self) -> bool:
        is_open = any(one.outcome in OPEN for one in self.verdicts.values())
        return is_open and self.scanned.rules.proposals.automerge

    def _work(self) -> None:
        repo, result, settings = self._given()
        updates = updates_of(result)
        if not updates and not repo.ours:
            return
        names = tuple(dict.fromkeys((*branch_names(updates, settings), *repo.ours)))
        for _ in range(MAX_ROUNDS):
            survey = self.run.forge.survey(repo, names)
            self.is_shown = self.run.is_rehearsal or survey.pulls is None
            self.plan = self._next(survey)
            if self.run.is_rehearsal:
                self.done += self.plan.steps
                self._note(self.plan)
                return
            if self._perform(self.plan) and self.plan.is_final:
                return
        message = "it changes faster than digestbot can follow, or the forge does not settle"
        self.problems.append(Problem("repo", repo.name, "unsettled", message, "run again"))

    def _next(self, survey: Survey) -> Plan:
        """The plan for what there is now, within the room that is left for the whole run."""
        repo, result, settings = self._given()
        updates = updates_of(result)
        adopted = self._adopted(survey)
        gate = self.scanned.rules.policy.gate
        denied = frozenset[str]() if gate is None else denied_keys(survey, gate.denies)
        while True:
            wish = Wish(
                updates=updates,
                result=result,
                modes=self.scanned.files.modes,
                adopted=adopted,
                unknown=unknown_images(result),
                denied=denied,
                is_complete=not _is_partial(result),
                fresh=frozenset(self.fresh),
                room=self._room(),
            )
            plan = reconcile(repo, wish, survey, settings, self.run.writer_for(repo, settings))
            opening = _opened(plan.steps)
            if self.run.budget.take(len(opening - self.granted)):
                self.granted |= opening
                return plan

    def _given(self) -> tuple[Repo, ScanResult, ProposalSettings]:
        return self.scanned.repo, self.scanned.result, self.scanned.rules.proposals

    def _room(self) -> Room | None:
        if self.scanned.rules.closed:
            return Room(0, self.scanned.rules.closed)
        left = self.run.budget.left()
        return left and replace(left, count=left.count + len(self.granted))

    def _adopted(self, survey: Survey) -> Mapping[str, Pull]:
        repo, result, settings = self._given()
        updates = updates_of(result)
        found: dict[str, Pull] = {}
        for pull, paths in foreign_paths(survey, updates, settings):
            contents = self.run.forge.blobs_at(repo, pull.head, paths)
            for key in adopted_by(updates, contents):
                found.setdefault(key, pull)
        return found

    def _perform(self, plan: Plan) -> bool:
        """Whether all steps were done, as far as that is known."""
        repo = self.scanned.repo
        for step in plan.steps:
            try:
                self.run.forge.perform(repo, step)
            except UnsettledError:
                self.fresh |= _opened([step])
                self._note(plan)
                return False
            except RefusedError as error:
                self._excuse(step, error)
                continue
            self.done.append(step)
        self.fresh = _opened(plan.steps)
        self._note(plan)
        return True

    def _excuse(self, step: Step, error: RefusedError) -> None:
        """Go on without a step, where the proposal is whole without it.

        Raises:
            RefusedError: It is not.
        """
        if isinstance(step, EnableAutoMerge) and error.code == "clean-status":
            # Nothing is left for the forge to wait for; without any check, it is for a person.
            if step.may_merge:
                self._perform(Plan((Merge(step.number, step.head),)))
        elif isinstance(step, Merge) and error.code == "not-mergeable":
            pass  # It waits for a review, or whatever else the repo asks for.
        elif isinstance(step, _EXTRAS):
            self.problems.append(problem_of(self.scanned.repo.name, error))
        else:
            raise error

    def _note(self, plan: Plan) -> None:
        """What became of each branch; that nothing more was to be done says the same."""
        for new in plan.verdicts:
            old = self.verdicts.get(new.branch)
            if old is not None and new.outcome is Outcome.UNCHANGED:
                number, url = new.number or old.number, new.url or old.url
                self.verdicts[new.branch] = replace(old, number=number, url=url)
            else:
                self.verdicts[new.branch] = new


def _opened(steps: Iterable[Step]) -> set[str]:
    return {step.branch for step in steps if isinstance(step, OpenPull)}


def _is_partial(result: ScanResult) -> bool:
    """Whether something is missing, so that an update that is not there may yet be needed."""
    return any(problem.scope != "registry" for problem in result.problems)

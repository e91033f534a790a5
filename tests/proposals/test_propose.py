"""Whole runs over repos in memory: rounds, budgets, rehearsals, and what is contained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from digestbot.config.issues import ConfigError, Issue
from digestbot.forge.errors import DeferredError, RefusedError, UnsettledError
from digestbot.forge.pull import Checks, Survey
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.steps import AddLabels, EnableAutoMerge, Merge, OpenPull, PushBranch, Step
from digestbot.proposals.budget import Budget, Room
from digestbot.proposals.fleet import scan_repos, update_repos
from digestbot.proposals.outcome import Outcome, RepoOutcome
from digestbot.proposals.propose import update_repo
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.registry.recorded import RecordedResolver
from digestbot.scan.forge_files import RepoFiles
from tests.proposals.builders import IMAGES, PlainWriter, digest, dockerfile, full
from tests.proposals.memory import Fault, KilledError, MemoryForge, MemoryRepo, with_checks

PLAIN = ProposalSettings(labels=())


def stale(name: str = "acme/app") -> MemoryRepo:
    return MemoryRepo.of({"Dockerfile": dockerfile("python:3")}, name)


def make_run(
    *repos: MemoryRepo,
    settings: ProposalSettings = PLAIN,
    digests: Mapping[str, object] | None = None,
    budget: Budget | None = None,
    rules: Rules | None = None,
    is_rehearsal: bool = False,
) -> tuple[Run, MemoryForge]:
    forge = MemoryForge.of(*repos)
    known = {"python:3": 1} if digests is None else digests
    answers = {full(image): digest(name) for image, name in known.items()}
    run = Run(
        forge=forge,
        resolver=RecordedResolver(answers),
        rules_for=lambda _files: rules or Rules(proposals=settings),
        writer_for=lambda _repo, _settings: PlainWriter(),
        budget=budget or Budget(),
        is_rehearsal=is_rehearsal,
    )
    return run, forge


def update(run: Run, forge: MemoryForge) -> RepoOutcome:
    (repo,) = forge.repos()
    return update_repo(run, repo)


def outcomes(outcome: RepoOutcome) -> list[Outcome]:
    return [verdict.outcome for verdict in outcome.verdicts]


def test_a_stale_repo_gets_its_pull_request_and_the_outcome_names_it() -> None:
    held = stale()
    run, forge = make_run(held, settings=ProposalSettings(labels=("deps",)))

    outcome = update(run, forge)

    (pull,) = held.open_pulls()
    (verdict,) = outcome.verdicts
    assert (verdict.outcome, verdict.number, verdict.url) == (Outcome.OPENED, 1, pull.url)
    assert [type(step) for step in outcome.steps] == [PushBranch, OpenPull, AddLabels]
    assert not outcome.problems


class Owned(MemoryForge):
    """A forge that asks the owners of the code for a review as soon as something is opened."""

    def perform(self, repo: Repo, step: Step) -> None:
        super().perform(repo, step)
        if isinstance(step, OpenPull):
            (held,) = self.rooms.values()
            held.change(1, lambda pull: replace(pull, was_review_requested=True))


def test_reviewers_are_asked_though_the_forge_asked_code_owners_first() -> None:
    held = stale()
    run, _ = make_run(held, settings=ProposalSettings(labels=(), reviewers=("ann",)))
    forge = Owned.of(held)
    (repo,) = forge.repos()

    update_repo(replace(run, forge=forge), repo)
    again = update_repo(replace(run, forge=forge), repo)

    assert held.reviewers == {1: ("ann",)}
    assert again.steps == ()


def test_the_second_run_writes_nothing() -> None:
    run, forge = make_run(stale())
    update(run, forge)

    again = update(run, forge)

    assert (again.steps, outcomes(again)) == ((), [Outcome.UNCHANGED])


class Unsurveyed(MemoryForge):
    """A forge that nobody may ask for pull requests."""

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        raise AssertionError("surveyed")


def test_a_repo_without_updates_and_branches_is_not_surveyed() -> None:
    held = stale()
    run, _ = make_run(held, digests={"python:3": 0})
    forge = Unsurveyed.of(held)
    (repo,) = forge.repos()

    outcome = update_repo(replace(run, forge=forge), repo)

    assert (outcome.verdicts, outcome.problems) == ((), ())


def test_a_repo_that_is_left_out_says_why() -> None:
    run, _ = make_run()

    outcome = update_repo(run, LeftOut("acme/old", "archived", "it is archived"))

    assert outcome == RepoOutcome("acme/old", left_out=("archived", "it is archived"))


def test_a_repo_that_wants_nothing_is_left_alone() -> None:
    run, forge = make_run(stale(), settings=ProposalSettings(enabled=False))

    outcome = update(run, forge)

    assert outcome.left_out is not None
    assert outcome.left_out[0] == "disabled"
    assert forge.performed == []


def test_a_rehearsal_plans_and_writes_nothing() -> None:
    run, forge = make_run(stale(), is_rehearsal=True)

    outcome = update(run, forge)

    assert [type(step) for step in outcome.steps] == [PushBranch, OpenPull]
    assert forge.performed == []
    assert outcome.proposals[0].files[0].content == dockerfile("python:3", at=1)
    assert outcome.result is not None
    assert outcome.result.changes


def test_what_was_done_keeps_no_bytes() -> None:
    run, forge = make_run(stale())

    outcome = update(run, forge)

    assert outcome.result is not None
    assert (outcome.result.changes, outcome.proposals) == ((), ())


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_write_of_unknown_outcome_is_looked_up_and_not_doubled(at: int, is_after: bool) -> None:
    held = stale()
    run, forge = make_run(held, settings=ProposalSettings(labels=("deps",)))
    forge.fault = Fault(at, UnsettledError("502", code="unavailable"), is_after)

    outcome = update(run, forge)

    (pull,) = held.open_pulls()
    assert held.labels == {pull.number: ("deps",)}
    assert held.files(IMAGES) == {"Dockerfile": dockerfile("python:3", at=1)}
    assert outcomes(outcome) == [Outcome.OPENED]
    assert not outcome.problems


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_killed_at_any_write_the_next_run_completes_it(at: int, is_after: bool) -> None:
    held = stale()
    run, forge = make_run(held, settings=ProposalSettings(labels=("deps",)))
    forge.fault = Fault(at, KilledError(), is_after)
    with pytest.raises(KilledError):
        update(run, forge)

    update(run, forge)
    writes = len(forge.performed)
    update(run, forge)

    (pull,) = held.open_pulls()
    assert held.labels == {pull.number: ("deps",)}
    assert len(forge.performed) == writes


class Unsettled(MemoryForge):
    """A forge on which nothing is ever certain."""

    def perform(self, repo: Repo, step: Step) -> None:
        raise UnsettledError("502", code="unavailable")


def test_a_forge_that_does_not_settle_is_given_up_and_said() -> None:
    held = stale()
    run, _ = make_run(held)
    forge = Unsettled.of(held)
    (repo,) = forge.repos()

    outcome = update_repo(replace(run, forge=forge), repo)

    assert [problem.code for problem in outcome.problems] == ["unsettled"]


class Refusing(MemoryForge):
    """A forge that refuses one kind of step."""

    kind: type[Step] = AddLabels
    code = "refused"

    def perform(self, repo: Repo, step: Step) -> None:
        if isinstance(step, self.kind):
            raise RefusedError("no", code=self.code, hint="ask")
        super().perform(repo, step)


def refusing(
    run: Run, held: MemoryRepo, kind: type[Step], code: str = "refused"
) -> tuple[Refusing, RepoOutcome]:
    forge = Refusing.of(held)
    assert isinstance(forge, Refusing)
    forge.kind, forge.code = kind, code
    (repo,) = forge.repos()
    return forge, update_repo(replace(run, forge=forge), repo)


def test_a_label_that_is_refused_is_said_and_the_pull_request_stands() -> None:
    held = stale()
    run, _ = make_run(held, settings=ProposalSettings(labels=("deps",)))

    _, outcome = refusing(run, held, AddLabels)

    assert len(held.open_pulls()) == 1
    assert [problem.code for problem in outcome.problems] == ["refused"]


def test_a_pull_request_that_is_refused_ends_the_repo_with_the_reason() -> None:
    held = stale()
    run, _ = make_run(held)

    _, outcome = refusing(run, held, OpenPull, "archived")

    assert [(p.code, p.message, p.hint) for p in outcome.problems] == [("archived", "no", "ask")]


def test_where_auto_merge_has_nothing_to_wait_for_and_checks_are_green_it_is_merged() -> None:
    held = stale()
    held.allows_auto_merge = True
    run, forge = make_run(held)
    update(run, forge)
    held.change(1, with_checks(Checks.PASSING))
    run, _ = make_run(held, settings=replace(PLAIN, automerge=True))

    forge_of, outcome = refusing(run, held, EnableAutoMerge, "clean-status")

    assert Merge in [type(step) for step in forge_of.performed]
    assert not held.open_pulls()
    assert not outcome.problems


def test_without_any_check_nothing_is_merged_and_nobody_complains() -> None:
    held = stale()
    held.allows_auto_merge = True
    run, forge = make_run(held)
    update(run, forge)
    run, _ = make_run(held, settings=replace(PLAIN, automerge=True))

    _, outcome = refusing(run, held, EnableAutoMerge, "clean-status")

    assert len(held.open_pulls()) == 1
    assert not outcome.problems


def test_a_budget_is_shared_and_what_has_no_room_waits() -> None:
    repos = [stale(f"acme/app{number}") for number in range(5)]
    run, forge = make_run(*repos, budget=Budget(Room(2, "two in this run")))

    found = list(update_repos(run, forge.repos(), jobs=3))

    said = [outcome for one in found for outcome in outcomes(one)]
    assert sorted(said) == [*[Outcome.LIMITED] * 3, *[Outcome.OPENED] * 2]
    assert sum(len(repo.open_pulls()) for repo in repos) == 2
    limited = [v.message for one in found for v in one.verdicts if v.outcome is Outcome.LIMITED]
    assert limited == ["two in this run"] * 3


def test_outside_of_its_schedule_nothing_is_opened_and_what_is_open_is_refreshed() -> None:
    held = stale()
    run, forge = make_run(held)
    update(run, forge)
    other = stale("acme/other")
    rules = Rules(proposals=PLAIN, closed="not before Monday")
    run, forge = make_run(held, other, rules=rules, digests={"python:3": 2})

    found = {one.name: one for one in update_repos(run, forge.repos())}

    assert outcomes(found["acme/app"]) == [Outcome.REFRESHED]
    assert outcomes(found["acme/other"]) == [Outcome.LIMITED]
    assert found["acme/other"].verdicts[0].message == "not before Monday"


def test_one_repo_never_sinks_the_others() -> None:
    def rules_for(files: RepoFiles) -> Rules:
        if b"broken" in files.files[0].read():
            raise ConfigError([Issue(".digestbot.yaml", "is broken", line=3)])
        if b"fault" in files.files[0].read():
            raise ZeroDivisionError
        if b"late" in files.files[0].read():
            raise DeferredError("later", code="rate-limited")
        return Rules(proposals=PLAIN)

    names = ["broken", "fault", "late", "good"]
    repos = []
    for name in names:
        data = b"# " + name.encode() + b"\n" + dockerfile("python:3")
        repos.append(MemoryRepo.of({"Dockerfile": data}, name))
    run, forge = make_run(*repos)

    found = list(update_repos(replace(run, rules_for=rules_for), forge.repos()))

    assert [one.name for one in found] == names
    codes = [[problem.code for problem in one.problems] for one in found]
    assert codes == [["invalid-config"], ["internal"], ["rate-limited"], []]
    assert ".digestbot.yaml:3" in found[0].problems[0].message
    assert outcomes(found[3]) == [Outcome.OPENED]


def test_scanning_many_repos_writes_nothing_and_says_whose_findings_they_are() -> None:
    repos = [stale("acme/a"), stale("acme/b")]
    run, forge = make_run(*repos)

    def listed() -> Iterator[Repo | LeftOut]:
        yield from forge.repos()
        yield LeftOut("acme/old", "archived", "it is archived")

    found = list(scan_repos(run, listed()))

    said = [(f.repo, f.reason) for one in found if one.result for f in one.result.findings]
    assert said == [("acme/a", "digest-moved"), ("acme/b", "digest-moved")]
    assert found[2].left_out == ("archived", "it is archived")
    assert forge.performed == []

"""`digestbot rollout start`: a plan is done, exactly, or it is said why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digestbot.cli import rollout_start
from digestbot.policy.finding import Status
from digestbot.rollout.machine import State, Verb
from digestbot.store import rollouts
from digestbot.store.rollouts import Rollout
from tests.cli.program import Outcome, digestbot
from tests.service.state import NEW, add_findings, add_repos, finding, state

ANSWERS = f'{{"python:3.12": "{NEW}"}}'


class Planned:
    """A state with a plan for two of ten repos."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "c.yaml"
        self.configure("")
        with state(folder / "state") as database, database.begin() as connection:
            numbers = add_repos(connection, *(f"acme/{number}" for number in range(10)))
            for name in ("acme/0", "acme/1"):
                add_findings(connection, numbers[name], finding(status=Status.STALE))
        self.name = self.plan()

    def configure(self, rest: str) -> None:
        self.config.write_text(f"state: {{folder: '{self.folder / 'state'}'}}\n{rest}")

    def plan(self, *words: str) -> str:
        answers = self.folder / "d.json"
        answers.write_text(ANSWERS)
        given = ("python", "--config", str(self.config), "--digests", str(answers), *words)
        return digestbot("rollout", "plan", *given).stdout.splitlines()[0].split()[1]

    def start(self, *words: str, name: str = "") -> Outcome:
        told = name or self.name
        return digestbot("rollout", "start", told, "--config", str(self.config), *words)

    def rollout(self) -> Rollout:
        with state(self.folder / "state") as database, database.reading() as connection:
            found = rollouts.get(connection, self.name)
        assert found is not None
        return found

    def update(self, repo: str = "acme/0") -> None:
        with state(self.folder / "state") as database, database.begin() as connection:
            number = add_repos(connection, repo)[repo]
            add_findings(connection, number, finding(digest=NEW))


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    return Planned(tmp_path)


def days_later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    late = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(rollout_start, "now", lambda: late)


def test_a_plan_is_started_and_it_is_said_what_happens_next(planned: Planned) -> None:
    outcome = planned.start("--by", "ann", "--reason", "CVE-2026-1")

    assert (outcome.code, outcome.stdout) == (0, "")
    assert outcome.stderr == (
        f"rollout {planned.name} is started: 2 repos in 2 waves\n"
        "digestbot serve opens its pull requests from now on, digestbot run makes one step; "
        f"see: digestbot rollout status {planned.name} --config {planned.config}\n"
    )
    rollout = planned.rollout()
    assert rollout.standing.state is State.RUNNING
    [event] = rollout.events
    assert (event.verb, event.by, event.reason) == (Verb.START, "ann", "CVE-2026-1")


def test_the_beginning_of_its_id_is_enough(planned: Planned) -> None:
    assert planned.start(name=planned.name[:4]).code == 0


def test_who_says_so_is_the_user_where_nobody_is_named(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "bob")

    planned.start()

    assert planned.rollout().events[0].by == "bob"


def test_a_user_without_a_name_is_somebody(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", unknown)

    assert planned.start().code == 0
    assert planned.rollout().events[0].by == "somebody"


class TestRefused:
    def test_older_than_a_day(self, planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
        days_later(monkeypatch, 1.1)

        outcome = planned.start()

        assert (outcome.code, outcome.stdout) == (2, "")
        assert outcome.stderr == (
            "error: the plan is 26 hours old; after a day it is better made again\n"
            "hint: make a new plan, or start this one all the same: digestbot rollout start "
            f"{planned.name} --config {planned.config} --older --reason 'WHY'\n"
        )
        assert planned.rollout().standing.state is State.PLANNED

    @pytest.mark.parametrize("limit", ["most_share: 0.1", "most_repos: 1"])
    def test_too_large(self, planned: Planned, limit: str) -> None:
        planned.configure(f"rollout: {{{limit}}}\n")

        outcome = planned.start()

        assert outcome.code == 2
        assert "error: the plan reaches 2 of 10 repos; more than 1" in outcome.stderr
        assert "--large --reason 'WHY'" in outcome.stderr

    def test_changed(self, planned: Planned) -> None:
        planned.update()

        outcome = planned.start()

        assert outcome.code == 2
        assert "acme/0 is not chosen any more\n" in outcome.stderr
        assert "--changed --reason 'WHY'" in outcome.stderr

    def test_all_of_it_at_once(self, planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
        planned.configure("rollout: {most_repos: 1}\n")
        planned.update()
        days_later(monkeypatch, 3)

        outcome = planned.start("--large", "--reason", "it is urgent")

        errors = [line for line in outcome.stderr.splitlines() if line.startswith("error: ")]
        assert outcome.code == 2
        assert len(errors) == 2
        assert "--older --large --changed --reason 'WHY'" in outcome.stderr

    def test_what_the_configuration_does_not_allow_any_more(self, planned: Planned) -> None:
        planned.configure("rollout: {allow_merge: true}\n")
        planned.name = planned.plan("--merge-after", "7d")
        planned.configure("")

        outcome = planned.start()

        assert outcome.code == 2
        assert "does not allow to merge" in outcome.stderr

    @pytest.mark.parametrize("flag", ["--older", "--large", "--changed"])
    @pytest.mark.parametrize("reason", [(), ("--reason", " ")], ids=["none", "blank"])
    def test_to_override_without_a_reason(
        self, planned: Planned, flag: str, reason: tuple[str, ...]
    ) -> None:
        outcome = planned.start(flag, *reason)

        assert outcome.code == 2
        assert outcome.stderr.startswith(f"error: {flag} without a reason\n")
        assert planned.rollout().events == ()

    def test_twice(self, planned: Planned) -> None:
        planned.start()

        outcome = planned.start()

        assert outcome.code == 2
        assert "a rollout that is running cannot be told to start" in outcome.stderr
        assert len(planned.rollout().events) == 1

    def test_one_that_is_not_there(self, planned: Planned) -> None:
        outcome = planned.start(name="nope\x1b[31m")

        assert outcome.code == 2
        assert "no rollout is called nope" in outcome.stderr
        assert "\x1b" not in outcome.stderr


class TestOverridden:
    def test_with_a_reason_it_is_started_and_both_are_kept(
        self, planned: Planned, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        planned.configure("rollout: {most_repos: 1}\n")
        planned.update()
        days_later(monkeypatch, 3)

        outcome = planned.start("--older", "--large", "--changed", "--reason", " it is urgent ")

        assert outcome.code == 0
        assert planned.rollout().events[0].reason == "it is urgent [--older --large --changed]"

    def test_what_was_not_needed_is_not_kept(self, planned: Planned) -> None:
        planned.start("--older", "--reason", "to be sure")

        assert planned.rollout().events[0].reason == "to be sure"

    def test_it_is_the_plan_that_is_done_and_not_what_would_be_planned_now(
        self, planned: Planned
    ) -> None:
        planned.update()

        planned.start("--changed", "--reason", "it is merged by now")

        assert [one.repo for one in planned.rollout().plan.targets] == ["acme/0", "acme/1"]


def test_it_works_while_the_service_does(planned: Planned) -> None:
    with state(planned.folder / "state") as database, database.alone():
        outcome = planned.start()

    assert outcome.code == 0

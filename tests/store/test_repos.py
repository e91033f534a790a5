"""The repos of all targets: listed, due, worked on, gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.policy.finding import Status
from digestbot.proposals.outcome import Outcome, Verdict
from digestbot.scan.result import Problem
from digestbot.store import findings, images, proposals, repos
from digestbot.store.repos import BATCH, Due, RepoCounts
from digestbot.store.tables import REPOS
from tests.service.state import DAY, HOUR, NOW, TARGET, finding, query
from tests.store.statements import counted, planned

APP = Repo(
    "acme/app",
    "main",
    CommitSha("1" * 40),
    ObjectSha("2" * 40),
    ours=("digestbot/a", "digestbot/b"),
    open_pulls=2,
    opened=(NOW - DAY, NOW - HOUR),
    pulse="one",
    allows_auto_merge=True,
    deletes_branches=True,
    url="https://github.com/acme/app",
    topics=("docker", "web"),
)
PROBLEM = Problem("repo", "acme/app", "denied", "it may not be read", "see to it", "acme/app")


def listed(connection: Connection, *found: Repo | LeftOut, run: str = "1") -> None:
    repos.note_listed(connection, TARGET, run, found, NOW)


def due(
    connection: Connection,
    *,
    rules: str = "r",
    now: datetime = NOW,
    after: int = 0,
    limit: int = 100,
) -> list[Due]:
    return repos.due(connection, target=TARGET, rules=rules, now=now, after=after, limit=limit)


def settle(
    connection: Connection,
    repo: Repo = APP,
    *problems: Problem,
    number: int = 1,
    due_at: datetime | None = None,
) -> None:
    repos.settle(
        connection, number, repo=repo, rules="r", due_at=due_at, now=NOW, problems=problems
    )


def reasons(found: Iterable[Due]) -> list[str]:
    return [one.reason for one in found]


class TestDue:
    def test_a_new_repo_is_due_with_all_that_was_listed_of_it(self, connection: Connection) -> None:
        listed(connection, APP)

        assert due(connection) == [Due(1, TARGET, APP, "first-seen")]

    def test_an_empty_repo_comes_back_as_one(self, connection: Connection) -> None:
        empty = Repo("acme/empty", "main", None, None)
        listed(connection, empty)

        assert [one.repo for one in due(connection)] == [empty]

    def test_one_that_was_worked_on_is_not_due(self, connection: Connection) -> None:
        listed(connection, APP)
        settle(connection, due_at=NOW + DAY)

        listed(connection, APP, run="2")

        assert due(connection) == []

    @pytest.mark.parametrize(
        "changed, reason",
        [
            pytest.param(replace(APP, head=CommitSha("3" * 40)), "moved", id="head"),
            pytest.param(replace(APP, head=None, tree=None), "moved", id="emptied"),
            pytest.param(replace(APP, pulse="two"), "pulse", id="pulse"),
            pytest.param(replace(APP, pulse=""), "pulse", id="pulse-unknown"),
        ],
    )
    def test_one_that_changed_is_due(
        self, connection: Connection, changed: Repo, reason: str
    ) -> None:
        listed(connection, APP)
        settle(connection)

        listed(connection, changed, run="2")

        assert due(connection) == [Due(1, TARGET, changed, reason)]

    def test_without_a_pulse_it_is_always_due(self, connection: Connection) -> None:
        silent = replace(APP, pulse="")
        listed(connection, silent)
        settle(connection, silent)

        assert reasons(due(connection)) == ["pulse"]

    def test_what_moved_while_it_was_worked_on_is_due_again(self, connection: Connection) -> None:
        listed(connection, APP)
        listed(connection, replace(APP, head=CommitSha("4" * 40)), run="2")

        settle(connection, APP)

        assert reasons(due(connection)) == ["moved"]

    def test_other_rules_make_it_due(self, connection: Connection) -> None:
        listed(connection, APP)
        settle(connection)

        assert reasons(due(connection, rules="others")) == ["rules"]

    def test_its_time_makes_it_due(self, connection: Connection) -> None:
        listed(connection, APP)
        settle(connection, due_at=NOW + HOUR)

        assert due(connection, now=NOW + HOUR - timedelta(microseconds=1)) == []
        assert reasons(due(connection, now=NOW + HOUR)) == ["time"]

    def test_its_time_is_for_what_waits_where_something_does(self, connection: Connection) -> None:
        listed(connection, APP)
        proposals.note(connection, 1, [Verdict("digestbot/a", Outcome.LIMITED, "")], NOW)
        settle(connection, due_at=NOW)

        assert reasons(due(connection)) == ["room"]

    def test_another_offer_for_one_of_its_images_makes_it_due(self, connection: Connection) -> None:
        other = replace(APP, name="acme/other")
        listed(connection, APP, other)
        findings.replace(connection, 1, [finding("python:3.12")], NOW)
        findings.replace(connection, 2, [finding("node:22")], NOW)
        settle(connection)
        settle(connection, other, number=2)

        images.note_offer(connection, query("node:22"), "sha256:new")

        assert due(connection) == [Due(2, TARGET, other, "offers")]
        findings.replace(connection, 2, [finding("node:22")], NOW)
        assert due(connection) == []

    def test_what_is_left_out_is_not_due(self, connection: Connection) -> None:
        listed(connection, APP, LeftOut("acme/fork", "fork", "it is a fork"))

        listed(connection, LeftOut("acme/app", "archived", "it is archived"), run="2")

        assert due(connection) == []

    def test_what_is_left_out_no_more_is_due_where_it_moved(self, connection: Connection) -> None:
        listed(connection, LeftOut("acme/app", "archived", "it is archived"))

        listed(connection, APP, run="2")

        assert due(connection) == [Due(1, TARGET, APP, "first-seen")]

    def test_other_targets_are_not_asked_about(self, connection: Connection) -> None:
        repos.note_listed(connection, "github:else", "1", [APP], NOW)

        assert due(connection) == []

    def test_pages_follow_each_other_in_order(self, connection: Connection) -> None:
        listed(connection, *(replace(APP, name=f"acme/{number}") for number in range(5)))

        first = due(connection, limit=2)
        second = due(connection, limit=2, after=first[-1].id)
        third = due(connection, limit=2, after=second[-1].id)

        assert [one.id for one in (*first, *second, *third)] == [1, 2, 3, 4, 5]

    def test_the_next_time_is_the_earliest_that_is_still_to_come(
        self, connection: Connection
    ) -> None:
        for number, hours in enumerate((3, -1, 2), start=1):
            repo = replace(APP, name=f"acme/{number}")
            listed(connection, repo, run=f"{number}")
            settle(connection, repo, number=number, due_at=NOW + hours * HOUR)

        assert repos.next_due(connection, NOW) == NOW + 2 * HOUR
        assert repos.next_due(connection, NOW + 2 * HOUR) == NOW + 3 * HOUR
        assert repos.next_due(connection, NOW + 3 * HOUR) is None


class TestGone:
    def test_of_one_that_is_gone_nothing_is_counted(self, connection: Connection) -> None:
        listed(connection, APP)
        (due,) = repos.due(connection, target=TARGET, rules="1", now=NOW)
        findings.replace(connection, due.id, [finding(status=Status.STALE)], NOW)
        repos.settle(
            connection, due.id, repo=APP, rules="1", due_at=None, now=NOW, problems=[PROBLEM]
        )
        (before,) = connection.execute(REPOS.select()).all()

        repos.note_gone(connection, TARGET, "2", NOW)

        (after,) = connection.execute(REPOS.select()).all()
        assert (before.stale_count, before.problem_count) == (1, 1)
        assert (after.stale_count, after.problem_count, after.behind_since) == (0, 0, None)

    def test_what_a_run_did_not_list_is_gone_with_its_findings(
        self, connection: Connection
    ) -> None:
        other = replace(APP, name="acme/other")
        listed(connection, APP, other)
        findings.replace(connection, 1, [finding()], NOW)
        findings.replace(connection, 2, [finding("node:22")], NOW)
        listed(connection, other, run="2")

        gone = repos.note_gone(connection, TARGET, "2", NOW)

        assert gone == 1
        assert [one.repo for one in due(connection)] == [other]
        assert images.queries(connection) == [query("node:22")]
        assert repos.count(connection) == RepoCounts(live=1, gone=1)

    def test_it_is_said_once(self, connection: Connection) -> None:
        listed(connection, APP)

        assert repos.note_gone(connection, TARGET, "2", NOW) == 1
        assert repos.note_gone(connection, TARGET, "3", NOW) == 0

    def test_one_that_comes_back_is_new(self, connection: Connection) -> None:
        listed(connection, APP)
        settle(connection, APP, PROBLEM, due_at=NOW + DAY)
        repos.note_gone(connection, TARGET, "2", NOW)

        listed(connection, APP, run="3")

        assert due(connection) == [Due(1, TARGET, APP, "first-seen")]
        assert repos.count(connection) == RepoCounts(live=1)

    def test_those_of_other_targets_stay(self, connection: Connection) -> None:
        listed(connection, APP)

        assert repos.note_gone(connection, "github:else", "2", NOW) == 0

    def test_targets_that_are_not_configured_any_more(self, connection: Connection) -> None:
        listed(connection, APP)
        repos.note_listed(connection, "github:else", "1", [APP], NOW)

        assert repos.forget_targets(connection, [TARGET], NOW) == 1
        assert repos.forget_targets(connection, [], NOW) == 1
        assert repos.count(connection) == RepoCounts(gone=2)


class TestCounts:
    def test_each_repo_counts_once(self, connection: Connection) -> None:
        other = replace(APP, name="acme/other")
        listed(connection, APP, other, LeftOut("acme/fork", "fork", "it is a fork"))
        settle(connection, APP, PROBLEM)
        settle(connection, other, number=2)

        assert repos.count(connection) == RepoCounts(live=2, left_out=1, with_problems=1)
        assert repos.with_problems(connection) == [("acme/app", (PROBLEM,))]

    def test_a_problem_is_over_when_it_was_worked_on_without_one(
        self, connection: Connection
    ) -> None:
        listed(connection, APP)
        settle(connection, APP, PROBLEM)
        listed(connection, APP, run="2")
        assert repos.with_problems(connection)

        settle(connection, APP)

        assert repos.with_problems(connection) == []

    def test_open_pull_requests_are_added_up(self, connection: Connection) -> None:
        assert repos.open_pulls(connection) == 0
        listed(connection, APP, replace(APP, name="acme/b", open_pulls=3))

        assert repos.open_pulls(connection) == 5

        repos.note_gone(connection, TARGET, "2", NOW)
        assert repos.open_pulls(connection) == 0


def test_one_that_is_listed_twice_is_one(connection: Connection) -> None:
    listed(connection, replace(APP, pulse="old"), APP)

    assert [one.repo for one in due(connection)] == [APP]


def test_text_that_no_database_takes_sinks_nothing(connection: Connection) -> None:
    odd = replace(APP, default_branch="a\0b\udcffc", ours=("digestbot/\0\udcff",))
    message = "it says \0 and \udcff"

    listed(connection, odd)
    settle(connection, odd, replace(PROBLEM, message=message))

    ((_, (problem,)),) = repos.with_problems(connection)
    assert problem.message == message
    listed(connection, replace(odd, pulse="two"), run="2")
    (found,) = due(connection)
    assert found.repo.default_branch == "a?b?c"
    assert found.repo.ours == odd.ours


class TestTenThousand:
    SIZE = 10_000

    def many(self) -> Iterable[Repo]:
        return (replace(APP, name=f"acme/{number}") for number in range(self.SIZE))

    def test_they_are_written_in_batches(self, connection: Connection) -> None:
        with counted(connection) as statements:
            repos.note_listed(connection, TARGET, "1", self.many(), NOW)

        assert len(statements) == self.SIZE / BATCH
        assert repos.count(connection).live == self.SIZE

    def test_a_page_is_one_statement_by_indexes(self, connection: Connection) -> None:
        repos.note_listed(connection, TARGET, "1", self.many(), NOW)
        connection.execute(text("ANALYZE"))

        with counted(connection) as statements, planned(connection) as plan:
            page = due(connection, after=5_000)

        assert len(page) == 100
        assert sum(one.startswith("SELECT") for one in statements) == 1
        # No step reads a table from end to end, or sorts it.
        steps = "\n".join(plan)
        assert steps
        assert not any(word in steps for word in ("SCAN", "Seq Scan", "TEMP B-TREE", "Sort"))

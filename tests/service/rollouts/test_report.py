from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digestbot.rollout.machine import Verb
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.report import (
    MOST_BODY,
    closing_words,
    failing_words,
    issue_body,
    issue_title,
)
from digestbot.service.rollouts.standing_report import read_rollout
from digestbot.store import rollouts
from tests.service.rollouts.arena import Arena, arena

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def merged(number: int, hours: int) -> Target:
    opened = NOW - timedelta(hours=hours)
    return Target(
        f"acme/app{number}", 0, TargetState.MERGED, number=1, opened_at=opened, ended_at=NOW
    )


def failing(name: str, *checks: str) -> Target:
    return Target(name, 0, TargetState.RED, failing=checks)


def body_of(world: Arena) -> str:
    return issue_body(read_rollout(world.database, world.name, world.now()))


def note(world: Arena, *targets: Target) -> None:
    with world.database.begin() as connection:
        rollouts.note_targets(connection, world.name, targets)


class TestClosing:
    def test_it_tells_how_long_merging_took_and_what_was_left(self) -> None:
        targets = [
            *(merged(number, hours) for number, hours in enumerate((3, 5, 200))),
            Target("acme/a", 1, TargetState.GREEN),
            Target("acme/b", 1, TargetState.REJECTED),
            Target("acme/c", 1, TargetState.SKIPPED),
        ]

        assert closing_words(targets) == (
            "3 of 6 repos have the digest; half of them within 5 h, 90% within 8 days; "
            "1 open, 1 rejected, 1 left out"
        )

    def test_where_nothing_was_merged_no_time_is_told(self) -> None:
        found = closing_words([Target("acme/a", 0)])

        assert found == "0 of 1 repo have the digest; 1 without their turn"


class TestFailing:
    def test_checks_are_told_by_name_the_most_first(self) -> None:
        targets = [failing("acme/a", "build"), failing("acme/b", "build", "lint")]

        assert failing_words(targets) == (
            "build in 2 repos (acme/a, acme/b); lint in 1 repo (acme/b)"
        )

    def test_many_are_counted(self) -> None:
        targets = [failing(f"acme/a{number}", "build", f"test {number}") for number in range(9)]

        found = failing_words(targets)

        assert found.startswith("build in 9 repos (acme/a0, acme/a1, acme/a2 …); ")
        assert found.endswith("; 5 more checks")

    def test_where_nothing_fails_nothing_is_told(self) -> None:
        assert failing_words([Target("acme/a", 0)]) == ""


class TestIssue:
    def test_its_title_does_not_change(self, tmp_path: Path) -> None:
        with arena(tmp_path) as world:
            before = issue_title(world.rollout())
            world.tell(Verb.START)

            assert issue_title(world.rollout()) == before

    def test_it_is_known_by_its_first_line(self, tmp_path: Path) -> None:
        with arena(tmp_path) as world:
            first = body_of(world).splitlines()[0]

            assert first == f"<!-- digestbot:rollout:{world.name} -->"

    def test_nobody_is_mentioned_and_nothing_comes_to_life(self, tmp_path: Path) -> None:
        with arena(tmp_path) as world:
            world.tell(Verb.START)
            evil = "@acme/everybody <script> #1 ![](http://x.example/t.png) | a"
            name = world.wave(0)[0]
            note(world, replace(failing(name, evil), why=evil, number=3, opened_at=world.now()))

            body = body_of(world)

            assert "@acme/everybody" not in body.replace("`@acme/everybody", "")
            assert "<script>" not in body
            assert "](http" not in body

    @pytest.mark.parametrize("count", [20, 3000])
    def test_it_has_an_end(self, tmp_path: Path, count: int) -> None:
        with arena(tmp_path, repos=count) as world:
            why = "a reviewer asks for changes, " * 9
            note(
                world,
                *(
                    Target(
                        one.repo,
                        one.wave,
                        TargetState.RED,
                        why=why,
                        number=1,
                        failing=tuple(f"{one.repo} check {number} " * 8 for number in range(20)),
                        opened_at=world.now(),
                    )
                    for one in world.plan.targets
                ),
            )

            assert len(body_of(world)) <= MOST_BODY

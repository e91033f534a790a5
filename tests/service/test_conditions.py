from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from digestbot.registry.errors import CODES
from digestbot.scan.result import Problem
from digestbot.service.conditions import (
    MOST,
    NEEDS_SOMEBODY,
    Known,
    causes_of,
    conditions_of,
    known_after,
)
from digestbot.store import conditions
from digestbot.store.attention import DeniedDigest, HeldImage
from digestbot.store.conditions import Condition
from digestbot.store.images import Failing
from digestbot.store.runs import RunState
from tests.service.state import (
    DAY,
    NEW,
    NOW,
    OLD,
    add_failure,
    add_findings,
    add_repos,
    finding,
    held,
    query,
    settle,
    state,
)

DONE = Known(RunState.DONE)
BROKEN = Problem("repo", "acme/app", "invalid-config", "line 3: no such key", "mend it")


def failing(image: str, code: str = "timeout", since: object = NOW) -> Failing:
    host = query(image).image.registry
    return Failing(query(image), host, code, f"{host} is slow", since)  # type: ignore[arg-type] # a time


def subjects(known: Known) -> list[str]:
    return [one.subject for one in conditions_of(known)]


def test_all_is_well() -> None:
    assert conditions_of(DONE) == []


def test_what_many_repos_share_is_told_whatever_one_of_them_brings_about() -> None:
    hosts = [f"r{n}.evil.example/a:1" for n in range(2 * MOST)]
    known = replace(DONE, causes=causes_of(map(failing, hosts)))
    known = replace(known, before=conditions_of(known))
    shared = replace(failing("ghcr.io/acme/base:1"), repos=40)

    told = subjects(replace(known, causes=[*known.causes, *causes_of([shared])]))

    assert "registry:ghcr.io/timeout" in told


def test_words_of_others_are_on_one_line_and_have_an_end() -> None:
    broken = replace(BROKEN, message="x\x1b[2J\n" * 100_000, hint="y\n" * 100_000)

    (condition,) = conditions_of(replace(DONE, repos=[("acme/app", (broken,))]))

    assert (condition.message + condition.hint).isprintable()
    assert len(condition.message) + len(condition.hint) < 10_000


def test_lookups_are_one_condition_for_each_host_and_cause() -> None:
    causes = causes_of(
        [
            failing("ghcr.io/acme/a:1"),
            failing("ghcr.io/acme/b:1", since=NOW - DAY),
            failing("ghcr.io/acme/c:1", "not-found"),
            failing("python:3.12"),
        ]
    )

    found = conditions_of(replace(DONE, causes=causes))

    assert [one.subject for one in found] == [
        "registry:ghcr.io/timeout",
        "registry:docker.io/timeout",
        "registry:ghcr.io/not-found",
    ]
    assert found[0] == Condition(
        "registry:ghcr.io/timeout",
        "lookups",
        "timeout",
        "2 images cannot be looked up: ghcr.io is slow",
    )


@pytest.mark.parametrize("code", CODES)
def test_each_cause_is_its_own_state(code: str) -> None:
    (found,) = conditions_of(replace(DONE, causes=causes_of([failing("python:3", code)])))

    assert found.state == code


def test_repos_are_one_condition_each_whose_state_is_all_causes() -> None:
    other = Problem("file", "Dockerfile", "unreadable", "denied")

    found = conditions_of(replace(DONE, repos=[("acme/app", (BROKEN, other, BROKEN))]))

    assert found == [
        Condition(
            "repo:acme/app",
            "repos",
            "invalid-config+unreadable",
            "line 3: no such key (and 2 more)",
            "mend it",
        )
    ]


def test_held_images_are_one_condition_for_each_reason() -> None:
    image = "docker.io/library/python:3.12"
    lost = HeldImage(image, "platform-lost", "linux/arm64 is gone", 41, 12)

    (found,) = conditions_of(replace(DONE, held=[lost]))

    assert found.subject == f"image:{image}/platform-lost"
    assert found.message == "linux/arm64 is gone (41 pins in 12 repos)"
    assert (found.event, found.state) == ("held", "platform-lost")


@pytest.mark.parametrize("reason", sorted(NEEDS_SOMEBODY))
def test_who_has_to_decide_is_told_how(reason: str) -> None:
    (found,) = conditions_of(replace(DONE, held=[HeldImage("x:1", reason, "so it is", 1, 1)]))

    assert "`hold." in found.hint


def test_denied_digests_are_one_condition_each() -> None:
    (found,) = conditions_of(replace(DONE, denied=[DeniedDigest(str(OLD), 3, 1)]))

    assert found.subject == f"digest:{OLD}"
    assert found.message == "a digest of the deny list is pinned at 3 places in 1 repo"


@pytest.mark.parametrize(
    "ended, expected",
    [
        (RunState.DONE, None),
        (RunState.STOPPED, None),
        (RunState.INCOMPLETE, "incomplete"),
        (RunState.FAILED, "failed"),
    ],
)
def test_a_cycle_is_told_where_it_is_not_done(ended: RunState, expected: str | None) -> None:
    found = {one.subject: one.state for one in conditions_of(Known(ended))}

    assert found.get("cycle") == expected


def test_an_incomplete_cycle_says_where_the_problems_are() -> None:
    target = Problem("target", "github:acme", "no-permission", "403", "give it access")
    registry = Problem("registry", "ghcr.io", "timeout", "slow")

    found = conditions_of(Known(RunState.INCOMPLETE, [registry, target, BROKEN, BROKEN]))

    assert [one.subject for one in found] == ["target:github:acme", "cycle"]
    assert found[0].hint == "give it access"
    assert found[1].message == (
        "the last cycle is incomplete: registry: 1 problem, repo: 2 problems, target: 1 problem"
    )


@pytest.mark.parametrize(
    "ended, state_of_cycle",
    [
        pytest.param(RunState.DONE, None, id="a cycle that is done knows better"),
        pytest.param(RunState.STOPPED, "incomplete", id="one that was stopped knows nothing"),
        pytest.param(RunState.FAILED, "failed", id="one that failed knows of itself"),
    ],
)
def test_what_a_cycle_did_not_get_to_is_as_it_was(
    ended: RunState, state_of_cycle: str | None
) -> None:
    target = Condition("target:github:acme", "cycle", "no-permission", "403")
    cycle = Condition("cycle", "cycle", "incomplete", "…")
    repo = Condition("repo:acme/app", "repos", "x", "x")

    found = {
        one.subject: one.state for one in conditions_of(Known(ended, before=[target, cycle, repo]))
    }

    assert found.get("cycle") == state_of_cycle
    assert ("target:github:acme" in found) == (ended is not RunState.DONE)
    assert "repo:acme/app" not in found


def test_beyond_fifty_of_a_kind_one_counts_the_others() -> None:
    repos = [(f"acme/r{n:05}", (BROKEN,)) for n in range(10_000)]

    found = conditions_of(replace(DONE, repos=repos))

    assert len(found) == MOST + 1
    assert found[-1].subject == "repos:more"
    assert found[-1].message == "there are 9,950 more that are not told one by one"


def test_beyond_fifty_who_was_there_before_stays() -> None:
    repos = [(f"acme/r{n:05}", (BROKEN,)) for n in range(MOST + 10)]
    before = conditions_of(replace(DONE, repos=repos))

    earlier = [("aaaa/first", (BROKEN,)), *repos]
    after = subjects(replace(DONE, repos=earlier, before=before))

    assert after == [one.subject for one in before]


def test_the_number_of_the_others_is_no_change_of_state() -> None:
    repos = [(f"acme/r{n:05}", (BROKEN,)) for n in range(MOST + 10)]

    states = {conditions_of(replace(DONE, repos=repos[: MOST + n]))[-1].state for n in range(1, 9)}

    assert states == {"more"}


def test_subjects_are_unique() -> None:
    twice = [("acme/app", (BROKEN,)), ("acme/app", (BROKEN,))]

    assert subjects(replace(DONE, repos=twice)) == ["repo:acme/app"]


def test_what_is_known_comes_from_the_state(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        with database.begin() as connection:
            ids = add_repos(connection, "acme/app", "acme/web", left_out=["acme/fork"])
            settle(connection, ids["acme/app"], "acme/app", BROKEN)
            settle(connection, ids["acme/web"], "acme/web")
            add_findings(
                connection,
                ids["acme/app"],
                finding("python:3.12"),
                held("node:22", "platform-lost"),
                held("node:22", "platform-lost", line=9),
                held("redis:7", "settling", NOW + DAY),
            )
            add_findings(connection, ids["acme/web"], finding("python:3.12"))
            add_failure(connection, "python:3.12")
            before = Condition("repo:acme/old", "repos", "x", "x")
            conditions.note(connection, [before], NOW)

        known = known_after(database, RunState.DONE, (), [str(OLD), str(NEW)])

    assert known.before == [before]
    assert [(one.host, one.code, one.images) for one in known.causes] == [
        ("docker.io", "rate-limited", 1)
    ]
    assert known.repos == [("acme/app", (BROKEN,))]
    assert [(one.image, one.reason, one.places, one.repos) for one in known.held] == [
        ("docker.io/library/node:22", "platform-lost", 2, 1)
    ]
    assert known.denied == [DeniedDigest(str(OLD), 5, 2)]


def test_what_only_takes_time_is_told_to_nobody(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        with database.begin() as connection:
            (number,) = add_repos(connection, "acme/app").values()
            add_findings(connection, number, held("redis:7", "settling", NOW + DAY))

        known = known_after(database, RunState.DONE, (), ())

    assert conditions_of(known) == []
    assert "settling" not in NEEDS_SOMEBODY

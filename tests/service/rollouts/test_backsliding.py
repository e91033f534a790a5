from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.plan import Move
from digestbot.rollout.progress import TargetState
from digestbot.service.rollouts.backsliding import went_back
from digestbot.store import findings, repos
from tests.proposals.builders import dockerfile
from tests.service.rollouts.arena import IMAGE, NEW, OLD, Arena, arena, arena_of, tag
from tests.service.state import TARGET, finding, listed

HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    """All waves are through, and everything is merged."""
    with arena(tmp_path) as found:
        found.tell(Verb.START)
        found.until(State.WATCHING)
        found.merge()
        found.step()
        found.clock.advance(3600)
        yield found


def looked_at(
    world: Arena, name: str, pinned: Digest, path: str = "Dockerfile", image: str = IMAGE
) -> None:
    """A cycle found this in a repo."""
    now = world.now()
    with world.database.begin() as connection:
        repos.note_listed(connection, TARGET, "r", [listed(name)], now)
        due = {
            one.repo.name: one.id
            for one in repos.due(connection, target=TARGET, rules="x", now=now, limit=1000)
        }
        found = finding(image, Status.STALE, digest=pinned, path=path, line=1)
        findings.replace(connection, due[name], [found], now)


def test_a_repo_that_pins_what_it_had_is_noticed(world: Arena) -> None:
    name = world.wave(1)[0]
    looked_at(world, name, OLD)

    world.step()

    target = world.targets()[name]
    assert target.state is TargetState.MERGED
    assert target.why == f"it went back to {OLD.short} (Dockerfile:1)"
    assert went_back(world.targets().values()) == [target]


def test_nothing_is_opened_for_it(world: Arena) -> None:
    looked_at(world, world.wave(1)[0], OLD)

    world.step(3)

    assert world.open_pulls() == {}


@pytest.mark.parametrize(
    "pinned, path",
    [(NEW, "Dockerfile"), (OLD, "other/Dockerfile"), (Digest("sha256", "9" * 64), "Dockerfile")],
    ids=["the new digest", "another file", "a newer one"],
)
def test_who_has_something_else_did_not_go_back(world: Arena, pinned: Digest, path: str) -> None:
    looked_at(world, world.wave(1)[0], pinned, path)

    world.step()

    assert went_back(world.targets().values()) == []


def test_what_was_found_before_it_was_merged_says_nothing(tmp_path: Path) -> None:
    with arena(tmp_path) as world:
        name = world.wave(0)[0]
        looked_at(world, name, OLD)
        world.clock.advance(60)
        world.tell(Verb.START)
        world.until(State.WATCHING)
        world.merge()

        world.step(2)

        assert went_back(world.targets().values()) == []


def test_who_comes_back_is_no_longer_said_to_be_back(world: Arena) -> None:
    name = world.wave(1)[0]
    looked_at(world, name, OLD)
    world.step()

    looked_at(world, name, NEW)
    world.step()

    assert world.targets()[name].why == ""


def test_the_end_comes_with_a_report(world: Arena) -> None:
    world.until(State.CLOSED, most=2000)

    (closed,) = [one for one in world.rollout().events if one.verb is Verb.CLOSE]
    assert closed.reason.startswith("20 of 20 repos have the digest; half of them within")
    assert "90% within" in closed.reason


@pytest.mark.parametrize(
    "image, digest, why",
    [
        pytest.param(IMAGE, "9" * 64, "it went back to 3.22@9999999 (Dockerfile:1)", id="tag"),
        pytest.param("alpine:3.23", OLD.hex, "", id="digest"),
        pytest.param("alpine:3.23", "9" * 64, "", id="neither"),
    ],
)
def test_where_tags_moved_who_follows_the_old_one_again_went_back(
    tmp_path: Path, image: str, digest: str, why: str
) -> None:
    move = Move(tag(IMAGE), NEW, to=tag("alpine:3.23"))
    repos = {"acme/app": {"Dockerfile": dockerfile(IMAGE, at=0)}}
    with arena_of(tmp_path, repos, [move]) as world:
        world.tell(Verb.START)
        world.until(State.WATCHING)
        world.merge()
        world.step()
        world.clock.advance(3600)
        looked_at(world, "acme/app", Digest("sha256", digest), image=image)

        world.step()

        assert world.targets()["acme/app"].why == why

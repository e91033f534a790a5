"""Rollouts that move pins to another tag: there, and each pin back to what it had."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.forge.github.settings import GitHubSettings
from digestbot.image import Digest
from digestbot.report.style import Style
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.plan import Move
from digestbot.rollout.progress import OPEN, TargetState
from digestbot.secret import Secret
from digestbot.service.rollouts import standing_text
from digestbot.service.rollouts.report import issue_title
from digestbot.service.rollouts.standing_report import read_rollout
from tests.proposals.builders import digest
from tests.proposals.memory import Fault, KilledError
from tests.service.rollouts.arena import IMAGE, NEW, Arena, arena_of, tag
from tests.service.rollouts.town import Pins, Town, town
from tests.service.rollouts.wheel import step, ways_over

A, B, C = digest("3.20"), digest("3.21"), digest("3.22, before")
TO = tag("alpine:3.22")
MOVES = (Move(tag("alpine:3.20"), NEW, to=TO), Move(tag("alpine:3.21"), NEW, to=TO))


def pin(number: str, at: Digest) -> str:
    return f"alpine:{number}@{at}"


PLAIN = f"FROM {pin('3.20', A)}\r\nRUN x"
BOTH = f"FROM {pin('3.20', A)} AS one\nFROM {pin('3.21', B)} AS two\nFROM {pin('3.20', C)}\n"
SHARED = f"ARG BASE={pin('3.21', B)}\nFROM $BASE AS one\nFROM ${{BASE}}\n"
BESIDE = f"FROM {pin('3.22', NEW)} AS one\nFROM {pin('3.20', A)}\nFROM {pin('3.22', C)}\n"
ONE_LINE = (
    f"FROM scratch\nRUN --mount=from={pin('3.21', B)} --mount=from={pin('3.20', A)},target=/a x\n"
)
FILES = {
    "acme/plain": {"Dockerfile": PLAIN},
    "acme/both": {"Dockerfile": BOTH},
    "acme/shared": {"Dockerfile": SHARED},
    "acme/beside": {"Dockerfile": BESIDE},
    "acme/line": {"Dockerfile": ONE_LINE},
    "acme/files": {"Dockerfile": PLAIN, "b/Dockerfile": BOTH, "c/Dockerfile": "FROM debian:13\n"},
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Arena]:
    repos = {
        name: {path: text.encode() for path, text in files.items()} for name, files in FILES.items()
    }
    with arena_of(tmp_path, repos, MOVES) as found:
        yield found


def texts(world: Arena, name: str) -> dict[str, str]:
    return {path: data.decode() for path, data in world.forge.rooms[name].files().items()}


def moved(text: str) -> str:
    for number, at in (("3.20", A), ("3.20", C), ("3.21", B)):
        text = text.replace(pin(number, at), pin("3.22", NEW))
    return text


def finish(world: Arena, *, is_back: bool = False) -> None:
    """Steps, and people who merge, until nobody waits any more."""
    left = {*OPEN, TargetState.WAITING}
    for _ in range(60):
        world.step(minutes=30)
        world.merge()
        found = set(world.states(is_back=is_back).values())
        if found and left.isdisjoint(found):
            return
    raise AssertionError(world.states(is_back=is_back))


def bring(world: Arena) -> None:
    world.tell(Verb.START)
    finish(world)


def take_back(world: Arena) -> None:
    world.tell(Verb.ROLLBACK)
    finish(world, is_back=True)
    world.step()


def test_every_pin_gets_the_tag_and_the_digest_and_nothing_else_changes(world: Arena) -> None:
    bring(world)

    for name, files in FILES.items():
        assert texts(world, name) == {path: moved(text) for path, text in files.items()}


def test_where_it_stands_is_told_with_the_tag(world: Arena) -> None:
    world.tell(Verb.START)
    report = read_rollout(world.database, world.name, world.now())

    said = f"alpine:3.20 → alpine:3.22 {NEW.short}"

    assert said in standing_text.render(report, Style())
    title = issue_title(world.rollout())
    assert title.startswith(f"Rollout {world.name}: docker.io/library/alpine:3.20 → 3.22, ")


def test_on_the_way_back_each_pin_gets_its_own_again_byte_by_byte(world: Arena) -> None:
    bring(world)

    take_back(world)

    for name, files in FILES.items():
        assert texts(world, name) == files
    assert set(world.states(is_back=True).values()) == {TargetState.MERGED}
    assert world.rollout().is_settled


def test_where_one_tag_was_pinned_at_several_digests_each_pin_gets_its_own(tmp_path: Path) -> None:
    files = {"Dockerfile": BOTH.encode(), "b/Dockerfile": PLAIN.encode()}
    with arena_of(tmp_path, {"acme/both": files}, [Move(tag("alpine:3.20"), NEW)]) as world:
        bring(world)
        assert texts(world, "acme/both")["Dockerfile"].count(NEW.hex) == 2

        take_back(world)

        assert world.forge.rooms["acme/both"].files() == files
        assert world.rollout().standing.state is State.ROLLED_BACK


def test_a_tag_of_the_same_digest_is_moved_to_and_back(tmp_path: Path) -> None:
    text = f"FROM alpine:latest@{NEW}\n"
    moves = [Move(tag("alpine:latest"), NEW, to=TO)]
    with arena_of(tmp_path, {"acme/app": {"Dockerfile": text.encode()}}, moves) as world:
        bring(world)
        there = texts(world, "acme/app")
        take_back(world)

        assert there == {"Dockerfile": f"FROM {pin('3.22', NEW)}\n"}
        assert texts(world, "acme/app") == {"Dockerfile": text}


def test_what_people_write_between_stays(world: Arena) -> None:
    bring(world)
    room = world.forge.rooms["acme/both"]
    room.push({"Dockerfile": b"# ours\n" + room.files()["Dockerfile"] + b"RUN y\n"})

    take_back(world)

    assert texts(world, "acme/both") == {"Dockerfile": f"# ours\n{BOTH}RUN y\n"}


def test_where_nobody_can_tell_which_pin_had_what_nothing_is_offered(world: Arena) -> None:
    bring(world)
    room = world.forge.rooms["acme/both"]
    room.push({"Dockerfile": b"\n" + room.files()["Dockerfile"].partition(b"\n")[2]})

    take_back(world)

    target = world.targets(is_back=True)["acme/both"]
    assert (target.state, target.number) == (TargetState.SKIPPED, 0)
    assert "nobody can tell which of them" in target.why
    assert pin("3.22", NEW) in texts(world, "acme/both")["Dockerfile"]
    assert texts(world, "acme/plain") == FILES["acme/plain"]


def test_pins_that_stay_beside_those_that_go_back_are_logged(
    world: Arena, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    bring(world)
    room = world.forge.rooms["acme/files"]
    left = room.files()["b/Dockerfile"].partition(b"\n")[2]
    room.push({"b/Dockerfile": b"\n" + left})

    take_back(world)

    assert texts(world, "acme/files")["Dockerfile"] == PLAIN
    assert room.files()["b/Dockerfile"] == b"\n" + left
    said = [str(one.msg) for one in caplog.records]
    assert any("b/Dockerfile:2: docker.io/library/alpine:3.22" in text for text in said)


@pytest.mark.parametrize(
    "at, is_after",
    [
        pytest.param(0, True, id="behind the first"),
        pytest.param(1, False, id="before the second"),
        pytest.param(1, True, id="behind the second"),
    ],
)
def test_whoever_dies_at_a_write_of_each_step_comes_to_the_same(
    world: Arena, at: int, *, is_after: bool
) -> None:
    times = 0
    for verb in (Verb.START, Verb.ROLLBACK):
        world.tell(verb)
        for _ in range(30):
            world.forge.fault = Fault(at, KilledError(), is_after=is_after)
            try:
                world.step(minutes=30)
            except KilledError:
                times += 1
            world.merge()
        world.forge.fault = None
        finish(world, is_back=verb is Verb.ROLLBACK)

    assert times > 1
    for name, files in FILES.items():
        assert texts(world, name) == files


@pytest.mark.parametrize(
    "beside", ["", f"FROM {pin('3.20', A)} AS beside\n"], ids=["alone", "beside one that could be"]
)
def test_a_repo_with_a_tag_that_stands_elsewhere_is_refused_whole_with_the_reason(
    tmp_path: Path, beside: str
) -> None:
    apart = f"ARG V=3.20\n{beside}FROM alpine:$V@{A}\n".encode()
    repos = {"acme/apart": {"Dockerfile": apart}, "acme/plain": {"Dockerfile": PLAIN.encode()}}
    with arena_of(tmp_path, repos, MOVES) as world:
        world.tell(Verb.START)
        world.step(2)

        target = world.targets()["acme/apart"]
        assert target.state is TargetState.FAILED
        assert "its tag does not stand right before its digest" in target.why
        assert list(world.open_pulls()) == ["acme/plain"]


def test_a_pull_request_of_somebody_that_brings_the_same_is_adopted(world: Arena) -> None:
    room = world.forge.rooms["acme/both"]
    number = room.open("theirs", {"Dockerfile": moved(BOTH).encode()})
    world.tell(Verb.START)

    world.until(State.WATCHING)

    target = world.targets()["acme/both"]
    assert (target.is_adopted, target.number) == (True, number)


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(BOTH.replace(pin("3.20", A), pin("3.22", NEW)), id="one of three pins"),
        pytest.param(BOTH.replace(str(A), str(NEW)), id="the digest alone"),
        pytest.param(moved(BOTH).replace(str(NEW), str(C)), id="the tag alone"),
        pytest.param(3 * f"FROM {pin('3.22', NEW)}\n" + BOTH, id="beside what it had"),
    ],
)
def test_one_that_brings_less_is_not(world: Arena, theirs: str) -> None:
    world.forge.rooms["acme/both"].open("theirs", {"Dockerfile": theirs.encode()})
    world.tell(Verb.START)

    world.until(State.WATCHING)

    assert not world.targets()["acme/both"].is_adopted


def test_a_repo_that_went_there_by_itself_has_it_already(world: Arena) -> None:
    world.forge.rooms["acme/both"].push({"Dockerfile": moved(BOTH).encode()})
    world.tell(Verb.START)

    world.until(State.WATCHING)

    target = world.targets()["acme/both"]
    assert (target.state, target.why) == (TargetState.MERGED, "it has the digest already")
    assert target.number == 0


PINS = Pins(IMAGE, to="alpine:3.23")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path / "state", 6, pins=PINS) as world:
        yield world


def test_on_github_the_pull_requests_say_which_tag_they_bring_and_all_goes_back(
    github: Town, tmp_path: Path
) -> None:
    settings = GitHubSettings(api_url=github.github.url, token=Secret(github.github.token().value))
    clock = github.github.clock.as_clock()
    with ways_over(github.database, settings, clock, tmp_path / "cache") as ways:

        def live(state: State) -> None:
            for _ in range(600):
                step(ways, github.name)
                github.live()
                left = {*OPEN, TargetState.WAITING}
                found = {**github.targets(), **github.targets(is_back=True)}
                if github.state is state and left.isdisjoint(one.state for one in found.values()):
                    return
                github.github.clock.advance(60)
            raise AssertionError(github.targets(is_back=True))

        github.tell(Verb.START)
        live(State.WATCHING)
        there = {name: github.pinned(name) for name in github.repos}
        github.tell(Verb.ROLLBACK)
        live(State.ROLLED_BACK)

    for name in github.repos:
        assert there[name] == PINS.after(name)
        assert github.pinned(name) == PINS.before(name)
        [pull], [back] = github.pulls(name), github.pulls(name, is_back=True)
        assert pull.title == f"Update {IMAGE} to 3.23 ({PINS.new.short})"
        assert "moves all repos with this image to the tag `3.23`" in (pull.body or "")
        assert f"| `{IMAGE}` → `3.23` |" in (pull.body or "")
        assert back.title == "Roll back alpine to the tag and digest before"
        assert f"| `alpine:3.23` → `{tag(IMAGE).tag}` |" in (back.body or "")

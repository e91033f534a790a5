"""What somebody has a rollout do: what is written down, what is said, and who is asked first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digestbot.image import Digest
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.plan import Edit
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import rollouts
from tests.cli.onscreen import on_screen
from tests.cli.program import Outcome, digestbot
from tests.registries.fake import FakeRegistry
from tests.service.rollouts.arena import NEW, OLD, Arena, arena, tag


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "digestbot.yaml"
    folder = json.dumps(str(tmp_path / "state"))
    path.write_text(f"state: {{folder: {folder}}}\nallow_private: true\n")
    return path


@pytest.fixture
def world(config: Path) -> Iterator[Arena]:
    """A rollout that runs, with its canary open."""
    with arena(config.parent / "state", 10) as made:
        made.tell(Verb.START)
        made.step(2)
        yield made


def say(config: Path, world: Arena, verb: str, *words: str) -> Outcome:
    return digestbot("rollout", verb, world.name[:6], *words, "--config", str(config))


def last(world: Arena) -> tuple[str, str, str, str]:
    event = world.rollout().events[-1]
    return event.verb.value, event.by, event.reason, event.repo


def test_a_pause_is_written_down_with_who_and_why(config: Path, world: Arena) -> None:
    outcome = say(config, world, "pause", "--by", "bob", "--reason", "lunch")

    assert (outcome.code, outcome.stdout) == (0, "")
    assert last(world) == ("pause", "bob", "lunch", "")
    assert world.rollout().standing.state is State.PAUSED


def test_it_says_what_happens_now_and_what_to_look_at(config: Path, world: Arena) -> None:
    outcome = say(config, world, "pause")

    first, second = outcome.stderr.splitlines()
    assert first == (
        f"rollout {world.name} is paused: nothing new is opened, and what is open is looked after"
    )
    assert second.endswith(f"see: digestbot rollout status {world.name} --config {config}")


def test_what_is_typed_is_kept_on_one_line_that_does_no_harm(config: Path, world: Arena) -> None:
    outcome = say(
        config, world, "pause", "--by", "bob\x1b[2J", "--reason", "a\nb\udcff" + "c" * 9999
    )

    assert outcome.code == 0
    _, by, reason, _ = last(world)
    assert by == "bob\\x1b[2J"
    assert reason.startswith("a\\nb\\udcff")
    assert len(reason) < 2000


def test_without_a_name_it_was_the_user(
    config: Path, world: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "carol")

    say(config, world, "pause")

    assert last(world)[1] == "carol"


@pytest.mark.parametrize("verb", ["promote", "approve"])
def test_what_is_said_of_a_wave(config: Path, world: Arena, verb: str) -> None:
    outcome = say(config, world, verb)

    standing = world.rollout().standing
    assert outcome.code == 0
    assert (standing.is_promoted, standing.is_approved) == (verb == "promote", verb == "approve")


@pytest.mark.parametrize("verb", ["promote", "approve"])
def test_a_yes_that_two_people_say_counts_for_one_wave(
    config: Path, world: Arena, verb: str
) -> None:
    status = digestbot("rollout", "status", world.name, "--config", str(config)).stdout
    (line,) = (one for one in status.splitlines() if f"rollout {verb} " in one)
    typed = line.split()[2:]

    first = digestbot("rollout", *typed)
    world.merge(*world.wave(0))
    world.tell(Verb.PROMOTE)
    world.tell(Verb.APPROVE)
    world.step(2)
    before = world.rollout()
    second = digestbot("rollout", *typed)

    assert (first.code, before.standing.wave) == (0, 1)
    assert (second.code, second.stdout) == (2, "")
    assert second.stderr == (
        "error: not canary, but wave 1 is under way\n"
        f"hint: see how it stands: digestbot rollout status {world.name}\n"
    )
    assert world.rollout() == before


@pytest.mark.parametrize(
    "wave, code",
    [
        pytest.param("0", 0, id="under way"),
        pytest.param("1", 2, id="later"),
        pytest.param("-1", 2, id="none"),
        pytest.param("canary", 2, id="no number"),
    ],
)
def test_a_wave_is_named_by_its_number(config: Path, world: Arena, wave: str, code: int) -> None:
    outcome = say(config, world, "approve", "--wave", wave)

    assert outcome.code == code
    assert world.rollout().standing.is_approved == (code == 0)


def test_what_is_paused_goes_on(config: Path, world: Arena) -> None:
    say(config, world, "pause")

    outcome = say(config, world, "resume")

    assert outcome.code == 0
    assert "goes on" in outcome.stderr
    assert world.rollout().standing.state is State.RUNNING


def test_one_repo_is_left_out_and_tried_again(config: Path, world: Arena) -> None:
    repo = world.wave(1)[0]

    left = say(config, world, "skip", repo)
    skipped = world.rollout().standing.skipped
    again = say(config, world, "retry", repo)

    assert (left.code, again.code) == (0, 0)
    assert f"leaves {repo} out" in left.stderr
    assert f"tries {repo} again" in again.stderr
    assert skipped == {repo}
    assert world.rollout().standing.retried == {repo: 1}


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(lambda repo: repo.partition("/")[2], id="without-its-owner"),
        pytest.param(lambda repo: f"{repo}s", id="misspelt"),
    ],
)
def test_a_repo_that_could_be_meant_is_named(
    config: Path, world: Arena, typed: Callable[[str], str]
) -> None:
    repo = world.plan.targets[0].repo

    outcome = say(config, world, "skip", typed(repo))

    assert outcome.code == 2
    assert outcome.stderr.endswith(f"hint: did you mean {repo}?\n")


@pytest.mark.parametrize("verb", ["skip", "retry"])
def test_a_repo_that_it_does_not_reach(config: Path, world: Arena, verb: str) -> None:
    outcome = say(config, world, verb, "acme/other")

    assert outcome.code == 2
    assert outcome.stderr == (
        "error: the rollout does not reach acme/other\nhint: name a repo of its plan\n"
    )


def test_what_cannot_be_now_says_what_can(config: Path, world: Arena) -> None:
    outcome = say(config, world, "resume")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(
        "error: a rollout that is running cannot be told to resume\nhint: it may be told to pause, "
    )


def test_whom_it_does_not_know(config: Path, world: Arena) -> None:
    outcome = digestbot("rollout", "pause", "zzz", "--config", str(config))

    assert outcome.code == 2
    assert "error: no rollout is called zzz" in outcome.stderr


def test_it_may_be_said_while_the_service_works(config: Path, world: Arena) -> None:
    with world.database.alone():
        outcome = say(config, world, "pause")

    assert outcome.code == 0
    assert world.step().state is State.PAUSED


@pytest.mark.parametrize("verb", ["abort", "rollback"])
def test_the_ways_out_are_asked_about(config: Path, world: Arena, verb: str) -> None:
    before = world.rollout().events

    outcome = say(config, world, verb)

    assert outcome.code == 2
    assert "2 open pull requests are closed" in outcome.stderr
    assert "hint: --yes has it done where nobody can be asked" in outcome.stderr
    assert world.rollout().events == before


@pytest.mark.parametrize(
    "verb, state", [("abort", State.ABORTED), ("rollback", State.ROLLING_BACK)]
)
def test_who_is_sure_says_so_beforehand(
    config: Path, world: Arena, verb: str, state: State
) -> None:
    outcome = say(config, world, verb, "--yes", "--reason", "it was wrong")

    assert outcome.code == 0
    assert world.rollout().standing.state is state
    assert last(world)[2] == "it was wrong"


@pytest.mark.parametrize(
    "answer, code, state",
    [
        pytest.param("y\n", 0, State.ABORTED, id="yes"),
        pytest.param("n\n", 1, State.RUNNING, id="no"),
        pytest.param("\n", 1, State.RUNNING, id="nothing-means-no"),
        pytest.param("\x04", 130, State.RUNNING, id="nobody-answers"),
    ],
)
def test_a_person_is_asked(
    config: Path, world: Arena, answer: str, code: int, state: State
) -> None:
    words = ("rollout", "abort", world.name, "--config", str(config))
    with on_screen(*words, cwd=config.parent) as screen:
        screen.until("Go on? [y/N]")
        screen.type(answer)
        found = screen.ended()

    assert found == code
    assert f"This would end rollout {world.name}: 2 open pull requests are closed" in screen.seen
    assert world.rollout().standing.state is state


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as fake:
        yield fake


def merge_canary(world: Arena, registry: FakeRegistry, *before: Digest) -> str:
    """A plan like that of the world, of an image of this registry, whose first repos are merged.

    Returns its name; each of these repos had one of the digests `before`.
    """
    image = tag(f"{registry.host}/team/app:1")
    plan = replace(world.plan, by="carol")
    targets = tuple(
        replace(one, edits=(Edit("Dockerfile", 1, image, digest, NEW),))
        for one, digest in zip(plan.targets, before, strict=False)
    )
    with world.database.begin() as connection:
        name = rollouts.create(connection, replace(plan, targets=targets))
        merged = [
            Target(one.repo, one.wave, TargetState.MERGED, opened_at=world.now()) for one in targets
        ]
        rollouts.note_targets(connection, name, merged)
    tell(world.database, name, Told(Verb.START, "carol"), world.now())
    return name


def state_of(world: Arena, name: str) -> State:
    with world.database.reading() as connection:
        found = rollouts.get(connection, name)
    assert found is not None
    return found.standing.state


def test_a_way_back_that_can_be_had_is_taken(
    config: Path, world: Arena, registry: FakeRegistry
) -> None:
    there = registry.local.add("team/app", "1")
    name = merge_canary(world, registry, there, there)

    outcome = digestbot("rollout", "rollback", name, "--yes", "--config", str(config))

    assert (outcome.code, outcome.stdout) == (0, "")
    assert "asking registries for 1 digest that repos had" in outcome.stderr
    assert registry.local.asked().count(f"HEAD /v2/team/app/manifests/{there}") == 1
    assert state_of(world, name) is State.ROLLING_BACK


def test_a_way_back_that_cannot_be_had_is_named_and_not_taken(
    config: Path, world: Arena, registry: FakeRegistry
) -> None:
    there = registry.local.add("team/app", "1")
    name = merge_canary(world, registry, there, OLD)

    outcome = digestbot("rollout", "rollback", name, "--yes", "--config", str(config))

    assert outcome.code == 5
    (line,) = outcome.stdout.splitlines()
    assert line.startswith(f"not-found: {registry.host}/team/app:1@{OLD} of {world.wave(0)[1]}: ")
    assert "1 of 2 digests cannot be had for the way back; nothing was done" in outcome.stderr
    assert state_of(world, name) is State.RUNNING


def test_who_does_not_want_the_check_asks_nobody(
    config: Path, world: Arena, registry: FakeRegistry
) -> None:
    name = merge_canary(world, registry, OLD)
    words = ("--yes", "--without-check", "--config", str(config))

    outcome = digestbot("rollout", "rollback", name, *words)

    assert outcome.code == 0
    assert registry.local.asked() == []
    assert state_of(world, name) is State.ROLLING_BACK


def test_a_person_is_told_how_many_go_back(
    config: Path, world: Arena, registry: FakeRegistry
) -> None:
    there = registry.local.add("team/app", "1")
    name = merge_canary(world, registry, there, there)
    words = ("rollout", "rollback", name, "--config", str(config))

    with on_screen(*words, cwd=config.parent) as screen:
        screen.until("Go on? [y/N]")
        screen.type("y\n")
        code = screen.ended()

    assert code == 0
    assert "2 repos offered what they had" in screen.seen
    assert state_of(world, name) is State.ROLLING_BACK

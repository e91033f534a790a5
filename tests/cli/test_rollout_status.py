"""`digestbot rollout status`: for people, for programs, and again and again on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from digestbot.forge.watching import ChecksOf
from digestbot.rollout.machine import State, Verb
from digestbot.service.rollouts.standing_contract import rollout_schema, rollouts_schema
from tests.cli.onscreen import on_screen
from tests.cli.program import Outcome, digestbot
from tests.service.rollouts.arena import Arena, arena
from tests.service.state import state


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "digestbot.yaml"
    path.write_text(f"state: {{folder: {json.dumps(str(tmp_path / 'state'))}}}\n")
    return path


@pytest.fixture
def world(config: Path) -> Iterator[Arena]:
    """A rollout that was planned, in the state of the configuration."""
    with arena(config.parent / "state", 10) as made:
        yield made


def ask(config: Path, *words: str) -> Outcome:
    return digestbot("rollout", "status", "--config", str(config), *words)


def test_without_an_id_all_of_them_are_listed(config: Path, world: Arena) -> None:
    outcome = ask(config)

    assert (outcome.code, outcome.stderr) == (0, "")
    head, row = outcome.stdout.splitlines()
    assert head.split() == ["id", "state", "wave", "merged", "for", "image"]
    assert row.startswith(f"{world.name}  · planned ")


def test_an_id_may_be_cut_short(config: Path, world: Arena) -> None:
    outcome = ask(config, world.name[:5])

    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(f"Rollout {world.name}  · planned for ")


def test_commands_name_the_configuration_and_can_be_copied(config: Path, world: Arena) -> None:
    world.tell(Verb.START)

    outcome = ask(config, world.name)

    command = next(line.strip() for line in outcome.stdout.splitlines() if " pause " in line)
    assert command == f"digestbot rollout pause {world.name} --config {config}"
    assert digestbot(*command.split()[1:]).code == 0
    assert world.rollout().standing.state is State.PAUSED


def test_programs_are_told_plain_commands(config: Path, world: Arena) -> None:
    report = json.loads(ask(config, world.name, "--format", "json").stdout)

    assert report["verbs"][0]["command"] == f"digestbot rollout start {world.name}"


def test_json_is_what_the_contract_says_and_alone_on_stdout(config: Path, world: Arena) -> None:
    one = ask(config, world.name, "--format", "json", "-vv")
    all_of_them = ask(config, "--format", "json", "-vv")

    jsonschema.validate(json.loads(one.stdout), rollout_schema())
    jsonschema.validate(json.loads(all_of_them.stdout), rollouts_schema())
    assert json.loads(one.stdout)["schema"] == "digestbot/rollout/v1"
    assert json.loads(all_of_them.stdout)["schema"] == "digestbot/rollouts/v1"


@pytest.mark.parametrize("words", [(), ("ID",)], ids=["all", "one"])
def test_markdown_is_for_wikis(config: Path, world: Arena, words: tuple[str, ...]) -> None:
    names = [world.name for _ in words]

    outcome = ask(config, *names, "--format", "markdown")

    assert outcome.code == 0
    assert "| --- |" in outcome.stdout
    assert f"`{world.name}`" in outcome.stdout


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_file_gets_what_stdout_would_without_colours(
    config: Path, world: Arena, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "report"

    outcome = ask(config, world.name, "--format", form, "--output", str(path), "--color", "always")

    assert (outcome.code, outcome.stdout) == (0, "")
    assert world.name in path.read_text()
    assert "\x1b" not in path.read_text()


def test_a_file_that_cannot_be_written_is_left_as_it_was(config: Path, world: Arena) -> None:
    before = ask(config, world.name, "--output", str(config.parent / "nowhere" / "report"))
    path = config.parent / "report"
    path.write_text("before")
    after = ask(config, "zzz", "--output", str(path))

    assert before.code == 2
    assert "cannot write" in before.stderr
    assert after.code == 2
    assert path.read_text() == "before"


def test_colours_are_for_those_who_want_them(
    config: Path, world: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in ask(config, world.name).stdout
    assert "\x1b" in ask(config, world.name, "--color", "always").stdout

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b" not in ask(config, world.name).stdout


def test_one_that_is_halted_is_told_by_the_exit_code(config: Path, world: Arena) -> None:
    world.ci.says = {name: ChecksOf(failing=("build",)) for name in world.wave(0)}
    world.tell(Verb.START)
    world.until(State.HALTED)

    one, listed = ask(config, world.name), ask(config)

    assert (one.code, listed.code) == (1, 0)
    assert "halted for " in one.stdout


def test_whom_it_does_not_know(config: Path, world: Arena) -> None:
    outcome = ask(config, "zzz")

    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        "error: no rollout is called zzz\nhint: see: digestbot rollout status\n"
    )


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_without_any_it_says_how_to_plan_one(config: Path, form: str) -> None:
    with state(config.parent / "state"):
        pass

    outcome = ask(config, "--format", form)

    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr == (
        "error: the state has no rollout yet\nhint: plan one: digestbot rollout plan IMAGE\n"
    )


def test_asking_makes_no_state(config: Path) -> None:
    outcome = ask(config)

    assert outcome.code != 0
    assert outcome.stdout == ""
    assert not (config.parent / "state").exists()


def test_it_can_be_asked_while_the_service_works(config: Path, world: Arena) -> None:
    with world.database.alone():
        outcome = ask(config, world.name)

    assert outcome.code == 0


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param((), "--watch needs a terminal", id="a-pipe"),
        pytest.param(("--format", "json"), "draws on the terminal alone", id="json"),
        pytest.param(("--output", "x"), "draws on the terminal alone", id="file"),
    ],
)
def test_watching_is_for_terminals(
    config: Path, world: Arena, words: tuple[str, ...], said: str
) -> None:
    outcome = ask(config, world.name, "--watch", *words)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr


def test_watching_draws_again_what_became_of_it_until_ctrl_c(config: Path, world: Arena) -> None:
    words = ("rollout", "status", world.name, "--config", str(config), "--watch", "--every", "1")
    with on_screen(*words, cwd=config.parent) as screen:
        screen.until("· planned")
        world.tell(Verb.START)
        screen.until("▸ running")
        screen.type("\x03")
        code = screen.ended()

    assert code == 0
    assert screen.seen.count("\x1b[H") >= 2
    assert "Traceback" not in screen.seen
    assert "error" not in screen.seen


def test_watching_ends_with_the_rollout(config: Path, world: Arena) -> None:
    words = ("rollout", "status", world.name, "--config", str(config), "--watch", "--every", "1")
    with on_screen(*words, cwd=config.parent) as screen:
        screen.until("· planned")
        world.tell(Verb.ABORT)
        code = screen.ended()

    assert code == 0
    assert "✗ aborted for" in screen.text


def test_a_screen_that_is_small_shows_the_beginning_and_says_so(config: Path, world: Arena) -> None:
    words = ("rollout", "status", world.name, "--config", str(config), "--watch")
    with on_screen(*words, cwd=config.parent, lines=8, NO_COLOR="1") as screen:
        screen.until("more lines")
        screen.type("\x03")
        screen.ended()

    first = screen.seen.partition("more lines")[0]
    assert f"Rollout {world.name}" in first
    assert first.count("\r\n") == 6


def test_a_terminal_that_cannot_be_drawn_on_is_none(config: Path, world: Arena) -> None:
    words = ("rollout", "status", world.name, "--config", str(config), "--watch")
    with on_screen(*words, cwd=config.parent, TERM="dumb") as screen:
        code = screen.ended()

    assert code == 2
    assert "--watch needs a terminal" in screen.seen

"""Where `digestbot demo rollout` plays, and what it leaves as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.cli.demo_forge import make_forge
from digestbot.cli.demo_play import Play
from digestbot.cli.demo_registry import make_index, serve
from digestbot.cli.demo_stage import MORNING, NAME, DemoClock, Stage, staged
from digestbot.cli.exits import Exit
from digestbot.cli.main import run
from digestbot.clock import Clock
from digestbot.errors import UsageError
from digestbot.image import Digest
from digestbot.rollout.progress import TargetState
from tests.cli.program import digestbot

OLD, NEW = make_index(1), make_index(2, "2026-03-02T06:00:00Z")
CONFIG = """\
targets: [github:acme]
state: {{folder: state}}
mirrors: {{docker.io/: {host}/hub/}}
rollout: {{most_share: 1, canary: [acme/app]}}
"""


@contextmanager
def stage(config: str = CONFIG) -> Iterator[tuple[Stage, dict[str, bytes]]]:
    """Two repos that pin alpine, and a registry whose tag may be moved."""
    clock, manifests = DemoClock(), {"hub/library/alpine:3.22": OLD}
    text = f"FROM alpine:3.22@{Digest.of(OLD)}\n"
    forge = make_forge({"acme/app": text, "acme/web": text}, clock.now)
    with (
        serve(manifests) as host,
        staged(config.format(host=host), forge, clock, "a-token", color=False) as made,
    ):
        yield made, manifests


def test_time_passes_when_it_is_told_to() -> None:
    clock = DemoClock()

    clock.as_clock().sleep(90)

    assert clock.now() == MORNING + timedelta(seconds=90)
    assert clock.as_clock().wall() == clock.as_clock().monotonic() == clock.at


def test_the_place_is_gone_afterwards_and_the_user_has_what_was_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGESTBOT_JOBS", "3")
    before = dict(os.environ)

    with stage():
        folder = Path.cwd()
        inside = dict(os.environ)
        assert (folder / NAME).exists()

    assert "DIGESTBOT_JOBS" not in inside
    assert inside["DIGESTBOT_CONFIG"] == NAME
    assert not folder.exists()
    assert dict(os.environ) == before
    assert Path.cwd() == tmp_path


def test_commands_know_the_time_by_the_clock_that_they_are_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stage() as (made, manifests):
        made.look()
        manifests["hub/library/alpine:3.22"] = NEW
        made.clock.pass_by(3600)

        code = made.type("rollout", "plan", "alpine:3.22", "--format", "json")

    assert code == 1
    assert '"2026-03-02T09:00:00' in capsys.readouterr().out


def test_without_a_clock_commands_know_the_time_by_their_own() -> None:
    with stage() as (made, manifests):
        made.look()
        manifests["hub/library/alpine:3.22"] = NEW

        outcome = digestbot("rollout", "plan", "alpine:3.22", "--format", "json")

    assert outcome.code == 1
    assert '"2026-03-02T08:00:00' not in outcome.stdout


def test_what_is_typed_is_shown_as_one_would_type_it(capsys: pytest.CaptureFixture[str]) -> None:
    with stage() as (made, _):
        code = made.type("rollout", "status", "x y")

    shown = capsys.readouterr()
    assert code == 2
    assert shown.out.startswith('$ digestbot rollout status "x y"\nerror: ')
    assert shown.err == ""


def test_ctrl_c_ends_all_of_it_and_not_one_command_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digestbot.cli.main.run", lambda _words, _clock: int(Exit.INTERRUPTED))

    with pytest.raises(KeyboardInterrupt), stage() as (made, _):
        made.type("rollout", "status")


def test_a_rollout_goes_on_by_steps_and_people_merge_what_is_open_for_long(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stage() as (made, manifests):
        made.look()
        manifests["hub/library/alpine:3.22"] = NEW
        play = Play(made)
        play.plan("alpine:3.22")
        play.type("start", play.name)

        made.drive(10)
        made.merge(timedelta(minutes=11))
        made.drive(10)
        green = play.count(TargetState.GREEN)
        made.merge(timedelta(minutes=11))
        play.until(lambda: play.count(TargetState.MERGED) == 1)

    assert green == 1
    assert "merged: app" in capsys.readouterr().out


def test_a_play_breaks_off_where_a_command_ends_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stage() as (made, _), pytest.raises(UsageError, match="expected exit code 0, got 2"):
        Play(made).type("status", "nobody")

    assert "error: no rollout is called nobody" in capsys.readouterr().out


def test_a_play_breaks_off_where_nothing_comes_of_it() -> None:
    with stage() as (made, _), pytest.raises(UsageError, match="does not get on"):
        Play(made, "x").until(lambda: False)


def test_a_stage_whose_registry_is_silent_is_none() -> None:
    with stage() as (made, manifests):
        manifests.clear()

        with pytest.raises(UsageError, match="the demo broke off"):
            made.look()


def test_a_stage_needs_a_state() -> None:
    with pytest.raises(UsageError, match="a stage needs a state"), stage("targets: []\n"):
        pass


def test_a_run_may_be_given_a_clock(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"], Clock()) == 0
    assert capsys.readouterr().out.startswith("digestbot ")

"""Killed at any write of a run over ten repos, the next run ends with the right ten."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from digestbot.proposals.outcome import Outcome
from tests.github.errors import ConnectionDropped
from tests.github.log import Write
from tests.github.server import GitHubServer
from tests.proposals.builders import digest, dockerfile, full
from tests.proposals.github_world import BRANCH, GitHubWorld

ROOT = Path(__file__).parents[2]
REPOS = [f"acme/app{number}" for number in range(10)]
WRITES_PER_REPO = 5
WRITES = WRITES_PER_REPO * len(REPOS)
# Each write once; as a repo has an odd number of them, each kind is met from both sides.
POINTS = [(nth, "before" if nth % 2 else "after") for nth in range(1, WRITES + 1)]


def start(world: GitHubWorld, folder: Path) -> subprocess.Popen[str]:
    """A run of digestbot as a process of its own."""
    digests = folder / "digests.json"
    digests.write_text(json.dumps({full("python:3"): str(digest(1))}))
    command = [sys.executable, "-m", "tests.proposals.run_once"]
    process = subprocess.Popen(
        [*command, world.github.url, world.target, str(digests)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(world.token)
    process.stdin.close()
    return process


def killer(process: subprocess.Popen[str], nth: int, moment: str) -> Callable[[Write], None]:
    """Kills the process at its nth write; one that was to come does not happen."""

    def on_write(write: Write) -> None:
        if (write.number, write.moment) != (nth, moment):
            return
        process.send_signal(signal.SIGKILL)
        process.wait()
        if moment == "before":
            raise ConnectionDropped

    return on_write


def test_there_are_fifty_points() -> None:
    assert len(POINTS) == 50


@pytest.mark.parametrize("nth, moment", POINTS)
def test_killed_there_and_run_again_there_are_exactly_the_right_ten(
    nth: int, moment: str, tmp_path: Path
) -> None:
    with GitHubServer() as github:
        for name in REPOS:
            github.add_repo(name, {"Dockerfile": dockerfile("python:3")})
        world = GitHubWorld(github, target="acme")
        with start(world, tmp_path) as process:
            github.on_write = killer(process, nth, moment)
        assert process.returncode == -signal.SIGKILL
        github.on_write = lambda _write: None

        outcomes = world.run()
        github.restart_log()
        again = world.run()

        assert [problem for one in outcomes for problem in one.problems] == []
        for name in REPOS:
            (pull,) = github.pulls(name)
            assert pull.is_open
            assert pull.title == f"Update python:3 digest to {digest(1).short}"
            assert [label.name for label in pull.labels] == ["digestbot"]
            assert github.files(name, BRANCH) == {"Dockerfile": dockerfile("python:3", at=1)}
        assert [v.outcome for one in again for v in one.verdicts] == [Outcome.UNCHANGED] * 10
        assert github.writes == []

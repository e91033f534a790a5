"""`digestbot demo rollout`: all of it, through the real program, and as the README shows it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.cli.program import ROOT, Outcome, spawn, start

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## Rollout in five minutes") : README.index("## Registries")]
COMMAND = "$ digestbot demo rollout\n"
# Widths, colours and settings of whoever runs the tests are not the demo's.
PLAIN = {"COLUMNS": "80", "DIGESTBOT_OFFLINE": "1", "DIGESTBOT_BY": "eve"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def played(folder: Path) -> Outcome:
    return spawn("demo", "rollout", cwd=folder, TMPDIR=str(folder), **PLAIN)


def excerpts() -> list[str]:
    """What the README shows of the demo, in the pieces between its dots."""
    shown = [
        token.content
        for token in MarkdownIt().parse(SECTION)
        if token.type == "fence" and token.info == "console"
    ]
    (block,) = (text for text in shown if text.startswith(COMMAND))
    pieces = re.split(r"^…\n", block.removeprefix(COMMAND), flags=re.MULTILINE)
    return [piece for piece in pieces if piece]


def test_it_comes_to_its_end_and_leaves_nothing_behind(played: Outcome, folder: Path) -> None:
    assert (played.code, played.stderr) == (0, "")
    assert list(folder.iterdir()) == []


def test_the_readme_shows_what_it_prints(played: Outcome) -> None:
    rest = played.stdout

    assert len(excerpts()) > 5
    for piece in excerpts():
        before, found, rest = rest.partition(piece)
        assert found, piece
        assert before == "" or before.endswith("\n")


def test_the_commands_are_typed_in_this_order_and_end_so(played: Outcome) -> None:
    typed = re.findall(r"^\$ digestbot rollout (\w+)", played.stdout, re.MULTILINE)
    codes = [int(code) for code in re.findall(r"^\(exit code (\d)\)", played.stdout, re.MULTILINE)]

    verbs = ["plan", "start", "status", "skip", "resume", "status", "rollback", "status"]
    assert typed == verbs
    # There is something to do; it is halted.
    assert codes == [1, 0, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("  08:10  green: docs", id="the-canary-goes-first"),
        pytest.param("  08:40  pending: api, billing", id="the-next-wave-comes-after-the-soak"),
        pytest.param("  08:50  red (fails: integration-tests): cart, search", id="it-halts"),
        pytest.param("  08:50  green: api, billing, catalog,", id="what-failed-before-counts-not"),
        pytest.param("  08:50  unknown (nothing checks it): jobs", id="no-checks-are-not-green"),
        pytest.param("skipped (somebody left it out): cart", id="one-is-left-out"),
        pytest.param("✓ watching for", id="all-waves-are-through"),
        pytest.param("◂ rolled-back for", id="all-of-it-goes-back"),
    ],
)
def test_it_shows_what_a_rollout_does(played: Outcome, line: str) -> None:
    assert line in played.stdout


def test_each_repo_ends_with_the_digest_that_it_began_with(played: Outcome) -> None:
    (before,) = re.findall(r"pinned now: (\w+) in 12 repos", played.stdout)

    assert f"FROM python:3.13-slim@{before}" in played.stdout


def test_what_it_says_itself_fits_a_terminal(played: Outcome) -> None:
    own = re.findall(r"^(?:\d\. |   \w|  \d\d:\d\d|  \().*$", played.stdout, re.MULTILINE)

    assert len(own) > 10
    assert [line for line in own if len(line) > 80] == []


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param(("--dashboard",), "--dashboard is for the demo of rollouts", id="alone"),
        pytest.param(("rollouts",), "'rollouts' is not 'rollout'", id="another-demo"),
    ],
)
def test_a_demo_that_there_is_not_is_refused(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    outcome = spawn("demo", *words, cwd=tmp_path)

    assert outcome.code == 2
    assert said in outcome.stderr


def test_what_it_needs_and_is_not_installed_is_named() -> None:
    program = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from digestbot.cli.main import run\n"
        "sys.exit(run(['demo', 'rollout']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "digestbot demo rollout needs packages that are not installed" in done.stderr
    assert "pip install 'digestbot[service]'" in done.stderr


def test_colours_change_nothing_but_colours(played: Outcome, tmp_path: Path) -> None:
    outcome = spawn("demo", "rollout", "--color", "always", cwd=tmp_path, **PLAIN)

    assert outcome.stdout != played.stdout
    assert re.sub(r"\x1b\[[\d;]*m", "", outcome.stdout) == played.stdout


@dataclass(frozen=True)
class Pages:
    """The dashboard while it is served."""

    address: str
    token: str

    def get(self, path: str) -> str:
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.address}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text: str = answer.read().decode()
        return text


@contextmanager
def shown(folder: Path) -> Iterator[Pages]:
    """The dashboard of the demo; Ctrl-C ends it, and nothing is left."""
    with start("demo", "rollout", "--dashboard", cwd=folder, TMPDIR=str(folder), **PLAIN) as demo:
        assert demo.stdout is not None
        try:
            told = "".join(takewhile(lambda line: not line.startswith("Ctrl-C"), demo.stdout))
            address = re.search(r"http://127\.0\.0\.1:\d+", told)
            token = re.search(r"with the token (\S+)", told)
            assert address, told
            assert token, told
            yield Pages(address.group(), token.group(1))
        finally:
            demo.send_signal(signal.SIGINT)
            stdout, stderr = demo.communicate(timeout=30)
    assert (demo.returncode, stderr) == (0, "")
    assert stdout.startswith("That was the demo")


def test_the_dashboard_has_the_one_that_is_over_and_one_that_goes_on(tmp_path: Path) -> None:
    with shown(tmp_path) as pages:
        data = json.loads(pages.get("/rollouts.json"))["data"]
        names = {one["state"]: one["id"] for one in data["rollouts"]}
        page = pages.get(f"/rollouts/{names['running']}")

    assert names.keys() == {"running", "rolled-back"}
    assert "python:3.13-slim" in page
    assert list(tmp_path.iterdir()) == []

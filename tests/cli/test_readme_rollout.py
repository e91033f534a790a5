"""What the README says of rollouts on repos of one's own, done as written on the test GitHub."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from tests.cli.github_cli import CommandLine, github_cli
from tests.cli.program import ROOT, Outcome, digestbot
from tests.proposals.builders import digest, dockerfile, full

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## Rollout in five minutes") : README.index("## Registries")]
IMAGE, STATE = "python:3.13-slim", "/var/lib/digestbot"


def block(kind: str) -> str:
    """The one piece of code of this kind."""
    tokens = MarkdownIt().parse(SECTION)
    (found,) = (one.content for one in tokens if one.type == "fence" and one.info == kind)
    return found


def lines() -> list[list[str]]:
    """What is typed, each line as words."""
    return [shlex.split(line, comments=True) for line in block("sh").splitlines()]


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the README says."""

    cli: CommandLine

    def type(self, words: Sequence[str], name: str = "") -> Outcome:
        """One line, but for what has no end; the service's work is done by a run."""
        told = [name if word == "ID" else word for word in words if word != "--watch"]
        return digestbot(*("run" if word == "serve" else word for word in told))

    def open_in(self) -> list[str]:
        """The repos with an open pull request."""
        repos = [repo.full_name for repo in self.cli.github.world.repos.values()]
        return [name for name in repos if self.cli.github.pulls(name, "open")]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Sixteen repos, four of them on the image, whose tag has moved; the README's configuration."""
    with github_cli(tmp_path, monkeypatch) as cli:
        for name in ("app", "mail", "playground", "shop"):
            cli.github.add_repo(f"acme/{name}", {"Dockerfile": dockerfile(IMAGE)})
        for number in range(12):
            cli.github.add_repo(f"acme/notes-{number}", {"README": b"notes"})
        text = block("yaml").replace(STATE, str(tmp_path / "state"))
        config, answers = tmp_path / "digestbot.yaml", tmp_path / "answers.json"
        config.write_text(f"{text}github: {{url: {cli.github.url}, rate_limits: false}}\n")
        answers.write_text(json.dumps({full(IMAGE): str(digest(1))}))
        monkeypatch.setenv("DIGESTBOT_CONFIG", str(config))
        monkeypatch.setenv("DIGESTBOT_DIGESTS", str(answers))
        yield Reader(cli)


def test_the_configuration_is_the_smallest_with_a_canary() -> None:
    assert yaml.safe_load(block("yaml")).keys() == {"targets", "state", "rollout"}
    assert STATE in block("yaml")


def test_the_lines_do_what_they_are_for(reader: Reader) -> None:
    exported, run, plan, start, serve, status = lines()

    found = reader.type(run[1:])
    planned = reader.type(plan[1:])
    name = re.findall(r"^Rollout (\w+)", planned.stdout)[0]
    before = reader.open_in()
    started = reader.type(start[1:], name)
    driven = reader.type(serve[1:])
    told = reader.type(status[1:], name)

    assert exported[0] == "export"
    assert [run[1], plan[1:3], start[1:3]] == ["run", ["rollout", "plan"], ["rollout", "start"]]
    outcomes = (found, planned, started, driven, told)
    assert [one.code for one in outcomes] == [0, 1, 0, 0, 0], outcomes
    assert before == []
    assert reader.open_in() == ["acme/playground"]
    assert "▸ running" in told.stdout


def test_the_way_back_leaves_nothing_open(reader: Reader) -> None:
    _, run, plan, start, serve, _ = lines()
    reader.type(run[1:])
    name = re.findall(r"^Rollout (\w+)", reader.type(plan[1:]).stdout)[0]
    reader.type(start[1:], name)
    reader.type(serve[1:])

    code = digestbot("rollout", "rollback", name, "--yes").code
    reader.type(serve[1:])

    assert code == 0
    assert reader.open_in() == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("`waves`", id="waves"),
        pytest.param("`soak`", id="soak"),
        pytest.param("`passed`", id="passed"),
        pytest.param("`failed`", id="failed"),
        pytest.param("`watch_for`", id="watch-for"),
        pytest.param("--older", id="older"),
        pytest.param("--changed", id="changed"),
        pytest.param("--large", id="large"),
    ],
)
def test_what_the_text_names_is_there(words: str) -> None:
    name = words.strip("`")
    reference = (ROOT / "config" / "reference.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "config" / "digestbot.schema.json").read_text(encoding="utf-8"))

    keys = schema["$defs"]["RolloutConfig"]["properties"]
    assert words in SECTION
    assert name in keys or name in reference.partition("digestbot rollout start")[2]

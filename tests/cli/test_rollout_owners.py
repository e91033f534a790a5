"""Rollouts by owner: from CODEOWNERS on GitHub to the team that is asked for a review."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digestbot import __version__
from digestbot.cli import forges, serving
from digestbot.files.formats import FORMATS, format_of
from digestbot.forge.interface import Interest
from tests.cli.github_cli import STALE, CommandLine, github_cli
from tests.cli.program import Outcome, digestbot

CONFIG = """\
targets: [github:acme]
state: {{folder: {folder}}}
limits: {{open: 0}}
hold: {{settle: 0s}}
rollout: {{canary_count: 0, waves: [1, 100], most_share: 1}}
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    with github_cli(tmp_path, monkeypatch) as found:
        found.configure(CONFIG.format(folder=json.dumps(str(tmp_path / "state"))))
        yield found


def add(cli: CommandLine, name: str, owners: str = "", at: str = ".github/CODEOWNERS") -> None:
    # No two are the same file, so that each is read.
    files = {path: STALE + f"# {name}\n".encode() for path in ("Dockerfile", "ci/Dockerfile")}
    cli.github.add_repo(name, files | ({at: owners.encode()} if owners else {}))


def run(cli: CommandLine) -> Counter[str]:
    """A cycle; what it asked GitHub for, how often."""
    cli.github.restart_log()
    assert digestbot("run", *cli.options).code == 0
    return Counter(one.operation for one in cli.github.requests)


def plan(cli: CommandLine, *words: str) -> Outcome:
    return digestbot("rollout", "plan", "python", *cli.options, "--format", "json", *words)


def targets(cli: CommandLine, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(plan(cli, *words).stdout)["targets"]
    return found


def test_files_are_chosen_by_those_who_look_after_them(cli: CommandLine) -> None:
    add(cli, "acme/api", "* @acme/Platform\n")
    add(cli, "acme/shop", "* @acme/web\n/ci/ @acme/platform @ann\n", at="CODEOWNERS")
    add(cli, "acme/site", "* @acme/web\n", at="docs/CODEOWNERS")
    add(cli, "acme/tool")
    run(cli)

    found = {
        one["repo"]: (one["owner"], one["owners"], [edit["path"] for edit in one["edits"]])
        for one in targets(cli, "--owner", "@Acme/platform")
    }

    assert found == {
        "acme/api": ("@acme/platform", ["@acme/platform"], ["Dockerfile", "ci/Dockerfile"]),
        "acme/shop": ("@acme/platform", ["@acme/platform", "@ann"], ["ci/Dockerfile"]),
    }


def test_a_cap_counts_teams_and_organisations_where_there_is_none(cli: CommandLine) -> None:
    for number in range(4):
        add(cli, f"acme/api-{number}", "* @acme/platform\n")
        add(cli, f"acme/tool-{number}")
    run(cli)

    found = targets(cli, "--waves", "99,100", "--per-owner", "3", "--canary-count", "0")

    first = Counter(one["owner"] for one in found if one["wave"] == 0)
    assert first == {"@acme/platform": 3, "acme": 3}


def test_whoever_owns_nothing_has_nothing_chosen(cli: CommandLine) -> None:
    add(cli, "acme/api", "* @acme/platform\n")
    run(cli)

    outcome = plan(cli, "--owner", "@acme/nobody")

    assert outcome.code == 0
    assert "nothing is chosen" in outcome.stderr


def test_what_is_no_owner_is_a_usage_error(cli: CommandLine) -> None:
    outcome = plan(cli, "--owner", "acme/platform")

    assert outcome.code == 2
    assert "@acme/web" in outcome.stderr


def test_owners_cost_no_request_more_and_none_where_nothing_moved(cli: CommandLine) -> None:
    for number in range(3):
        add(cli, f"acme/api-{number}", f"* @acme/team-{number}\n")
    with_owners, again = run(cli), run(cli)
    for number in range(3):
        add(cli, f"acme/tool-{number}")
    without = run(cli)

    assert with_owners == without
    assert again.total() == 1


def test_other_owners_are_known_as_soon_as_they_are_pushed(cli: CommandLine) -> None:
    add(cli, "acme/api", "* @acme/platform\n")
    run(cli)
    cli.github.commit("acme/api", "main", {".github/CODEOWNERS": b"* @acme/web\n"})
    run(cli)

    assert [one["owners"] for one in targets(cli)] == [["@acme/web"]]


def test_a_state_from_before_learns_of_owners_in_the_next_cycle(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cli, "acme/api", "* @acme/platform\n")
    # By this name it knew what it had listed.
    key = f"{'+'.join(FORMATS)}-{__version__}"
    before = Interest(key, lambda path: format_of(path) is not None)
    with monkeypatch.context() as patched:
        for module in (forges, serving):
            patched.setattr(module, "INTEREST", before)
        run(cli)
    unknown = [one["owners"] for one in targets(cli)]

    run(cli)

    assert unknown == [[]]
    assert [one["owners"] for one in targets(cli)] == [["@acme/platform"]]


def test_owners_of_what_stays_open_are_asked_for_a_review(cli: CommandLine) -> None:
    cli.github.user("ann")
    add(cli, "acme/api", "* @acme/platform @ann ops@example.org\n")
    run(cli)
    name = json.loads(plan(cli, "--reviewers-after", "0s").stdout)["id"]
    started = digestbot("rollout", "start", name, *cli.options[:2])
    for _ in range(3):
        run(cli)

    pull = cli.pull("acme/api")
    assert started.code == 0
    assert pull.teams == ["platform"]
    assert [one.login for one in pull.reviewers] == ["ann"]

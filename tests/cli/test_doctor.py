"""`digestbot doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.github_cli import CommandLine, github_cli
from tests.cli.program import ROOT, Outcome, digestbot
from tests.forge.github.talking import key_pair
from tests.github.limits import secondary
from tests.github.scene import ALL_PERMISSIONS
from tests.registries.fake import FakeRegistry
from tests.registries.tokens import basic_auth


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    """A registry; the working directory is empty, and docker has no logins."""
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with FakeRegistry() as server:
        yield server


def test_a_sound_registry_is_well(fake: FakeRegistry) -> None:
    outcome = digestbot("doctor", fake.host)

    assert outcome.code == 0
    assert outcome.stdout.splitlines()[0] == "ok    configuration: none; the built-in one is used"
    assert outcome.stdout.splitlines()[-1].startswith(f"ok    {fake.host} answers")


def test_without_arguments_it_looks_at_what_this_folder_pins(fake: FakeRegistry) -> None:
    Path("Dockerfile").write_text(f"FROM {fake.host}/team/app:1\n")

    outcome = digestbot("doctor")

    assert outcome.code == 0
    assert f"{fake.host} answers" in outcome.stdout


def test_a_mirror_rule_says_who_is_really_asked(fake: FakeRegistry) -> None:
    Path("Dockerfile").write_text("FROM python:3\n")
    Path("digestbot.yaml").write_text(f"mirrors:\n  docker.io/: {fake.host}/hub/\n")

    outcome = digestbot("doctor")

    assert outcome.code == 0
    assert "docker.io answers" not in outcome.stdout
    assert f"{fake.host} answers" in outcome.stdout


def test_a_login_that_works_is_named(fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    basic_auth(fake.local, {"robot$team": "secret-word"}, 'Basic realm="team"')
    monkeypatch.setenv("TEAM_PASSWORD", "secret-word")
    Path("digestbot.yaml").write_text(
        f'registries:\n  "{fake.host}":\n'
        "    username: robot$team\n    password_env: TEAM_PASSWORD\n"
    )

    outcome = digestbot("doctor", "--config", "digestbot.yaml")

    assert outcome.code == 0
    assert "accepts the login of 'robot$team'" in outcome.stdout
    assert "secret-word" not in outcome.stdout + outcome.stderr


def test_a_login_that_does_not_work_is_named_with_what_to_do(
    fake: FakeRegistry, tmp_path: Path
) -> None:
    basic_auth(fake.local, {"someone": "else"}, 'Basic realm="team"')
    auth = {"auths": {fake.host: {"username": "me", "password": "wrong-word"}}}
    (tmp_path / "config.json").write_text(json.dumps(auth))

    outcome = digestbot("doctor", fake.host)

    assert outcome.code == 5
    assert f"fail  {fake.host}" in outcome.stdout
    assert "hint:" in outcome.stdout
    assert "wrong-word" not in outcome.stdout + outcome.stderr


def test_a_registry_that_is_down(fake: FakeRegistry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"

    outcome = digestbot("doctor", host, fake.host, "--timeout", "2")

    assert outcome.code == 5
    assert f"fail  {host}" in outcome.stdout
    assert f"ok    {fake.host}" in outcome.stdout


def test_a_wrong_configuration_ends_it_with_the_line(fake: FakeRegistry) -> None:
    Path("digestbot.yaml").write_text("jobs: none\n")

    outcome = digestbot("doctor")

    assert outcome.code == 2
    assert "digestbot.yaml:1:1: jobs:" in outcome.stderr


# -- GitHub

WITHOUT_GITHUB = """
import sys
sys.modules["github"] = None
from digestbot.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """One repo, `acme/app`; the working directory is empty but for the configuration."""
    with github_cli(tmp_path, monkeypatch) as made:
        made.github.add_repo("acme/app", private=True)
        yield made


def examined(cli: CommandLine, *arguments: str) -> Outcome:
    """`digestbot doctor` with the configuration; no secret is ever seen in what it says."""
    outcome = digestbot("doctor", "--config", str(cli.folder / "org.yaml"), *arguments)
    assert "canary" not in outcome.stdout + outcome.stderr
    assert "PRIVATE KEY" not in outcome.stdout + outcome.stderr
    return outcome


@pytest.mark.parametrize("target", ["github:acme", "github:acme/app"])
def test_a_token_that_may_do_all_is_well_and_nothing_is_written(
    cli: CommandLine, target: str
) -> None:
    outcome = examined(cli, target)

    configuration, git, *lines = outcome.stdout.splitlines()
    assert (outcome.code, outcome.stderr) == (0, "")
    assert configuration.endswith("org.yaml")
    assert git.startswith("ok    git: ")
    assert lines[0] == f"ok    {target}: account: digestbot-user"
    assert f"ok    {target}: tried with acme/app" in lines
    assert lines[-1] == f"ok    {target}: commit statuses: read: given"
    assert all(line.startswith("ok    ") for line in lines)
    assert cli.github.branches("acme/app").keys() == {"main"}
    assert cli.github.pulls("acme/app") == []


@pytest.mark.parametrize("key", ["contents", "pull_requests"])
def test_a_token_that_may_only_read_is_told_what_it_needs(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    token = cli.github.token(permissions=ALL_PERMISSIONS | {key: "read"})
    monkeypatch.setenv("GITHUB_TOKEN", token.value)

    outcome = examined(cli, "github:acme/app")

    said = key.replace("_", " ")
    assert outcome.code == 5
    assert f"fail  github:acme/app: {said}: write: " in outcome.stdout
    assert "      hint: " in outcome.stdout
    assert "ok    github:acme/app: contents: read: given" in outcome.stdout


def test_a_scope_that_is_missing_is_named(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", cli.github.token(scopes=("repo",)).value)

    outcome = examined(cli, "github:acme")

    assert outcome.code == 5
    assert (
        "fail  github:acme: scope workflow: missing\n"
        "      hint: without it, images in .github/workflows cannot be updated\n"
    ) in outcome.stdout


def test_an_app_is_examined_as_what_it_is(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    private, public = key_pair()
    (cli.folder / "app.pem").write_text(private)
    app = cli.github.app(public)
    cli.configure(github=f'  app_id: "{app.id}"\n  app_key_file: app.pem\n')

    outcome = examined(cli, "github:acme")

    assert outcome.code == 0
    assert f"github:acme: account: GitHub App {app.id}, installed at acme" in outcome.stdout


@pytest.mark.parametrize(
    "target, said",
    [
        pytest.param("github:nobody", "nobody", id="owner"),
        pytest.param("github:acme/nothing", "acme/nothing", id="repo"),
    ],
)
def test_what_is_not_there_is_a_line_with_what_to_do(
    cli: CommandLine, target: str, said: str
) -> None:
    outcome = examined(cli, target)

    assert (outcome.code, outcome.stderr) == (5, "")
    *_, last, hint = outcome.stdout.splitlines()
    assert last.startswith(f"fail  {target}: ")
    assert said in last
    assert hint.startswith("      hint: ")


@pytest.mark.parametrize(
    "token, said",
    [
        pytest.param(None, "GITHUB_TOKEN", id="none"),
        pytest.param("ghp_canary_that_nobody_made", "github:acme: ", id="unknown"),
    ],
)
def test_without_a_good_token_it_is_a_line_with_what_to_do(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, token: str | None, said: str
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    if token:
        monkeypatch.setenv("GITHUB_TOKEN", token)

    outcome = examined(cli, "github:acme")

    assert (outcome.code, outcome.stderr) == (5, "")
    *_, last, hint = outcome.stdout.splitlines()
    assert last.startswith("fail  github:acme: ")
    assert hint.startswith("      hint: ")
    assert said in last + hint


@pytest.mark.parametrize(
    "more, said",
    [
        pytest.param("  token_file: gone\n", "github.token_file", id="file"),
        pytest.param("  token_env: NOT_THERE\n", "github.token_env", id="variable"),
    ],
)
def test_a_secret_that_is_not_there_is_a_line_that_names_the_key(
    cli: CommandLine, more: str, said: str
) -> None:
    cli.configure(github=more)

    outcome = examined(cli, "github:acme")

    assert (outcome.code, outcome.stderr) == (5, "")
    assert said in outcome.stdout.splitlines()[2]


def test_a_limit_that_is_used_up_is_a_line(cli: CommandLine) -> None:
    def limited() -> None:
        raise secondary(1800)

    cli.github.faults.add(limited, method="GET", path="/user", times=0)

    outcome = examined(cli, "github:acme")

    assert (outcome.code, outcome.stderr) == (5, "")
    assert "fail  github:acme: " in outcome.stdout
    assert "secondary rate limit" in outcome.stdout
    assert "      hint: run again after that" in outcome.stdout


def test_one_target_that_fails_does_not_keep_others_from_being_looked_at(
    cli: CommandLine, fake: FakeRegistry
) -> None:
    outcome = examined(cli, "github:nobody", fake.host, "github:acme/app")

    assert outcome.code == 5
    assert f"ok    {fake.host} answers" in outcome.stdout
    assert "ok    github:acme/app: tried with acme/app" in outcome.stdout


def test_a_word_that_names_no_repo_is_wrong_usage(cli: CommandLine) -> None:
    outcome = examined(cli, "github:acme/app/extra")

    assert outcome.code == 2
    assert "names no repo on GitHub" in outcome.stderr


def fresh(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`digestbot doctor` in a process of its own, that has no package `github`."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_GITHUB, "doctor", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_packages_that_are_missing_are_a_line(tmp_path: Path) -> None:
    done = fresh(tmp_path, "github:acme")

    assert (done.returncode, done.stderr) == (5, "")
    assert "fail  github:acme needs packages that are not installed (github" in done.stdout
    assert "      hint: pip install 'digestbot[forge]'" in done.stdout


def test_registries_need_none_of_them(fake: FakeRegistry, tmp_path: Path) -> None:
    done = fresh(tmp_path, fake.host, "--timeout", "5")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"ok    {fake.host} answers" in done.stdout

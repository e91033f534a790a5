from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from digestbot.service.hooks.contract import hooks_schema
from tests.cli.program import Outcome, digestbot

URL = "https://digestbot.example.com"
HOOKS = [
    {"name": "ours", "kind": "harbor", "registry": "harbor.corp", "secret_env": "HARBOR_HOOK"},
    {"name": "hub", "kind": "dockerhub", "registry": "docker.io", "secret_file": "hub-secret"},
    {"name": "repos", "kind": "github", "secret_env": "GITHUB_HOOK"},
]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "digestbot.yaml"
    path.write_text(json.dumps({"hooks": HOOKS}))
    (tmp_path / "hub-secret").write_text("canary-0123456789")
    monkeypatch.setenv("HARBOR_HOOK", "canary-0123456789")
    return path


def hooks(config: Path, *words: str) -> Outcome:
    outcome = digestbot("hooks", "--config", str(config), *words)
    assert "canary" not in outcome.stdout + outcome.stderr
    return outcome


def test_each_hook_is_shown_with_its_address_and_what_to_do(config: Path) -> None:
    outcome = hooks(config, "--url", URL)

    assert outcome.code == 0
    blocks = outcome.stdout.split("\n\n")
    assert blocks[0].splitlines() == [
        "ours  (harbor, harbor.corp)",
        "  POST      https://digestbot.example.com/hooks/ours",
        "  <secret>  the value of HARBOR_HOOK",
        "  1. In Harbor, open the project, then Webhooks, New Webhook.",
        "  2. Notify Type: http. Payload Format: Default or CloudEvents.",
        "  3. Event Type: tick Artifact pushed, and nothing else.",
        "  4. Endpoint URL: https://digestbot.example.com/hooks/ours",
        "  5. Auth Header: <secret>",
    ]
    assert blocks[1].splitlines()[:3] == [
        "hub  (dockerhub, docker.io)",
        "  POST      https://digestbot.example.com/hooks/hub/<secret>",
        f"  <secret>  what is in {config.with_name('hub-secret')}",
    ]
    assert blocks[2].splitlines()[0] == "repos  (github)"
    assert outcome.stdout.endswith("\n")
    assert not outcome.stdout.endswith("\n\n")


def test_without_an_address_paths_are_shown(config: Path) -> None:
    assert "  POST      /hooks/ours\n" in hooks(config).stdout


@pytest.mark.parametrize(
    "words, base",
    [
        pytest.param((), "https://pages.example.com", id="as-for-people"),
        pytest.param(("--url", URL), URL, id="said"),
    ],
)
def test_senders_reach_it_where_people_do_unless_it_is_said(
    config: Path, words: tuple[str, ...], base: str
) -> None:
    dashboard = {"url": "https://pages.example.com"}
    config.write_text(json.dumps({"hooks": HOOKS, "dashboard": dashboard}))

    assert f"  POST      {base}/hooks/ours\n" in hooks(config, *words).stdout


def test_programs_get_it_by_the_contract(config: Path) -> None:
    outcome = hooks(config, "--url", URL, "--format", "json")

    report = json.loads(outcome.stdout)
    Draft202012Validator(hooks_schema()).validate(report)
    assert [(one["name"], one["url"]) for one in report["hooks"]] == [
        ("ours", f"{URL}/hooks/ours"),
        ("hub", f"{URL}/hooks/hub/<secret>"),
        ("repos", f"{URL}/hooks/repos"),
    ]


def test_the_address_may_come_from_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGESTBOT_PUBLIC_URL", URL)

    assert f"{URL}/hooks/ours" in hooks(config).stdout


@pytest.mark.parametrize(
    "url", ["digestbot.example.com", "ftp://a.example", "https://a:canary@b.example", f"{URL}?a=b"]
)
def test_what_is_no_address_is_refused_and_not_repeated(config: Path, url: str) -> None:
    outcome = hooks(config, "--url", url)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("error: --url ")


def test_without_hooks_it_says_how_to_name_one(tmp_path: Path) -> None:
    path = tmp_path / "digestbot.yaml"
    path.write_text("jobs: 4\n")

    outcome = hooks(path)

    assert outcome.code == 2
    assert outcome.stderr.startswith("error: the configuration names no hooks\nhint: ")


def test_a_configuration_that_was_only_found_is_not_believed(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)

    outcome = digestbot("hooks")

    assert outcome.code == 2
    assert "is not taken from a file that was only found" in outcome.stderr

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.service.notify import by_apprise
from tests.cli.program import Outcome, digestbot
from tests.service.notify.receiver import Receiver, receiving

# Apprise imports it where Python still has it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "digestbot.yaml"
    path.write_text(
        json.dumps(
            {
                "notify": [
                    {"name": "ops", "kind": "slack", "url_env": "SLACK"},
                    {"name": "hook", "kind": "webhook", "url_env": "HOOK", "token_env": "TOKEN"},
                    {"name": "chat", "kind": "apprise", "url_env": "CHAT"},
                ]
            }
        )
    )
    return path


@pytest.fixture
def addresses(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK", receiver.url)
    monkeypatch.setenv("HOOK", receiver.url)
    monkeypatch.setenv("TOKEN", "canary-token")
    monkeypatch.setenv("CHAT", f"json://127.0.0.1:{receiver.port}/canary")


def try_out(config: Path, *words: str) -> Outcome:
    outcome = digestbot("notify", "test", *words, "--config", str(config))
    assert "canary" not in outcome.stdout + outcome.stderr
    return outcome


@pytest.mark.usefixtures("addresses")
def test_each_notifier_is_sent_a_marked_message(config: Path, receiver: Receiver) -> None:
    outcome = try_out(config)

    assert outcome.code == 0
    assert outcome.stdout.splitlines() == [
        "ok    ops took the message",
        "ok    hook took the message",
        "ok    chat took the message",
    ]
    assert outcome.stderr == ""
    slack, hook, chat = (one.json for one in receiver.received)
    assert slack["text"] == hook["title"] == chat["title"] == "digestbot: a test message"
    assert hook["test"] is True


@pytest.mark.usefixtures("addresses")
def test_one_notifier_can_be_named(config: Path, receiver: Receiver) -> None:
    outcome = try_out(config, "hook")

    assert outcome.stdout == "ok    hook took the message\n"
    assert [one.headers["Authorization"] for one in receiver.received] == ["Bearer canary-token"]


@pytest.mark.usefixtures("addresses")
def test_the_others_are_tried_where_one_fails(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(404, b"no_service") as gone:
        monkeypatch.setenv("SLACK", gone.url)
        monkeypatch.delenv("TOKEN")
        outcome = try_out(config)

    assert outcome.code == 5
    assert outcome.stdout.splitlines() == [
        "fail  ops knows no such address (404): no_service",
        "      hint: check url, url_env or url_file; a webhook may be revoked",
        "fail  notify.hook.token_env: the environment variable TOKEN is not set, or empty",
        "ok    chat took the message",
    ]


@pytest.mark.usefixtures("addresses")
@pytest.mark.parametrize("behaviour", [302, 429, 500, "close"])
@pytest.mark.parametrize("name", ["ops", "hook", "chat"])
def test_however_it_fails_no_secret_is_shown(
    config: Path, receiver: Receiver, name: str, behaviour: int | str
) -> None:
    receiver.behaviour, receiver.body = behaviour, b"canary"

    outcome = try_out(config, name, "-vv")

    assert outcome.code == 5
    assert outcome.stdout.startswith(f"fail  {name} ")


def test_without_notifiers_it_says_how_to_name_one(tmp_path: Path) -> None:
    path = tmp_path / "digestbot.yaml"
    path.write_text("jobs: 4\n")

    outcome = try_out(path)

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.splitlines()[0] == "error: the configuration names nobody to notify"
    assert "notify: [{name: ops, kind: slack, url_env: SLACK_WEBHOOK}]" in outcome.stderr


def test_a_name_that_nobody_has_is_a_usage_error(config: Path) -> None:
    outcome = try_out(config, "nobody")

    assert outcome.code == 2
    assert outcome.stderr.splitlines() == [
        "error: no notifier is called 'nobody'",
        "hint: there is: ops, hook, chat",
    ]


def test_a_package_that_is_missing_is_named(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_apprise, "find_spec", lambda name: None)

    outcome = try_out(config, "chat")

    assert outcome.code == 2
    assert "hint: pip install 'digestbot[notify]'" in outcome.stderr


def test_a_configuration_that_was_only_found_sends_nothing_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    hook = {"name": "x", "kind": "webhook", "url": receiver.url, "token_env": "GITHUB_TOKEN"}
    (tmp_path / "digestbot.yaml").write_text(json.dumps({"notify": [hook]}))
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token")
    monkeypatch.chdir(tmp_path)

    outcome = digestbot("notify", "test")

    assert outcome.code == 2
    assert "is not taken from a file that was only found" in outcome.stderr
    assert receiver.received == []

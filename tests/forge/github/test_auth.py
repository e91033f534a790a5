"""Tokens: given, or those of an App, fetched once, fresh, and never seen."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import traceback
from typing import Literal, get_args

import pytest

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.auth import REFRESH_BEFORE_S, FixedToken
from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.secret import NO_SECRET, Secret
from tests.forge.github.talking import app_settings, key_pair, session_with
from tests.github.server import GitHubServer

Trouble = Literal["ok", "502-before", "drop-before", "secondary", "expired"]
MINT = "apps/create-installation-access-token"


def minted(github: GitHubServer) -> int:
    return sum(one.operation == MINT for one in github.requests)


def app_of(github: GitHubServer, *owners: str) -> GitHubSettings:
    app = github.app(key_pair()[1], on=owners or ("acme",))
    github.add_repo("acme/app", {"Dockerfile": "FROM a\n"})
    return app_settings(app.id)


def ask(session: Session) -> int:
    return session.rest("GET", "/repos/acme/app").status


@pytest.mark.parametrize("written", ["ghp_x", " ghp_x\n", "ghs_12_a.b-c_d"])
def test_given_token_is_what_was_given(written: str) -> None:
    assert FixedToken(Secret(written)).token() == written.strip()
    assert FixedToken(NO_SECRET).token() == ""


@pytest.mark.parametrize("written", ["two words", "canary\nX-Evil: 1", "canäry", "canary\0"])
def test_text_that_can_be_no_token_is_refused_and_not_shown(written: str) -> None:
    with pytest.raises(RefusedError) as caught:
        FixedToken(Secret(written)).token()

    assert caught.value.code == "bad-token"
    assert written not in str(caught.value)


def test_app_finds_where_it_is_installed_and_asks_as_that() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        assert ask(session) == 200

        paths = [one.path for one in github.requests]
        assert paths[0] == "/orgs/acme/installation"
        assert paths[-1] == "/repos/acme/app"
        assert github.requests[-1].who == "digestbot[bot]"


def test_app_is_known_by_its_client_id_too() -> None:
    with GitHubServer() as github:
        app = github.app(key_pair()[1])
        github.add_repo("acme/app")
        with session_with(github, settings=app_settings(app.client_id)) as session:
            assert ask(session) == 200


def test_one_token_serves_many_threads() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(ask(session))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses == [200] * 8
        assert minted(github) == 1


def test_token_is_fetched_anew_some_minutes_before_its_end() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        ask(session)
        github.clock.advance(3600 - REFRESH_BEFORE_S - 5)
        ask(session)
        assert minted(github) == 1

        github.clock.advance(10)
        ask(session)

        assert minted(github) == 2


def test_revoked_token_is_fetched_anew_once() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        ask(session)
        for token in github.world.tokens.values():
            token.revoked = True

        assert ask(session) == 200
        assert minted(github) == 2


def test_app_whose_tokens_are_always_turned_down_gives_up() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        github.faults.add("expired", path="/repos/*", times=0)

        with pytest.raises(RefusedError) as caught:
            ask(session)

        assert caught.value.code == "unauthorized"
        assert minted(github) == 2


def test_app_that_is_not_installed_says_so_and_asks_no_more() -> None:
    with (
        GitHubServer() as github,
        session_with(github, "acme/app", app_of(github, "other")) as session,
    ):
        for _ in range(3):
            with pytest.raises(RefusedError, match="is not installed at acme") as caught:
                ask(session)
            assert caught.value.code == "not-installed"

        assert [one.path for one in github.requests] == [
            "/orgs/acme/installation",
            "/users/acme/installation",
            "/repos/acme/app/installation",
        ]


def test_app_with_another_key_is_told_what_to_check() -> None:
    with GitHubServer() as github:
        github.app(key_pair()[1])
        with (
            session_with(github, settings=app_settings(999)) as session,
            pytest.raises(RefusedError) as caught,
        ):
            ask(session)

    assert caught.value.code == "unauthorized"
    assert "private key" in caught.value.hint


@pytest.mark.parametrize(
    "key",
    [
        "canary",
        "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n",
    ],
)
def test_broken_key_is_refused_and_not_shown(key: str) -> None:
    with GitHubServer() as github, session_with(github, settings=app_settings(1, key)) as session:
        with pytest.raises(RefusedError) as caught:
            ask(session)

        assert caught.value.code == "bad-key"
        assert "canary" not in "".join(traceback.format_exception(caught.value))
        assert github.requests == []


def test_server_that_gives_no_token_is_not_believed() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        github.faults.add("malformed", path="/app/*", times=0)

        with pytest.raises(ForgeError) as caught:
            ask(session)

        assert caught.value.code == "malformed"


def test_git_logs_in_with_the_token_of_the_moment() -> None:
    with GitHubServer() as github, session_with(github, settings=app_of(github)) as session:
        secret = session.git_token()
        first = secret.reveal()
        github.clock.advance(3590)

        assert first.startswith("ghs_")
        assert secret.reveal() != first


@pytest.mark.parametrize("what", get_args(Trouble))
@pytest.mark.parametrize("is_app", [False, True], ids=["token", "app"])
def test_no_secret_is_seen_anywhere(
    what: Trouble, is_app: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("github", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, name)
    shown = ""
    with GitHubServer() as github:
        settings = app_of(github)
        canary = github.token().value
        if not is_app:
            settings = GitHubSettings(token=Secret(canary))
        settings = dataclasses.replace(settings, max_wait_s=5)
        with session_with(github, settings=settings) as session:
            if what != "ok":
                github.faults.add(what, path="/repos/*", times=0)
            for verb in ("GET", "POST"):
                try:
                    session.rest(
                        verb,
                        "/repos/acme/app/issues",
                        None if verb == "GET" else {"title": "t", "body": "a secret body"},
                    )
                except ForgeError as error:
                    shown += "".join(traceback.format_exception(error)) + error.hint
            shown += repr(session) + repr(vars(session)) + repr(settings)
        secrets = [*github.world.tokens, canary, key_pair()[0], "a secret body", "Bearer ey"]
    shown += caplog.text + json.dumps([record.__dict__ for record in caplog.records], default=repr)

    assert "GET /repos/acme/app/issues" in shown
    assert [secret for secret in secrets if secret in shown] == []

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli.serving import rules_key
from digestbot.cli.settings import _VOUCHED_FOR
from digestbot.config.dashboard import MOST_USERS, DashboardConfig
from digestbot.config.issues import ConfigError
from digestbot.config.load import load_settings
from digestbot.config.models import Settings
from digestbot.config.parse import read_document
from digestbot.config.proposing import Overridable
from digestbot.config.schema import settings_schema
from tests.config.conftest import Complaints, Write

ANN = "{name: ann, token_env: A}"


def errors(text: str) -> list[str]:
    data = read_document(text, "a.yaml").data
    return [error.message for error in Draft202012Validator(settings_schema()).iter_errors(data)]


def test_by_default_there_is_a_dashboard_without_users() -> None:
    config = Settings().dashboard

    assert config.enabled
    assert (config.users, config.proxy) == ((), None)
    assert (config.session, config.target) == (timedelta(hours=12), timedelta(days=7))


def test_all_of_it_is_read(write: Write) -> None:
    path = write(
        "dashboard:\n"
        "  users:\n"
        "  - {name: ann, role: operator, token_env: ANN}\n"
        "  - {name: bob, token_file: bob}\n"
        "  proxy:\n"
        "    addresses: [10.0.0.0/8, 192.0.2.1, 'fd00::/8', '::1']\n"
        "    header: X-Forwarded-User\n"
        "    operators: [ann, bot@corp]\n"
        "    readers: ['*']\n"
        "  url: https://digestbot.example.com\n"
        "  session: 30d\n"
        "  target: 14d\n"
    )

    config = load_settings(path).settings.dashboard

    ann, bob = config.users
    assert (ann.name, ann.role, ann.token_env) == ("ann", "operator", "ANN")
    assert (bob.name, bob.role, bob.token_file and bob.token_file.name) == ("bob", "reader", "bob")
    assert config.proxy is not None
    assert config.proxy.header == "X-Forwarded-User"
    assert config.origin == "https://digestbot.example.com"
    assert errors(path.read_text()) == []


@pytest.mark.parametrize(
    "keys, origin",
    [
        ({}, ""),
        ({"url": "https://dash.corp"}, "https://dash.corp"),
        ({"url": "https://Dash.Corp/"}, "https://dash.corp"),
        ({"url": "https://dash.corp:443"}, "https://dash.corp"),
        ({"url": "http://dash.corp:443/"}, "http://dash.corp:443"),
        ({"url": "http://[::80]:80"}, "http://[::80]"),
        ({"url": "https://dash.corp:8443"}, "https://dash.corp:8443"),
        ({"url": "https://dash.corp", "enabled": False}, ""),
    ],
)
def test_its_origin_is_written_as_browsers_do(keys: dict[str, object], origin: str) -> None:
    assert DashboardConfig.model_validate(keys).origin == origin


@pytest.mark.parametrize(
    "keys, words",
    [
        pytest.param("users: [{token_env: A}]", "users[0].name: is missing", id="no-name"),
        pytest.param("users: [{name: ann}]", "needs token_env or token_file", id="no-token"),
        pytest.param(
            "users: [{name: ann, token_env: A, token_file: b}]", "and not both", id="two-tokens"
        ),
        pytest.param("users: [{name: Ann B, token_env: A}]", "lower-case", id="name"),
        pytest.param(
            "users: [{name: ann, token_env: A, role: admin}]", "'reader' or 'operator'", id="role"
        ),
        pytest.param(
            "users: [{name: ann, token: canary}]",
            "no secret is written here; use token_env or token_file",
            id="plain-token",
        ),
        pytest.param(
            "users: [{name: ann, token_envs: A}]", "did you mean 'token_env'?", id="token-slip"
        ),
        pytest.param("proxy: {header: X-User, readers: [a]}", "is missing", id="no-addresses"),
        pytest.param("proxy: {adresses: []}", "did you mean 'addresses'?", id="proxy-slip"),
        pytest.param(
            "proxy: {addresses: [], header: X-User, readers: [a]}", "at least one", id="nowhere"
        ),
        pytest.param(
            "proxy: {addresses: [10.0.0.1], readers: [a]}", "no header that says", id="no-header"
        ),
        pytest.param(
            "proxy: {addresses: [10.0.0.1], header: X-User}", "neither operators", id="no-names"
        ),
        pytest.param(
            "proxy: {addresses: [10.0.0.1], header: 'X User', readers: [a]}",
            "is not the name of a header",
            id="header",
        ),
        pytest.param("url: dash.corp", "is not an address such as", id="url"),
        pytest.param("url: https://dash.corp/bot", "has more than a host", id="url-path"),
        pytest.param("sessions: 1h", "did you mean 'session'?", id="slip"),
        pytest.param("session: 1", "must be a duration", id="no-duration"),
    ],
)
def test_editor_and_loader_both_refuse(complaints: Complaints, keys: str, words: str) -> None:
    text = f"dashboard: {{{keys}}}\n"

    said = "\n".join(complaints(text))

    assert words in said
    assert "canary" not in said
    assert errors(text)


@pytest.mark.parametrize(
    "keys, words",
    [
        pytest.param(f"users: [{ANN}, {ANN}]", "2 users who are called ann", id="twice"),
        pytest.param(
            f"users: [{', '.join(f'{{name: u{n}, token_env: A}}' for n in range(MOST_USERS + 1))}]",
            "more than 100 users",
            id="many",
        ),
        pytest.param("proxy: {addresses: [10.0.0.1]}", "nobody could sign in", id="nobody"),
        pytest.param("session: 0s", "between 1m and 90d", id="no-session"),
        pytest.param("session: 91d", "between 1m and 90d", id="long-session"),
        pytest.param("proxy: {addresses: [everywhere]}", "is not an address", id="word"),
        pytest.param("proxy: {addresses: [10.0.0.256]}", "is not an address", id="no-address"),
        pytest.param("proxy: {addresses: [10.0.0.1/33]}", "is not an address", id="no-range"),
        pytest.param("proxy: {addresses: ['10.0.0.1:80']}", "is not an address", id="port"),
        pytest.param("proxy: {addresses: [0.0.0.0/0]}", "every address", id="everybody"),
        pytest.param("proxy: {addresses: ['::/0']}", "every address", id="everybody-ipv6"),
        pytest.param("proxy: {addresses: [10.1.2.3/8]}", "write '10.0.0.0/8'", id="bits-behind"),
    ],
)
def test_what_could_not_be_meant_is_refused(complaints: Complaints, keys: str, words: str) -> None:
    assert words in "\n".join(complaints(f"dashboard: {{{keys}}}\n"))


def test_a_proxy_may_be_believed_about_https_alone() -> None:
    config = DashboardConfig.model_validate(
        {"users": [{"name": "ann", "token_env": "A"}], "proxy": {"addresses": ["10.0.0.1"]}}
    )

    assert config.proxy is not None
    assert config.proxy.header is None


def test_it_changes_nothing_about_what_is_proposed() -> None:
    other = Settings.model_validate({"dashboard": {"enabled": False, "target": "1d"}})

    assert rules_key(other) == rules_key(Settings())


def test_neither_a_repo_nor_a_file_that_was_merely_found_decides_it() -> None:
    assert "dashboard" not in get_args(Overridable)
    assert "dashboard" in _VOUCHED_FOR


def test_where_a_token_is_is_shown_with_its_line(write: Write) -> None:
    loaded = load_settings(write(f"dashboard:\n  users:\n  - {ANN}\n"))

    assert loaded.origins["dashboard", "users", 0, "token_env"] == "digestbot.yaml:3"


def test_a_wrong_key_stands_at_its_line(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write("dashboard:\n  proxy:\n    readers: [a]\n    adress: 1\n"))

    assert "digestbot.yaml:4:5: dashboard.proxy.adress" in str(caught.value)

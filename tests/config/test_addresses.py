"""The small languages of the service's configuration."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.config import addresses
from tests.config.conftest import Complaints

HEX = "a" * 64


@pytest.mark.parametrize(
    "text, span",
    [
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("3h", timedelta(hours=3)),
        ("14d", timedelta(days=14)),
        ("0d", timedelta()),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert addresses.read_duration(text) == span


@pytest.mark.parametrize("text", ["", "3", "h", "-1h", "1.5h", "3 h", "3H", "1w", "3h2m", "٣h"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        addresses.read_duration(text)


@given(st.integers(0, 99_999), st.sampled_from("smhd"))
def test_a_duration_is_written_so_that_it_is_read_as_the_same(number: int, unit: str) -> None:
    span = addresses.read_duration(f"{number}{unit}")

    assert addresses.read_duration(addresses.write_duration(span)) == span


@pytest.mark.parametrize("text", ["github:acme", "github:acme/app", "github:a/b.c-d_e"])
def test_a_target_is_an_owner_or_a_repo(text: str) -> None:
    assert addresses.check_target(text) == text


@pytest.mark.parametrize(
    "text", ["acme", "github:", "github:acme/", "github:a/b/c", "github:a/..", "gitlab:a", "./app"]
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a target"):
        addresses.check_target(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://digestbot@db.example.com/digestbot",
        "postgresql://db:5433/digestbot?sslmode=verify-full",
        "postgresql:///digestbot?host=/run/postgresql",
    ],
)
def test_an_address_of_postgresql(text: str) -> None:
    assert addresses.check_state_url(text) == text


@pytest.mark.parametrize(
    "text", ["sqlite:///x", "mysql://h/d", "postgresql://h", "postgresql://h/", "postgresql://[/d"]
)
def test_another_database_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address such as"):
        addresses.check_state_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hunter2@h/d",
        "postgresql://h/d?password=hunter2",
        "postgresql://h/d?p%61ssword=hunter2",
        "postgresql://h/d?PASSWORD=hunter2",
        "postgresql://h/d?sslpassword=hunter2",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="has a password in it") as caught:
        addresses.check_state_url(text)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:9090", "localhost:80"])
def test_an_address_to_listen_on(text: str) -> None:
    assert addresses.check_listen(text) == text


@pytest.mark.parametrize("text", ["8080", ":8080", "127.0.0.1", "127.0.0.1:65536", "a:b"])
def test_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address to listen on"):
        addresses.check_listen(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://digestbot.example.com",
        "https://digestbot.example.com/",
        "http://localhost:8080",
        "https://[::1]:8443/",
        "https://Dash_1.corp",
    ],
)
def test_where_people_reach_the_dashboard(text: str) -> None:
    assert addresses.check_site_url(text) == text


@pytest.mark.parametrize(
    "text, words",
    [
        pytest.param("digestbot.example.com", "is not an address such as https://", id="no scheme"),
        pytest.param("ftp://x", "is not an address such as https://", id="other scheme"),
        pytest.param("https://", "is not an address such as https://", id="no host"),
        pytest.param("https://me:pw@x", "is not an address such as https://", id="login"),
        pytest.param("https://x:99999", "is not an address such as https://", id="no port"),
        pytest.param("https://x:0", "is not an address such as https://", id="port 0"),
        pytest.param("https://x/#a", "is not an address such as https://", id="fragment"),
        pytest.param("https://a)b](c", "is not an address such as https://", id="markdown"),
        pytest.param("https://a|b>", "is not an address such as https://", id="markup"),
        pytest.param("https://x/digestbot", "has more than a host; the dashboard is", id="path"),
        pytest.param("https://x//", "has more than a host; the dashboard is", id="two slashes"),
        pytest.param("https://x/?a=b", "has more than a host; the dashboard is", id="query"),
    ],
)
def test_nowhere_that_people_reach_the_dashboard(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}"):
        addresses.check_site_url(text)


@pytest.mark.parametrize("text", ["ftp://x", "https://", "https://me:pw@x/", "https://x/#a"])
def test_no_address_to_send_to(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address such as"):
        addresses.check_http_url(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("deny: [latest]\n", "1:8: deny[0]: is not a digest", id="digest"),
        pytest.param("hold: {settle: 3}\n", "1:8: hold.settle: must be a duration", id="number"),
        pytest.param("hold: {settle: soon}\n", "1:8: hold.settle: must be a duration", id="word"),
        pytest.param("state: {}\n", "1:1: state: needs folder or url", id="no-state"),
        pytest.param(
            "state: {folder: a, url: 'postgresql://h/d'}\n",
            "1:1: state: needs folder or url, and not both",
            id="two-states",
        ),
        pytest.param(
            "state: {folder: a, password_env: A}\n",
            "1:1: state: has a password but no url",
            id="password-of-a-folder",
        ),
        pytest.param("service: {cron: []}\n", "1:1: service: needs at least one", id="no-cron"),
        pytest.param(
            "notify: [{name: a, kind: slack}]\n",
            "1:10: notify[0]: needs one of url, url_env and url_file",
            id="nowhere",
        ),
        pytest.param(
            "notify: [{name: a, kind: apprise, url: 'https://x/y'}]\n",
            "1:10: notify[0]: has an Apprise address in it",
            id="apprise-address",
        ),
        pytest.param(
            "notify: [{name: a, kind: slack, url_env: A, token_env: B}]\n",
            "1:10: notify[0]: has a token_env, which only a webhook takes",
            id="token",
        ),
        pytest.param(
            "freeze: [{start: 2026-12-24, end: 2026-12-01}]\n",
            "1:10: freeze[0]: ends before it starts",
            id="freeze",
        ),
        pytest.param(
            "dashboard: {url: 'https://corp.example/digestbot'}\n",
            "1:13: dashboard.url: has more than a host; the dashboard is at the root of one, such "
            "as https://digestbot.example.com",
            id="path",
        ),
        pytest.param("targets: [acme]\n", "1:11: targets[0]: is not a target", id="target"),
    ],
)
def test_a_mistake_is_told_with_place_key_and_fix(
    complaints: Complaints, text: str, expected: str
) -> None:
    (found,) = complaints(text)

    assert found.startswith(expected)

"""Where a GitHub has its pages, by where it has its API."""

from __future__ import annotations

import pytest

from digestbot.errors import UsageError
from digestbot.forge.github.settings import GitHubSettings
from digestbot.secret import Secret


@pytest.mark.parametrize(
    "api_url, web_url",
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://github.example.org/api/v3", "https://github.example.org"),
        ("https://github.example.org/api/v3/", "https://github.example.org"),
        ("https://github.example.org:8443/api/v3", "https://github.example.org:8443"),
        ("https://api.example.org/api/v3", "https://api.example.org"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_pages_are_found_from_the_api(api_url: str, web_url: str) -> None:
    assert GitHubSettings(api_url).web_url == web_url


@pytest.mark.parametrize(
    "api_url",
    [
        "http://github.example.org/api/v3",
        "http://127.0.0.1.example.org",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "//api.github.com",
        "api.github.com",
        "https://",
        "https://[",
        "https://host:port",
        "https://me:canary@github.example.org/api/v3",
        "https://canary@github.example.org/api/v3",
        "https://github.example.org/api/v3?token=canary",
        "",
    ],
)
def test_token_is_not_promised_to_a_bad_address(api_url: str) -> None:
    with pytest.raises(UsageError) as caught:
        GitHubSettings(api_url)

    assert "canary" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_may_be_spoken_to_in_the_clear(host: str) -> None:
    assert GitHubSettings(f"http://{host}:8080").web_url == f"http://{host}:8080"


def test_settings_show_no_secret() -> None:
    settings = GitHubSettings(token=Secret("canary"), app_id="1", private_key=Secret("canary"))

    assert "canary" not in repr(settings)

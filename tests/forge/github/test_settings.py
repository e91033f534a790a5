"""Where a GitHub has its pages, by where it has its API."""

from __future__ import annotations

import pytest

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


def test_settings_show_no_secret() -> None:
    settings = GitHubSettings(token=Secret("canary"), app_id="1", private_key=Secret("canary"))

    assert "canary" not in repr(settings)

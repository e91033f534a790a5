"""No log line has a secret in it, and what is none stays readable."""

from __future__ import annotations

import pytest

from digestbot.service.masking import LONGEST_TEXT, masked

SECRET = "C4naryC4naryC4nary0"


@pytest.mark.parametrize(
    "text, shown",
    [
        pytest.param(f"token ghp_{SECRET} is bad", "token ghp_*** is bad", id="classic"),
        pytest.param(f"ghs_12_eyJ.{SECRET}-x", "ghs_***", id="app-with-jwt"),
        pytest.param(f"github_pat_{SECRET}_x", "github_pat_***", id="fine-grained"),
        pytest.param(f"dckr_pat_{SECRET}", "dckr_pat_***", id="docker-hub"),
        pytest.param(f"xoxb-{SECRET}", "xoxb-***", id="slack-bot"),
        pytest.param(f"eyJhbGciOi{SECRET}.{SECRET}.{SECRET}", "***", id="jwt"),
        pytest.param(f"Authorization: Basic {SECRET}", "Authorization: Basic ***", id="header"),
        pytest.param(
            f"{{'Authorization': 'Bearer {SECRET}', 'Accept': 'a'}}",
            "{'Authorization': 'Bearer ***', 'Accept': 'a'}",
            id="headers",
        ),
        pytest.param(f"sent Bearer {SECRET}", "sent Bearer ***", id="bearer"),
        pytest.param(
            f"https://me:{SECRET}@ghcr.io/v2/ failed", "https://***@ghcr.io/v2/ failed", id="url"
        ),
        pytest.param(
            f"postgresql+psycopg://bot:{SECRET}@db/digestbot",
            "postgresql+psycopg://***@db/digestbot",
            id="database",
        ),
        pytest.param(
            f"POST https://hooks.slack.com/services/T0/B0/{SECRET}",
            "POST https://hooks.slack.com/***",
            id="slack-hook",
        ),
        pytest.param(
            f"GET https://cdn/x?a=1&X-Amz-Signature={SECRET}&b=2",
            "GET https://cdn/x?a=1&X-Amz-Signature=***&b=2",
            id="signed-address",
        ),
        pytest.param(f"tgram://{SECRET}/chat", "tgram://***", id="apprise"),
        pytest.param(
            f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----",
            id="private-key",
        ),
    ],
)
def test_a_secret_is_masked_and_nothing_else(text: str, shown: str) -> None:
    found = masked(text)

    assert found == shown
    assert SECRET not in found


@pytest.mark.parametrize(
    "text",
    [
        "docker.io/library/python:3.12 moved to sha256:" + "ab" * 32,
        "HEAD https://ghcr.io/v2/acme/app/manifests/1.2 → 401, 12 ms",
        "basic authentication is missing; authorization is needed",
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
        "ssh://git@example.com".replace("git@", ""),
        "acme/app: 3 tokens, 2 keys",
        "mail to bot@example.com",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "piece",
    ["eyJ", "ghp_", "a://", "Bearer a", "?token", "authorization", "a" * 20, "-----BEGIN "],
)
def test_hostile_text_of_any_length_takes_little_time(piece: str) -> None:
    assert len(masked(piece * LONGEST_TEXT)) <= LONGEST_TEXT * 2

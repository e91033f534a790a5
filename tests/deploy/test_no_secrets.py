from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOYED, EXAMPLES, README

SECRET = re.compile(
    r"-----BEGIN"
    r"|gh[pousr]_\w{20}|github_pat_\w{20}"
    r"|xox[abprs]-\w"
    r"|AKIA[0-9A-Z]{16}"
    r"|hooks\.slack\.com/services/\w"
    r"|eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|://[^\s/@:]*:[^\s/@]+@"
    r"|^kind: Secret$"
    # A key whose name says so, with a value of its own; where to find one is none.
    r"|\b\w*(?:password|passwd|secret|token|api_?key|webhook_url)"
    r"[ \t]*[:=][ \t]*(?!true|false)[^\s\[{#…]",
    re.IGNORECASE | re.MULTILINE,
)


@pytest.mark.parametrize("path", [*DEPLOYED, *EXAMPLES, README], ids=lambda path: path.name)
def test_a_file_has_no_secret_in_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    found = SECRET.search(text)

    # What GitHub fills in is none either.
    assert found is None or text[found.start() :].startswith("GITHUB_TOKEN: ${{ github.token }}")


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "POSTGRES_PASSWORD: hunter2",
        "Environment=GITHUB_TOKEN=abc",
        "url: postgresql://digestbot:hunter2@db/digestbot",
        "url: https://hooks.slack.com/services/T000/B000/xyz",
        "apiVersion: v1\nkind: Secret",
        "token=ghp_" + "a" * 36,
        "SLACK_WEBHOOK_URL=https://example.com",
    ],
)
def test_a_secret_would_be_found(text: str) -> None:
    assert SECRET.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "password_file: postgresql-password",
        "POSTGRES_PASSWORD_FILE: /run/secrets/postgresql-password",
        "password_env: HARBOR_PASSWORD",
        "secret:\n  name: digestbot",
        "url: postgresql://digestbot@db/digestbot",
        "# SLACK_WEBHOOK_URL=… for `notify`",
    ],
)
def test_where_a_secret_is_found_is_no_secret(text: str) -> None:
    assert not SECRET.search(text)

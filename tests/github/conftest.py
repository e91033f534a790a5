from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        server.add_repo("acme/app", {"Dockerfile": "FROM python:3.12\n"})
        yield server


@pytest.fixture
def ask(github: GitHubServer) -> Iterator[Asking]:
    with asking(github, github.token()) as client:
        yield client

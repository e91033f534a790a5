"""A plain client of the test GitHub, for its own tests: no retries, no wrapping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.github.server import GitHubServer
from tests.github.state import Token


class Asking:
    """Asks as one token, or as nobody."""

    def __init__(self, github: GitHubServer, session: requests.Session) -> None:
        self.github = github
        self.session = session

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        more.setdefault("allow_redirects", False)
        return self.session.request(method, f"{self.github.url}{path}", json=body, **more)

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer: dict[str, Any] = self("POST", "/graphql", body).json()
        return answer


@contextmanager
def asking(github: GitHubServer, token: Token | str | None) -> Iterator[Asking]:
    with requests.Session() as session:
        session.trust_env = False
        if token is not None:
            value = token if isinstance(token, str) else token.value
            session.headers["Authorization"] = f"Bearer {value}"
        yield Asking(github, session)

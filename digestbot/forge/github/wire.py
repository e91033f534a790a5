"""Sends what it is given, through PyGithub, and reads no more than it can hold.

PyGithub's own retries, pauses and redirects are off: it repeats writes, sleeps in the thread
that asks, and loses the query of a redirect.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

import github
from github.Auth import Auth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

from digestbot import __version__
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.failures import (
    MalformedError,
    StrayRedirectError,
    TooLargeError,
)
from digestbot.forge.github.settings import GitHubSettings
from digestbot.patience import make_patient, set_deadline

USER_AGENT = f"digestbot/{__version__} (+https://github.com/digestbot/digestbot)"
API_VERSION = "2022-11-28"
ANSWER_LIMIT = 64 * 1024 * 1024
MAX_REDIRECTS = 3
LONGEST_ANSWER_S = 180.0
GRAPHQL = "/graphql"
_REDIRECTS = frozenset({301, 302, 307, 308})
_ACCEPTED = 202
_FIRST_FAILURE = 400
_CHUNK = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_log = logging.getLogger(__name__)
# Its lines hold headers and bodies.
logging.getLogger("github.Requester").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Message:
    """One request. The path `/graphql` is the GraphQL API, wherever this GitHub has it.

    `name` is what logs and errors call it.
    """

    verb: str
    path: str
    body: object = field(default=None, repr=False)
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{self.verb} {self.path}"


class _Bearer(Auth):
    """The token of the one request that a client is sending."""

    secret = ""

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        return self.secret


class _ReadResponse(RequestsResponse):
    """A response that was read to its end."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers  # type: ignore[assignment]  # all it does is to list them
        self._body = body

    def read(self) -> str:
        return self._body.decode("utf-8", "replace")


class _Http(HTTPRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _follow(self)


class _Https(HTTPSRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _follow(self)


def _follow(
    connection: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass,
) -> _ReadResponse:
    """The response at the end of all redirects, which GitHub wants repeated as they are.

    Source: docs.github.com, "Best practices for using the REST API", "Follow redirects".
    """
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    url = home = f"{connection.protocol}://{host}:{connection.port}{connection.url}"
    for _ in range(MAX_REDIRECTS + 1):
        response = _send(connection, url)
        if response.status not in _REDIRECTS:
            return response
        url = _redirected(url, response.headers.get("location", ""))
        if _origin(urlsplit(url)) != _origin(urlsplit(home)):
            break
    raise StrayRedirectError


def _send(
    connection: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass, url: str
) -> _ReadResponse:
    set_deadline(time.monotonic() + LONGEST_ANSWER_S)
    with connection.session.request(
        connection.verb,
        url,
        headers=connection.headers,
        data=connection.input,
        timeout=connection.timeout,
        verify=connection.verify,
        allow_redirects=False,
        stream=True,
    ) as response:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise TooLargeError
    if response.status_code == _ACCEPTED and connection.verb == "GET":
        # PyGithub would sleep and ask again, without end.
        raise ConnectionError("not ready yet")
    return _ReadResponse(response.status_code, response.headers, bytes(body))


def _nowhere(_response: object) -> None:
    """Where the library of PyGithub believes that a redirect leads."""


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        _origin(urlsplit(target))
    except ValueError:
        raise StrayRedirectError from None
    return target


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


class _Client:
    """One connection, used by one thread at a time."""

    def __init__(self, settings: GitHubSettings) -> None:
        url = urlsplit(settings.api_url)
        kind = _Https if url.scheme == "https" else _Http
        self._auth = _Bearer()
        self._connection = kind(url.hostname or "", url.port, timeout=settings.timeout_s)
        make_patient(self._connection.session)
        # It would read the body of a redirect, however long, and judge where it leads.
        vars(self._connection.session)["get_redirect_target"] = _nowhere
        self._github = github.Github(
            auth=self._auth,
            base_url=settings.api_url.rstrip("/"),
            timeout=settings.timeout_s,
            user_agent=USER_AGENT,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version=API_VERSION,
        )

    @property
    def requester(self) -> Requester:
        return self._github.requester

    def send(self, message: Message, token: str) -> tuple[int, dict[str, str], str]:
        self._auth.secret = token
        url = self.requester.graphql_url if message.path == GRAPHQL else message.path
        try:
            return self.requester.requestJson(
                message.verb,
                url,
                dict(message.query),
                {"Accept": "application/vnd.github+json", **message.headers},
                message.body,
                self._connection,
            )
        except (ValueError, OverflowError) as error:
            # PyGithub reads headers of limits as numbers; requests checks those that are sent.
            if isinstance(error, OSError):
                raise
            raise MalformedError from None
        finally:
            self._auth.secret = ""

    def close(self) -> None:
        self._connection.close()
        self._github.close()


class Wire:
    """Sends messages from any thread; each thread has a connection of its own meanwhile."""

    def __init__(self, settings: GitHubSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._idle: list[_Client] = []
        self._is_closed = False

    def send(self, message: Message, token: str) -> Answer:
        """The answer, whatever its status.

        Raises:
            OSError: None came.
            TooLargeError: It has no end.
            StrayRedirectError: It leads elsewhere.
            MalformedError: It is no JSON.
        """
        started = time.monotonic()
        client = self._take()
        try:
            status, headers, text = client.send(message, token)
        finally:
            self._give_back(client)
        took = (time.monotonic() - started) * 1000
        left = headers.get("x-ratelimit-remaining", "?")
        _log.debug("%s → %d, %.0f ms, limit left %s", str(message), status, took, left)
        return Answer(status, _parse(status, text), headers)

    def close(self) -> None:
        """Close all connections; those in use are closed once they are not."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    def _take(self) -> _Client:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Client(self._settings)

    def _give_back(self, client: _Client) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(client)
                return
        client.close()


def _parse(status: int, text: str) -> object:
    if not text.strip():
        return None
    try:
        data: object = json.loads(text)
    except (ValueError, RecursionError):
        # A proxy's page of error is none of our business, its status is.
        if status >= _FIRST_FAILURE:
            return None
        raise MalformedError from None
    return data

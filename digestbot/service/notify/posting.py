"""The one module of the service that sends requests: requests' adapter, without its session.

A session would add logins from ~/.netrc and cookies, and would carry a message and its token
wherever a redirect leads. An adapter sends what it is given, where it is told to, once.
"""

from __future__ import annotations

import http.client
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from requests.utils import get_environ_proxies

from digestbot import __version__
from digestbot.patience import patient_pools, set_deadline
from digestbot.registry.failures import FailureError
from digestbot.registry.origin import read_origin
from digestbot.registry.settings import HostSettings
from digestbot.registry.trust import make_context

if TYPE_CHECKING:
    from requests.adapters import _HostParams, _PoolKwargs

TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
ANSWER_LIMIT = 1024
_USER_AGENT = f"digestbot/{__version__} (+https://github.com/digestbot/digestbot)"
# Its lines hold whole paths, and the path of a webhook is a password.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_FAILURES = (OSError, ValueError, http.client.HTTPException, urllib3.exceptions.HTTPError)
# Most particular first; the text of an error is never shown, as it holds the address.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (requests.ConnectTimeout, "does not accept a connection in time"),
    (requests.Timeout, "does not answer in time"),
    (urllib3.exceptions.TimeoutError, "does not answer in time"),
    (requests.exceptions.ProxyError, "cannot be reached through the proxy"),
    (requests.exceptions.SSLError, "cannot be trusted: its certificate does not pass"),
    (requests.exceptions.InvalidURL, "has an address that is none"),
    (requests.ConnectionError, "cannot be reached, or broke off"),
    (urllib3.exceptions.HTTPError, "broke off its answer"),
    (TimeoutError, "does not answer in time"),
    (OSError, "cannot be reached, or broke off"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the beginning of the body; or, with status 0, why there is none."""

    status: int
    body: bytes = b""
    failure: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, within: float = TIMEOUT_S) -> Answer:
    """Send a body by POST, once, and follow no redirect.

    Args:
        url: Where to; https or http.
        body: JSON.
        headers: Beside those of every request.
        within: Seconds after which to give up, whatever trickles in.
    """
    set_deadline(time.monotonic() + within)
    adapter = _Adapter()
    try:
        return _send(adapter, url, body, headers, within)
    except FailureError as error:
        return Answer(0, failure=error.failure.what)
    except _FAILURES as error:
        words = (words for kind, words in _WORDS if isinstance(error, kind))
        return Answer(0, failure=next(words, f"cannot be asked ({type(error).__name__})"))
    finally:
        adapter.close()


def _send(
    adapter: HTTPAdapter, url: str, body: bytes, headers: Mapping[str, str], within: float
) -> Answer:
    prepared = requests.PreparedRequest()
    prepared.prepare_method("POST")
    prepared.prepare_url(url, None)
    prepared.prepare_headers({"Content-Type": "application/json", **headers})
    prepared.headers["User-Agent"] = _USER_AGENT
    prepared.headers["Content-Length"] = str(len(body))
    prepared.body = body
    timeout = (min(CONNECT_TIMEOUT_S, within), within)
    response = adapter.send(prepared, stream=True, timeout=timeout, proxies=_proxies(url))
    try:
        return Answer(response.status_code, response.raw.read(ANSWER_LIMIT) or b"")
    finally:
        response.close()


def _proxies(url: str) -> dict[str, str]:
    # Loopback is never reached through a proxy, as in Go's net/http and so in Docker.
    if urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}:
        return {}
    return get_environ_proxies(url)


class _Adapter(HTTPAdapter):
    """requests' adapter: every byte under the deadline, trusting whom registries are trusted by."""

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        """As inherited, with patient connections."""
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type] # handed through
        self.poolmanager.pool_classes_by_scheme = patient_pools()

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: object) -> urllib3.ProxyManager:
        """As inherited, likewise."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = patient_pools()
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: object, cert: object = None
    ) -> tuple[_HostParams, _PoolKwargs]:
        """With the authorities of the environment or the system, as for registries."""
        del verify, cert
        origin = read_origin(request.url or "")
        where: _HostParams = {"scheme": origin.scheme, "host": origin.host, "port": origin.port}
        trust: _PoolKwargs = {"cert_reqs": "CERT_REQUIRED"}
        if origin.scheme == "https":
            trust["ssl_context"] = make_context(HostSettings(), DEFAULT_CA_BUNDLE_PATH)
        return where, trust

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Nothing: the context holds all of it."""

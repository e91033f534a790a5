"""The one module that speaks HTTP: requests' adapter, without its session.

A session would add logins from ~/.netrc, cookies and redirects of its own; an adapter sends
what it is given. Two things are added underneath it: an address is checked before it is
connected to, and the deadline of a lookup holds for every byte read.
"""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import requests
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from requests.utils import get_environ_proxies

from digestbot import __version__
from digestbot.patience import patient_pools, set_deadline
from digestbot.registry.addresses import (
    Kind,
    Reach,
    classify,
    is_loopback_name,
    literal,
    onward,
)
from digestbot.registry.connecting import AddressGuard, refused
from digestbot.registry.failures import (
    RULES,
    Failure,
    FailureError,
    Outlook,
    Rule,
    TransportError,
    explain,
)
from digestbot.registry.message import ERROR_LIMIT, Request, Response
from digestbot.registry.origin import (
    Origin,
    read_origin,
    registry_name,
    resolve_url,
    without_query,
)
from digestbot.registry.settings import RegistrySettings
from digestbot.registry.trust import make_context

if TYPE_CHECKING:
    from requests.adapters import _HostParams, _PoolKwargs

USER_AGENT = f"digestbot/{__version__} (+https://github.com/digestbot/digestbot)"
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FIRST_NOT_SUCCESS = 300
_CHUNK = 16 * 1024
_POOLS = 64
_POOL_SIZE = 64
_log = logging.getLogger(__name__)
# Its lines hold whole URLs, and the query of a redirect may hold a signature.
logging.getLogger("urllib3").setLevel(logging.ERROR)
_ContextFor = Callable[[str], ssl.SSLContext]


class Transport:
    """Sends requests, follows redirects; safe to use from many threads."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._adapters: dict[Reach, _Adapter] = {}
        self._trust: dict[str, ssl.SSLContext] = {}
        self._proxies: dict[Origin, dict[str, str]] = {}
        self._found: dict[tuple[str, int], Kind] = {}

    def send(self, request: Request, *, within: float) -> Response:
        """The answer to a request, at the end of all redirects, its body read.

        Args:
            request: What to ask.
            within: Seconds after which to give up.

        Raises:
            TransportError: No answer came, or one that must not be followed.
        """
        until = time.monotonic() + within
        first = read_origin(request.url)
        url, headers, reach = request.url, dict(request.headers), request.reach
        headers["User-Agent"] = USER_AGENT
        for hop in range(1, MAX_REDIRECTS + 2):
            origin = read_origin(url)
            answer = self._hop(request, url, origin, headers, reach, until)
            target = _redirect_target(request, answer, url)
            if target is None:
                found = self.found(first)
                return replace(answer, url=url, origin=origin, hops=hop, found=found)
            following = read_origin(target)
            if following != origin:
                headers.pop("Authorization", None)
            is_home = following.host == first.host
            reach = request.reach if is_home else onward(reach, self.found(origin))
            _log.debug("%s redirects to %s", origin, without_query(target))
            url = target
        raise _redirect_error(request, f"redirects more than {MAX_REDIRECTS} times")

    def found(self, origin: Origin) -> Kind | None:
        """The kind of address this host was last met at."""
        return self._found.get((origin.host, origin.port))

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for adapter in self._adapters.values():
                adapter.close()

    def _hop(
        self,
        request: Request,
        url: str,
        origin: Origin,
        headers: Mapping[str, str],
        reach: Reach,
        until: float,
    ) -> Response:
        started = time.monotonic()
        try:
            _check_literal(origin.host, reach)
            set_deadline(until)
            raw = self._open(request, url, origin, headers, reach, until - started)
            answer = _read(raw, request)
        except _FAILURES as error:
            raise explain(error, origin, request, _RULES) from error
        took = (time.monotonic() - started) * 1000
        _log.debug("%s %s → %d, %.0f ms", request.method, without_query(url), answer.status, took)
        return answer

    def _open(
        self,
        request: Request,
        url: str,
        origin: Origin,
        headers: Mapping[str, str],
        reach: Reach,
        left: float,
    ) -> urllib3.HTTPResponse:
        if left <= 0:
            raise TimeoutError
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.prepare_url(url, None)
        prepared.prepare_headers(headers)
        prepared.body = request.body
        if request.body is not None:
            prepared.headers["Content-Length"] = str(len(request.body))
        if read_origin(prepared.url or "") != origin:
            raise ValueError("the URL can be read in two ways")
        connect = min(self._settings.connect_timeout_s, left)
        read = min(self._settings.read_timeout_s, left)
        adapter = self._adapter(reach)
        proxies = self._proxies_for(origin)
        response = adapter.send(prepared, stream=True, timeout=(connect, read), proxies=proxies)
        raw: urllib3.HTTPResponse = response.raw
        return raw

    def _adapter(self, reach: Reach) -> _Adapter:
        # A pool of connections per reach: a connection that was allowed for one registry is
        # never used again on behalf of another that may not have made it.
        with self._lock:
            if reach not in self._adapters:
                self._adapters[reach] = _Adapter(reach, self._found, self._context)
            return self._adapters[reach]

    def _proxies_for(self, origin: Origin) -> dict[str, str]:
        if origin not in self._proxies:
            # Loopback is never reached through a proxy, as in Go's net/http and so in Docker.
            is_direct = is_loopback_name(origin.host)
            self._proxies[origin] = {} if is_direct else get_environ_proxies(str(origin))
        return self._proxies[origin]

    def _context(self, netloc: str) -> ssl.SSLContext:
        host = self._settings.host(registry_name(netloc))
        key = netloc if host.ca_file or host.client_cert else ""
        with self._lock:
            if key not in self._trust:
                self._trust[key] = make_context(host, DEFAULT_CA_BUNDLE_PATH)
            return self._trust[key]


class _Adapter(HTTPAdapter):
    """requests' adapter, over guarded connections and shared TLS contexts."""

    def __init__(
        self, reach: Reach, found: dict[tuple[str, int], Kind], context: _ContextFor
    ) -> None:
        self._context = context
        super().__init__(pool_connections=_POOLS, pool_maxsize=_POOL_SIZE)
        self.poolmanager.pool_classes_by_scheme = patient_pools(AddressGuard(reach, found).connect)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: object, cert: object = None
    ) -> tuple[_HostParams, _PoolKwargs]:
        """One TLS context per host or for all, in place of one per connection."""
        del verify, cert
        origin = read_origin(request.url or "")
        where: _HostParams = {"scheme": origin.scheme, "host": origin.host, "port": origin.port}
        trust: _PoolKwargs = {"cert_reqs": "CERT_REQUIRED"}
        if origin.scheme == "https":
            trust["ssl_context"] = self._context(origin.netloc)
        return where, trust

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: object) -> urllib3.ProxyManager:
        """As inherited, with patient connections; the address to check is the proxy's to know."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _PROXIED_POOLS
        return manager

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Nothing: the context holds all of it."""


_PROXIED_POOLS = patient_pools()


def _read(raw: urllib3.HTTPResponse, request: Request) -> Response:
    headers = tuple((name.lower(), value) for name, value in raw.headers.iteritems())
    is_success = raw.status < _FIRST_NOT_SUCCESS
    limit = request.limit if is_success else ERROR_LIMIT
    body = bytearray()
    try:
        for chunk in raw.stream(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > limit:
                break
        else:
            raw.release_conn()
    finally:
        # A no-op for a connection that has been given back.
        raw.close()
    if is_success and len(body) > limit:
        failure = Failure(
            "answer-too-large", f"sends more than {limit} bytes", "", Outlook.THIS_ONE
        )
        raise FailureError(failure)
    return Response(raw.status, headers, bytes(body[:limit]))


def _check_literal(host: str, reach: Reach) -> None:
    # Before connecting, and the only check there is behind a proxy.
    address = literal(host)
    if address is not None and classify(address) not in reach:
        raise refused(address, classify(address))


def _redirect_target(request: Request, answer: Response, url: str) -> str | None:
    if answer.status not in _REDIRECTS:
        return None
    location = answer.header("location")
    if not location:
        return None
    if request.method == "POST":
        raise _redirect_error(request, "redirects a login")
    try:
        target = resolve_url(url, location)
    except ValueError as error:
        raise _redirect_error(request, f"redirects to where nothing can be: {error}") from error
    if url.startswith("https:") and target.startswith("http:"):
        raise _redirect_error(request, f"redirects to {without_query(target)}, without TLS")
    return target


def _redirect_error(request: Request, what: str) -> TransportError:
    origin = read_origin(request.url)
    return TransportError(f"{origin.netloc} {what}", code="redirect", host=request.about)


_FAILURES = (
    OSError,  # requests' own errors are OSErrors
    ValueError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
    FailureError,
)
_PROXY_HINT = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_PROXY = Failure("unreachable", "cannot be reached through the proxy", _PROXY_HINT)
_SLOW_TO_CONNECT = Failure("timeout", "does not accept a connection in time")
_SLOW = Failure("timeout", "does not answer in time", outlook=Outlook.TRANSIENT)
_BROKEN = Failure("unavailable", "broke off its answer", outlook=Outlook.TRANSIENT)
_GARBLED = Failure("unexpected", "sends what cannot be decompressed", "", Outlook.THIS_ONE)
# urllib3 calls everything a fault of the proxy that happens to a connection's first request.
_RULES = (
    Rule(urllib3.exceptions.ReadTimeoutError, _SLOW),
    Rule(http.client.RemoteDisconnected, _BROKEN),
    Rule(urllib3.exceptions.ProxyError, _PROXY),
    *RULES[:4],
    Rule(requests.ConnectTimeout, _SLOW_TO_CONNECT),
    Rule(urllib3.exceptions.TimeoutError, _SLOW),
    *RULES[4:],
    Rule(urllib3.exceptions.ProtocolError, _BROKEN),
    Rule(urllib3.exceptions.DecodeError, _GARBLED),
)

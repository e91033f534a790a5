"""A question to a host, carried through pauses and failures that pass."""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from digestbot.clock import Clock
from digestbot.registry.failures import Outlook, TransportError
from digestbot.registry.message import Request, Response
from digestbot.registry.notes import read_quota
from digestbot.registry.origin import read_origin, registry_name
from digestbot.registry.pace import PATIENCE_S, Deadline, Pace
from digestbot.registry.retry_after import read_retry_after
from digestbot.registry.settings import RegistrySettings
from digestbot.registry.transport import Transport

RETRIED: Final = frozenset({408, 429, 499, 500, 502, 503, 504, 522})
"""Statuses after which asking again may help."""
WAITS_S: Final = (1.0, 3.0, 9.0)
"""Seconds before the second, third, … try where the host does not say."""
JITTER: Final = 0.1
TOO_MANY_REQUESTS = 429
_log = logging.getLogger(__name__)

OnAnswer = Callable[[str, str], None]
"""Told of each answer, from any thread: the registry, and the HTTP status or the error's code."""
OnLeft = Callable[[str, str, float], None]
"""Told how much a registry may still be asked: the registry, of what (`pulls`), and how much."""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """How many requests one registry took, redirects included."""

    heads: int = 0
    gets: int = 0
    tokens: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.heads + self.gets + self.tokens

    def __sub__(self, earlier: RequestCounts) -> RequestCounts:
        return RequestCounts(
            self.heads - earlier.heads, self.gets - earlier.gets, self.tokens - earlier.tokens
        )


class Exchange:
    """Sends requests at each host's pace; safe to use from many threads."""

    def __init__(
        self,
        settings: RegistrySettings,
        transport: Transport,
        clock: Clock | None = None,
        *,
        on_answer: OnAnswer | None = None,
        on_left: OnLeft | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self._settings = settings
        self._transport = transport
        self._on_answer = on_answer
        self._on_left = on_left
        self._lock = threading.Lock()
        self._paces: dict[str, Pace] = {}
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def ask(self, request: Request, deadline: Deadline, *, kind: str = "") -> Response:
        """The answer to a request, whatever its status, unless it is one of `RETRIED`.

        Args:
            request: What to ask.
            deadline: When to give up.
            kind: How to count it, if not by its method.

        Raises:
            RegistryError: No answer came, or only such that asking again may help.
        """
        pace = self._pace(request)
        for wait in (*WAITS_S[: self._settings.retries], None):
            outcome = self._try(request, deadline, pace, kind or request.method)
            if isinstance(outcome, Response) and outcome.status not in RETRIED:
                pace.succeeded()
                return outcome
            asked = self._asked_to_wait(outcome)
            pause = max(asked or 0.0, (wait or 0.0) * (1 + JITTER * self.clock.jitter()))
            failure = _failure(request, outcome, asked)
            if wait is None or failure.outlook is not Outlook.TRANSIENT or pause > deadline.left:
                _give_up(pace, failure, is_silent=isinstance(outcome, TransportError))
                raise failure
            pace.pause(pause)
        raise AssertionError("unreachable: the last try either returns or raises")

    def counts(self) -> dict[str, RequestCounts]:
        """How many requests each registry took so far, by its name in image references."""
        with self._lock:
            return {
                registry: RequestCounts(by["HEAD"], by["GET"], by["token"])
                for registry, by in self._counts.items()
            }

    def _try(
        self, request: Request, deadline: Deadline, pace: Pace, kind: str
    ) -> Response | TransportError:
        with pace.slot(deadline):
            started = self.clock.monotonic()
            try:
                outcome: Response | TransportError
                outcome = self._transport.send(request, within=deadline.left)
            except TransportError as error:
                outcome = error
            pace.waited(self.clock.monotonic() - started)
        hops = outcome.hops if isinstance(outcome, Response) else 1
        with self._lock:
            self._counts[request.about][kind] += hops
        try:
            self._tell(request, outcome)
        except Exception:  # noqa: BLE001 - whoever counts must not cost anybody an answer
            _log.debug("an answer could not be counted", exc_info=True)
        return outcome

    def _tell(self, request: Request, outcome: Response | TransportError) -> None:
        host = request.about or read_origin(request.url).netloc
        if isinstance(outcome, TransportError):
            code, quota = outcome.code, None
        else:
            code, quota = str(outcome.status), read_quota(outcome)
        if self._on_answer is not None:
            self._on_answer(host, code)
        if self._on_left is not None and quota is not None:
            self._on_left(host, "pulls", quota.remaining)

    def _pace(self, request: Request) -> Pace:
        netloc = read_origin(request.url).netloc
        with self._lock:
            if netloc not in self._paces:
                name = registry_name(netloc)
                patience_s = math.inf if name in self._settings.hosts else PATIENCE_S
                slots = self._settings.host(name).concurrency
                self._paces[netloc] = Pace(netloc, slots, self.clock, patience_s)
            return self._paces[netloc]

    def _asked_to_wait(self, outcome: Response | TransportError) -> float | None:
        if isinstance(outcome, TransportError):
            return None
        return read_retry_after(outcome, self.clock.wall())


def _failure(
    request: Request, outcome: Response | TransportError, asked: float | None
) -> TransportError:
    if isinstance(outcome, TransportError):
        return outcome
    host = read_origin(request.url).netloc
    if outcome.status == TOO_MANY_REQUESTS:
        wait = "" if asked is None else f", and asks to wait {math.ceil(asked)} s"
        what, code = f"{host} limits how often it may be asked (429){wait}", "rate-limited"
        hint = "wait, ask fewer at a time (concurrency), or log in: many registries then allow more"
    else:
        what, code = f"{host} reports a failure of its own ({outcome.status})", "unavailable"
        hint = "try again later; if it stays so, ask whoever runs the registry"
    return TransportError(what, code=code, host=request.about, hint=hint, outlook=Outlook.TRANSIENT)


def _give_up(pace: Pace, failure: TransportError, *, is_silent: bool) -> None:
    if failure.outlook is Outlook.HOPELESS or failure.code == "rate-limited":
        pace.give_up(failure)
    elif failure.outlook is Outlook.TRANSIENT:
        pace.failed(failure, is_silent=is_silent)

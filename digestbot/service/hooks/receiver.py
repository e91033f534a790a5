"""`POST /hooks/…`: who sends is looked at before what, and the answer comes before the work."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from digestbot.clock import Clock
from digestbot.secret import Secret
from digestbot.service.hooks.body import Bodies, TooLargeError
from digestbot.service.hooks.delivery import Delivery, Hint, MalformedError, Reading, Source
from digestbot.service.hooks.hook import Hook
from digestbot.service.hooks.kinds import SOURCES, Kind
from digestbot.service.hooks.seen import Seen
from digestbot.service.logs import Event, get_log

SAME_ID_S = 60 * 60.0
"""A sender that gives a delivery its name again means the same one."""
LOG_EVERY_S = 10.0
"""Strangers do not fill the log: of one kind of refusal so often a line. All are counted."""
UNKNOWN = "unknown"

_log = get_log(__name__)


class Result(StrEnum):
    """What became of a delivery."""

    TAKEN = "taken"
    SEEN = "seen"
    IGNORED = "ignored"
    REFUSED = "refused"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    CUT_OFF = "cut_off"


_ACCEPTED = 202
_FAILURES: Final[dict[Result, tuple[int, str]]] = {
    Result.REFUSED: (404, "there is no such hook, or this is not its secret"),
    Result.MALFORMED: (400, "it is not what this hook is for"),
    Result.TOO_LARGE: (413, "a delivery has at most 1 MiB"),
    Result.TOO_SLOW: (408, "the body took too long"),
    Result.CUT_OFF: (400, "the body ended too soon"),
}

Take = Callable[[Hint, str], float]
"""Is told of a hint, and whose it is; says in how many seconds at the earliest that is looked at.

It is called where answers are given, so it neither waits nor works."""
Count = Callable[[str, str], None]
"""Counts a delivery, by the name of the hook and by what became of it."""


def make_routes(
    hooks: Mapping[str, Hook],
    take: Take,
    count: Count = lambda _hook, _result: None,
    clock: Clock | None = None,
    sources: Mapping[Kind, Source] = SOURCES,
) -> Sequence[BaseRoute]:
    """The routes `/hooks/{name}` and `/hooks/{name}/{secret}`, for `endpoint.make_app`."""
    receive = Receiver(hooks, take, count, clock or Clock(), sources).receive
    paths = ("/hooks/{name}", "/hooks/{name}/{secret:path}")
    return [Route(path, receive, methods=["POST"]) for path in paths]


class Receiver:
    """Takes deliveries, one after the other."""

    def __init__(
        self,
        hooks: Mapping[str, Hook],
        take: Take,
        count: Count,
        clock: Clock,
        sources: Mapping[Kind, Source],
    ) -> None:
        self._hooks = dict(hooks)
        self._take = take
        self._count = count
        self._sources = dict(sources)
        self._bodies = Bodies()
        self._seen = Seen(clock)
        self._told = Seen(clock)
        self._decoy = Secret(secrets.token_hex())

    async def receive(self, request: Request) -> Response:
        """The answer to a delivery."""
        name = request.path_params["name"]
        try:
            body = await self._bodies.read(request)
        except TooLargeError:
            return self._refuse(name, Result.TOO_LARGE)
        except TimeoutError:
            return self._refuse(name, Result.TOO_SLOW)
        except ClientDisconnect:
            return self._refuse(name, Result.CUT_OFF)
        headers = dict(request.headers.items())
        delivery = Delivery(headers, body, request.path_params.get("secret", ""))
        hook = self._sender(name, delivery)
        if hook is None:
            return self._refuse(name, Result.REFUSED)
        return self._accept(hook, delivery)

    def _sender(self, name: str, delivery: Delivery) -> Hook | None:
        """The hook of this name, if it is one and whoever sent this knows its secret.

        All kinds are asked, so that the time tells neither whether there is such a hook nor of
        which kind it is.
        """
        hook = self._hooks.get(name)
        known = {
            kind: source.is_authentic(
                delivery, hook.secret if hook is not None and hook.kind == kind else self._decoy
            )
            for kind, source in self._sources.items()
        }
        return hook if hook is not None and known[hook.kind] else None

    def _accept(self, hook: Hook, delivery: Delivery) -> Response:
        try:
            reading = self._sources[hook.kind].read(delivery, hook.registry)
        except MalformedError as error:
            return self._refuse(hook.name, Result.MALFORMED, str(error))
        result = self._pass_on(hook, delivery, reading)
        self._count(hook.name, result)
        log = _log.info if result is Result.TAKEN else _log.debug
        log(Event.HOOK_RECEIVED, hook=hook.name, result=result.value, hints=len(reading.hints))
        return JSONResponse({"status": "accepted"}, _ACCEPTED)

    def _pass_on(self, hook: Hook, delivery: Delivery, reading: Reading) -> Result:
        if not reading.hints:
            return Result.IGNORED
        key = (hook.name, reading.id or hashlib.sha256(delivery.body).digest())
        if key in self._seen:
            return Result.SEEN
        waits = [self._take(hint, f"webhook {hook.name}") for hint in reading.hints]
        # Equal bodies may be two pushes: the second is dropped only while all that the first led
        # to is still to come.
        self._seen.add(key, SAME_ID_S if reading.id else min(waits))
        return Result.TAKEN

    def _refuse(self, name: str, result: Result, message: str = "") -> Response:
        status, words = _FAILURES[result]
        # A name that nobody configured may be anything, a secret too.
        hook = name if name in self._hooks else UNKNOWN
        self._count(hook, result)
        if (hook, result) not in self._told:
            self._told.add((hook, result), LOG_EVERY_S)
            _log.warning(
                Event.HOOK_REFUSED, hook=hook, result=result.value, message=message or words
            )
        # What is left of the body is not waited for.
        headers = {"Connection": "close"}
        return JSONResponse({"status": "refused", "message": message or words}, status, headers)

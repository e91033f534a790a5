"""Why no answer came: from what the libraries throw to what people can act on."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from digestbot.registry.errors import RegistryError
from digestbot.registry.message import Request
from digestbot.registry.origin import Origin, read_origin

DOWN_HINT = "check that the registry is up and reachable from here"
_NAME_HINT = "check the spelling of the host, and the name server"


class Outlook(Enum):
    """What a failure means for the next question."""

    TRANSIENT = "the same question may be answered the next time"
    HOPELESS = "no question to this host will be answered"
    THIS_ONE = "this question will not be answered; another may"


class TransportError(RegistryError):
    """No answer came, or none of use."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        host: str,
        hint: str = "",
        outlook: Outlook = Outlook.THIS_ONE,
    ) -> None:
        super().__init__(message, code=code, host=host, hint=hint)
        self.outlook = outlook


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong; `what` continues a sentence that begins with the host."""

    code: str
    what: str
    hint: str = DOWN_HINT
    outlook: Outlook = Outlook.HOPELESS


class FailureError(Exception):
    """A failure that was found here, not thrown by a library."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Rule:
    """Errors of these types, and of these numbers where given, mean this failure."""

    error: type[BaseException] | tuple[type[BaseException], ...]
    failure: Failure
    numbers: frozenset[int] = frozenset()

    def fits(self, cause: BaseException) -> bool:
        """Whether this error is meant."""
        if not isinstance(cause, self.error):
            return False
        return not self.numbers or getattr(cause, "errno", None) in self.numbers


_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})
_BROKEN = (ConnectionError, http.client.HTTPException)
RULES = (
    Rule(
        socket.gaierror,
        Failure("unreachable", "has no address now", _NAME_HINT, Outlook.TRANSIENT),
        frozenset({socket.EAI_AGAIN}),
    ),
    Rule(socket.gaierror, Failure("unreachable", "has no address", _NAME_HINT)),
    Rule(ConnectionRefusedError, Failure("unreachable", "refuses connections")),
    Rule(OSError, Failure("unreachable", "cannot be reached: no way leads there"), _NO_ROUTE),
    Rule(
        TimeoutError,
        Failure("timeout", "does not answer in time", outlook=Outlook.TRANSIENT),
    ),
    Rule(_BROKEN, Failure("unavailable", "broke off its answer", outlook=Outlook.TRANSIENT)),
)
"""What errors of the standard library mean; the first rule that fits any cause counts."""


def explain(
    error: Exception, origin: Origin, request: Request, rules: tuple[Rule, ...]
) -> TransportError:
    """The error for people.

    Args:
        error: What was thrown while `request` was sent.
        origin: Who was being asked at that moment, perhaps after redirects.
        request: What was asked.
        rules: What errors mean, most important first.
    """
    failure = _find(error, origin, rules)
    asked = read_origin(request.url)
    what = f"{origin.netloc} {failure.what}"
    if origin != asked:
        what = f"{asked.netloc} redirects, but {what}"
        # A broken target says nothing about the host that redirects.
        if failure.outlook is Outlook.HOPELESS:
            failure = replace(failure, outlook=Outlook.THIS_ONE)
    return TransportError(
        what, code=failure.code, host=request.about, hint=failure.hint, outlook=failure.outlook
    )


def _find(error: Exception, origin: Origin, rules: tuple[Rule, ...]) -> Failure:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, FailureError):
            return cause.failure
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return _explain_tls(cause, origin)
    for rule in rules:
        if any(map(rule.fits, causes)):
            return rule.failure
    what = f"cannot be asked: {type(error).__name__}"
    return Failure("unexpected", what, "", Outlook.THIS_ONE)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything wrapped in it: as cause, context, argument or `reason`."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None))
            waiting += [*one.args, *wrapped]


def _explain_tls(error: ssl.SSLError, origin: Origin) -> Failure:
    reason = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
    reason = str(reason).replace("_", " ").lower()
    key = f"registries.{origin.netloc}"
    if "wrong version number" in reason or "record layer failure" in reason:
        return Failure(
            "tls", "does not speak TLS", f"if it speaks plain http, set {key}.http: true"
        )
    hint = f"if its certificate is from an authority of your own, set {key}.ca_file"
    return Failure("tls", f"cannot be trusted: {reason}", hint)

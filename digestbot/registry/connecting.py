"""Connecting to a host: only to addresses within reach, and all of them in one time limit."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from digestbot.registry.addresses import Kind, Reach, classify
from digestbot.registry.failures import Failure, FailureError, Outlook

_PRIVATE_HINT = (
    "if this registry is yours, name it under `registries:` in the configuration, or set "
    "`allow_private: true`; a public registry may never lead into a private network"
)


def refused(address: str, kind: Kind) -> FailureError:
    """What is raised for an address that is out of reach."""
    what = f"is at {address}, a {kind.value} address"
    # Not hopeless: what is out of reach on behalf of one registry may be another's own host.
    return FailureError(Failure("private-address", what, _PRIVATE_HINT, Outlook.THIS_ONE))


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Connects to addresses that are within reach, and notes of what kind they are."""

    reach: Reach
    found: dict[tuple[str, int], Kind]

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to the first address that answers; each has its share of the time limit.

        Raises:
            FailureError: No address of the host is within reach.
            HTTPError: The host has no address, or none answers in time.
        """
        host, port = connection.host.strip("[]"), connection.port
        addresses = list(self._allowed(connection, host))
        until = time.monotonic() + float(connection.timeout or 0)
        for number, (address, kind) in enumerate(addresses, start=1):
            left = max(0.001, until - time.monotonic()) / (len(addresses) - number + 1)
            try:
                sock = create_connection(
                    (address, port), left, socket_options=connection.socket_options
                )
            except OSError as error:
                if number == len(addresses):
                    raise _explained(connection, error) from error
                continue
            self.found[host, port] = kind
            return sock
        raise NewConnectionError(connection, f"{host} has no address")

    def _allowed(self, connection: HTTPConnection, host: str) -> Iterator[tuple[str, Kind]]:
        try:
            answers = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(host, connection, error) from error
        kinds = {str(answer[4][0]): classify(str(answer[4][0])) for answer in answers}
        allowed = [(address, kind) for address, kind in kinds.items() if kind in self.reach]
        if kinds and not allowed:
            raise refused(*next(iter(kinds.items())))
        yield from allowed


def _explained(connection: HTTPConnection, error: OSError) -> Exception:
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError(connection, f"{connection.host} does not accept a connection")
    return NewConnectionError(connection, f"no connection: {error}")

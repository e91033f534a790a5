"""A deadline for every byte that is read from a socket.

A timeout on a socket is for one read: without this, a host that sends a byte now and then
could hold a lookup for ever.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_current = threading.local()


def set_deadline(until: float) -> None:
    """Let what this thread reads from now on fail at this time of `time.monotonic()`."""
    _current.until = until


class PatientResponse(http.client.HTTPResponse):
    """A response whose every byte is read under the deadline of the thread that asked."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        # It asks the socket for nothing but a file to read from.
        reader: Any = _DeadlineReader(sock)
        super().__init__(reader, debuglevel, method)


class _DeadlineReader(io.RawIOBase):
    """The bytes of a socket, while there is time."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._until: float = _current.until

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` calls on a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Read what is there, waiting no longer than the deadline allows."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        timeout = self._sock.gettimeout()
        if timeout is None or timeout > left:
            self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


_Pools = dict[str, type[HTTPConnectionPool]]


def patient_pools(connect: Callable[[HTTPConnection], socket.socket] | None = None) -> _Pools:
    """Pools of connections that keep the deadline, by scheme, for a `urllib3.PoolManager`.

    `connect` makes the socket in place of urllib3.
    """

    class Plain(HTTPConnection):
        response_class = PatientResponse

        def _new_conn(self) -> socket.socket:
            return connect(self) if connect else super()._new_conn()

    class Secure(HTTPSConnection):
        response_class = PatientResponse

        def _new_conn(self) -> socket.socket:
            return connect(self) if connect else super()._new_conn()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def make_patient(session: requests.Session) -> None:
    """Let all connections that a session makes from now on keep the deadline."""
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.poolmanager.pool_classes_by_scheme = patient_pools()

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from digestbot.registry import connecting
from digestbot.registry.addresses import Kind, Reach
from digestbot.registry.connecting import AddressGuard
from digestbot.registry.failures import FailureError

LOOPBACK: Reach = frozenset({Kind.LOOPBACK})
PUBLIC: Reach = frozenset({Kind.PUBLIC})


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def answer_with(monkeypatch: pytest.MonkeyPatch, addresses: Sequence[str]) -> None:
    """Let every host have these addresses."""

    def getaddrinfo(_host: str, port: int, **_options: object) -> list[object]:
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (family[":" in address], socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def connect_by(
    monkeypatch: pytest.MonkeyPatch, outcomes: dict[str, Exception | None]
) -> list[tuple[str, float]]:
    """Let connecting end like this per address; returns who was tried, and with which limit."""
    tried: list[tuple[str, float]] = []

    def create_connection(
        address: tuple[str, int], timeout: float, **_options: object
    ) -> socket.socket:
        tried.append((address[0], timeout))
        outcome = outcomes[address[0]]
        if outcome is not None:
            raise outcome
        return socket.socket()

    monkeypatch.setattr(connecting, "create_connection", create_connection)
    return tried


def guard(reach: Reach) -> AddressGuard:
    return AddressGuard(reach, {})


def test_a_host_within_reach_is_connected_to_and_its_kind_noted(port: int) -> None:
    door = guard(LOOPBACK)

    with door.connect(HTTPConnection("127.0.0.1", port, timeout=5)) as sock:
        assert sock.getpeername() == ("127.0.0.1", port)

    assert door.found == {("127.0.0.1", port): Kind.LOOPBACK}


def test_an_address_out_of_reach_is_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, ["10.0.0.5", "169.254.169.254"])
    tried = connect_by(monkeypatch, {})

    with pytest.raises(FailureError) as caught:
        guard(PUBLIC).connect(HTTPConnection("inside.example", 80, timeout=5))

    assert caught.value.failure.code == "private-address"
    assert tried == []


def test_of_a_mixed_host_only_what_is_within_reach_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(monkeypatch, ["127.0.0.1", "1.1.1.1", "10.0.0.5"])
    tried = connect_by(monkeypatch, {"1.1.1.1": None})

    guard(PUBLIC).connect(HTTPConnection("mixed.example", 80, timeout=5)).close()

    assert [address for address, _ in tried] == ["1.1.1.1"]


def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, ["1.1.1.1", "2606:4700::1"])
    outcomes: dict[str, Exception | None] = {"1.1.1.1": OSError("no route"), "2606:4700::1": None}
    tried = connect_by(monkeypatch, outcomes)

    guard(PUBLIC).connect(HTTPConnection("two.example", 443, timeout=5)).close()

    assert [address for address, _ in tried] == ["1.1.1.1", "2606:4700::1"]


def test_many_addresses_share_one_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [f"1.1.1.{number}" for number in range(1, 21)]
    answer_with(monkeypatch, addresses)
    tried = connect_by(monkeypatch, {address: TimeoutError() for address in addresses})

    with pytest.raises(ConnectTimeoutError):
        guard(PUBLIC).connect(HTTPConnection("many.example", 443, timeout=10))

    assert len(tried) == 20
    assert tried[0][1] <= 10 / 20


@pytest.mark.parametrize(
    "outcome, expected",
    [
        pytest.param(TimeoutError(), ConnectTimeoutError, id="slow"),
        pytest.param(ConnectionRefusedError(), NewConnectionError, id="refused"),
    ],
)
def test_failures_are_those_that_urllib3_would_raise(
    monkeypatch: pytest.MonkeyPatch, outcome: Exception, expected: type[Exception]
) -> None:
    answer_with(monkeypatch, ["1.1.1.1"])
    connect_by(monkeypatch, {"1.1.1.1": outcome})

    with pytest.raises(expected):
        guard(PUBLIC).connect(HTTPConnection("one.example", 443, timeout=1))


def test_a_host_without_an_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(NameResolutionError):
        guard(PUBLIC).connect(HTTPConnection("nowhere.example", 443, timeout=1))

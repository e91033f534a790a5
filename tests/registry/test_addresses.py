from __future__ import annotations

import pytest

from digestbot.registry.addresses import (
    ANYWHERE,
    NETWORK,
    ONLY_LOOPBACK,
    ONLY_PUBLIC,
    Kind,
    Reach,
    classify,
    is_loopback_name,
    literal,
    onward,
)


@pytest.mark.parametrize(
    "address, kind",
    [
        ("93.184.216.34", Kind.PUBLIC),
        ("2606:2800:220:1::1", Kind.PUBLIC),
        ("10.0.0.1", Kind.PRIVATE),
        ("172.16.0.1", Kind.PRIVATE),
        ("192.168.1.1", Kind.PRIVATE),
        ("100.64.0.1", Kind.PRIVATE),
        ("100.127.255.255", Kind.PRIVATE),
        ("198.18.0.1", Kind.PRIVATE),
        ("192.0.2.1", Kind.PRIVATE),
        ("fd00::1", Kind.PRIVATE),
        ("fec0::1", Kind.PRIVATE),
        ("64:ff9b:1:a00:0:100:808:808", Kind.PRIVATE),
        ("127.0.0.1", Kind.LOOPBACK),
        ("127.8.9.10", Kind.LOOPBACK),
        ("::1", Kind.LOOPBACK),
        ("169.254.169.254", Kind.LINK_LOCAL),
        ("fe80::1", Kind.LINK_LOCAL),
        ("fe80::1%eth0", Kind.LINK_LOCAL),
        ("0.0.0.0", Kind.RESERVED),
        ("::", Kind.RESERVED),
        ("224.0.0.1", Kind.RESERVED),
        ("ff02::1", Kind.RESERVED),
        ("240.0.0.1", Kind.RESERVED),
        ("255.255.255.255", Kind.RESERVED),
        ("::ffff:127.0.0.1", Kind.LOOPBACK),
        ("::ffff:10.0.0.1", Kind.PRIVATE),
        ("::ffff:93.184.216.34", Kind.PUBLIC),
        ("2002:7f00:1::", Kind.LOOPBACK),
        ("2002:a00:1::", Kind.PRIVATE),
        ("64:ff9b::a9fe:a9fe", Kind.LINK_LOCAL),
        ("64:ff9b::10.0.0.1", Kind.PRIVATE),
        ("64:ff9b::93.184.216.34", Kind.PUBLIC),
        ("64:ff9b:1::10.0.0.1", Kind.PRIVATE),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", Kind.PRIVATE),
        ("::127.0.0.1", Kind.RESERVED),
        ("::10.0.0.1", Kind.RESERVED),
    ],
)
def test_address_is_of_the_kind_it_leads_to(address: str, kind: Kind) -> None:
    assert classify(address) is kind


def test_what_is_no_address_has_no_kind() -> None:
    with pytest.raises(ValueError, match="localhost"):
        classify("localhost")


@pytest.mark.parametrize(
    "host, address",
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("169.254.169.254.", "169.254.169.254"),
        ("registry.example", None),
        ("1.registry.example", None),
        ("deadbeef", None),
        ("1\0", None),
        ("1é", None),
    ],
)
def test_literal_addresses_are_read_as_connecting_would(host: str, address: str | None) -> None:
    assert literal(host) == address


@pytest.mark.parametrize(
    "host, is_loopback",
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("registry.localhost", True),
        ("127.0.0.2", True),
        ("[::1]", True),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("10.0.0.1", False),
        ("127.0.0.1.example", False),
    ],
)
def test_loopback_is_told_by_the_name_as_written(host: str, is_loopback: bool) -> None:
    assert is_loopback_name(host) is is_loopback


@pytest.mark.parametrize(
    "own, found, kinds",
    [
        pytest.param(ONLY_PUBLIC, Kind.PUBLIC, "public", id="public"),
        pytest.param(ANYWHERE, Kind.PUBLIC, "public", id="configured-but-public"),
        pytest.param(NETWORK, Kind.PRIVATE, "private public", id="private"),
        pytest.param(ANYWHERE, Kind.LINK_LOCAL, "private public", id="never-to-link-local"),
        pytest.param(ONLY_LOOPBACK, Kind.LOOPBACK, "loopback", id="loopback-to-itself"),
        pytest.param(ANYWHERE, Kind.LOOPBACK, "loopback private public", id="configured-loopback"),
        pytest.param(ANYWHERE, None, "public", id="behind-a-proxy"),
    ],
)
def test_registry_leads_only_so_far(own: Reach, found: Kind | None, kinds: str) -> None:
    assert {kind.value for kind in onward(own, found)} == set(kinds.split())

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.web.origin import (
    Proxies,
    is_loopback,
    is_loopback_host,
    is_near,
    is_own,
    neighbourhood,
)
from tests.web.visits import HOST, Ask

PROXIES = Proxies.at(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("localhost", True, id="name"),
        pytest.param("LocalHost:8080", True, id="name-and-port"),
        pytest.param("127.0.0.1", True, id="address"),
        pytest.param("127.8.9.10:1", True, id="whole-block"),
        pytest.param("[::1]", True, id="ipv6"),
        pytest.param("[::1]:8080", True, id="ipv6-and-port"),
        pytest.param("", False, id="empty"),
        pytest.param("evil.example", False, id="rebound"),
        pytest.param("localhost.evil.example", False, id="begins-alike"),
        pytest.param("evil-localhost", False, id="ends-alike"),
        pytest.param("127.0.0.1.nip.io", False, id="address-in-a-name"),
        pytest.param("localhost:8080@evil.example", False, id="login"),
        pytest.param("localhost:", False, id="no-port"),
        pytest.param("localhost:999999", False, id="too-much-port"),
        pytest.param("localhost\n", False, id="line-break"),
        pytest.param("localhost, evil.example", False, id="two"),
        pytest.param("localhost.", False, id="dot"),
        pytest.param("0.0.0.0:8080", False, id="any"),
        pytest.param("::1", False, id="no-brackets"),
        pytest.param("127.0.0.\u0661", False, id="other-digits"),
        pytest.param("2130706433", False, id="as-a-number"),
    ],
)
def test_only_loopback_names_are_loopback_hosts(text: str, expected: bool) -> None:
    assert is_loopback_host(text) is expected


@pytest.mark.parametrize(
    "host, expected",
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("[::]", False),
        ("10.0.0.1", False),
        ("dash.corp", False),
        ("localhost.corp", False),
        ("", False),
        ("1" * 5000, False),
    ],
)
def test_an_address_to_listen_on_is_loopback_or_not(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"],
)
def test_what_somebody_passes_on_is_not_near(header: str) -> None:
    assert is_near(Ask(host="localhost:8080").request)
    assert not is_near(Ask(host="localhost:8080", headers={header: ""}).request)


def test_two_hosts_are_not_near() -> None:
    assert not is_near(Ask(host="localhost", more=(("Host", "localhost"),)).request)


@pytest.mark.parametrize(
    "headers, expected",
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, True, id="own"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, False, id="sibling"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, False, id="foreign"),
        pytest.param({"Sec-Fetch-Site": "none"}, False, id="nobodys"),
        pytest.param({"Sec-Fetch-Site": ""}, False, id="empty-site"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"}, False, id="site-first"
        ),
        pytest.param(
            {"Sec-Fetch-Site": "same-origin", "Origin": "https://seen.outside"},
            True,
            id="behind-a-proxy-that-renames",
        ),
        pytest.param({"Origin": f"http://{HOST}"}, True, id="origin"),
        pytest.param({"Origin": f"https://{HOST}"}, True, id="origin-behind-tls"),
        pytest.param({"Origin": f"HTTP://{HOST.upper()}"}, True, id="origin-in-capitals"),
        pytest.param({"Origin": "null"}, False, id="null"),
        pytest.param({"Origin": ""}, False, id="empty-origin"),
        pytest.param({"Origin": f"http://{HOST}:8080"}, False, id="other-port"),
        pytest.param({"Origin": f"http://{HOST}.evil.example"}, False, id="begins-alike"),
        pytest.param({"Origin": f"http://evil.example/{HOST}"}, False, id="in-the-path"),
        pytest.param({"Origin": f"ftp://{HOST}"}, False, id="scheme"),
        pytest.param({"Referer": f"http://{HOST}/"}, False, id="referer-alone"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_a_browser_says_whose_page_sends_it(headers: dict[str, str], expected: bool) -> None:
    assert is_own(Ask(headers=headers).request, is_https=False) is expected


def test_a_page_without_tls_is_another_than_the_one_with() -> None:
    plain, safe = ({"Origin": f"{scheme}://{HOST}"} for scheme in ("http", "https"))

    assert not is_own(Ask(headers=plain).request, is_https=True)
    assert is_own(Ask(headers=safe).request, is_https=True)


@pytest.mark.parametrize(
    "headers, expected",
    [
        pytest.param({"Origin": "https://site.corp"}, True, id="site"),
        pytest.param({"Origin": f"https://{HOST}"}, True, id="host"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, True, id="browser"),
        pytest.param({"Origin": "http://site.corp"}, False, id="without-tls"),
        pytest.param({"Origin": "https://site.corp:8443"}, False, id="other-port"),
        pytest.param({"Origin": "https://site.corp.evil.example"}, False, id="begins-alike"),
        pytest.param({"Origin": "null"}, False, id="null"),
        pytest.param({}, False, id="nothing"),
        pytest.param(
            {"Origin": "https://site.corp", "Sec-Fetch-Site": "cross-site"}, False, id="browser-no"
        ),
    ],
)
def test_the_site_that_is_configured_is_this_one_too(
    headers: dict[str, str], expected: bool
) -> None:
    request = Ask(headers=headers).request

    assert is_own(request, is_https=True, site="https://site.corp") is expected


def test_without_a_configured_site_no_origin_is_like_none() -> None:
    assert not is_own(Ask(headers={"Origin": ""}).request, is_https=True, site="")


@pytest.mark.parametrize(
    "name, text",
    [("Origin", f"http://{HOST}"), ("Sec-Fetch-Site", "same-origin"), ("Host", HOST)],
)
def test_nothing_is_said_twice(name: str, text: str) -> None:
    headers = {"Origin": f"http://{HOST}"} if name == "Host" else {name: text}

    assert is_own(Ask(headers=headers).request, is_https=False)
    assert not is_own(Ask(headers=headers, more=((name, text),)).request, is_https=False)


@pytest.mark.parametrize(
    "client, expected",
    [
        pytest.param("10.1.2.3", True, id="in-range"),
        pytest.param("::ffff:10.1.2.3", True, id="mapped"),
        pytest.param("fd12::1", True, id="ipv6"),
        pytest.param("192.0.2.1", True, id="one-address"),
        pytest.param("192.0.2.2", False, id="its-neighbour"),
        pytest.param("11.0.0.1", False, id="elsewhere"),
        pytest.param("", False, id="none"),
        pytest.param(None, False, id="no-client"),
        pytest.param("testclient", False, id="no-address"),
    ],
)
def test_a_proxy_is_known_by_the_address_of_its_connection(
    client: str | None, expected: bool
) -> None:
    ask = Ask(client=client, headers={"X-Forwarded-For": "10.0.0.1"})

    assert PROXIES.sent(ask.request) is expected
    assert not Proxies().sent(ask.request)


@pytest.mark.parametrize(
    "client, forwarded, expected",
    [
        pytest.param("192.0.2.9", ["203.0.113.5"], "192.0.2.9", id="stranger-lies"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="says-nothing"),
        pytest.param("10.0.0.1", ["203.0.113.5"], "203.0.113.5", id="one-hop"),
        pytest.param("10.0.0.1", ["1.1.1.1, 203.0.113.5"], "203.0.113.5", id="liar-behind"),
        pytest.param("10.0.0.1", ["1.1.1.1", "203.0.113.5"], "203.0.113.5", id="two-lines"),
        pytest.param("10.0.0.1", ["203.0.113.5, 10.0.0.2"], "203.0.113.5", id="two-proxies"),
        pytest.param("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="from-within"),
        pytest.param("10.0.0.1", ["203.0.113.5, nonsense"], "10.0.0.1", id="nonsense"),
        pytest.param("10.0.0.1", ["203.0.113.5:4711"], "10.0.0.1", id="port"),
        pytest.param("10.0.0.1", [" 2001:db8::1 "], "2001:db8::1", id="ipv6"),
        pytest.param(
            "10.0.0.1", ["1.1.1.1, " + "10.0.0.2, " * 999 + "10.0.0.3"], "10.0.0.2", id="many"
        ),
        pytest.param("10.0.0.1", ["9" * 50_000], "10.0.0.1", id="long"),
        pytest.param(None, ["203.0.113.5"], "", id="no-client"),
    ],
)
def test_the_address_of_who_asks_is_the_last_that_is_believed(
    client: str | None, forwarded: list[str], expected: str
) -> None:
    ask = Ask(client=client, more=tuple(("X-Forwarded-For", line) for line in forwarded))

    assert PROXIES.client(ask.request) == expected


@pytest.mark.parametrize(
    "client, scheme, told, expected",
    [
        pytest.param("192.0.2.9", "http", [], False, id="plain"),
        pytest.param("192.0.2.9", "https", [], True, id="tls"),
        pytest.param("192.0.2.9", "http", ["https"], False, id="stranger-lies"),
        pytest.param("10.0.0.1", "http", ["https"], True, id="proxy-says-so"),
        pytest.param("10.0.0.1", "http", ["HTTPS"], True, id="in-capitals"),
        pytest.param("10.0.0.1", "http", ["http"], False, id="proxy-says-not"),
        pytest.param("10.0.0.1", "http", [], False, id="proxy-says-nothing"),
        pytest.param("10.0.0.1", "http", ["https", "http"], False, id="says-two"),
        pytest.param("10.0.0.1", "http", ["https, http"], False, id="says-both"),
    ],
)
def test_https_is_what_a_believed_proxy_says(
    client: str, scheme: str, told: list[str], expected: bool
) -> None:
    more = tuple(("X-Forwarded-Proto", one) for one in told)
    ask = Ask(client=client, scheme=scheme, more=more)

    assert PROXIES.is_https(ask.request) is expected


@pytest.mark.parametrize(
    "address, expected",
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", ""),
        ("x", ""),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(address: str, expected: str) -> None:
    assert neighbourhood(address) == expected


@given(st.text(st.characters(max_codepoint=255), max_size=200), st.text(max_size=60))
def test_whatever_is_sent_is_read_or_left_alone(header: str, address: str) -> None:
    names = ("X-Forwarded-For", "X-Forwarded-Proto", "Origin", "Sec-Fetch-Site")
    ask = Ask(client="10.0.0.1", headers=dict.fromkeys(names, header), host=header)

    PROXIES.client(ask.request)
    PROXIES.is_https(ask.request)
    is_near(ask.request)
    neighbourhood(address)
    is_loopback(address)

    assert not is_own(ask.request, is_https=False) or header == "same-origin"

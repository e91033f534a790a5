from __future__ import annotations

import html
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request

from digestbot.web.access import Access, Role
from digestbot.web.login import LONGEST_NEXT, PATHS, local_path, login_address, login_routes
from digestbot.web.throttle import MOST_EACH, WINDOW_S
from tests.web.visits import (
    ANN_TOKEN,
    BOB_TOKEN,
    HOST,
    OWN,
    PROXY,
    PROXY_ADDRESS,
    STRANGER,
    Answer,
    Ask,
    Time,
    bearer,
    rules,
)

TLS = {"X-Forwarded-Proto": "https", "Origin": f"https://{HOST}"}


def render(_request: Request, name: str, shown: Mapping[str, object]) -> str:
    return f"{name}: {html.escape(repr(dict(shown)))}"


@dataclass
class Site:
    """The pages to sign in and out."""

    access: Access = field(default_factory=rules)
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        self.app = Starlette(routes=login_routes(self.access, render, self.time.clock))

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, client: str = STRANGER
    ) -> Answer:
        return Ask(path, headers=headers or {}, client=client).sent_to(self.app)

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] = OWN,
        client: str = STRANGER,
        scheme: str = "http",
    ) -> Answer:
        ask = Ask(path, "POST", headers, form=form, client=client, scheme=scheme)
        return ask.sent_to(self.app)

    def sign_in(self, token: str = ANN_TOKEN, client: str = STRANGER) -> str:
        """What the browser sends from then on."""
        answer = self.post("/login", {"token": token}, client=client)
        assert answer.status == 303
        return answer.cookie

    def role(self, cookie: str) -> Role:
        return self.access.visitor(Ask(headers={"Cookie": cookie}).request).role

    def csrf(self, cookie: str) -> str:
        visitor = self.access.visitor(Ask(headers={"Cookie": cookie}).request)
        return self.access.csrf(visitor)


# Signing in


@pytest.mark.parametrize(
    "token, role",
    [
        (ANN_TOKEN, Role.OPERATOR),
        (BOB_TOKEN, Role.READER),
        (f" {BOB_TOKEN}\n", Role.READER),
    ],
    ids=["operator", "reader", "pasted"],
)
def test_who_types_a_token_is_signed_in(token: str, role: Role) -> None:
    site = Site()

    answer = site.post("/login", {"token": token, "next": "/repos?q=a"})

    assert (answer.status, answer.headers["location"]) == (303, "/repos?q=a")
    assert site.role(answer.cookie) is role


def test_the_form_is_shown_with_where_it_leads() -> None:
    answer = Site().get("/login?next=%2Frepos%3Fq%3Da")

    assert answer.status == 200
    assert html.unescape(answer.body.decode()) == "login: {'next': '/repos?q=a', 'problem': ''}"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"token": ""}, id="empty"),
        pytest.param({"token": "ann"}, id="name"),
        pytest.param({"token": ANN_TOKEN[:-1]}, id="cut"),
        pytest.param({"token": "ä\x00\u202e"}, id="odd"),
        pytest.param({"token": "x" * 16_000}, id="long"),
        pytest.param({"password": ANN_TOKEN}, id="elsewhere"),
    ],
)
def test_who_does_not_know_a_token_is_not(form: dict[str, str]) -> None:
    answer = Site().post("/login", form)

    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert b"nobody&#x27;s token" in answer.body


def test_all_who_fail_are_told_the_same() -> None:
    site = Site()

    bodies = {
        site.post("/login", {"token": token}).body for token in ("ann", "eve", ANN_TOKEN[:-1], "")
    }

    assert len(bodies) == 1


def test_the_token_is_not_said_again() -> None:
    site = Site()
    wrong = "canary-canary-canary"

    failed = site.post("/login", {"token": wrong, "next": "/repos"})
    done = site.post("/login", {"token": ANN_TOKEN})

    assert wrong not in f"{failed}"
    assert ANN_TOKEN not in f"{done}"


@pytest.mark.parametrize(
    "scheme, client, headers, name",
    [
        pytest.param("http", "192.0.2.9", OWN, "digestbot", id="http"),
        pytest.param(
            "https", "192.0.2.9", {"Origin": f"https://{HOST}"}, "__Host-digestbot", id="https"
        ),
        pytest.param("http", PROXY_ADDRESS, TLS, "__Host-digestbot", id="proxy"),
        pytest.param("http", "192.0.2.9", TLS, "digestbot", id="lie"),
    ],
)
def test_the_cookie_fits_the_way_it_goes(
    scheme: str, client: str, headers: dict[str, str], name: str
) -> None:
    site = Site(rules(proxy=PROXY))

    answer = site.post("/login", {"token": ANN_TOKEN}, headers, scheme=scheme, client=client)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{name}=ann.")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is name.startswith("__Host-")


def test_signing_in_begins_a_session_that_nobody_knew_before() -> None:
    site = Site()
    planted = site.sign_in(BOB_TOKEN)

    answer = site.post("/login", {"token": ANN_TOKEN}, OWN | {"Cookie": planted})

    assert answer.cookie != planted
    assert site.role(planted) is Role.READER
    assert site.role(answer.cookie) is Role.OPERATOR


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="foreign"),
        pytest.param({"Origin": "null"}, id="sandboxed"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="sibling"),
        pytest.param({}, id="does-not-say"),
    ],
)
def test_no_page_elsewhere_signs_anybody_in(headers: dict[str, str]) -> None:
    answer = Site().post("/login", {"token": ANN_TOKEN, "next": "/repos"}, headers)

    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_behind_a_proxy_that_does_not_pass_on_the_host_people_sign_in_where_they_reach_it() -> None:
    own = {"Origin": "https://digestbot.example.com"}

    told = Site(rules(url="https://digestbot.example.com/")).post(
        "/login", {"token": ANN_TOKEN}, own
    )
    untold = Site().post("/login", {"token": ANN_TOKEN}, own)

    assert (told.status, untold.status) == (303, 403)
    assert b"dashboard.url" in untold.body


def test_who_is_signed_in_is_led_on() -> None:
    site = Site()
    cookie = site.sign_in()

    answer = site.get("/login?next=/repos", {"Cookie": cookie})

    assert (answer.status, answer.headers["location"]) == (303, "/repos")


def test_whom_the_proxy_names_in_vain_is_told_so_and_not_sent_in_circles() -> None:
    site = Site(rules(proxy=PROXY))

    answer = site.get("/login", {"X-Forwarded-User": "eve"}, client=PROXY_ADDRESS)

    assert answer.status == 403
    assert b"reverse proxy says who you are" in answer.body


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_nobody_has_a_token_there_is_no_such_page(method: str) -> None:
    site = Site(rules(users=(), proxy=PROXY))

    assert Ask("/login", method, OWN, form={}).sent_to(site.app).status == 404


def test_what_is_no_form_is_refused() -> None:
    site = Site()
    headers = OWN | {"Content-Type": "application/json"}

    answer = Ask("/login", "POST", headers, body=b"{}").sent_to(site.app)

    assert answer.status == 415


# What the log says


def test_the_log_says_who_came_from_where_and_who_did_not_get_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = Site()
    caplog.set_level(logging.INFO)

    site.post("/login", {"token": "canary-of-nobody-at-all"})
    site.sign_in(BOB_TOKEN, "203.0.113.7")

    told = [(one.levelname, one.msg) for one in caplog.records]
    assert told == [
        ("WARNING", {"event": "login.failed", "address": STRANGER}),
        ("INFO", {"event": "login.ok", "who": "bob", "address": "203.0.113.7"}),
    ]


def test_who_tries_too_often_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()

    for _ in range(3 * MOST_EACH):
        guess(site)

    assert len(caplog.records) == MOST_EACH


# Too often


def guess(site: Site, client: str = STRANGER, headers: Mapping[str, str] = OWN) -> int:
    return site.post("/login", {"token": "x"}, headers, client=client).status


def test_who_guesses_soon_waits_even_with_the_right_token() -> None:
    site = Site()

    first = [guess(site) for _ in range(MOST_EACH)]
    right = site.post("/login", {"token": ANN_TOKEN})

    assert first == [403] * MOST_EACH
    assert (right.status, right.headers["retry-after"]) == (429, "60")
    assert "set-cookie" not in right.headers
    site.sign_in(client="192.0.2.10")


def test_after_a_minute_they_may_try_again() -> None:
    site = Site()
    while guess(site) != 429:
        pass

    site.time.now += WINDOW_S

    assert guess(site) == 403
    site.sign_in()


def test_an_ipv6_network_is_one_who_guesses() -> None:
    site = Site()

    statuses = [guess(site, f"2001:db8::{number:x}") for number in range(MOST_EACH + 1)]

    assert statuses[-1] == 429
    assert guess(site, "2001:db8:0:1::1") == 403


def test_behind_a_proxy_each_client_is_its_own() -> None:
    site = Site(rules(proxy={"addresses": ["10.0.0.0/8"]}))

    def by_proxy(whom: str) -> int:
        return guess(site, PROXY_ADDRESS, OWN | {"X-Forwarded-For": whom})

    of_one = [by_proxy(f"{number}.9.9.9, 203.0.113.1") for number in range(MOST_EACH + 1)]

    assert of_one[-1] == 429
    assert by_proxy("203.0.113.2") == 403


def test_a_stranger_does_not_change_address_by_saying_so() -> None:
    site = Site(rules(proxy={"addresses": ["10.0.0.0/8"]}))

    statuses = [
        guess(site, headers=OWN | {"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(MOST_EACH + 1)
    ]

    assert statuses[-1] == 429


def test_many_together_guess_no_more_than_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digestbot.web.throttle.MOST_OVERALL", 100)
    site = Site()

    statuses = [guess(site, f"198.51.{number // 250}.{number % 250}") for number in range(300)]

    assert statuses.count(403) == 100


def test_who_is_signed_in_already_or_has_a_token_does_not_wait() -> None:
    site = Site()
    cookie = site.sign_in()
    while guess(site) != 429:
        pass

    by_token = site.access.visitor(Ask(headers=bearer(ANN_TOKEN)).request)

    assert site.role(cookie) is Role.OPERATOR
    assert by_token.can_act


# Signing out


def test_who_signs_out_is_nobody_and_the_cookie_is_worth_nothing() -> None:
    site = Site()
    cookie = site.sign_in(BOB_TOKEN)

    answer = site.post("/logout", {"csrf": site.csrf(cookie)}, OWN | {"Cookie": cookie})

    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert site.role(cookie) is Role.NOBODY


def test_nobody_is_signed_out_by_somebody_else() -> None:
    site = Site()
    cookie, other = site.sign_in(), site.sign_in(BOB_TOKEN)
    right = site.csrf(cookie)

    answers = [
        site.post("/logout", {}, OWN | {"Cookie": cookie}),
        site.post("/logout", {"csrf": ""}, OWN | {"Cookie": cookie}),
        site.post("/logout", {"csrf": site.csrf(other)}, OWN | {"Cookie": cookie}),
        site.post("/logout", {"csrf": right}, {"Cookie": cookie, "Origin": "https://evil"}),
        site.post("/logout", {"csrf": right}, {"Cookie": cookie}),
        site.post("/logout", {"csrf": right}, OWN),
        site.post("/logout", {"csrf": right}, OWN | bearer(ANN_TOKEN)),
    ]

    assert [answer.status for answer in answers] == [403] * 7
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert site.role(cookie) is Role.OPERATOR


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_signs_nobody_out(method: str) -> None:
    site = Site()
    cookie = site.sign_in()

    answer = Ask("/logout", method, {"Cookie": cookie}).sent_to(site.app)

    assert answer.status == 405
    assert site.role(cookie) is Role.OPERATOR


# Where to


@pytest.mark.parametrize(
    "text, path",
    [
        pytest.param("/", "/", id="overview"),
        pytest.param("/repos", "/repos", id="page"),
        pytest.param("/repos/", "/repos/", id="slash"),
        pytest.param("/repos/12?q=a%20b&page=2", "/repos/12?q=a%20b&page=2", id="question"),
        pytest.param("/images?q=https://x.io/a", "/images?q=https://x.io/a", id="url-asked-for"),
        pytest.param("/badges/repos/acme/app.svg", "/badges/repos/acme/app.svg", id="deep"),
        pytest.param("", "/", id="empty"),
        pytest.param("repos", "/", id="relative"),
        pytest.param("//evil.example", "/", id="host"),
        pytest.param("///evil.example", "/", id="three-slashes"),
        pytest.param("/\\evil.example", "/", id="backslash"),
        pytest.param("\\\\evil.example", "/", id="backslashes"),
        pytest.param("/repos\\..\\..", "/", id="backslash-within"),
        pytest.param("/..//evil.example", "/", id="up-and-host"),
        pytest.param("https://evil.example/", "/", id="url"),
        pytest.param("https:evil.example", "/", id="scheme"),
        pytest.param("javascript:alert(1)", "/", id="script"),
        pytest.param("data:text/html,x", "/", id="data"),
        pytest.param("/\t/evil.example", "/", id="tab"),
        pytest.param("/\n/evil.example", "/", id="line-break"),
        pytest.param("/repos\r\nSet-Cookie: a=b", "/", id="header"),
        pytest.param("/repos\x00", "/", id="null-byte"),
        pytest.param(" //evil.example", "/", id="space"),
        pytest.param("/ /evil.example", "/", id="space-within"),
        pytest.param("/repos#x", "/", id="fragment"),
        pytest.param("/ü", "/", id="not-ascii"),
        pytest.param("/\u2215/evil.example", "/", id="like-a-slash"),
        pytest.param("/@evil.example", "/@evil.example", id="at"),
        pytest.param("/%2f%2fevil.example", "/%2f%2fevil.example", id="escaped-slashes"),
        pytest.param("/login?next=/repos", "/", id="circle"),
        pytest.param("/logout", "/", id="out-again"),
        pytest.param("/logout/", "/", id="out-again-slash"),
        pytest.param("/" + "a" * LONGEST_NEXT, "/", id="long"),
        pytest.param("/a" * 100_000, "/", id="huge"),
    ],
)
def test_somebody_is_led_nowhere_but_here(text: str, path: str) -> None:
    assert local_path(text) == path


PIECES = st.lists(
    st.sampled_from(["/", "\\", ".", "..", ":", "@", "?", "#", "%2f", "%5c", "\t", "\n", " ", "//"])
    | st.sampled_from(["evil.example", "http:", "https://", "javascript:", "login", "\u3002", "a"])
    | st.characters(),
    max_size=12,
).map("".join)


@given(st.text() | PIECES | PIECES.map("/{}".format))
@example("/..//evil.example")
@example("/.//evil.example")
def test_wherever_somebody_is_led_it_is_on_this_host(text: str) -> None:
    path = local_path(text)

    led = urlsplit(urljoin("https://dash.corp/login", path))
    # As browsers do: they take a backslash for a slash, and leave tabs and line breaks out.
    browsers = re.sub(r"[\t\r\n]", "", path.strip()).replace("\\", "/")
    assert (led.scheme, led.netloc) == ("https", "dash.corp")
    assert browsers == path
    assert path.startswith("/")
    assert not path.startswith("//")
    assert path.isascii()
    assert urlsplit(path).path.rstrip("/") not in PATHS


@given(PIECES)
def test_the_redirect_is_what_was_checked(text: str) -> None:
    answer = Site().post("/login", {"token": ANN_TOKEN, "next": text})

    assert answer.headers["location"] == local_path(text)


@pytest.mark.parametrize(
    "path, method, address",
    [
        pytest.param("/", "GET", "/login", id="overview"),
        pytest.param("/repos", "GET", "/login?next=/repos", id="page"),
        pytest.param(
            "/repos?q=a&page=2", "GET", "/login?next=/repos%3Fq%3Da%26page%3D2", id="asked"
        ),
        pytest.param("/repos/%C3%BC", "GET", "/login?next=/repos/%25C3%25BC", id="escaped"),
        pytest.param("//evil.example", "GET", "/login", id="host"),
        pytest.param("/actions/scan", "POST", "/login", id="action"),
    ],
)
def test_who_must_sign_in_first_is_led_back(path: str, method: str, address: str) -> None:
    request = Ask(path, method).request

    found = login_address(request)

    assert found == address
    back = unquote(found.partition("?next=")[2])
    assert back in {"", path}

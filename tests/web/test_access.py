from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from digestbot.web.access import (
    LOCAL,
    LONGEST_NAME,
    NOBODY,
    WRONG_TOKEN,
    Access,
    Role,
    Visitor,
)
from digestbot.web.origin import SAFE
from tests.web.visits import (
    ANN_TOKEN,
    BOB_TOKEN,
    HOST,
    OWN,
    PROXY,
    PROXY_ADDRESS,
    STRANGER,
    Ask,
    Time,
    bearer,
    rules,
)

LOOPBACK = "127.0.0.1"


def cookie_for(access: Access, token: str, ask: Ask | None = None) -> dict[str, str]:
    """What the browser of somebody sends who has signed in."""
    response = Response()
    assert access.sign_in((ask or Ask()).request, response, token)
    return {"Cookie": response.headers["set-cookie"].partition(";")[0]}


def seen(access: Access, ask: Ask) -> tuple[str, Role, str]:
    visitor = access.visitor(ask.request)
    return visitor.name, visitor.role, visitor.how


def test_roles_are_ordered_and_only_operators_act() -> None:
    assert Role.NOBODY < Role.READER < Role.OPERATOR
    assert [Visitor("x", role, "token").can_act for role in Role] == [False, False, True]


# Tokens


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    "token, expected",
    [(ANN_TOKEN, ("ann", Role.OPERATOR, "token")), (BOB_TOKEN, ("bob", Role.READER, "token"))],
)
def test_a_token_says_who_asks_whatever_is_asked(
    method: str, token: str, expected: tuple[str, Role, str]
) -> None:
    assert seen(rules(), Ask(method=method, headers=bearer(token))) == expected


@pytest.mark.parametrize(
    "value, expected",
    [
        pytest.param("", NOBODY, id="empty"),
        pytest.param("Bearer", WRONG_TOKEN, id="no-token"),
        pytest.param("Bearer ", WRONG_TOKEN, id="empty-token"),
        pytest.param("Bearer ann", WRONG_TOKEN, id="name"),
        pytest.param(f"Bearer {ANN_TOKEN}x", WRONG_TOKEN, id="wrong"),
        pytest.param(f"Bearer {ANN_TOKEN} {BOB_TOKEN}", WRONG_TOKEN, id="two"),
        pytest.param(f"Bearer {ANN_TOKEN}, Bearer {ANN_TOKEN}", WRONG_TOKEN, id="list"),
        pytest.param(f"Bearer:{ANN_TOKEN}", NOBODY, id="colon"),
        pytest.param(f"Bearer\t{ANN_TOKEN}", NOBODY, id="tab"),
        pytest.param(f"{ANN_TOKEN}", NOBODY, id="no-scheme"),
        pytest.param(f"Token {ANN_TOKEN}", NOBODY, id="other-scheme"),
        pytest.param("Basic YW5uOmFubg==", NOBODY, id="basic"),
        pytest.param(f"Basic {ANN_TOKEN}", NOBODY, id="basic-token"),
        pytest.param("Bearer \xff\xfe", WRONG_TOKEN, id="not-ascii"),
        pytest.param("Bearer " + "x" * 60_000, WRONG_TOKEN, id="huge"),
    ],
)
def test_what_is_no_token_says_nobody(value: str, expected: Visitor) -> None:
    assert rules().visitor(Ask(headers={"Authorization": value}).request) is expected
    assert expected.role is Role.NOBODY


def test_the_scheme_may_be_written_in_any_case() -> None:
    ask = Ask(headers={"Authorization": f"bEARER  {ANN_TOKEN}"})

    assert seen(rules(), ask)[0] == "ann"


def test_two_tokens_are_none() -> None:
    ask = Ask(headers=bearer(ANN_TOKEN), more=(("Authorization", f"Bearer {ANN_TOKEN}"),))

    assert rules().visitor(ask.request) is WRONG_TOKEN


@pytest.mark.parametrize(
    "first, second",
    [("Basic YQ==", f"Bearer {ANN_TOKEN}"), (f"Bearer {ANN_TOKEN}", "Basic YQ==")],
    ids=["after", "before"],
)
def test_a_token_beside_another_word_is_none(first: str, second: str) -> None:
    more = (("Authorization", first), ("Authorization", second))

    assert rules().visitor(Ask(more=more).request) is WRONG_TOKEN


# Two ways at once


def test_a_wrong_token_falls_back_on_nothing() -> None:
    access = rules(proxy=PROXY)
    headers = cookie_for(access, ANN_TOKEN) | bearer("wrong") | {"X-Forwarded-User": "ann"}

    assert access.visitor(Ask(headers=headers, client=PROXY_ADDRESS).request) is WRONG_TOKEN


def test_a_token_decides_before_proxy_and_session() -> None:
    access = rules(proxy=PROXY)
    headers = cookie_for(access, ANN_TOKEN) | bearer(BOB_TOKEN) | {"X-Forwarded-User": "ann"}

    found = seen(access, Ask(headers=headers, client=PROXY_ADDRESS))

    assert found == ("bob", Role.READER, "token")


def test_a_proxy_decides_before_a_session() -> None:
    access = rules(proxy=PROXY)
    headers = cookie_for(access, ANN_TOKEN) | {"X-Forwarded-User": "bob"}

    found = seen(access, Ask(headers=headers, client=PROXY_ADDRESS))

    assert found == ("bob", Role.READER, "proxy")


@pytest.mark.parametrize("name", ["eve", "", "(null)", "\x01"])
def test_whom_a_proxy_does_not_vouch_for_falls_back_on_no_session(name: str) -> None:
    access = rules(proxy=PROXY)
    headers = cookie_for(access, ANN_TOKEN) | {"X-Forwarded-User": name}

    assert seen(access, Ask(headers=headers, client=PROXY_ADDRESS))[1] is Role.NOBODY


def test_a_password_for_the_proxy_is_left_alone() -> None:
    access = rules(proxy=PROXY)
    basic = {"Authorization": "Basic YW5uOmFubg=="}

    by_session = seen(access, Ask(headers=cookie_for(access, BOB_TOKEN) | basic))
    by_proxy = Ask(headers={"X-Forwarded-User": "ann"} | basic, client=PROXY_ADDRESS)

    assert by_session == ("bob", Role.READER, "session")
    assert seen(access, by_proxy) == ("ann", Role.OPERATOR, "proxy")


# Proxies


@pytest.mark.parametrize(
    "name, role",
    [
        pytest.param("ann", Role.OPERATOR, id="operator"),
        pytest.param("bot@corp", Role.OPERATOR, id="address"),
        pytest.param("bob", Role.READER, id="reader"),
        pytest.param("eve", Role.NOBODY, id="unknown"),
        pytest.param("Ann", Role.NOBODY, id="capital"),
        pytest.param("ann ", Role.NOBODY, id="space"),
        pytest.param("ann,bob", Role.NOBODY, id="two-in-one"),
        pytest.param("*", Role.NOBODY, id="star"),
    ],
)
def test_a_proxy_says_who_asks_by_exact_name(name: str, role: Role) -> None:
    ask = Ask(headers={"X-Forwarded-User": name}, client=PROXY_ADDRESS)

    assert seen(rules(proxy=PROXY), ask) == (name, role, "proxy")


def test_a_name_is_read_as_utf_8() -> None:
    name = "zoë".encode().decode("latin-1")
    ask = Ask(headers={"X-Forwarded-User": name}, client=PROXY_ADDRESS)

    assert seen(rules(proxy=PROXY), ask) == ("zoë", Role.OPERATOR, "proxy")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("-", id="dash"),
        pytest.param("(null)", id="null"),
        pytest.param("x" * (LONGEST_NAME + 1), id="long"),
        pytest.param("x" * 60_000, id="huge"),
        pytest.param("ann\x00", id="null-byte"),
        pytest.param("ann\tbob", id="tab"),
        pytest.param("zo\xeb", id="not-utf-8"),
        pytest.param("ann\u202e".encode().decode("latin-1"), id="turns-the-text"),
    ],
)
def test_what_is_no_name_is_nobody_even_where_anybody_may(name: str) -> None:
    access = rules(proxy={**PROXY, "operators": ["*"]})
    ask = Ask(headers={"X-Forwarded-User": name}, client=PROXY_ADDRESS)

    assert access.visitor(ask.request) is NOBODY


@pytest.mark.parametrize("second", ["ann", "bob", ""])
def test_a_header_that_is_there_twice_is_nobodys(second: str) -> None:
    more = (("X-Forwarded-User", "ann"), ("x-forwarded-user", second))

    assert rules(proxy=PROXY).visitor(Ask(more=more, client=PROXY_ADDRESS).request) is NOBODY


@pytest.mark.parametrize("client", [STRANGER, "127.0.0.1", "::1", "", None, "10.0.0.7x"])
def test_nobody_else_is_believed_to_be_the_proxy(client: str | None) -> None:
    headers = {"X-Forwarded-User": "ann", "X-Forwarded-For": PROXY_ADDRESS}

    assert rules(proxy=PROXY).visitor(Ask(headers=headers, client=client).request) is NOBODY


def test_from_elsewhere_the_header_neither_helps_nor_hurts() -> None:
    access = rules(proxy=PROXY)
    headers = cookie_for(access, BOB_TOKEN) | {"X-Forwarded-User": "ann"}

    assert seen(access, Ask(headers=headers)) == ("bob", Role.READER, "session")


@pytest.mark.parametrize("header", ["X_Forwarded_User", "Remote-User", "X-Forwarded-Users"])
def test_no_other_header_names_anybody(header: str) -> None:
    ask = Ask(headers={header: "ann"}, client=PROXY_ADDRESS)

    assert rules(proxy=PROXY).visitor(ask.request) is NOBODY


def test_a_star_is_whoever_the_proxy_names() -> None:
    access = rules(proxy={**PROXY, "operators": ["ann"], "readers": ["*"]})

    roles = [
        seen(access, Ask(headers={"X-Forwarded-User": name}, client=PROXY_ADDRESS))[1]
        for name in ("ann", "eve")
    ]

    assert roles == [Role.OPERATOR, Role.READER]


def test_a_proxy_without_a_header_names_nobody() -> None:
    access = rules(proxy={"addresses": ["10.0.0.0/8"]})
    ask = Ask(headers={"X-Forwarded-User": "ann"}, client=PROXY_ADDRESS)

    assert access.visitor(ask.request) is NOBODY


# Sessions


@pytest.mark.parametrize(
    "token, expected",
    [(ANN_TOKEN, ("ann", Role.OPERATOR, "session")), (BOB_TOKEN, ("bob", Role.READER, "session"))],
)
def test_who_has_signed_in_is_known_by_the_cookie(
    token: str, expected: tuple[str, Role, str]
) -> None:
    access = rules()

    assert seen(access, Ask(headers=cookie_for(access, token))) == expected


def test_nobody_signs_in_with_what_is_no_token() -> None:
    response = Response()

    assert not rules().sign_in(Ask().request, response, "ann")
    assert "set-cookie" not in response.headers


def test_a_session_of_https_is_none_of_http_and_the_other_way_round() -> None:
    access = rules()
    safe = cookie_for(access, ANN_TOKEN, Ask(scheme="https"))
    plain = cookie_for(access, ANN_TOKEN)

    assert seen(access, Ask(headers=safe, scheme="https"))[0] == "ann"
    assert access.visitor(Ask(headers=safe).request) is NOBODY
    assert access.visitor(Ask(headers=plain, scheme="https").request) is NOBODY


def test_the_proxy_is_believed_that_it_was_asked_by_https() -> None:
    access = rules(proxy={"addresses": ["10.0.0.0/8"]})
    told = {"X-Forwarded-Proto": "https"}

    by_proxy = cookie_for(access, ANN_TOKEN, Ask(headers=told, client=PROXY_ADDRESS))
    by_stranger = cookie_for(access, ANN_TOKEN, Ask(headers=told))

    assert by_proxy["Cookie"].startswith("__Host-digestbot=")
    assert by_stranger["Cookie"].startswith("digestbot=")


def test_a_session_has_the_role_that_its_user_has_now() -> None:
    cookie = cookie_for(rules(), ANN_TOKEN)

    later = rules(users=[{"name": "ann", "token_env": "ANN"}])

    assert seen(later, Ask(headers=cookie)) == ("ann", Role.READER, "session")


def test_who_signed_out_is_nobody_even_with_the_old_cookie() -> None:
    access = rules()
    ask = Ask(headers=cookie_for(access, ANN_TOKEN))
    response = Response()

    access.sign_out(ask.request, response, access.visitor(ask.request))

    assert access.visitor(ask.request) is NOBODY
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_a_session_is_over_in_its_time() -> None:
    time = Time()
    access = rules(time=time, session="1h")
    ask = Ask(headers=cookie_for(access, ANN_TOKEN))

    time.now += 3601

    assert access.visitor(ask.request) is NOBODY


# What changes something


UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "get", "X"]


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="foreign"),
        pytest.param({"Origin": "null"}, id="sandboxed"),
        pytest.param({"Origin": f"http://{HOST}.evil.example"}, id="begins-alike"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="sibling"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="typed"),
        pytest.param({}, id="does-not-say"),
    ],
)
def test_nobody_else_has_a_browser_change_something(method: str, headers: dict[str, str]) -> None:
    access = rules(proxy=PROXY)
    by_session = Ask(method=method, headers=cookie_for(access, ANN_TOKEN) | headers)
    named = {"X-Forwarded-User": "ann"}
    by_proxy = Ask(method=method, headers=named | headers, client=PROXY_ADDRESS)

    assert access.visitor(by_session.request) is NOBODY
    assert access.visitor(by_proxy.request) is NOBODY


@pytest.mark.parametrize("headers", [OWN, {"Sec-Fetch-Site": "same-origin"}])
def test_its_own_pages_have_a_browser_change_something(headers: dict[str, str]) -> None:
    access = rules(proxy=PROXY)
    by_session = Ask(method="POST", headers=cookie_for(access, ANN_TOKEN) | headers)
    named = {"X-Forwarded-User": "ann"}
    by_proxy = Ask(method="POST", headers=named | headers, client=PROXY_ADDRESS)

    assert seen(access, by_session) == ("ann", Role.OPERATOR, "session")
    assert seen(access, by_proxy) == ("ann", Role.OPERATOR, "proxy")


@pytest.mark.parametrize("method", sorted(SAFE))
def test_links_from_elsewhere_lead_to_pages(method: str) -> None:
    access = rules()
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://chat.example"}
    ask = Ask(method=method, headers=cookie_for(access, BOB_TOKEN) | elsewhere)

    assert seen(access, ask)[1] is Role.READER


# Forms


def signed_in(access: Access, token: str = ANN_TOKEN) -> Visitor:
    return access.visitor(Ask(headers=cookie_for(access, token)).request)


def proxied(access: Access, name: str = "ann") -> Visitor:
    headers = {"X-Forwarded-User": name}
    return access.visitor(Ask(headers=headers, client=PROXY_ADDRESS).request)


def test_a_form_is_that_of_its_visitor_alone() -> None:
    access = rules(proxy=PROXY)
    visitors = [
        signed_in(access),
        signed_in(access),
        signed_in(access, BOB_TOKEN),
        proxied(access),
        proxied(access, "bob"),
        LOCAL,
        NOBODY,
    ]

    fits = [
        (form, visitor)
        for form, whose in enumerate(visitors)
        for visitor, who in enumerate(visitors)
        if access.check_csrf(who, access.csrf(whose))
    ]

    assert fits == [(number, number) for number in range(len(visitors))]


@pytest.mark.parametrize("text", ["", "x", "ä", "\ud800", "0" * 64, "x" * 100_000])
def test_what_is_no_form_of_theirs_is_told(text: str) -> None:
    access = rules(proxy=PROXY)

    assert not access.check_csrf(signed_in(access), text)
    assert not access.check_csrf(proxied(access), text)
    assert not access.check_csrf(NOBODY, text)


def test_a_program_with_a_token_needs_no_form() -> None:
    access = rules()
    visitor = access.visitor(Ask(method="POST", headers=bearer(ANN_TOKEN)).request)

    assert access.check_csrf(visitor, "")


def test_the_forms_of_a_session_outlive_a_restart_and_those_of_a_proxy_do_not() -> None:
    before, after = rules(proxy=PROXY), rules(proxy=PROXY)
    visitor = signed_in(before)

    assert after.check_csrf(visitor, before.csrf(visitor))
    assert not after.check_csrf(proxied(after), before.csrf(proxied(before)))


def test_a_form_says_no_secret() -> None:
    access = rules()
    visitor = signed_in(access)

    assert ANN_TOKEN not in access.csrf(visitor)
    assert visitor.session not in access.csrf(visitor)
    assert visitor.session not in repr(visitor)


# On this machine


def test_without_anything_configured_this_very_machine_may_look() -> None:
    access = rules(users=(), host=LOOPBACK)

    visitor = access.visitor(Ask(host="localhost:8080", client=LOOPBACK).request)

    assert visitor is LOCAL
    assert (visitor.role, visitor.can_act) == (Role.READER, False)


@pytest.mark.parametrize("method", UNSAFE)
def test_there_nobody_changes_anything(method: str) -> None:
    access = rules(users=(), host=LOOPBACK)
    headers = {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}
    ask = Ask(method=method, headers=headers, host="localhost:8080", client=LOOPBACK)

    assert not access.visitor(ask.request).can_act


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(Ask(host="evil.example"), id="rebound"),
        pytest.param(Ask(host="localhost.evil.example"), id="begins-alike"),
        pytest.param(Ask(host=""), id="no-host"),
        pytest.param(Ask(host="localhost", headers={"X-Forwarded-For": "1.1.1.1"}), id="passed-on"),
    ],
)
def test_who_comes_from_elsewhere_is_nobody_there(ask: Ask) -> None:
    assert rules(users=(), host=LOOPBACK).visitor(ask.request) is NOBODY


def test_who_sends_a_token_where_nobody_has_one_is_nobody_even_there() -> None:
    ask = Ask(host="localhost", headers=bearer("wrong"))

    assert rules(users=(), host=LOOPBACK).visitor(ask.request) is WRONG_TOKEN


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "dash.corp", ""])
def test_what_is_reached_from_elsewhere_lets_nobody_in_by_default(host: str) -> None:
    ask = Ask(host="localhost:8080", client=LOOPBACK)

    assert rules(users=(), host=host).visitor(ask.request) is NOBODY


def test_once_anybody_is_configured_this_machine_is_nothing_special() -> None:
    ask = Ask(host="localhost:8080", client=LOOPBACK)

    assert rules(host=LOOPBACK).visitor(ask.request) is NOBODY
    assert rules(users=(), proxy=PROXY, host=LOOPBACK).visitor(ask.request) is NOBODY


# What is said


@pytest.mark.parametrize(
    "access, has_login, words",
    [
        pytest.param(rules(), True, "/login", id="users"),
        pytest.param(rules(proxy=PROXY), True, "/login", id="both"),
        pytest.param(rules(users=(), proxy=PROXY), False, "reverse proxy", id="proxy"),
        pytest.param(rules(users=(), host="::1"), False, "http://localhost", id="local"),
        pytest.param(rules(users=()), False, "dashboard.users", id="nothing"),
    ],
)
def test_who_is_not_let_in_is_told_what_to_do(access: Access, has_login: bool, words: str) -> None:
    assert access.has_login is has_login
    assert words in access.hint


HEADERS = st.sampled_from(
    ["Authorization", "Cookie", "X-Forwarded-User", "Origin", "Sec-Fetch-Site", "X-Forwarded-Proto"]
)
LATIN = st.text(st.characters(max_codepoint=255), max_size=80)
SHAPES = LATIN | LATIN.map("Bearer {}".format) | LATIN.map("digestbot=ann.{}".format)


@given(
    st.lists(st.tuples(HEADERS, SHAPES), max_size=6),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from([STRANGER, PROXY_ADDRESS, LOOPBACK]),
    LATIN,
)
def test_whatever_a_stranger_sends_lets_them_in_nowhere(
    headers: list[tuple[str, str]], method: str, client: str, host: str
) -> None:
    # Who sends a name that is listed by way of the proxy is no stranger.
    access = rules(proxy={**PROXY, "operators": [ANN_TOKEN], "readers": []})
    ask = Ask(method=method, more=tuple(headers), client=client, host=host)

    assert access.visitor(ask.request).role is Role.NOBODY

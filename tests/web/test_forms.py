from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from digestbot.web.forms import MOST_BYTES, MOST_FIELDS, read_form
from tests.web.visits import Answer, Ask

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the fields, or with why there are none."""
    try:
        answer = JSONResponse(await read_form(Request(scope, receive)))
    except HTTPException as error:
        answer = JSONResponse(error.detail, error.status_code)
    await answer(scope, receive, send)


def sent(body: bytes, headers: dict[str, str] | None = None) -> Answer:
    ask = Ask(method="POST", headers=FORM if headers is None else headers, body=body)
    return ask.sent_to(echo)


@pytest.mark.parametrize(
    "body, fields",
    [
        pytest.param(b"", b"{}", id="empty"),
        pytest.param(b"a=1&b=2", b'{"a":"1","b":"2"}', id="two"),
        pytest.param(b"a=", b'{"a":""}', id="left-empty"),
        pytest.param(b"a=1+2%263", b'{"a":"1 2&3"}', id="escaped"),
        pytest.param(b"a=%C3%AB", '{"a":"ë"}'.encode(), id="utf-8"),
    ],
)
def test_the_fields_of_a_form_are_read(body: bytes, fields: bytes) -> None:
    answer = sent(body)

    assert (answer.status, answer.body) == (200, fields)


@pytest.mark.parametrize(
    "body, status, words",
    [
        pytest.param(b"a=1&a=2", 400, b"twice", id="twice"),
        pytest.param(b"a=\xff", 400, b"cannot be read", id="not-ascii"),
        pytest.param(b"a=%FF", 400, b"cannot be read", id="not-utf-8"),
        pytest.param(b"&".join([b"a=1"] * (MOST_FIELDS + 1)), 400, b"cannot be read", id="many"),
        pytest.param(b"&" * MOST_BYTES, 400, b"cannot be read", id="many-empty"),
        pytest.param(b"x" * (MOST_BYTES + 1), 413, b"too large", id="large"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, status: int, words: bytes) -> None:
    answer = sent(body)

    assert answer.status == status
    assert words in answer.body


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/json", "multipart/form-data; boundary=x", "x" * 60_000],
)
def test_what_is_sent_as_something_else_is_refused(kind: str) -> None:
    assert sent(b"a=1", {"Content-Type": kind}).status == 415
    assert sent(b"a=1", {}).status == 415
    assert sent(b"", {"Content-Type": kind}).status == 415


def test_who_sends_nothing_need_not_say_what_it_is() -> None:
    answer = sent(b"", {})

    assert (answer.status, answer.body) == (200, b"{}")


def test_the_type_may_have_parameters() -> None:
    kind = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}

    assert sent(b"a=1", kind).body == b'{"a":"1"}'


def test_a_form_in_pieces_is_counted_as_a_whole() -> None:
    ask = Ask(method="POST", headers=FORM)

    assert ask.sent_to(echo, [b"x" * MOST_BYTES, b"x", b"never read"]).status == 413


def test_a_form_that_ends_too_soon_is_none() -> None:
    answer = Ask(method="POST", headers=FORM).sent_to(echo, [b"a=1"])

    assert (answer.status, answer.body) == (400, b'"the form ended too soon"')


def test_a_form_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digestbot.web.forms.LONGEST_S", 0.01)

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def read() -> None:
        await read_form(Request(Ask(method="POST", headers=FORM).scope, never))

    with pytest.raises(HTTPException, match="too long"):
        asyncio.run(read())


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    assert sent(body).status in {200, 400}

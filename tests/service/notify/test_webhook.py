from __future__ import annotations

import json
from datetime import timedelta, timezone

import jsonschema
import pytest

from digestbot import __version__
from digestbot.secret import Secret
from digestbot.service.notify.contract import notice_schema
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.message import Turn
from digestbot.service.notify.webhook import MOST, WebhookNotifier
from tests.service.notify.builders import HOSTILE, NOW, make_message, make_news
from tests.service.notify.receiver import Received, receiving


def sent(*news: object, **changes: object) -> Received:
    with receiving() as receiver:
        message = make_message(*news, **changes)  # type: ignore[arg-type] # by name
        WebhookNotifier("hook", Secret(receiver.url), Secret("canary")).send(message)
    (received,) = receiver.received
    jsonschema.validate(received.json, notice_schema())
    return received


def test_a_notice_is_what_the_contract_says() -> None:
    received = sent(make_news())

    assert received.json == {
        "schema": "digestbot/notice/v1",
        "version": __version__,
        "at": "2026-11-21T09:30:00Z",
        "test": False,
        "notifier": "hook",
        "run": "a1b2c3",
        "title": "digestbot: 1 new",
        "items": [
            {
                "turn": "new",
                "event": "lookups",
                "subject": "registry:ghcr.io",
                "state": "rate-limited",
                "message": "ghcr.io answers 429 (and 3 more)",
                "hint": "wait",
                "since": "2026-11-21T09:30:00Z",
                "link": None,
            }
        ],
        "left_out": 0,
    }


def test_an_item_names_its_page() -> None:
    link = "https://dash.corp/rollouts/3f2a9c"

    (item,) = sent(make_news(link=link)).json["items"]

    assert item["link"] == link


def test_the_token_goes_into_the_header_and_nowhere_else() -> None:
    received = sent()

    assert received.headers.pop("Authorization") == "Bearer canary"
    assert b"canary" not in received.body
    assert "canary" not in json.dumps(
        {key: value for key, value in received.headers.items() if key != "Host"}
    )


def test_without_a_token_there_is_no_header() -> None:
    with receiving() as receiver:
        WebhookNotifier("hook", Secret(receiver.url)).send(make_message())

    assert "Authorization" not in receiver.received[0].headers


def test_times_are_said_in_utc() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))

    received = sent(make_news(since=here), at=here)

    assert received.json["at"] == received.json["items"][0]["since"] == "2026-11-21T09:30:00Z"


def test_a_test_notice_is_marked_and_empty() -> None:
    received = sent(news=(), run="", is_test=True)

    assert received.json["test"] is True
    assert received.json["items"] == []
    assert received.json["run"] is None


def test_hostile_texts_are_carried_as_they_are_in_ascii() -> None:
    received = sent(make_news(message=f"{HOSTILE}\u202e\udcff\x7f"))

    assert received.body.isascii()
    assert b"\x7f" not in received.body
    assert received.json["items"][0]["message"] == f"{HOSTILE}\u202e\\udcff\x7f"


def test_a_notice_is_bounded_and_says_what_it_left_out() -> None:
    received = sent(*(make_news(subject=f"repo:acme/r{n}") for n in range(MOST + 7)))

    assert len(received.json["items"]) == MOST
    assert received.json["left_out"] == 7


def test_every_turn_fits_the_contract() -> None:
    received = sent(*(make_news(turn, since=None) for turn in Turn))

    assert [one["turn"] for one in received.json["items"]] == [turn.value for turn in Turn]


@pytest.mark.parametrize("behaviour", [302, 400, 401, 403, 404, 410, 413, 429, 500, "close"])
def test_what_is_not_taken_is_said_without_address_or_token(behaviour: int | str) -> None:
    with receiving(behaviour, b"canary canary") as receiver, pytest.raises(NotifyError) as caught:
        WebhookNotifier("hook", Secret(receiver.url), Secret("canary")).send(make_message())

    shown = f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert shown.startswith("hook ")
    assert "canary" not in shown
    assert "127.0.0.1" not in shown
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_notifier_shows_neither_address_nor_token() -> None:
    notifier = WebhookNotifier("hook", Secret("https://h/canary"), Secret("canary"))

    assert "canary" not in repr(notifier)

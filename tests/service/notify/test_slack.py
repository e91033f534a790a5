from __future__ import annotations

import json
import re

import pytest

from digestbot.secret import Secret
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.message import Turn
from digestbot.service.notify.slack import SlackNotifier, payload_of
from digestbot.service.notify.text import SHOWN
from tests.service.notify.builders import HOSTILE, make_message, make_news
from tests.service.notify.receiver import receiving

# What Slack takes, by docs.slack.dev/reference/block-kit.
MOST_BLOCKS, SECTION_LIMIT, HEADER_LIMIT = 50, 3000, 150


def test_a_message_is_a_header_and_a_section_for_each_piece_of_news() -> None:
    resolved = make_news(Turn.RESOLVED, "repo:acme/app", event="repos", message="is well again")

    payload = payload_of(make_message(make_news(), resolved))

    header, first, second = payload["blocks"]
    assert payload["text"] == header["text"]["text"] == "digestbot: 1 new, 1 resolved"
    assert first["text"]["text"].splitlines() == [
        "▲ new · lookups · registry:ghcr.io",
        "ghcr.io answers 429 (and 3 more)",
        "hint: wait",
    ]
    assert second["text"]["text"].splitlines() == [
        "✓ resolved · repos · repo:acme/app",
        "is well again",
    ]


def test_news_link_to_their_page() -> None:
    news = make_news(link="https://dash.corp/repos?q=acme%2Fapp&a=b")

    section = payload_of(make_message(news))["blocks"][1]["text"]["text"]

    last = section.splitlines()[-1]
    assert last == "<https://dash.corp/repos?q=acme%2Fapp&amp;a=b|See the dashboard>"


@pytest.mark.parametrize("field", ["subject", "message", "hint"])
def test_hostile_texts_neither_ping_nor_link(field: str) -> None:
    payload = payload_of(make_message(make_news(**{field: HOSTILE})))

    section = payload["blocks"][1]["text"]
    assert section["verbatim"] is True
    assert re.search(r"[<>]", section["text"]) is None
    assert "&lt;" in section["text"]
    assert re.search(r"@(here|channel|everyone)|://|\]\(|[*`~]\w", section["text"]) is None
    assert "evil" not in payload["text"]
    assert payload["unfurl_links"] is payload["unfurl_media"] is False


@pytest.mark.parametrize("character", ["<", "&", "@", "\x1b", "\U000e0001", "字"])
def test_a_message_always_fits_what_slack_takes(character: str) -> None:
    long = character * 5000
    link = f"https://dash.corp/repos?q={'%26' * 200}"
    news = [make_news(subject=long, message=long, hint=long, link=link) for _ in range(500)]

    payload = payload_of(make_message(*news))

    blocks = payload["blocks"]
    assert len(blocks) <= MOST_BLOCKS
    assert len(blocks[0]["text"]["text"]) <= HEADER_LIMIT
    assert all(len(block["text"]["text"]) <= SECTION_LIMIT for block in blocks[1:])
    assert blocks[-1]["text"]["text"].startswith(f"and {500 - SHOWN} more")


def test_a_test_message_says_that_it_is_one() -> None:
    payload = payload_of(make_message(is_test=True))

    assert payload["text"] == "digestbot: a test message"
    assert "Nothing happened" in payload["blocks"][1]["text"]["text"]


def test_it_is_posted_to_the_address() -> None:
    with receiving() as receiver:
        SlackNotifier("ops", Secret(receiver.url)).send(make_message())

    assert receiver.received[0].json == json.loads(json.dumps(payload_of(make_message())))


@pytest.mark.parametrize(
    "status, body, words",
    [
        (302, b"", "ops redirects, which is not followed (302)"),
        (400, b"invalid_payload", "ops does not take the message (400): invalid_payload"),
        (404, b"no_service", "ops knows no such address (404): no_service"),
        (410, b"channel_is_archived\n", "ops is gone (410): channel_is_archived"),
        (429, b"<b>slow down</b>", "ops has had enough messages for now (429)"),
        (500, b"\xff\x1b[2J", "ops does not take the message (500)"),
    ],
)
def test_what_slack_refuses_is_said_without_the_address(
    status: int, body: bytes, words: str
) -> None:
    with receiving(status, body) as receiver, pytest.raises(NotifyError) as caught:
        SlackNotifier("ops", Secret(receiver.url)).send(make_message())

    assert str(caught.value) == words


def test_an_answer_that_repeats_the_address_is_not_repeated() -> None:
    with receiving(400, b"canary_secret") as receiver, pytest.raises(NotifyError) as caught:
        SlackNotifier("ops", Secret(f"{receiver.url}/canary_secret")).send(make_message())

    assert "canary" not in str(caught.value)

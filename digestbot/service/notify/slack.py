"""Slack, by an incoming webhook: Block Kit, with every text of others escaped.

In mrkdwn only `&`, `<` and `>` are control characters; mentions and links are written between
the latter two. `verbatim` keeps Slack from making links and mentions of anything else.
Source: docs.slack.dev, "Formatting message text" and "Text object".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from digestbot.secret import Secret
from digestbot.service.notify.answers import check
from digestbot.service.notify.message import Message, News, Turn
from digestbot.service.notify.posting import Answer, post
from digestbot.service.notify.text import (
    HINT_LIMIT,
    MARKS,
    MESSAGE_LIMIT,
    TEST_TEXT,
    headline,
    more,
    shown,
    tame,
)

MOST_TEXT = 3000
"""Characters in a section (Slack's reference of Block Kit)."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What would be bold, struck out or code.
_MARKUP = re.compile(r"[*~`]", re.ASCII)
# How Slack says what is wrong: `invalid_payload`, `no_service`, `channel_is_archived`.
_REASON = re.compile(rb"[a-z]{2,20}(?:_[a-z]{1,20}){1,5}")


@dataclass(frozen=True, slots=True)
class SlackNotifier:
    """Posts to a channel."""

    name: str
    address: Secret

    def send(self, message: Message, /) -> None:
        """Post the message.

        Raises:
            NotifyError: Slack did not take it.
        """
        address = self.address.reveal()
        answer = post(address, json.dumps(payload_of(message)).encode(), {})
        reason = _reason(answer)
        check(answer, self.name, "" if reason in address else reason)


def payload_of(message: Message) -> dict[str, Any]:
    """What the webhook is sent; its `text`, which notifications show, is all our own words."""
    return {
        "text": message.title,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": list(_blocks(message)),
    }


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    yield {"type": "header", "text": {"type": "plain_text", "text": message.title}}
    if message.is_test:
        yield _section(TEST_TEXT)
    for one in shown(message):
        yield _section(_news(one))
    if more(message):
        yield _section(more(message))


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _news(one: News) -> str:
    lines = [
        f"{MARKS[one.turn]} {_escape(headline(one))}",
        _escape(tame(one.message, MESSAGE_LIMIT)),
    ]
    if one.hint and one.turn is not Turn.RESOLVED:
        lines.append(f"hint: {_escape(tame(one.hint, HINT_LIMIT))}")
    text = "\n".join(lines)
    link = f"\n<{one.link.translate(_ESCAPES)}|See the dashboard>" if one.link else ""
    # What is too long is refused with all that comes along.
    return text + link if len(text) + len(link) <= MOST_TEXT else text


def _escape(text: str) -> str:
    return _MARKUP.sub("\\g<0>\u200b", text).translate(_ESCAPES)


def _reason(answer: Answer) -> str:
    found = _REASON.fullmatch(answer.body.strip())
    return found[0].decode() if found else ""

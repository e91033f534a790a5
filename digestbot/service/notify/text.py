"""A message as plain text, in which nothing of others comes to life."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from digestbot.report.plain import one_line, shorten_digests
from digestbot.service.notify.message import Message, News, Turn

SUBJECT_LIMIT, MESSAGE_LIMIT, HINT_LIMIT = 120, 300, 150
SHOWN = 30
TEST_TEXT = "If you can read this, digestbot's notifications arrive here. Nothing happened."
MARKS = {Turn.NEW: "▲", Turn.CHANGED: "~", Turn.RESOLVED: "✓", Turn.DONE: "·"}
# What chat services take for a mention, a link or the beginning of one. A character of no width
# keeps it apart from what follows.
_ALIVE = re.compile(r"@(?=\S)|<(?=\S)|\](?=\()|:(?=//)|www(?=\.)", re.IGNORECASE)
_NOTHING = "\u200b"


def tame(text: str, limit: int) -> str:
    """A text of others on one line, of so many characters, that mentions and links nothing."""
    # A character that is made visible is several: services refuse what is too long.
    visible = one_line(one_line(text, limit), limit)
    return _ALIVE.sub(rf"\g<0>{_NOTHING}", shorten_digests(visible))


def shown(message: Message) -> Sequence[News]:
    """As much of the news as a person reads; `more` says how much is left."""
    return message.news[:SHOWN]


def more(message: Message) -> str:
    """`and 12 more: digestbot status`; empty where all is shown."""
    count = len(message.news) - SHOWN
    return f"and {count:,} more; all of it: digestbot status" if count > 0 else ""


def headline(one: News) -> str:
    """`new · lookups · registry:ghcr.io`."""
    return f"{one.turn} · {one.event} · {tame(one.subject, SUBJECT_LIMIT)}"


def body(message: Message) -> str:
    """The message below its title, as lines of plain text."""
    if message.is_test:
        return TEST_TEXT
    return "\n".join(_lines(message))


def _lines(message: Message) -> Iterator[str]:
    for one in shown(message):
        yield f"{MARKS[one.turn]} {headline(one)}"
        yield f"  {tame(one.message, MESSAGE_LIMIT)}"
        if one.hint and one.turn is not Turn.RESOLVED:
            yield f"  hint: {tame(one.hint, HINT_LIMIT)}"
        if one.link:
            yield f"  {one.link}"
    if more(message):
        yield more(message)

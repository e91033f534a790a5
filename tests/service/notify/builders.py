from __future__ import annotations

from datetime import UTC, datetime

from digestbot.service.notify.message import Message, News, Turn

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOSTILE = "<!channel> @here <https://evil.example|click> https://evil.example [x](http://e.io) *b*"


def make_news(
    turn: Turn = Turn.NEW, subject: str = "registry:ghcr.io", /, **changes: object
) -> News:
    values: dict[str, object] = {
        "event": "lookups",
        "subject": subject,
        "state": "rate-limited",
        "message": "ghcr.io answers 429 (and 3 more)",
        "hint": "wait",
        "since": NOW,
    }
    return News(turn, **(values | changes))  # type: ignore[arg-type] # by name


def make_message(*news: News, **changes: object) -> Message:
    values: dict[str, object] = {"at": NOW, "news": news or (make_news(),), "run": "a1b2c3"}
    return Message(**(values | changes))  # type: ignore[arg-type] # by name

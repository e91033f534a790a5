"""When what is done by a timetable was begun last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from digestbot.store.tables import SCHEDULES
from digestbot.store.upsert import upsert


def last_started(connection: Connection, key: str) -> datetime | None:
    """When it was begun last; None where it never was."""
    query = select(SCHEDULES.c.started_at).where(SCHEDULES.c.key == key)
    return connection.execute(query).scalar()


def note_started(connection: Connection, key: str, now: datetime) -> None:
    """It begins."""
    upsert(connection, SCHEDULES, [{"key": key, "started_at": now}], key=("key",))

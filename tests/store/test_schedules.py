"""When what is done by a timetable was begun last."""

from __future__ import annotations

from sqlalchemy import Connection

from digestbot.store import schedules
from tests.service.state import HOUR, NOW


def test_what_never_began_has_no_time(connection: Connection) -> None:
    assert schedules.last_started(connection, "cycle") is None


def test_the_last_start_of_each_key_is_kept(connection: Connection) -> None:
    schedules.note_started(connection, "cycle", NOW)
    schedules.note_started(connection, "prune", NOW)

    schedules.note_started(connection, "cycle", NOW + HOUR)

    assert schedules.last_started(connection, "cycle") == NOW + HOUR
    assert schedules.last_started(connection, "prune") == NOW

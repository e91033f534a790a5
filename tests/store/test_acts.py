"""Who asked for what: kept for long, told newest first."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from digestbot.store import acts
from digestbot.store.acts import Lately
from tests.service.state import HOUR, NOW


def note(connection: Connection, who: str, at: datetime = NOW, what: str = "scan") -> None:
    acts.note(connection, who, what, "everything", "asked", at)


def test_the_newest_come_first_and_in_pages(connection: Connection) -> None:
    for hours, who in enumerate(["ann", "bob", "cid"]):
        note(connection, who, NOW + hours * HOUR)

    first, second = (acts.newest(connection, offset=offset, limit=2) for offset in (0, 2))

    assert [row.who for row in first] == ["cid", "bob"]
    assert [(row.who, row.what, row.subject, row.result, row.at) for row in second] == [
        ("ann", "scan", "everything", "asked", NOW)
    ]
    assert acts.count(connection) == 3


def test_what_was_asked_lately_is_counted_by_person_and_kind(connection: Connection) -> None:
    note(connection, "ann", NOW - HOUR)
    note(connection, "ann")
    note(connection, "ann", what="retry")
    note(connection, "bob")

    found = acts.lately(
        connection, NOW - timedelta(minutes=10), who="ann", what="scan", subject="everything"
    )

    assert found == Lately(own=2, all=3, same=2)


def test_they_are_forgotten_after_two_years(connection: Connection) -> None:
    note(connection, "ann", NOW - acts.KEPT - HOUR)
    note(connection, "bob", NOW - acts.KEPT + HOUR)
    note(connection, "cid")

    assert [row.who for row in acts.newest(connection)] == ["cid", "bob"]


def test_a_state_keeps_whatever_somebody_is_called(connection: Connection) -> None:
    note(connection, "zoë\0\ud800")

    assert acts.newest(connection)[0].who == "zoë??"

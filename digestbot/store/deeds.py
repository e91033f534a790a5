"""What was done about the pull requests of rollouts, so that none of it is done twice."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import Connection, delete, select

from digestbot.store.tables import ROLLOUT_DEEDS
from digestbot.store.upsert import upsert

_C = ROLLOUT_DEEDS.c
_KEY = ("rollout_id", "repo", "number", "deed")


class Deed(StrEnum):
    """Something that is done once about a pull request."""

    COMMENTED = "commented"
    ASKED = "asked"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    UNORDERED = "unordered"


DEEDS = {
    Deed.COMMENTED: "It was said that it waits.",
    Deed.ASKED: "Owners of the files were asked for a review.",
    Deed.MERGED: "It was merged past what it waited for, or that was tried.",
    Deed.WITHDRAWN: "The forge would have merged it, and was told not to.",
    Deed.UNORDERED: "The forge would not have merged it, so that there was nothing to withdraw.",
}
Done: TypeAlias = tuple[str, int, Deed]
"""The name of a repo, the number of the pull request, and what was done."""


def of(connection: Connection, name: str) -> frozenset[Done]:
    """All that was done in a rollout."""
    rows = connection.execute(
        select(_C.repo, _C.number, _C.deed).where(_C.rollout_id == name)
    ).all()
    return frozenset((row.repo, row.number, Deed(row.deed)) for row in rows)


def note(connection: Connection, name: str, done: Done, now: datetime) -> None:
    """Keep that something was done."""
    upsert(connection, ROLLOUT_DEEDS, [{**_row(name, done), "at": now}], key=_KEY)


def forget(connection: Connection, name: str, done: Done) -> None:
    """It is to be done again where there is reason to."""
    values = _row(name, done)
    connection.execute(delete(ROLLOUT_DEEDS).where(*(_C[key] == values[key] for key in _KEY)))


def _row(name: str, done: Done) -> dict[str, object]:
    repo, number, deed = done
    return {"rollout_id": name, "repo": repo, "number": number, "deed": deed.value}

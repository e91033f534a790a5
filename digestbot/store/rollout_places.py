"""Where the repos of a rollout are, as the state knows them by name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from digestbot.store.tables import REPOS

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Home:
    """A repo: its id, and its page on the forge; empty where it has none."""

    id: int
    url: str


def homes(connection: Connection, names: Collection[str]) -> dict[str, Home]:
    """Where repos are, by name; those that no target has are missing."""
    found: dict[str, Home] = {}
    ordered = sorted(names)
    for start in range(0, len(ordered), _AT_ONCE):
        part = ordered[start : start + _AT_ONCE]
        query = select(REPOS.c.id, REPOS.c.name, REPOS.c.url).where(REPOS.c.name.in_(part))
        found |= {row.name: Home(row.id, row.url) for row in connection.execute(query)}
    return found

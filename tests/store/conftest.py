"""Every test of the state is run on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.tables import METADATA
from tests.store.postgres import Server, running

_TRUNCATE = f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY"


class Servers:
    """The server, and a database in it that is emptied for each test; started when first used."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.server = cache(self._start)
        self.shared = cache(self._open)

    def _start(self) -> Server:
        return self._stack.enter_context(running())

    def _open(self) -> Database:
        return self._stack.enter_context(closing(Database.open(self.server().make())))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Location:
    """Where nothing is yet."""
    return Location(tmp_path / "state") if request.param == "sqlite" else servers.server().make()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, servers: Servers, tmp_path: Path
) -> Iterator[Database]:
    """An empty state."""
    if request.param == "sqlite":
        with closing(Database.open(Location(tmp_path / "state"))) as opened:
            yield opened
        return
    shared = servers.shared()
    with shared.begin() as connection:
        connection.execute(text(_TRUNCATE))
    yield shared


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """One transaction on an empty state."""
    with database.begin() as opened:
        yield opened


@pytest.fixture
def servers_location(servers: Servers) -> Location:
    """An empty database in PostgreSQL."""
    return servers.server().make()

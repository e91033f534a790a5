"""Opening, migrating, transactions and locks; also between processes."""

from __future__ import annotations

import os
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Connection, text

from digestbot.errors import DigestbotError, UsageError
from digestbot.secret import Secret
from digestbot.store import runs, schedules
from digestbot.store.database import Database
from digestbot.store.errors import BusyError, NewerError, StoreError
from digestbot.store.location import Location
from digestbot.store.migrations import versions
from tests.service.state import HOUR, NOW
from tests.store.processes import SAYS_AND_WAITS, running, wait_until_ready

# The newest migration there is: `v0007_rollouts.py`.
REVISION = max(path.name[1:5] for path in Path(versions.__path__[0]).glob("v*.py"))
# Not as it is written: tracebacks show lines of this file.
CANARY = "secret-canary".upper()
SECRET = Secret(CANARY)
OPENS = "Database.open(location).close(); print('ready', flush=True)"
HOLDS = f"""
with Database.open(location).alone():
    {SAYS_AND_WAITS}
"""
WRITES_HALF = f"""
from datetime import UTC, datetime
from digestbot.store import runs
with Database.open(location).begin() as connection:
    for number in range(500):
        runs.begin(connection, f"half-{{number}}", "cycle", datetime.now(UTC))
    {SAYS_AND_WAITS}
"""
MIGRATES_HALF = f"""
from digestbot.store import database
migrate = database.migrate
def half(connection):
    migrate(connection)
    {SAYS_AND_WAITS}
database.migrate = half
Database.open(location)
"""


@contextmanager
def opened(location: Location) -> Iterator[Database]:
    with closing(Database.open(location)) as database:
        yield database


def run_ids(database: Database) -> list[str]:
    with database.reading() as connection:
        return [run.id for run in runs.latest(connection, 1000)]


def begin_run(connection: Connection, run_id: str) -> None:
    runs.begin(connection, run_id, "cycle", NOW)


def set_revision(location: Location, revision: str) -> None:
    with opened(location) as database, database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


def test_a_new_state_is_brought_up_to_date(location: Location) -> None:
    with opened(location) as database:
        assert database.revision == REVISION
        assert database.check() == ()


def test_what_was_written_is_there_when_it_is_opened_again(location: Location) -> None:
    with opened(location) as database, database.begin() as connection:
        begin_run(connection, "one")

    with opened(location) as database:
        assert run_ids(database) == ["one"]


def test_a_newer_state_is_refused_and_left_alone(location: Location) -> None:
    set_revision(location, "9999")

    with pytest.raises(NewerError, match="9999") as caught:
        Database.open(location)

    assert "backup" in caught.value.hint
    with pytest.raises(NewerError):
        Database.open(location, must_exist=True)


def test_what_must_exist_is_not_made(location: Location) -> None:
    with pytest.raises(StoreError, match="there is no state in"):
        Database.open(location, must_exist=True)

    assert location.folder is None or not location.folder.exists()


def test_a_folder_without_a_file_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no state in"):
        Database.open(Location(tmp_path), must_exist=True)

    assert list(tmp_path.iterdir()) == []


def test_processes_that_open_a_new_state_at_once_all_succeed(location: Location) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(running(location, OPENS)) for _ in range(3)]
        for process in processes:
            wait_until_ready(process)

    with opened(location) as database:
        assert database.check() == ()


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.begin() as connection:
            begin_run(connection, "one")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert run_ids(database) == []


def test_a_process_that_is_killed_leaves_whole_transactions_only(location: Location) -> None:
    with opened(location) as database:
        with database.begin() as connection:
            begin_run(connection, "whole")
        with running(location, WRITES_HALF) as process:
            wait_until_ready(process)
            process.kill()
            process.wait(timeout=10)

        # Neither its rows nor its locks are left.
        with database.begin() as connection:
            begin_run(connection, "after")
        assert set(run_ids(database)) == {"whole", "after"}
        assert database.check() == ()


def test_who_reads_does_not_wait_for_who_writes(database: Database) -> None:
    with database.begin() as writing:
        begin_run(writing, "one")
        with database.reading() as connection:
            before = runs.latest(connection)

    assert before == []
    assert run_ids(database) == ["one"]


def test_an_open_state_can_be_opened_while_somebody_writes(location: Location) -> None:
    with opened(location) as first, first.begin() as writing:
        begin_run(writing, "one")

        with opened(location) as second:
            assert run_ids(second) == []


def test_connections_that_the_server_ended_are_made_anew(servers_location: Location) -> None:
    with opened(servers_location) as database:
        assert run_ids(database) == []
        with opened(servers_location) as other, other.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid != pg_backend_pid()"
                )
            )

        assert run_ids(database) == []


def test_a_connection_that_ends_under_a_lock_ends_it_quietly(servers_location: Location) -> None:
    with opened(servers_location) as database, opened(servers_location) as other:
        with database.alone(), other.begin() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            )

        hold_soon(other)


def test_a_view_stays_as_it_is(database: Database) -> None:
    with database.reading() as connection:
        before = runs.latest(connection)
        with database.begin() as writing:
            begin_run(writing, "one")
        after = runs.latest(connection)

    assert before == after == []


def test_many_threads_write_at_once(database: Database) -> None:
    def write(number: int) -> None:
        for step in range(5):
            with database.begin() as connection:
                begin_run(connection, f"{number}-{step}")

    threads = [Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(run_ids(database)) == 40


class TestAlone:
    def test_one_process_holds_it(self, location: Location) -> None:
        with running(location, HOLDS) as process, opened(location) as database:
            wait_until_ready(process)

            with (
                pytest.raises(BusyError, match="another digestbot works") as caught,
                database.alone(),
            ):
                pass

        assert caught.value.hint

    def test_the_end_of_a_process_frees_it(self, location: Location) -> None:
        with opened(location) as database:
            with running(location, HOLDS) as process:
                wait_until_ready(process)
                process.kill()
                process.wait(timeout=10)

            # PostgreSQL ends a session when it sees that nobody is there.
            hold_soon(database)

    def test_it_is_free_afterwards(self, database: Database) -> None:
        for _ in range(2):
            with database.alone():
                pass

    def test_an_error_inside_is_its_own(self, database: Database) -> None:
        with pytest.raises(FileNotFoundError), database.alone():
            raise FileNotFoundError

        with database.alone():
            pass

    def test_others_may_read_and_write(self, location: Location) -> None:
        with running(location, HOLDS) as process, opened(location) as database:
            wait_until_ready(process)

            with database.begin() as connection:
                begin_run(connection, "one")

            assert run_ids(database) == ["one"]


def hold_soon(database: Database) -> None:
    for _ in range(1000):
        try:
            with database.alone():
                return
        except BusyError:
            os.sched_yield()
    raise AssertionError("it was never free")


class TestErrors:
    def test_a_database_that_is_not_there(self) -> None:
        secret = SECRET
        location = Location(None, "postgresql://bot@127.0.0.1:1/bot", secret)

        with pytest.raises(StoreError, match="refused") as caught:
            Database.open(location)

        assert CANARY not in everything_said(caught.value)
        assert CANARY not in f"{location} {location!r}"
        assert caught.value.hint

    def test_a_wrong_password_is_not_shown(self, servers_location: Location) -> None:
        wrong = Location(None, servers_location.url, SECRET)

        with pytest.raises(StoreError, match="password authentication failed") as caught:
            Database.open(wrong)

        assert CANARY not in everything_said(caught.value)

    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("postgresql://bot@127.0.0.1:nothing/bot", id="port"),
            pytest.param("nothing", id="nothing"),
            pytest.param("postgresql://bot@127.0.0.1:1/bot?nothing=1", id="option"),
        ],
    )
    def test_an_address_that_is_none(self, url: str) -> None:
        with pytest.raises(StoreError) as caught:
            Database.open(Location(None, url, SECRET))

        assert CANARY not in everything_said(caught.value)

    def test_a_missing_driver_is_named_with_its_extra(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "psycopg", None)

        with pytest.raises(UsageError, match="psycopg") as caught:
            Database.open(Location(None, "postgresql://bot@127.0.0.1:1/bot"))

        assert caught.value.hint == "pip install 'digestbot[postgresql]'"

    def test_values_of_a_failed_statement_are_not_shown(self, database: Database) -> None:
        def begin_it_twice() -> None:
            with database.begin() as connection:
                begin_run(connection, CANARY)
                begin_run(connection, CANARY)

        with pytest.raises(StoreError) as caught:
            begin_it_twice()

        assert CANARY not in everything_said(caught.value)
        assert run_ids(database) == []

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "digestbot.db").write_text("nothing of the kind, and rather long\n" * 50)

        with pytest.raises(StoreError, match="not a database") as caught:
            Database.open(Location(tmp_path))

        assert "backup" in caught.value.hint

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(StoreError, match="cannot make") as caught:
            Database.open(Location(tmp_path / "file" / "state"))

        assert caught.value.hint

    def test_a_folder_that_may_not_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Root may write everywhere, so nothing less would do.
        monkeypatch.setattr(os, "access", lambda _path, _mode: False)

        with pytest.raises(StoreError, match="may not be written") as caught:
            Database.open(Location(tmp_path))

        assert caught.value.hint

    def test_a_full_disk_is_said(self, tmp_path: Path) -> None:
        def fill(database: Database) -> None:
            with database.begin() as connection:
                connection.execute(text("PRAGMA max_page_count = 1"))
                for number in range(10_000):
                    begin_run(connection, f"{number}" * 50)

        with opened(Location(tmp_path)) as database:
            with pytest.raises(StoreError, match="full") as caught:
                fill(database)

            assert "make room" in caught.value.hint
            assert run_ids(database) == []

    def test_a_time_without_zone_is_refused(self, database: Database) -> None:
        with pytest.raises(StoreError, match="time zone"), database.begin() as connection:
            schedules.note_started(connection, "cycle", NOW.replace(tzinfo=None))


def everything_said(error: DigestbotError) -> str:
    shown = "".join(traceback.format_exception(error, chain=True))
    return f"{error} {error!r} {error.hint} {shown}"


def test_characters_of_a_path_mean_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20 d"

    with opened(Location(folder)) as database, database.begin() as connection:
        begin_run(connection, "one")

    assert (folder / "digestbot.db").is_file()


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with opened(Location(tmp_path / "state")):
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_what_is_in_a_folder_that_others_may_read_is_for_its_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with opened(Location(tmp_path)) as database, database.alone(), database.begin() as connection:
        begin_run(connection, "one")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert {"digestbot.db", "digestbot.db-wal", "lock", "lock.migrate"} <= modes.keys()
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("name", ["lock", "lock.migrate", "digestbot.db"])
def test_a_link_that_others_put_there_leads_nowhere(tmp_path: Path, name: str) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "state"
    precious.write_text("mine")
    folder.mkdir()
    (folder / name).symlink_to(precious)

    with pytest.raises(StoreError), opened(Location(folder)) as database, database.alone():
        pass

    assert precious.read_text() == "mine"


class TestBackup:
    def test_a_name_that_others_could_guess_is_not_used(self, tmp_path: Path) -> None:
        precious, folder = tmp_path / "precious", tmp_path / "copies"
        precious.touch()
        folder.mkdir()
        (folder / f".copy.db.{os.getpid()}").symlink_to(precious)
        with opened(Location(tmp_path / "state")) as database:
            database.backup(folder / "copy.db")

        assert precious.read_bytes() == b""

    def test_it_is_whole_while_somebody_writes(self, tmp_path: Path) -> None:
        copy = tmp_path / "copy" / "digestbot.db"
        copy.parent.mkdir()
        with opened(Location(tmp_path / "state")) as database:
            with database.begin() as connection:
                begin_run(connection, "whole")
            with database.begin() as connection:
                begin_run(connection, "half")
                database.backup(copy)

        with opened(Location(copy.parent)) as restored:
            assert run_ids(restored) == ["whole"]
            assert restored.check() == ()

    def test_it_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        with opened(Location(tmp_path / "state")) as database:
            database.backup(tmp_path / "copy.db")

        assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600

    def test_the_state_is_not_replaced_by_itself(self, tmp_path: Path) -> None:
        with opened(Location(tmp_path)) as database:
            with pytest.raises(StoreError, match="is the state itself"):
                database.backup(tmp_path / "digestbot.db")

            assert database.check() == ()

    def test_postgresql_has_its_own(self, servers_location: Location) -> None:
        with (
            opened(servers_location) as database,
            pytest.raises(StoreError, match="PostgreSQL") as caught,
        ):
            database.backup(Path("copy.db"))

        assert caught.value.hint == "use pg_dump"


def test_a_damaged_state_is_found(tmp_path: Path) -> None:
    with opened(Location(tmp_path)) as database, database.begin() as connection:
        for number in range(2000):
            begin_run(connection, f"run-{number}")
    with closing(sqlite3.connect(tmp_path / "digestbot.db")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_runs_started_at'")
        connection.commit()

    with opened(Location(tmp_path)) as database:
        found = database.check()

    assert any("never used" in sentence for sentence in found)


def test_a_state_without_its_last_migration_is_found(location: Location) -> None:
    with opened(location) as database:
        with database.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version"))

        assert database.check() == (
            f"its tables are of revision none, and should be of {REVISION}",
        )


def test_times_come_back_as_they_were(database: Database) -> None:
    there = (NOW + HOUR / 7).astimezone()

    with database.begin() as connection:
        schedules.note_started(connection, "cycle", there)

    with database.reading() as connection:
        found = schedules.last_started(connection, "cycle")
    assert found == there
    assert found is not None
    assert str(found.tzinfo) == "UTC"


def test_a_process_that_is_killed_while_it_migrates_leaves_nothing_half(location: Location) -> None:
    with running(location, MIGRATES_HALF) as process:
        wait_until_ready(process)
        process.kill()
        process.wait(timeout=10)

    with opened(location) as database:
        assert database.revision == REVISION
        assert database.check() == ()

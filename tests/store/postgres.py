"""A real PostgreSQL of the tests' own: a private server behind a socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from digestbot.secret import Secret
from digestbot.store.location import Location

USER, PASSWORD = "digestbot", "canary-pg-pa55"
# Nothing here outlives the tests: the disk need not have it.
_SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
)


@dataclass
class Server:
    """A running server; each database that it is asked for is new."""

    socket: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def make(self) -> Location:
        """An empty database."""
        name = f"test_{next(self._numbers)}"
        with closing(self.connect("postgres")) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return Location(None, f"postgresql://{USER}@/{name}?host={self.socket}", Secret(PASSWORD))

    def connect(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection to one of its databases."""
        return psycopg.connect(
            host=str(self.socket), dbname=name, user=USER, password=PASSWORD, autocommit=True
        )


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it in the end. It is an error where PostgreSQL is missing."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        data, password = folder / "data", folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, password):
                shutil.chown(path, _user())
        auth = ("--auth=scram-sha-256", f"--pwfile={password}", f"--username={USER}")
        _run(folder, "initdb", "-D", data, "--no-sync", "-E", "UTF8", "--locale=C", *auth)
        options = " ".join([f"-k {folder}", *(f"-c {one}" for one in _SETTINGS)])
        _run(folder, "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield Server(folder)
        finally:
            _run(folder, "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _run(folder: Path, program: str, *arguments: str | Path) -> None:
    # The server refuses to be run by root.
    before = ("runuser", "-u", _user(), "--") if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*before, _binary(program), *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def _user() -> str:
    """Whom Debian's package makes for it, or else somebody who is everywhere."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _binary(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join(map(str, [*folders, os.environ["PATH"]])))
    assert found, f"{name} is missing: install PostgreSQL (Debian: apt-get install postgresql)"
    return found

"""Every page of the dashboard at 10,000 repos, on SQLite and PostgreSQL: how long each takes.

    python -m tests.benchmarks.web_pages [REPOS [IMAGES]]

The application is served as the service does, from a thread of this process, and asked over one
connection by an operator; nothing is kept between two requests. Of exports the first part is
awaited, and the whole of them is what the last column says. The limit is on 95 of a hundred
requests, and means something where nothing else runs; what others do hardly changes the CPU time,
in which SQLite is and a PostgreSQL server is not. Since machines differ, each median is also said
in times of that of `/healthz`. PostgreSQL is told to tidy up first: it does within a minute after
so many rows were written, and then answers faster than half of the requests before.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from sqlalchemy import text

from digestbot.store.database import Database
from digestbot.store.engines import engine_for
from digestbot.store.location import Location
from digestbot.web.pages import PAGES
from tests.service.state import NOW
from tests.store.postgres import running
from tests.web import large_fleet, rollout_seeds
from tests.web.asking import TOKENS
from tests.web.browser import site_of
from tests.web.fleets import service_on
from tests.web.rows import Rows

LIMIT_MS, ROUNDS, EXPORT_ROUNDS = 100.0, 30, 10
_FIRST_PART = 16 * 1024
_OK = 200
_IN_PATH = re.compile(r"\{\w+(:\w+)?\}")
EXPORTS = ("images", "repos", "findings", "runs", "proposals")
# What asks most of the tables: searches without a beginning, and the pages far behind.
FILTERED = (
    "/images?q=image1",
    "/images?q=nothing-is-called-so",
    "/images?page=6",
    "/repos?q=app0",
    "/repos?q=nothing-is-called-so",
    "/repos?status=stale",
    "/repos?status=failed",
    "/repos?status=denied",
    "/repos?status=left-out",
    "/repos?attention=true",
    "/repos?image=team1%2Fimage001",
    "/repos?page=150",
    "/repos?sort=name&page=100",
    "/runs?page=9",
)


@dataclass(frozen=True)
class Taken:
    """What one answer took, in milliseconds: on the clock, and of this process's CPU."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Figures:
    """What one address took, in milliseconds; `size` is how much it answered, in bytes."""

    address: str
    status: int
    median: float
    p95: float
    cpu: float
    size: int

    @property
    def is_good(self) -> bool:
        """Whether it answered, and in time."""
        return self.status == _OK and self.p95 < LIMIT_MS

    def line(self, healthz: float) -> str:
        """As a row of the table."""
        why = f"OVER {LIMIT_MS:.0f} ms" if self.status == _OK else f"answers {self.status}"
        ratio = self.median / healthz
        return (
            f"{self.address:40} {self.median:8.1f} {self.p95:8.1f} {self.cpu:8.1f} {ratio:8.0f}x "
            f"{self.size / 1024:9.1f}  {'' if self.is_good else why}"
        )


def addresses(rows: Rows, rollout: str) -> Iterator[str]:
    """Every page and its twin, filters, exports and badges."""
    tables = {table.name: found for table, found in rows.rows.items()}
    most = max(tables["repos"], key=lambda row: row["stale_count"])
    worst = max(tables["runs"], key=lambda row: row["problem_count"])
    ids = {"images": 1, "repos": most["id"], "runs": worst["id"], "rollouts": rollout}
    for page in PAGES.values():
        one = str(ids.get(page.path.strip("/").partition("/")[0], ""))
        for path in (page.path, page.twin):
            yield _IN_PATH.sub(one, path.replace("{verb}", "abort"))
    yield from FILTERED
    yield from (f"/exports/{name}.csv" for name in EXPORTS)
    yield "/badges/fleet.svg"
    yield f"/badges/repos/{most['name']}.svg"
    yield "/openapi.json"


def ask(connection: HTTPConnection, address: str) -> tuple[Taken, int, int]:
    """What an answer took, its status and its size; an export is only awaited in part."""
    part = _FIRST_PART if address.startswith("/exports/") else None
    start, cpu = time.perf_counter(), time.process_time()
    connection.request("GET", address, headers={"authorization": f"Bearer {TOKENS['operator']}"})
    answer = connection.getresponse()
    size = len(answer.read(part))
    taken = Taken((time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000)
    # The rest is not timed, but read: else the next one would wait for what nobody wants.
    return taken, answer.status, size + len(answer.read())


def measure(connection: HTTPConnection, address: str) -> Figures:
    """Ask again and again, after a first time that does not count."""
    _, status, size = ask(connection, address)
    rounds = EXPORT_ROUNDS if address.startswith("/exports/") else ROUNDS
    taken = [ask(connection, address)[0] for _ in range(rounds)]
    walls = [one.wall for one in taken]
    p95 = statistics.quantiles(walls, n=20, method="inclusive")[-1]
    cpu = statistics.median(one.cpu for one in taken)
    return Figures(address, status, statistics.median(walls), p95, cpu, size)


def run(title: str, location: Location, rows: Rows) -> Sequence[Figures]:
    """All addresses on one database; prints its table."""
    with closing(Database.open(location)) as database:
        rows.write(database)
        rollout = rollout_seeds.large(database)
        _tidy_up(location)
        with site_of(service_on(database)) as site, _connected(site) as connection:
            healthz = measure(connection, "/healthz")
            print(f"\n{title}: /healthz answers in {healthz.median:.2f} ms")
            print(f"{'':40} {'median':>8} {'p95 ms':>8} {'CPU ms':>8} {'healthz':>9} {'KiB':>9}")
            found = []
            for address in addresses(rows, rollout):
                found.append(measure(connection, address))
                print(found[-1].line(healthz.median), flush=True)
    return found


def _tidy_up(location: Location) -> None:
    """What a server does by itself before long, and would do in the middle of this."""
    if location.folder is None:
        engine = engine_for(location).execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            # What is not on its disk yet is not taken for settled: the first has it written there.
            for statement in ("SET synchronous_commit = on", "ANALYZE", "VACUUM"):
                connection.execute(text(statement))
        engine.dispose()


@contextmanager
def _connected(site: str) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(site.removeprefix("http://"), timeout=60)) as connection:
        yield connection


def main() -> None:
    """Both databases; the exit code is 1 where a limit is broken."""
    rows, given = Rows(NOW), [int(one) for one in sys.argv[1:]]
    large_fleet.fill(rows, *given)
    with tempfile.TemporaryDirectory() as folder, running() as server:
        found = [
            *run("SQLite", Location(Path(folder) / "state"), rows),
            *run("PostgreSQL", server.make(), rows),
        ]
    good = sum(one.is_good for one in found)
    print(f"\n{good} of {len(found)} under {LIMIT_MS:.0f} ms")
    sys.exit(0 if good == len(found) else 1)


if __name__ == "__main__":
    main()

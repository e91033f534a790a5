"""Where there is something to see on a state: every page, of what there are many the fullest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from digestbot.store.database import Database
from digestbot.store.tables import FINDINGS, REPOS, ROLLOUTS, RUNS, SIGHTINGS
from digestbot.web.pages import PAGES

_SPECIAL = {"repo-hostile": "<script>", "repo-denied": "payments", "repo-plain-git": "mirror"}


def paths_on(database: Database) -> dict[str, str]:
    """The paths of all pages that show something, by name."""
    with database.reading() as connection:
        worst, running = RUNS.c.problem_count.desc(), RUNS.c.state == "running"
        ids = {
            "images": connection.scalar(_most(SIGHTINGS.c.image_id)),
            "repos": connection.scalar(_most(FINDINGS.c.repo_id)),
            "runs": connection.scalar(select(RUNS.c.id).order_by(worst).limit(1)),
        }
        found = {page.name: _path(page.path, ids) for page in PAGES.values()}
        found |= _rollouts(connection)
        found["run-running"] = f"/runs/{connection.scalar(select(RUNS.c.id).where(running))}"
        for name, part in _SPECIAL.items():
            found[name] = f"/repos/{_repo(connection, part)}"
    return {name: path for name, path in found.items() if "/None" not in path}


def _most(column: ColumnElement[Any]) -> Select[Any]:
    return select(column).group_by(column).order_by(func.count().desc()).limit(1)


def _repo(connection: Connection, part: str) -> int | None:
    return connection.scalar(select(REPOS.c.id).where(REPOS.c.name.contains(part)).limit(1))


def _rollouts(connection: Connection) -> dict[str, str]:
    """One rollout of each state, and what is asked before the one under way is ended."""
    rows = connection.execute(select(ROLLOUTS.c.state, ROLLOUTS.c.id))
    ids = {row.state: row.id for row in rows}
    found = {f"rollout-{state}": f"/rollouts/{name}" for state, name in ids.items()}
    found["rollout"] = found.pop("rollout-running", "/None")
    found["rollout_end"] = f"{found['rollout']}/abort"
    found["rollout_end-start"] = f"{found.get('rollout-planned', '/None')}/start"
    found["rollout_end-rollback"] = f"{found.get('rollout-halted', '/None')}/rollback"
    return found


def _path(pattern: str, ids: Mapping[str, object]) -> str:
    """The path of a page; in place of its parameter, the id of what it is about."""
    return re.sub(r"\{.*?\}", str(ids.get(pattern.strip("/").partition("/")[0])), pattern)

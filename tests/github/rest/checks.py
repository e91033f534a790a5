"""What CI says of commits."""

from __future__ import annotations

from tests.github.errors import ApiError
from tests.github.rest.git import resolve
from tests.github.rest.router import Call, Reply, serves
from tests.github.state import Repo

# What such an answer tells of the repo.
_SHORT = {"id", "node_id", "name", "full_name", "owner", "private", "html_url", "url"}


def _commit(call: Call, repo: Repo) -> str:
    sha = resolve(repo, call.path["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.path['ref']}")
    return sha


@serves("GET /repos/{owner}/{repo}/commits/{ref}/status")
def get_status(call: Call) -> Reply:
    repo = call.repo("statuses")
    sha = _commit(call, repo)
    found = [one for one in repo.checks.get(sha, ()) if one.is_status]
    states = {one.conclusion or "pending" for one in found}
    state = "failure" if states & {"failure", "error"} else "success"
    if not found or "pending" in states:
        state = "pending" if state == "success" else state
    shown = call.server.shapes.minimal_repo(repo)
    data = {
        "state": state,
        "sha": sha,
        "total_count": len(found),
        "statuses": [{"context": one.name, "state": one.conclusion or "pending"} for one in found],
        "repository": {name: value for name, value in shown.items() if name in _SHORT},
    }
    return Reply(200, data)


@serves("GET /repos/{owner}/{repo}/commits/{ref}/check-runs")
def list_check_runs(call: Call) -> Reply:
    repo = call.repo("checks")
    sha = _commit(call, repo)
    found = [one for one in repo.checks.get(sha, ()) if not one.is_status]
    shapes = call.server.shapes
    shown = [shapes.check_run(repo, sha, one) for one in found]
    return Reply(200, {"total_count": len(found), "check_runs": shown})

"""Pull requests."""

from __future__ import annotations

from tests.github.errors import ApiError, invalid
from tests.github.pulls import refuse_text
from tests.github.rest.router import Call, Reply, paged, serves
from tests.github.rest.shapes import Shape, changed
from tests.github.state import Pull, Repo


def _full(call: Call, pull: Pull) -> Shape:
    if not pull.is_open or (call.server.is_mergeable_late and not pull.is_asked):
        pull.is_asked = True
        return call.server.shapes.pull(pull, mergeable=None, state="unknown")
    status = call.pulls.status(pull).lower()
    mergeable = call.pulls.mergeable(pull)
    return call.server.shapes.pull(pull, mergeable=mergeable, state=status)


@serves("GET /repos/{owner}/{repo}/pulls")
def list_pulls(call: Call) -> Reply:
    repo = call.repo("pull_requests")
    query = call.query
    state = query.get("state", "open")
    found = [one for one in repo.pulls if state in ("all", one.state)]
    if "head" in query:
        found = [
            one
            for one in found
            if query["head"] in (f"{one.head_repo.owner.login}:{one.head_ref}", one.head_ref)
        ]
    if "base" in query:
        found = [one for one in found if one.base_ref == query["base"]]
    sort = query.get("sort", "created")
    newest = query.get("direction", "desc" if sort == "created" else "asc") == "desc"
    found.sort(
        key=lambda one: (one.updated_at if sort == "updated" else one.created_at, one.number),
        reverse=newest,
    )
    return paged(call, found, call.server.shapes.simple_pull)


@serves("GET /repos/{owner}/{repo}/pulls/{pull_number}")
def get_pull(call: Call) -> Reply:
    return Reply(200, _full(call, call.pull(call.repo("pull_requests"))))


@serves("POST /repos/{owner}/{repo}/pulls")
def create_pull(call: Call) -> Reply:
    repo = call.repo("pull_requests", "write")
    sent = call.sent
    owner, colon, branch = sent["head"].partition(":")
    source = _source(call, repo, owner) if colon else repo
    pull = call.pulls.open_pull(
        repo,
        call.actor,
        title=sent.get("title", ""),
        body=sent.get("body"),
        head=branch if colon else sent["head"],
        base=sent["base"],
        head_repo=source,
        is_draft=sent.get("draft", False),
    )
    return Reply(201, _full(call, pull), {"Location": _url(call, pull)})


def _url(call: Call, pull: Pull) -> str:
    return f"{call.server.shapes.repo_url(pull.repo)}/pulls/{pull.number}"


def _source(call: Call, repo: Repo, owner: str) -> Repo:
    if owner.lower() == repo.owner.login.lower():
        return repo
    for other in call.world.repos.values():
        if other.fork_of is repo and other.owner.login.lower() == owner.lower():
            return other
    reason = {"resource": "PullRequest", "field": "head", "code": "invalid"}
    raise ApiError(422, "Validation Failed", [reason])


@serves("PATCH /repos/{owner}/{repo}/pulls/{pull_number}")
def update_pull(call: Call) -> Reply:
    pull = call.pull(call.repo("pull_requests", "write"))
    sent = call.sent
    refuse_text("PullRequest", sent.get("title", pull.title), sent.get("body", pull.body))
    base = sent.get("base")
    if base is not None and pull.repo.head(base) is None:
        raise invalid("PullRequest", f"Proposed base branch '{base}' was not found")
    # State first: a refusal leaves the rest as it was.
    wanted = sent.get("state", pull.state)
    if wanted != pull.state:
        change = call.pulls.close if wanted == "closed" else call.pulls.reopen
        change(pull, call.actor)
    pull.title = sent.get("title", pull.title)
    pull.body = sent.get("body", pull.body)
    pull.base_ref = base or pull.base_ref
    pull.updated_at = call.server.clock.now()
    return Reply(200, _full(call, pull))


@serves("GET /repos/{owner}/{repo}/pulls/{pull_number}/files")
def list_files(call: Call) -> Reply:
    pull = call.pull(call.repo("pull_requests"))
    return paged(
        call,
        list(changed(pull).items()),
        lambda one: call.server.shapes.changed_file(pull, one[0], *one[1]),
    )


@serves("PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge")
def merge_pull(call: Call) -> Reply:
    pull = call.pull(call.repo("contents", "write"))
    sent = call.sent
    sha = call.pulls.merge(
        pull,
        call.actor,
        method=sent.get("merge_method", "merge"),
        sha=sent.get("sha"),
        title=sent.get("commit_title"),
        message=sent.get("commit_message"),
    )
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@serves("POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers")
def request_reviewers(call: Call) -> Reply:
    pull = call.pull(call.repo("pull_requests", "write"))
    people = []
    for login in call.sent.get("reviewers", ()):
        account = call.world.person(pull.repo, login)
        if account is None:
            raise _no_collaborator()
        if account is pull.author:
            raise ApiError(422, "Review cannot be requested from pull request author.")
        people.append(account)
    teams = list(call.sent.get("team_reviewers", ()))
    if not set(teams) <= call.server.teams:
        raise ApiError(422, "Could not resolve to a node with the global id of 'T_unknown'.")
    call.pulls.request_reviews(pull, people, teams)
    return Reply(201, call.server.shapes.simple_pull(pull))


def _no_collaborator() -> ApiError:
    return ApiError(
        422,
        "Reviews may only be requested from collaborators. One or more of the users or teams "
        "you specified is not a collaborator of the repository.",
    )

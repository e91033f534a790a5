"""Issues, and what pull requests have of them: comments, labels, assignees."""

from __future__ import annotations

from tests.github.errors import ApiError
from tests.github.pulls import refuse_text
from tests.github.rest.router import Call, Reply, paged, serves
from tests.github.state import Issue, Pull


def _thread(call: Call, level: str) -> Issue:
    """The issue or pull request; permission for pull requests is enough for one of those."""
    issue = call.issue(call.repo())
    token = call.token
    if isinstance(issue, Pull) and token and token.may(issue.repo, "pull_requests", level):
        call.repo("pull_requests", level)
    else:
        call.repo("issues", level)
    return issue


@serves("GET /repos/{owner}/{repo}/issues")
def list_issues(call: Call) -> Reply:
    repo = call.repo("issues")
    state = call.query.get("state", "open")
    found = [one for one in repo.issues.values() if state in ("all", one.state)]
    if "creator" in call.query:
        found = [one for one in found if one.author.login == call.query["creator"]]
    if "labels" in call.query:
        wanted = set(call.query["labels"].lower().split(","))
        found = [one for one in found if wanted <= {it.name.lower() for it in one.labels}]
    found.sort(key=lambda one: one.number, reverse=call.query.get("direction", "desc") == "desc")
    return paged(call, found, call.server.shapes.issue)


@serves("POST /repos/{owner}/{repo}/issues")
def create_issue(call: Call) -> Reply:
    repo = call.repo("issues", "write")
    if not repo.has_issues:
        raise ApiError(410, "Issues has been disabled in this repository.")
    issue = call.pulls.open_issue(repo, call.actor, str(call.sent["title"]), call.sent.get("body"))
    names = [one if isinstance(one, str) else one["name"] for one in call.sent.get("labels", ())]
    call.pulls.add_labels(issue, names, call.actor)
    return Reply(201, call.server.shapes.issue(issue))


@serves("GET /repos/{owner}/{repo}/issues/{issue_number}")
def get_issue(call: Call) -> Reply:
    return Reply(200, call.server.shapes.issue(_thread(call, "read")))


@serves("PATCH /repos/{owner}/{repo}/issues/{issue_number}")
def update_issue(call: Call) -> Reply:
    issue = _thread(call, "write")
    refuse_text("Issue", call.sent.get("title", issue.title), call.sent.get("body", issue.body))
    issue.title = call.sent.get("title", issue.title)
    issue.body = call.sent.get("body", issue.body)
    wanted = call.sent.get("state", issue.state)
    if wanted != issue.state:
        change = call.pulls.close if wanted == "closed" else call.pulls.reopen
        change(issue, call.actor)
    return Reply(200, call.server.shapes.issue(issue))


@serves("GET /repos/{owner}/{repo}/issues/{issue_number}/comments")
def list_comments(call: Call) -> Reply:
    issue = _thread(call, "read")
    return paged(call, issue.comments, call.server.shapes.comment)


@serves("POST /repos/{owner}/{repo}/issues/{issue_number}/comments")
def create_comment(call: Call) -> Reply:
    issue = _thread(call, "write")
    comment = call.pulls.comment(issue, call.actor, call.sent["body"])
    return Reply(201, call.server.shapes.comment(comment))


@serves("POST /repos/{owner}/{repo}/issues/{issue_number}/labels")
def add_labels(call: Call) -> Reply:
    issue = _thread(call, "write")
    sent = call.body["labels"] if isinstance(call.body, dict) else call.body
    names = [one if isinstance(one, str) else one["name"] for one in sent]
    call.pulls.add_labels(issue, names, call.actor)
    return Reply(200, [call.server.shapes.label(one) for one in issue.labels])


@serves("POST /repos/{owner}/{repo}/issues/{issue_number}/assignees")
def add_assignees(call: Call) -> Reply:
    issue = _thread(call, "write")
    # People who cannot be assigned are left out in silence.
    found = [call.world.person(issue.repo, one) for one in call.sent.get("assignees", ())]
    call.pulls.assign(issue, [one for one in found if one is not None], call.actor)
    return Reply(201, call.server.shapes.issue(issue))

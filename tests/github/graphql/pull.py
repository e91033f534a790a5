"""Fields of a pull request, and of what hangs on it."""

from __future__ import annotations

from typing import Any

from tests.github.clock import stamp
from tests.github.graphql.context import (
    Commit,
    Info,
    Ref,
    attributes,
    connection,
    context,
    resolves,
)
from tests.github.graphql.git import object_of
from tests.github.rest.shapes import changed
from tests.github.state import Account, Comment, Issue, Pull, node_id


def _when(seconds: float | None) -> str | None:
    return None if seconds is None else stamp(seconds)


for _kind in ("PullRequest", "Issue"):
    attributes(
        _kind,
        id=node_id,
        databaseId=lambda one: one.id,
        fullDatabaseId=lambda one: str(one.id),
        number=lambda one: one.number,
        title=lambda one: one.title,
        body=lambda one: one.body or "",
        author=lambda one: one.author,
        closed=lambda one: one.state == "closed",
        createdAt=lambda one: stamp(one.created_at),
        updatedAt=lambda one: stamp(one.updated_at),
        closedAt=lambda one: _when(one.closed_at),
        repository=lambda one: one.repo,
        locked=lambda one: False,
    )
attributes(
    "PullRequest",
    state=lambda one: one.graphql_state,
    isDraft=lambda one: one.is_draft,
    headRefName=lambda one: one.head_ref,
    headRefOid=lambda one: one.head,
    baseRefName=lambda one: one.base_ref,
    baseRefOid=lambda one: one.base,
    headRef=lambda one: _ref(one.head_repo, one.head_ref),
    baseRef=lambda one: _ref(one.repo, one.base_ref),
    headRepository=lambda one: one.head_repo,
    headRepositoryOwner=lambda one: one.head_repo.owner,
    baseRepository=lambda one: one.repo,
    isCrossRepository=lambda one: one.head_repo is not one.repo,
    merged=lambda one: one.merged_at is not None,
    mergedAt=lambda one: _when(one.merged_at),
    mergedBy=lambda one: one.merged_by,
    changedFiles=lambda one: len(changed(one)),
    autoMergeRequest=lambda one: one.auto_merge,
    isInMergeQueue=lambda one: one.is_queued,
    reviewDecision=lambda one: one.review_decision,
)
attributes("Issue", state=lambda one: one.state.upper())
attributes(
    "AutoMergeRequest",
    enabledAt=lambda one: stamp(one.at),
    enabledBy=lambda one: one.by,
    mergeMethod=lambda one: one.method,
    commitHeadline=lambda one: one.headline,
    commitBody=lambda one: one.body,
)


def _ref(repo: Any, branch: str) -> Ref | None:
    sha = repo.head(branch)
    return Ref(repo, f"refs/heads/{branch}", sha) if sha else None


@resolves("PullRequest.url", "Issue.url")
def url(source: Pull, info: Info) -> str:
    return context(info).shapes.html_url(source)


@resolves("PullRequest.mergeCommit")
def merge_commit(source: Pull, info: Info) -> Any:
    return object_of(source.repo, source.merge_sha) if source.merge_sha else None


@resolves("PullRequest.mergeable")
def mergeable(source: Pull, info: Info) -> str:
    here = context(info)
    if not source.is_open or (here.server.is_mergeable_late and not source.is_asked):
        source.is_asked = True
        return "UNKNOWN"
    return "MERGEABLE" if here.life.mergeable(source) else "CONFLICTING"


@resolves("PullRequest.mergeStateStatus")
def merge_state(source: Pull, info: Info) -> str:
    return context(info).life.status(source) if source.is_open else "UNKNOWN"


@resolves("PullRequest.files")
def files(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    context(info).allow(source.repo, "contents")
    kinds = {"added": "ADDED", "removed": "DELETED", "modified": "MODIFIED"}
    found = [
        {"path": path, "changeType": kinds[status], "additions": 1, "deletions": 1}
        for path, (status, _) in changed(source).items()
    ]
    return connection(found, **asked)


@resolves("PullRequest.labels", "Issue.labels")
def labels(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    return connection(source.labels, **asked)


@resolves("PullRequest.assignees", "Issue.assignees")
def assignees(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    return connection(source.assignees, **asked)


@resolves("PullRequest.comments", "Issue.comments")
def comments(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    return connection(source.comments, **asked)


attributes("Label", id=node_id, name=lambda one: one.name, color=lambda one: one.color)
attributes(
    "IssueComment",
    id=node_id,
    databaseId=lambda one: one.id,
    body=lambda one: one.body,
    author=lambda one: one.author,
    createdAt=lambda one: stamp(one.created_at),
)


@resolves("IssueComment.viewerDidAuthor", "PullRequest.viewerDidAuthor", "Issue.viewerDidAuthor")
def viewer_did_author(source: Comment | Issue, info: Info) -> bool:
    return source.author is context(info).actor


@resolves("PullRequest.viewerCanEnableAutoMerge")
def can_enable(source: Pull, info: Info) -> bool:
    return source.repo.allow_auto_merge and context(info).life.status(source) != "CLEAN"


@resolves("PullRequest.commits")
def commits(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    git = source.repo.git
    behind = set(git.ancestors(source.base))
    ahead = [one for one in git.ancestors(source.head) if one not in behind]
    found = [object_of(source.repo, one) for one in reversed(ahead)]
    return connection([_wrapped(one) for one in found], **asked)


def _wrapped(commit: Any) -> dict[str, Any]:
    name = commit.commit.sha if isinstance(commit, Commit) else ""
    return {"id": f"PRC_{name}", "commit": commit}


@resolves("PullRequest.timelineItems")
def timeline(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    wanted = {_type_name(one) for one in asked.get("itemTypes") or ()}
    found = [one for one in source.events if not wanted or one.kind in wanted]
    return {**connection(found, **asked), "filteredCount": len(found)}


def _type_name(item: str) -> str:
    """`LABELED_EVENT` is `LabeledEvent`."""
    return "".join(word.title() for word in item.split("_"))


for _kind in (
    "LabeledEvent",
    "AssignedEvent",
    "ReviewRequestedEvent",
    "AutoMergeEnabledEvent",
    "AutoMergeDisabledEvent",
    "ClosedEvent",
    "ReopenedEvent",
    "MergedEvent",
    "HeadRefDeletedEvent",
):
    attributes(
        _kind,
        id=node_id,
        actor=lambda one: one.actor,
        createdAt=lambda one: stamp(one.at),
    )


@resolves("PullRequest.reviewRequests")
def review_requests(source: Pull, info: Info, **asked: Any) -> dict[str, Any]:
    people: list[Account] = source.reviewers
    found: list[dict[str, Any]] = [{"requestedReviewer": one} for one in people]
    teams = [{"__typename": "Team", "slug": one, "name": one} for one in source.teams]
    found += [{"requestedReviewer": one} for one in teams]
    return connection(found, **asked)

"""Fields of a repo."""

from __future__ import annotations

from typing import Any, TypeVar

from tests.github.clock import stamp
from tests.github.errors import ApiError
from tests.github.graphql.context import Info, Ref, attributes, connection, context, resolves
from tests.github.state import Account, Issue, Pull, Repo, node_id

_I = TypeVar("_I", bound=Issue)

attributes(
    "Repository",
    id=node_id,
    databaseId=lambda one: one.id,
    name=lambda one: one.name,
    nameWithOwner=lambda one: one.full_name,
    owner=lambda one: one.owner,
    description=lambda one: one.description,
    isArchived=lambda one: one.archived,
    isDisabled=lambda one: one.disabled,
    isFork=lambda one: one.fork_of is not None,
    isEmpty=lambda one: not one.git.refs("refs/heads/"),
    isLocked=lambda one: one.locked,
    isMirror=lambda one: False,
    isPrivate=lambda one: one.private,
    isTemplate=lambda one: one.template,
    visibility=lambda one: "PRIVATE" if one.private else "PUBLIC",
    parent=lambda one: one.fork_of,
    autoMergeAllowed=lambda one: one.allow_auto_merge,
    mergeCommitAllowed=lambda one: one.allow_merge_commit,
    squashMergeAllowed=lambda one: one.allow_squash_merge,
    rebaseMergeAllowed=lambda one: one.allow_rebase_merge,
    deleteBranchOnMerge=lambda one: one.delete_branch_on_merge,
    hasIssuesEnabled=lambda one: one.has_issues,
    webCommitSignoffRequired=lambda one: one.web_commit_signoff_required,
    createdAt=lambda one: stamp(one.created_at),
    pushedAt=lambda one: stamp(one.created_at),
)


@resolves("Repository.url")
def url(source: Repo, info: Info) -> str:
    return f"{context(info).server.url}/{source.full_name}"


@resolves("Repository.viewerPermission")
def viewer_permission(source: Repo, info: Info) -> str | None:
    token = context(info).token
    if token.installation is not None:
        return "WRITE" if token.may(source, "contents", "write") else "READ"
    return source.permission_of(token.account) or None


@resolves("Repository.defaultBranchRef")
def default_branch(source: Repo, info: Info) -> Ref | None:
    name = f"refs/heads/{source.default_branch}"
    sha = source.git.ref(name)
    return Ref(source, name, sha) if sha else None


@resolves("Repository.repositoryTopics")
def topics(source: Repo, info: Info, **asked: Any) -> dict[str, Any]:
    return connection([{"topic": {"name": one}} for one in source.topics], **asked)


@resolves("Repository.ref")
def ref(source: Repo, info: Info, **asked: str) -> Ref | None:
    for prefix in ("", "refs/heads/", "refs/tags/"):
        name = f"{prefix}{asked['qualifiedName']}"
        sha = source.git.ref(name) if name.startswith("refs/") else None
        if sha:
            return Ref(source, name, sha)
    return None


@resolves("Repository.refs")
def refs(source: Repo, info: Info, query: str | None = None, **asked: Any) -> dict[str, Any]:
    wanted = asked["refPrefix"]
    prefix = wanted if context(info).server.shortens_ref_names else "refs/heads/"
    found = [Ref(source, k, v, prefix) for k, v in source.git.refs(wanted).items()]
    if query:
        found = [one for one in found if query in one.name]
    return connection(found, **asked)


@resolves("Repository.pullRequests")
def pull_requests(source: Repo, info: Info, **asked: Any) -> dict[str, Any]:
    context(info).allow(source, "pull_requests")
    return connection(_ordered(filtered(source.pulls, asked), asked.get("orderBy")), **asked)


def filtered(pulls: list[Pull], asked: dict[str, Any]) -> list[Pull]:
    """Those that the usual arguments of such a connection leave."""
    states, head, base = asked.get("states"), asked.get("headRefName"), asked.get("baseRefName")
    labels = asked.get("labels")
    return [
        one
        for one in pulls
        if (not states or one.graphql_state in states)
        and (head is None or one.head_ref == head)
        and (base is None or one.base_ref == base)
        and (not labels or {it.name for it in one.labels} & set(labels))
    ]


def _ordered(pulls: list[_I], order: dict[str, Any] | None) -> list[_I]:
    if not order:
        return pulls
    return sorted(
        pulls,
        key=lambda one: (
            one.updated_at if order["field"] == "UPDATED_AT" else one.created_at,
            one.number,
        ),
        reverse=order["direction"] == "DESC",
    )


@resolves("Repository.pullRequest")
def pull_request(source: Repo, info: Info, number: int) -> Pull:
    context(info).allow(source, "pull_requests")
    found = source.issues.get(number)
    if not isinstance(found, Pull):
        message = f"Could not resolve to a PullRequest with the number of {number}."
        raise ApiError(200, message, kind="NOT_FOUND")
    return found


@resolves("Repository.issues")
def issues(source: Repo, info: Info, **asked: Any) -> dict[str, Any]:
    context(info).allow(source, "issues")
    states = asked.get("states")
    found = [one for one in source.issues.values() if not isinstance(one, Pull)]
    found = [one for one in found if not states or one.state.upper() in states]
    return connection(_ordered(found, asked.get("orderBy")), **asked)


@resolves("Repository.assignableUsers")
def assignable(source: Repo, info: Info, **asked: Any) -> dict[str, Any]:
    people = [one for one in context(info).world.accounts.values() if _is_person(one)]
    return connection(people, **asked)


def _is_person(account: Account) -> bool:
    return account.kind == "User"

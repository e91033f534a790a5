"""Accounts and their repos."""

from __future__ import annotations

from tests.github.errors import ApiError, not_found
from tests.github.rest.router import Call, Reply, denied, paged, serves
from tests.github.state import Account, Repo


def _visible(call: Call, repos: list[Repo]) -> list[Repo]:
    token = call.token
    return [repo for repo in repos if (token.sees(repo) if token else not repo.private)]


def _account(call: Call, name: str, kind: str = "") -> Account:
    account = call.world.accounts.get(call.path[name].lower())
    if account is None or kind not in ("", account.kind):
        raise not_found()
    return account


@serves("GET /repos/{owner}/{repo}")
def get_repo(call: Call) -> Reply:
    return Reply(200, call.server.shapes.repo(call.repo(), call.token))


@serves("GET /orgs/{org}/repos")
def list_org_repos(call: Call) -> Reply:
    return _listed(call, call.world.repos_of(_account(call, "org", "Organization")))


@serves("GET /users/{username}/repos")
def list_user_repos(call: Call) -> Reply:
    return _listed(call, call.world.repos_of(_account(call, "username")))


@serves("GET /user/repos")
def list_own_repos(call: Call) -> Reply:
    actor = call.actor
    known = [repo for repo in call.world.repos.values() if repo.permission_of(actor)]
    shapes = call.server.shapes
    return paged(call, _visible(call, known), lambda one: shapes.repo(one, call.token))


def _listed(call: Call, repos: list[Repo]) -> Reply:
    shapes = call.server.shapes
    return paged(call, _visible(call, repos), lambda one: shapes.minimal_repo(one, call.token))


@serves("GET /installation/repositories")
def list_installation_repos(call: Call) -> Reply:
    installation = call.token.installation if call.token else None
    if installation is None:
        raise not_found()
    known = [one for one in call.world.repos.values() if installation.covers(one)]
    shapes = call.server.shapes
    answer = paged(call, known, lambda one: shapes.repo(one, call.token))
    answer.data = {"total_count": len(known), "repositories": answer.data}
    return answer


@serves("GET /orgs/{org}")
def get_org(call: Call) -> Reply:
    account = _account(call, "org", "Organization")
    return Reply(200, call.server.shapes.organization(account))


@serves("GET /user")
def get_user(call: Call) -> Reply:
    if call.token is not None and call.token.installation is not None:
        raise denied(call.token)
    return Reply(200, call.server.shapes.account(call.actor))


@serves("GET /users/{username}")
def get_named_user(call: Call) -> Reply:
    return Reply(200, call.server.shapes.account(_account(call, "username")))


@serves("GET /rate_limit")
def get_rate_limit(call: Call) -> Reply:
    limits, now = call.server.limits, call.server.clock.now()
    if not limits.is_enforced:
        raise ApiError(404, "Rate limiting is not enabled.")
    key = call.token.key if call.token else ""
    core = limits.state(key, now, is_graphql=False)
    graphql = limits.state(key, now, is_graphql=True)
    data = {"resources": {"core": core, "graphql": graphql, "search": core}, "rate": core}
    return Reply(200, data)


@serves("GET /repos/{owner}/{repo}/branches")
def list_branches(call: Call) -> Reply:
    repo = call.repo("contents")
    refs = repo.git.refs("refs/heads/")
    base = call.server.shapes.repo_url(repo)
    return paged(
        call,
        list(refs.items()),
        lambda one: {
            "name": one[0].removeprefix("refs/heads/"),
            "commit": {"sha": one[1], "url": f"{base}/commits/{one[1]}"},
            "protected": one[0].removeprefix("refs/heads/") in repo.protected,
        },
    )


@serves("GET /repos/{owner}/{repo}/branches/{branch}")
def get_branch(call: Call) -> Reply:
    repo = call.repo("contents")
    name = call.path["branch"]
    sha = repo.head(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    url = f"{call.server.shapes.repo_url(repo)}/commits/{sha}"
    is_protected = name in repo.protected
    return Reply(200, {"name": name, "commit": {"sha": sha, "url": url}, "protected": is_protected})


@serves("GET /repos/{owner}/{repo}/rules/branches/{branch}")
def list_rules(call: Call) -> Reply:
    return paged(call, call.repo().rules, lambda one: one)

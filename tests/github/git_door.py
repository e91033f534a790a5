"""Git's own protocol: clones, fetches and pushes, through `git http-backend`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.git_http import Asked, answer_git
from tests.github import faults
from tests.github.errors import ApiError
from tests.github.exchange import Incoming, Outgoing, bearer_of, token_of
from tests.github.log import Request
from tests.github.rest.router import allow
from tests.github.state import Repo, Token

if TYPE_CHECKING:
    from tests.github.server import GitHubServer

_PATH = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")


def answer(github: GitHubServer, incoming: Incoming) -> Outgoing | None:
    """The answer to a request of git; None: it is none.

    Raises:
        ConnectionDropped: By script.
    """
    found = _PATH.fullmatch(incoming.path)
    if found is None:
        return None
    owner, name, service = found.groups()
    is_push = service == "git-receive-pack"
    request = Request(incoming.method, incoming.path, is_write=is_push, is_git=True)
    with github.lock:
        github.requests.append(request)
        struck = github.faults.due((incoming.method, incoming.path, ()))
    try:
        faults.before(struck)
        made = _served(github, incoming, f"{owner}/{name}", service, request)
        made.body = faults.after(struck, made.body)
    except ApiError as error:
        made = _refused(error)
    request.status = made.status
    return made


def _refused(error: ApiError) -> Outgoing:
    if error.status in {401, 404}:
        wanted = {"WWW-Authenticate": 'Basic realm="GitHub"'}
        text = b"Repository not found." if error.status == 404 else b"Authentication failed."
        return Outgoing(error.status, text, wanted if error.status == 401 else {})
    return Outgoing(error.status, error.message.encode())


def _served(
    github: GitHubServer, incoming: Incoming, full_name: str, service: str, request: Request
) -> Outgoing:
    token = token_of(github, bearer_of(incoming))
    request.who = token.label if token else ""
    repo = github.world.repo(full_name) or github.world.moved(full_name)
    writes = "git-receive-pack" in f"{service} {incoming.query}"
    if repo is None or (token is None and (repo.private or writes)):
        raise ApiError(401 if token is None else 404, "Repository not found.")
    allow(token, repo, "contents", "write" if writes else "read")
    if service != "git-receive-pack" or token is None:
        return _backend(repo, incoming, service)
    return _push(github, repo, incoming, token)


def _push(github: GitHubServer, repo: Repo, incoming: Incoming, token: Token) -> Outgoing:
    done = github.count_write(f"push {repo.full_name}")
    with github.lock:
        made = _backend(repo, incoming, "git-receive-pack")
        github.life.settle(repo, token.account)
    done()
    return made


def _backend(repo: Repo, incoming: Incoming, service: str) -> Outgoing:
    asked = Asked(incoming.method, f"/{service}", incoming.query, incoming.headers, incoming.body)
    told = answer_git(repo.git.folder, asked)
    return Outgoing(told.status, told.body, dict(told.headers))

"""The test GitHub: stateful, in this process, over real bare repos.

    with GitHubServer() as github:
        repo = github.add_repo("acme/app", {"Dockerfile": "FROM python:3.12@sha256:…\\n"})
        token = github.token()                      # a Token; .value is what a client sends
        github.url                                  # REST; GraphQL is at /graphql
        github.clock.as_clock()                     # digestbot.clock.Clock on its virtual time

Setting up and looking (all names of repos are `owner/name`):

    github.add_repo(name, files, topics=…, archived=…, any field of state.Repo)
    github.repo(name), github.commit(name, branch, files), github.files(name, branch)
    github.open_pull(name, head, by=…, files={…}), github.pull(name, n), github.pulls(name)
    github.close_pull(name, n), github.merge_pull(name, n), github.delete_branch(name, branch)
    github.set_checks(name, sha, ci="success", lint=None)     # None: still running
    github.rename(name, new), github.fork(name, owner)
    github.token(user=…, scopes=("repo",) | permissions={…}), github.app(key, on=["acme"])

What was asked: `github.requests` (see log.Request), `github.writes`, `github.reads`,
`github.restart_log()`. Trouble: `github.faults.add("502-after", method="POST",
path="/repos/*/pulls")` (see faults), `github.limits` (see limits; `.is_enforced = False` as on
GitHub Enterprise Server), `github.on_write = callback` (a `log.Write` before and after each).

Leaving the `with` raises ContractError if anybody did what GitHub's description does not allow.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from tests.github import listener
from tests.github.bare import BareRepo, File, Files, executable, submodule, symlink
from tests.github.clock import VirtualClock
from tests.github.contract import Contract
from tests.github.errors import ApiError
from tests.github.faults import Faults
from tests.github.limits import Limits
from tests.github.log import Request, Write
from tests.github.objects import Person
from tests.github.pulls import Pulls
from tests.github.rest.router import Call
from tests.github.rest.shapes import Shapes
from tests.github.state import (
    Account,
    App,
    Check,
    Comment,
    Installation,
    Pull,
    Repo,
    Token,
    World,
)

__all__ = ["File", "GitHubServer", "executable", "submodule", "symlink"]

# Repos are thousands of small files: in memory, where the system has a folder for that.
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
ALL_PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "read",
    "statuses": "read",
    "workflows": "write",
}


class GitHubServer:
    """One GitHub of one's own; a context manager.

    Attributes:
        tree_limit: How many entries a recursive tree has before it is cut.
        is_mergeable_late: Whether the first answer about an open pull request does not know
            yet if it merges.
        shortens_ref_names: Whether `Ref.name` begins behind the `refPrefix` that was asked for;
            which it is on GitHub is not documented.
        teams: The slugs of teams that may be asked for reviews.
        on_write: Called before and after each write; one that raises `ConnectionDropped`
            before it prevents it.
    """

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.world = World()
        self.limits = Limits()
        self.faults = Faults()
        self.contract = Contract()
        self.requests: list[Request] = []
        self.tree_limit = 100_000
        self.is_mergeable_late = False
        self.shortens_ref_names = False
        self.teams = {"platform", "reviewers"}
        self.on_write: Callable[[Write], object] = lambda _write: None
        self.lock = threading.RLock()
        self.url = ""
        self._writes = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=_MEMORY)))
        self.url = self._stack.enter_context(listener.listening(self))
        self.shapes = Shapes(self.url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        # Where the test fails anyway, its own error says more.
        if error is None or isinstance(error, AssertionError):
            self.contract.close()

    # -- for the handlers

    @property
    def life(self) -> Pulls:
        return Pulls(self.world, self.clock.now())

    def link(self, call: Call, page: int) -> str:
        """The address of another page of what was asked."""
        return f"{self.url}{call.path['']}?{urlencode({**call.query, 'page': page})}"

    def bearer(self, call: Call) -> str:
        return call.path["authorization"]

    def denied(self) -> ApiError:
        return ApiError(403, "Resource not accessible by integration", kind="FORBIDDEN")

    def count_write(self, what: str) -> Callable[[], None]:
        """Announce a write; call the result once it is done."""
        with self.lock:
            self._writes += 1
            number = self._writes
        self.on_write(Write(number, "before", what))
        return lambda: self._announce(number, what)

    def _announce(self, number: int, what: str) -> None:
        self.on_write(Write(number, "after", what))

    # -- scenery

    def add_repo(
        self, full_name: str, files: Files | None = None, *, kind: str = "Organization", **more: Any
    ) -> Repo:
        """A new repo with one commit of these files; without any (`{}`) it is empty."""
        owner, _, name = full_name.partition("/")
        with self.lock:
            account = self.world.account(owner, kind)
            number = self.world.new_id()
            git = BareRepo(self.folder / f"{number}.git")
            repo = Repo(number, account, name, git, self.clock.now(), **more)
            git.create(repo.default_branch)
            self.world.repos[full_name.lower()] = repo
            self.world.keep(repo)
            files = {"README.md": f"# {name}\n"} if files is None else files
            if files:
                self.commit(full_name, repo.default_branch, files, message="First commit")
        return repo

    def repo(self, full_name: str) -> Repo:
        repo = self.world.repo(full_name)
        if repo is None:
            raise LookupError(full_name)
        return repo

    def user(self, login: str, kind: str = "User") -> Account:
        return self.world.account(login, kind)

    def commit(
        self,
        full_name: str,
        branch: str,
        files: Files,
        *,
        by: str = "ann",
        message: str = "Change",
        start: str | None = None,
    ) -> str:
        """Somebody pushes a commit; a new branch starts where the default branch is."""
        repo = self.repo(full_name)
        who = Person(by, f"{by}@example.org", int(self.clock.now()))
        with self.lock:
            if repo.head(branch) is None and repo.head() is not None:
                repo.git.set_ref(f"refs/heads/{branch}", start or repo.head())
            sha = repo.git.commit_files(branch, files, who, message)
            self.life.settle(repo, self.user(by))
        return sha

    def files(self, full_name: str, branch: str | None = None) -> dict[str, bytes]:
        """The bytes of every file on a branch, by path."""
        repo = self.repo(full_name)
        head = repo.head(branch)
        if head is None:
            return {}
        listed = repo.git.files(repo.git.tree_of(head))
        return {path: repo.git.objects.blob(one.sha) or b"" for path, one in listed.items()}

    def branches(self, full_name: str) -> dict[str, str]:
        refs = self.repo(full_name).git.refs("refs/heads/")
        return {name.removeprefix("refs/heads/"): sha for name, sha in refs.items()}

    def delete_branch(self, full_name: str, branch: str, by: str = "ann") -> None:
        repo = self.repo(full_name)
        with self.lock:
            repo.git.set_ref(f"refs/heads/{branch}", None)
            self.life.settle(repo, self.user(by))

    def open_pull(
        self,
        full_name: str,
        head: str,
        files: Files | None = None,
        *,
        by: str = "ann",
        title: str = "A change",
        body: str = "",
        base: str | None = None,
        is_draft: bool = False,
    ) -> Pull:
        """Somebody opens a pull request; with files, after pushing them to the branch."""
        repo = self.repo(full_name)
        with self.lock:
            if files:
                self.commit(full_name, head, files, by=by)
            return self.life.open_pull(
                repo,
                self.user(by),
                title=title,
                body=body,
                head=head,
                base=base or repo.default_branch,
                is_draft=is_draft,
            )

    def pull(self, full_name: str, number: int) -> Pull:
        return next(one for one in self.repo(full_name).pulls if one.number == number)

    def pulls(self, full_name: str, state: str = "all") -> list[Pull]:
        return [one for one in self.repo(full_name).pulls if state in ("all", one.state)]

    def close_pull(self, full_name: str, number: int, by: str = "ann") -> None:
        with self.lock:
            self.life.close(self.pull(full_name, number), self.user(by))

    def reopen_pull(self, full_name: str, number: int, by: str = "ann") -> None:
        with self.lock:
            self.life.reopen(self.pull(full_name, number), self.user(by))

    def merge_pull(
        self, full_name: str, number: int, by: str = "ann", method: str = "merge"
    ) -> str:
        with self.lock:
            return self.life.merge(self.pull(full_name, number), self.user(by), method=method)

    def comment(self, full_name: str, number: int, body: str, by: str = "ann") -> Comment:
        with self.lock:
            return self.life.comment(self.repo(full_name).issues[number], self.user(by), body)

    def set_checks(
        self, full_name: str, sha: str, *, is_status: bool = False, **checks: str | None
    ) -> None:
        """What CI says of a commit, by name of the check; None: it is still running."""
        repo = self.repo(full_name)
        made = [Check(self.world.new_id(), k, v, is_status) for k, v in checks.items()]
        with self.lock:
            repo.checks[sha] = made
            for one in made:
                self.world.keep(one)
            self.life.merge_green(repo)

    def rename(self, full_name: str, new: str) -> None:
        """Give a repo another name, and perhaps another owner; the old one is redirected."""
        with self.lock:
            repo = self.world.repos.pop(full_name.lower())
            owner, _, repo.name = new.partition("/")
            repo.owner = self.world.account(owner, "Organization")
            self.world.repos[new.lower()] = repo
            self.world.renamed[full_name.lower()] = new

    def fork(self, full_name: str, owner: str) -> Repo:
        source = self.repo(full_name)
        fork = self.add_repo(f"{owner}/{source.name}", {}, kind="User", fork_of=source)
        source.git.git("push", "-q", "--mirror", str(fork.git.folder))
        return fork

    def token(
        self,
        user: str = "digestbot-user",
        *,
        scopes: Sequence[str] | None = ("repo",),
        permissions: Mapping[str, str] | None = None,
        repos: Sequence[str] | None = None,
        expires_in: float | None = None,
    ) -> Token:
        """A classic token with scopes, or, with permissions, a fine-grained one."""
        number = self.world.new_id()
        kind = "ghp" if permissions is None else "github_pat"
        token = Token(
            f"{kind}_{number}canary{number:032d}",
            self.user(user),
            tuple(scopes or ()) if permissions is None else None,
            None if permissions is None else dict(permissions),
            expires_at=None if expires_in is None else self.clock.now() + expires_in,
            repos=None if repos is None else {one.rpartition("/")[2] for one in repos},
            label=user,
        )
        self.world.tokens[token.value] = token
        return token

    def revoke(self, token: Token) -> None:
        token.revoked = True

    def app(
        self,
        public_key: str,
        *,
        on: Sequence[str] = ("acme",),
        slug: str = "digestbot",
        permissions: Mapping[str, str] | None = None,
    ) -> App:
        """An App with this public key (PEM), installed on accounts."""
        number = self.world.new_id()
        bot = self.world.account(f"{slug}[bot]", "Bot")
        granted = dict(permissions or ALL_PERMISSIONS)
        app = App(number, slug, f"Iv23li{number:014d}", public_key, bot, granted)
        self.world.apps.append(app)
        for login in on:
            account = self.world.account(login, "Organization")
            one = Installation(self.world.new_id(), app, account)
            self.world.installations[one.id] = one
        return app

    # -- what was asked

    @property
    def writes(self) -> list[Request]:
        return [one for one in self.requests if one.is_write]

    @property
    def reads(self) -> list[Request]:
        return [one for one in self.requests if not one.is_write]

    def restart_log(self) -> None:
        self.requests.clear()

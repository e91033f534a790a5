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
    github.add_check(name, sha, "ci", "failure")              # one more, or run again
    github.ci(name, {"build": "FAILURE"}, default={"build": "SUCCESS"})   # of what comes to be
    github.review(name, n, "APPROVED", by="ann"), github.issues(name)
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
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.github import listener
from tests.github.bare import File, executable, submodule, symlink
from tests.github.clock import VirtualClock
from tests.github.contract import Contract
from tests.github.faults import Faults
from tests.github.limits import Limits
from tests.github.log import Request, Write
from tests.github.rest.shapes import Shapes
from tests.github.scene import ALL_PERMISSIONS, Scene

__all__ = ["ALL_PERMISSIONS", "File", "GitHubServer", "executable", "submodule", "symlink"]

# Repos are thousands of small files: in memory, where the system has a folder for that.
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class GitHubServer(Scene):
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
        super().__init__(clock)
        self.limits = Limits()
        self.faults = Faults()
        self.contract = Contract()
        self.requests: list[Request] = []
        self.tree_limit = 100_000
        self.is_mergeable_late = False
        self.shortens_ref_names = False
        self.teams = {"platform", "reviewers"}
        self.on_write: Callable[[Write], object] = lambda _write: None
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

    def count_write(self, what: str) -> Callable[[], None]:
        """Announce a write; call the result once it is done."""
        with self.lock:
            self._writes += 1
            number = self._writes
        self.on_write(Write(number, "before", what))
        return lambda: self._announce(number, what)

    def _announce(self, number: int, what: str) -> None:
        self.on_write(Write(number, "after", what))

    # -- what was asked

    @property
    def writes(self) -> list[Request]:
        return [one for one in self.requests if one.is_write]

    @property
    def reads(self) -> list[Request]:
        return [one for one in self.requests if not one.is_write]

    def restart_log(self) -> None:
        self.requests.clear()

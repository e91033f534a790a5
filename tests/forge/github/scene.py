"""A repo on the test GitHub, and digestbot's view of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from digestbot.forge.errors import ForgeError
from digestbot.forge.github.performing import perform
from digestbot.forge.github.session import Session
from digestbot.forge.github.survey import survey
from digestbot.forge.pull import Pull, Survey
from digestbot.forge.repo import Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import FileChange, OpenPull, PushBranch, Step
from tests.forge.github.talking import session_with
from tests.github.bare import Files
from tests.github.server import GitHubServer
from tests.github.state import Repo as State

NAME = "acme/app"
BRANCH = "digestbot/images"
PRINT = "0123456789abcdef"
OLD, NEW = b"FROM python:3.12@sha256:old\n", b"FROM python:3.12@sha256:new\n"
CHANGE = FileChange("Dockerfile", Mode.FILE, NEW)


@dataclass
class Scene:
    """The repo `acme/app` with a Dockerfile; digestbot speaks by a classic token."""

    github: GitHubServer
    session: Session

    @property
    def state(self) -> State:
        """What the test GitHub holds of it."""
        return self.github.repo(NAME)

    @property
    def repo(self) -> Repo:
        """As a listing would tell of it now."""
        head = self.state.head() or ""
        tree = ObjectSha.parse(self.state.git.tree_of(head))
        return Repo(NAME, "main", CommitSha.parse(head), tree)

    def head(self, branch: str = BRANCH) -> CommitSha | None:
        head = self.state.head(branch)
        return CommitSha.parse(head) if head else None

    def need_head(self, branch: str = BRANCH) -> CommitSha:
        head = self.head(branch)
        assert head is not None
        return head

    def push(self, **changes: Any) -> PushBranch:
        """A push that fits the repo as it is now, but for the changes."""
        base = self.repo.head
        assert base is not None
        step = PushBranch(BRANCH, base, self.head(), (CHANGE,), "Update python", PRINT)
        return replace(step, **changes)

    def do(self, step: Step, repo: Repo | None = None) -> None:
        perform(self.session, repo or self.repo, step)

    def propose(self) -> int:
        """Push our branch and open our pull request; its number."""
        self.do(self.push())
        self.do(OpenPull(BRANCH, "main", "Update python", "body"))
        return self.github.pulls(NAME)[-1].number

    def survey(self, *branches: str) -> Survey:
        return survey(self.session, self.repo, branches or (BRANCH,))

    def pull(self, number: int) -> Pull:
        """A pull request as a survey tells of it."""
        pulls = self.survey().pulls or ()
        return next(pull for pull in pulls if pull.number == number)

    @property
    def asked(self) -> list[str]:
        return [one.operation for one in self.github.requests]


@contextmanager
def acting(files: Files | None = None, **settings: Any) -> Iterator[Scene]:
    """The repo with these files and settings, until the end of the `with`."""
    with GitHubServer() as github:
        github.add_repo(NAME, files or {"Dockerfile": OLD}, **settings)
        with session_with(github, NAME) as session:
            yield Scene(github, session)


def error_of(scene: Scene, step: Step) -> ForgeError | None:
    """Do the step; the error that it ends in."""
    try:
        scene.do(step)
    except ForgeError as error:
        return error
    return None

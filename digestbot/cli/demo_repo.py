"""A repo in memory for `digestbot demo rollout`: one Dockerfile, its history, and a CI."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from digestbot.forge.pull import Pull, PullState
from digestbot.forge.repo import Branch, Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.watching import ChecksOf, PullStatus

PATH: Final = "Dockerfile"
MAIN: Final = "main"
HOST: Final = "git.example.com"
_AUTHOR: Final = "Demo <demo@example.com> 0 +0000"
ALL_WELL: Final = ChecksOf(passed=2)
CI_TAKES: Final = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of one file, called as git would call it."""

    data: bytes
    parents: tuple[CommitSha, ...]
    message: str

    @property
    def blob(self) -> ObjectSha:
        """The name of the file's bytes."""
        return ObjectSha(_named("blob", self.data))

    @property
    def tree(self) -> ObjectSha:
        """The name of the tree with that file alone."""
        entry = f"{Mode.FILE} {PATH}\0".encode() + bytes.fromhex(self.blob.value)
        return ObjectSha(_named("tree", entry))

    @property
    def sha(self) -> CommitSha:
        """Its own name."""
        parents = "".join(f"parent {parent}\n" for parent in self.parents)
        people = f"author {_AUTHOR}\ncommitter {_AUTHOR}\n"
        text = f"tree {self.tree}\n{parents}{people}\n{self.message}"
        return CommitSha(_named("commit", text.encode()))


@dataclass
class DemoRepo:
    """One repo.

    Attributes:
        checks: What CI says in the end of what is proposed.
        base_checks: What it said of what was before.
        opened: When each pull request was opened; so of those that `ended`.
    """

    name: str
    checks: ChecksOf = ALL_WELL
    base_checks: ChecksOf = ALL_WELL
    commits: dict[CommitSha, Commit] = field(default_factory=dict)
    branches: dict[str, CommitSha] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    opened: dict[int, datetime] = field(default_factory=dict)
    ended: dict[int, datetime] = field(default_factory=dict)

    def commit(self, branch: str, commit: Commit) -> None:
        """Let a branch lead to this commit."""
        self.commits[commit.sha] = commit
        self.branches[branch] = commit.sha

    def dockerfile(self) -> str:
        """The one file, as the default branch has it."""
        return self.commits[self.branches[MAIN]].data.decode()

    def open_pulls(self) -> list[Pull]:
        """Those that nobody ended."""
        return [pull for pull in self.pulls.values() if pull.state is PullState.OPEN]

    def merge(self, number: int, now: datetime) -> None:
        """Somebody presses the button."""
        pull = self.pulls[number]
        parents = (self.branches[MAIN], pull.head)
        self.commit(MAIN, Commit(self.commits[pull.head].data, parents, f"Merge #{number}\n"))
        self.end(number, PullState.MERGED, now)

    def end(self, number: int, state: PullState, now: datetime) -> None:
        """A pull request is over."""
        self.pulls[number] = replace(self.pulls[number], state=state)
        self.ended[number] = now

    def shown(self) -> Repo:
        """The repo as a listing has it."""
        head = self.branches[MAIN]
        url = f"https://{HOST}/{self.name}"
        return Repo(self.name, MAIN, head, self.commits[head].tree, url=url)

    def branch(self, name: str) -> Branch:
        """A branch with its commit."""
        commit = self.commits[self.branches[name]]
        return Branch(name, commit.sha, commit.tree, commit.parents, commit.message)

    def status(self, number: int, now: datetime) -> PullStatus:
        """How a pull request fares."""
        pull = self.pulls[number]
        (base,) = self.commits[pull.head].parents
        is_checked = now - self.opened[number] >= CI_TAKES
        return PullStatus(
            state=pull.state,
            head=pull.head,
            base=base,
            url=pull.url,
            ended_at=self.ended.get(number),
            mergeable=pull.mergeable,
            checks=self.checks if is_checked or not self.checks else ChecksOf(pending=2),
            base_checks=self.base_checks,
        )


def _named(kind: str, data: bytes) -> str:
    header = f"{kind} {len(data)}\0".encode()
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest()

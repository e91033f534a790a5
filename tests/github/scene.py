"""Setting up the test GitHub, and what people do on it; see `server.py`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.github.bare import BareRepo, Files
from tests.github.clock import VirtualClock
from tests.github.objects import Person
from tests.github.pulls import Pulls
from tests.github.state import (
    CI,
    Account,
    App,
    Check,
    Comment,
    Installation,
    Issue,
    Pull,
    Repo,
    Token,
    World,
)

ALL_PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "read",
    "statuses": "read",
    "workflows": "write",
}


class Scene:
    """The world, and all that happens in it without the API. All names are `owner/name`."""

    folder: Path

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.world = World()
        self.lock = threading.RLock()

    @property
    def life(self) -> Pulls:
        """What changes pull requests and issues, now."""
        return Pulls(self.world, self.clock.now())

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
        with self.lock:
            repo.checks[sha] = [
                self.life.check(k, v, is_status=is_status) for k, v in checks.items()
            ]
            self.life.merge_green(repo)

    def add_check(
        self,
        full_name: str,
        sha: str,
        name: str,
        word: str | None,
        *,
        is_status: bool = False,
        suite: str = "",
    ) -> Check:
        """One more check of a commit; of a name and suite that it has: that is run again."""
        repo = self.repo(full_name)
        with self.lock:
            made = self.life.check(name, word, is_status=is_status)
            made.suite = suite or made.suite
            repo.checks.setdefault(sha, []).append(made)
            self.life.merge_green(repo)
        return made

    def ci(
        self,
        full_name: str,
        branches: Mapping[str, str | None],
        default: Mapping[str, str | None] | None = None,
    ) -> None:
        """What CI says from now on of the tips of branches, at once, by name of the check.

        Args:
            full_name: The repo.
            branches: What it says of what is proposed: `{"build": "FAILURE"}`; None: it runs,
                until `add_check` ends it. `{}`: there is no CI.
            default: What it says of the default branch as it is now and as it comes to be;
                where it is not given, all of these are green there.
        """
        repo = self.repo(full_name)
        green: dict[str, str | None] = dict.fromkeys(branches, "SUCCESS")
        with self.lock:
            repo.ci = CI(dict(branches), dict(green if default is None else default))
            tip = repo.head()
            if tip is not None:
                repo.checks.pop(tip, None)
            self.life.run_ci(repo)

    def review(self, full_name: str, number: int, state: str, by: str = "ann") -> None:
        """Somebody reviews a pull request: `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, …"""
        with self.lock:
            self.life.review(self.pull(full_name, number), self.user(by), state)

    def issues(self, full_name: str) -> list[Issue]:
        """The issues that are no pull requests."""
        found = self.repo(full_name).issues.values()
        return [one for one in found if not isinstance(one, Pull)]

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
        scopes: Sequence[str] | None = ("repo", "workflow"),
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

"""What the test GitHub holds: accounts, repos, pull requests, comments. The rest is in git."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.github.bare import BareRepo


@dataclass(eq=False)
class Account:
    """A person, a bot or an organisation; `kind` is GitHub's `type`."""

    id: int
    login: str
    kind: str = "User"


@dataclass(eq=False)
class Comment:
    id: int
    issue: Issue
    author: Account
    body: str
    created_at: float


@dataclass(eq=False)
class Event:
    """One line of a timeline; `kind` is the name of its type in GraphQL."""

    id: int
    kind: str
    actor: Account
    at: float


@dataclass(eq=False)
class Label:
    id: int
    repo: Repo
    name: str
    color: str = "ededed"


GREEN = {"success", "neutral", "skipped"}
RED = {"failure", "error", "timed_out", "cancelled", "action_required", "startup_failure"}


@dataclass(eq=False)
class Check:
    """A check run, or a commit status where `is_status`; `conclusion` None: still running.

    Attributes:
        status: What one without conclusion does: `queued`, `in_progress`, `waiting`, …
        suite: Of the same suite are the runs of one workflow; those of a name are run again.
    """

    id: int
    name: str
    conclusion: str | None
    is_status: bool = False
    status: str = "in_progress"
    suite: str = "ci"
    at: float = 0.0


@dataclass(eq=False)
class Review:
    """What somebody says of a pull request; `state` is `APPROVED`, `CHANGES_REQUESTED`, …"""

    id: int
    author: Account
    state: str
    at: float


@dataclass(eq=False)
class Issue:
    """An issue; a pull request is one, too."""

    id: int
    repo: Repo
    number: int
    author: Account
    title: str
    body: str | None
    created_at: float
    updated_at: float
    state: str = "open"
    closed_at: float | None = None
    closed_by: Account | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Pull(Issue):
    """A pull request. `head` and `base` are the last commits seen while it was open."""

    head_repo: Repo
    head_ref: str
    base_ref: str
    head: str
    base: str
    is_draft: bool = False
    merged_at: float | None = None
    merged_by: Account | None = None
    merge_sha: str | None = None
    auto_merge: AutoMerge | None = None
    is_queued: bool = False
    reviewers: list[Account] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    is_asked: bool = False

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def approvals(self) -> int:
        return self._verdicts().count("APPROVED")

    @property
    def review_decision(self) -> str | None:
        """GraphQL's `reviewDecision`: the last word of each reviewer counts."""
        verdicts = self._verdicts()
        if "CHANGES_REQUESTED" in verdicts:
            return "CHANGES_REQUESTED"
        if self.approvals < self.repo.required_reviews:
            return "REVIEW_REQUIRED"
        return "APPROVED" if self.approvals else None

    def _verdicts(self) -> list[str]:
        return list({one.author: one.state for one in self.reviews}.values())

    @property
    def graphql_state(self) -> str:
        return "MERGED" if self.merged_at is not None else self.state.upper()


@dataclass(eq=False)
class AutoMerge:
    by: Account
    method: str
    at: float
    headline: str | None = None
    body: str | None = None


@dataclass(frozen=True)
class CI:
    """What CI will say of commits as they come to be: of branches, and of the default branch."""

    branches: Mapping[str, str | None]
    default: Mapping[str, str | None]


@dataclass(eq=False)
class Repo:
    """A repo and its settings; tests may change any of them."""

    id: int
    owner: Account
    name: str
    git: BareRepo
    created_at: float
    default_branch: str = "main"
    description: str | None = None
    private: bool = False
    archived: bool = False
    disabled: bool = False
    locked: bool = False
    fork_of: Repo | None = None
    template: bool = False
    topics: list[str] = field(default_factory=list)
    allow_auto_merge: bool = False
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    delete_branch_on_merge: bool = False
    has_issues: bool = True
    web_commit_signoff_required: bool = False
    required_checks: tuple[str, ...] = ()
    required_reviews: int = 0
    permission: str = "WRITE"
    permissions: dict[str, str] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    allows_drafts: bool = True
    protected: set[str] = field(default_factory=set)
    verified: set[str] = field(default_factory=set)
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    checks: dict[str, list[Check]] = field(default_factory=dict)
    ci: CI | None = None

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def pulls(self) -> list[Pull]:
        return [one for one in self.issues.values() if isinstance(one, Pull)]

    def head(self, branch: str | None = None) -> str | None:
        return self.git.ref(f"refs/heads/{branch or self.default_branch}")

    def permission_of(self, account: Account) -> str:
        """`ADMIN`, `WRITE`, `READ`, … or empty."""
        if account is self.owner:
            return "ADMIN"
        return self.permissions.get(account.login, self.permission)

    def newest_checks(self, sha: str) -> list[Check]:
        """The checks of a commit, less those that were run again."""
        said = self.checks.get(sha, ())
        return list({(one.is_status, one.suite, one.name): one for one in said}.values())

    def conclusion(self, sha: str) -> str | None:
        """What all checks of a commit say together; None without any."""
        said = {check.conclusion for check in self.newest_checks(sha)}
        if not said:
            return None
        if said & RED:
            return "FAILURE"
        return "SUCCESS" if said <= GREEN else "PENDING"


@dataclass(eq=False)
class App:
    id: int
    slug: str
    client_id: str
    public_key: str
    bot: Account
    permissions: dict[str, str]


@dataclass(eq=False)
class Installation:
    """An App on an account; `repos` None: all of that account."""

    id: int
    app: App
    account: Account
    repos: set[str] | None = None
    suspended: bool = False

    def covers(self, repo: Repo) -> bool:
        return repo.owner is self.account and (self.repos is None or repo.name in self.repos)


@dataclass(eq=False)
class Token:
    """Who a token stands for and what it may; `permissions` None: whatever its scopes say."""

    value: str
    account: Account
    scopes: tuple[str, ...] | None = None
    permissions: dict[str, str] | None = None
    installation: Installation | None = None
    expires_at: float | None = None
    revoked: bool = False
    repos: set[str] | None = None
    label: str = ""

    @property
    def key(self) -> str:
        """Tokens of one account share their limits."""
        return f"installation:{self.installation.id}" if self.installation else self.account.login

    def sees(self, repo: Repo) -> bool:
        if self.repos is not None and repo.name not in self.repos:
            return not repo.private
        if self.installation is not None:
            return not repo.private or self.installation.covers(repo)
        return not repo.private or bool(repo.permission_of(self.account))

    def may(self, repo: Repo, what: str, level: str) -> bool:
        """Whether it may `read` or `write` such as `contents` in this repo."""
        if self.repos is not None and repo.name not in self.repos:
            return level == "read" and not repo.private
        if self.installation is not None and not self.installation.covers(repo):
            return level == "read" and not repo.private
        if self.permissions is not None and not _allows(self.permissions, what, level):
            return level == "read" and not repo.private and self.installation is None
        if self.scopes is not None and level == "write" and not self._has_repo_scope(repo):
            return False
        if self.installation is None and level == "write":
            return repo.permission_of(self.account) in {"ADMIN", "MAINTAIN", "WRITE"}
        return True

    @property
    def may_change_workflows(self) -> bool:
        if self.scopes is not None:
            return "workflow" in self.scopes
        return self.permissions is None or _allows(self.permissions, "workflows", "write")

    def _has_repo_scope(self, repo: Repo) -> bool:
        scopes = self.scopes or ()
        return "repo" in scopes or ("public_repo" in scopes and not repo.private)


def _allows(permissions: dict[str, str], what: str, level: str) -> bool:
    given = permissions.get(what)
    return given in {"write", "admin"} if level == "write" else given is not None


@dataclass
class World:
    """All of it."""

    accounts: dict[str, Account] = field(default_factory=dict)
    repos: dict[str, Repo] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    apps: list[App] = field(default_factory=list)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    nodes: dict[str, Any] = field(default_factory=dict)
    last_id: int = 1000

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def account(self, login: str, kind: str = "User") -> Account:
        """The account of this name; made where it is new."""
        known = self.accounts.get(login.lower())
        if known is None:
            known = Account(self.new_id(), login, kind)
            self.accounts[login.lower()] = known
            self.nodes[node_id(known)] = known
        return known

    def repo(self, full_name: str) -> Repo | None:
        return self.repos.get(full_name.lower())

    def moved(self, full_name: str) -> Repo | None:
        """Where a renamed repo is now."""
        now = self.renamed.get(full_name.lower())
        return (self.repo(now) or self.moved(now)) if now else None

    def repos_of(self, account: Account) -> list[Repo]:
        return [repo for repo in self.repos.values() if repo.owner is account]

    def person(self, repo: Repo, login: str) -> Account | None:
        """Somebody with access to the repo; whoever was given some in it is known."""
        known = self.accounts.get(login.lower())
        if known is None and repo.permissions.get(login):
            known = self.account(login)
        is_person = known is not None and known.kind == "User" and repo.permission_of(known) != ""
        return known if is_person else None

    def keep(self, thing: Any) -> None:
        """Make it findable by its node id."""
        self.nodes[node_id(thing)] = thing


_PREFIXES = {
    "Account": "U",
    "Repo": "R",
    "Pull": "PR",
    "Issue": "I",
    "Comment": "IC",
    "Event": "EV",
    "Label": "LA",
    "Check": "CR",
    "Review": "PRR",
    "App": "A",
    "Installation": "IN",
}


def node_id(thing: Any) -> str:
    return f"{_PREFIXES[type(thing).__name__]}_kwDO{thing.id:08d}"

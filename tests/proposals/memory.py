"""A forge in memory: real enough for all that a pull request can live through.

Repos are dicts of commits; merging is by lines; a fault strikes before or after any step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from digestbot.files.formats import format_of
from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.pull import Checks, Mergeable, Pull, PullState, Survey
from digestbot.forge.repo import Branch, Entry, LeftOut, Mode, Repo
from digestbot.forge.seal import sealed
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    DeleteBranch,
    DisableAutoMerge,
    EditPull,
    EnableAutoMerge,
    Merge,
    OpenPull,
    PushBranch,
    RequestReviews,
    Step,
)
from digestbot.forge.watching import ChecksOf, PullId, PullStatus, Review

PREFIX = "digestbot/"
Files = dict[str, bytes]
_Sha = TypeVar("_Sha", bound=ObjectSha)


Said = Mapping[str, str | None]
"""What CI says, by name of the check: `SUCCESS`, `FAILURE`, …; None: it runs."""
_PENDING = frozenset({"PENDING", "EXPECTED", "QUEUED", "IN_PROGRESS", "WAITING", "STALE"})
_PASSED = frozenset({"SUCCESS", "NEUTRAL", "SKIPPED"})


class KilledError(BaseException):
    """The process is gone: nothing catches this but the test."""


def unsettled(message: str) -> UnsettledError:
    return UnsettledError(message, code="unsettled")


@dataclass(frozen=True, slots=True)
class Fault:
    """Raise `error` at the nth step from now (counted from 0), before or after it is done."""

    at: int
    error: BaseException
    is_after: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    files: Files
    parents: tuple[CommitSha, ...]
    message: str

    @property
    def tree(self) -> ObjectSha:
        return _sha(ObjectSha, "tree", {path: data.hex() for path, data in self.files.items()})


@dataclass
class MemoryRepo:
    """One repo, and what people do to it.

    Attributes:
        ci: What CI says of every commit that is proposed, but for those in `checks`.
        base_ci: What it says of commits of the default branch.
        checks: What it says of these commits in particular.
        reviews: What reviewers say of pull requests.
        auto_merging: The pull requests that the forge would merge by itself.
        ended: When pull requests ended, where a test says so.
        issues: Title and body of each, by its number.
    """

    name: str = "acme/app"
    default_branch: str = "main"
    allows_auto_merge: bool = False
    deletes_branches: bool = False
    has_pulls: bool = True
    left_out: tuple[str, str] | None = None
    modes: dict[str, Mode] = field(default_factory=dict)
    commits: dict[CommitSha, Commit] = field(default_factory=dict)
    branches: dict[str, CommitSha] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    labels: dict[int, tuple[str, ...]] = field(default_factory=dict)
    reviewers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    assignees: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ci: Said = field(default_factory=dict)
    base_ci: Said = field(default_factory=dict)
    checks: dict[CommitSha, Said] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    auto_merging: set[int] = field(default_factory=set)
    ended: dict[int, datetime] = field(default_factory=dict)
    issues: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Mapping[str, bytes], name: str = "acme/app") -> MemoryRepo:
        """A repo whose default branch has one commit with these files."""
        repo = cls(name)
        repo.commit("main", dict(files), (), "begin")
        return repo

    def files(self, branch: str | None = None) -> Files:
        """The files of a branch; of the default branch where none is named."""
        return self.commits[self.branches[branch or self.default_branch]].files

    def commit(
        self, branch: str, files: Files, parents: tuple[CommitSha, ...], message: str
    ) -> CommitSha:
        """Let a branch lead to a new commit."""
        made = Commit(files, parents, message)
        told = [made.tree.value, [one.value for one in parents], message]
        sha = _sha(CommitSha, "commit", told)
        self.commits[sha] = made
        self.branches[branch] = sha
        return sha

    def push(self, files: Mapping[str, bytes | None], branch: str | None = None) -> CommitSha:
        """Somebody commits on a branch; None removes a file."""
        name = branch or self.default_branch
        merged = {**self.files(name), **files}
        kept = {path: data for path, data in merged.items() if data is not None}
        parents = (self.branches[name],)
        return self.commit(name, kept, parents, f"by hand {len(self.commits)}")

    def open(
        self,
        branch: str,
        files: Mapping[str, bytes],
        *,
        body: str = "",
        is_from_here: bool = True,
        base: str = "",
    ) -> int:
        """Somebody opens a pull request with these files, and returns its number."""
        head = self.branches[base or self.default_branch]
        self.commit(branch, {**self.commits[head].files, **files}, (head,), f"by {branch}")
        number = self._number()
        self.pulls[number] = Pull(
            number,
            self._url(number),
            branch,
            self.branches[branch],
            base or self.default_branch,
            PullState.OPEN,
            title="theirs",
            body=body,
            is_from_here=is_from_here,
            is_own=False,
        )
        return number

    def close(self, number: int) -> None:
        """Somebody closes a pull request unmerged."""
        self._end(number, PullState.CLOSED)

    def merge(self, number: int) -> None:
        """Somebody merges a pull request; the forge deletes the branch if it is told to."""
        pull = self.pulls[number]
        head = self.branches[pull.branch]
        files = self._merged(head, self.branches[pull.base])
        assert files is not None, "it conflicts"
        self.commit(pull.base, files, (self.branches[pull.base], head), f"merge #{number}")
        self._end(number, PullState.MERGED)
        if self.deletes_branches:
            del self.branches[pull.branch]

    def change(self, number: int, change: Callable[[Pull], Pull]) -> None:
        """Somebody edits a pull request in another way."""
        self.pulls[number] = change(self.pulls[number])

    def rename_base(self, name: str) -> None:
        """Somebody renames the default branch; open pull requests follow, as on GitHub."""
        self.branches[name] = self.branches.pop(self.default_branch)
        for number, pull in self.pulls.items():
            if pull.base == self.default_branch:
                self.pulls[number] = replace(pull, base=name)
        self.default_branch = name

    def delete(self, branch: str) -> None:
        """Delete a branch; that closes the pull requests from it."""
        for number, pull in list(self.pulls.items()):
            if pull.branch == branch and pull.state is PullState.OPEN:
                self._end(number, PullState.CLOSED)
        del self.branches[branch]

    def seen(self, number: int) -> Pull:
        """A pull request as the forge shows it now."""
        pull = self.pulls[number]
        head = self.branches.get(pull.branch, pull.head)
        if pull.state is not PullState.OPEN:
            return pull
        base = self.branches[pull.base]
        is_clean = self._merged(head, base) is not None
        mergeable = Mergeable.YES if is_clean else Mergeable.CONFLICT
        paths = _changed(self._fork_point(head, base).files, self.commits[head].files)
        return replace(pull, head=head, mergeable=mergeable, paths=tuple(sorted(paths)))

    def open_pulls(self) -> list[Pull]:
        """Those that digestbot opened and that are open."""
        shown = [self.seen(number) for number in self.pulls]
        return [one for one in shown if one.state is PullState.OPEN and one.is_own]

    def shown(self) -> Repo:
        head = self.branches.get(self.default_branch)
        return Repo(
            name=self.name,
            default_branch=self.default_branch,
            head=head,
            tree=None if head is None else self.commits[head].tree,
            ours=tuple(sorted(name for name in self.branches if name.startswith(PREFIX))),
            open_pulls=len(self.open_pulls()),
            pulse=self.pulse(),
            allows_auto_merge=self.allows_auto_merge,
            deletes_branches=self.deletes_branches,
        )

    def pulse(self) -> str:
        """Changes with our branches and the open pull requests from them."""
        ours = {name: sha for name, sha in self.branches.items() if name.startswith(PREFIX)}
        pulls = [
            (one.number, one.title, one.body, one.comments)
            for one in self.pulls.values()
            if one.state is PullState.OPEN and one.branch in ours
        ]
        return hashlib.sha1(repr((sorted(ours.items(), key=str), pulls)).encode()).hexdigest()

    def branch(self, name: str) -> Branch:
        sha = self.branches[name]
        commit = self.commits[sha]
        return Branch(name, sha, commit.tree, commit.parents, commit.message)

    def status(self, number: int) -> PullStatus:
        """How a pull request fares."""
        pull = self.seen(number)
        base = self._grown_from(pull.head, self.branches[pull.base])
        return PullStatus(
            state=pull.state,
            head=pull.head,
            base=base,
            url=pull.url,
            ended_at=self.ended.get(number),
            is_draft=pull.is_draft,
            mergeable=pull.mergeable,
            gate=pull.gate,
            review=self.reviews.get(number, Review.NONE),
            labels=self.labels.get(number, ()),
            checks=checks_of(self.checks.get(pull.head, self.ci)),
            base_checks=checks_of(self.checks.get(base, self.base_ci)),
        )

    def state(self) -> object:
        """All that a write could change, to compare."""
        return (dict(self.branches), dict(self.pulls), dict(self.labels), dict(self.reviewers))

    def _number(self) -> int:
        return len(self.pulls) + 1

    def _url(self, number: int) -> str:
        return f"https://forge.example/{self.name}/pull/{number}"

    def _end(self, number: int, state: PullState) -> None:
        pull = self.pulls[number]
        head = self.branches.get(pull.branch, pull.head)
        self.auto_merging.discard(number)
        self.pulls[number] = replace(pull, state=state, head=head)

    def _fork_point(self, head: CommitSha, base: CommitSha) -> Commit:
        known = set(self._history(base))
        return self.commits[next(sha for sha in self._history(head) if sha in known)]

    def _grown_from(self, head: CommitSha, base: CommitSha) -> CommitSha:
        """The commit of the base that the head grew from, even where it was merged since."""
        merges = [one for one in self._history(base) if head in self.commits[one].parents]
        known = set(self._history(self.commits[merges[0]].parents[0] if merges else base))
        return next(sha for sha in self._history(head) if sha in known)

    def _history(self, sha: CommitSha) -> Iterator[CommitSha]:
        waiting, seen = [sha], set[CommitSha]()
        while waiting:
            one = waiting.pop(0)
            if one not in seen:
                seen.add(one)
                yield one
                waiting += self.commits[one].parents

    def _merged(self, head: CommitSha, base: CommitSha) -> Files | None:
        """The files of a merge; None where it conflicts."""
        before = self._fork_point(head, base).files
        ours, theirs = self.commits[base].files, self.commits[head].files
        merged = dict(ours)
        for path in _changed(before, theirs):
            content = _merged_lines(before.get(path), ours.get(path), theirs.get(path))
            if content is None:
                return None
            merged[path] = content
        return merged


@dataclass
class MemoryForge:
    """A forge of such repos; implements `digestbot.forge.interface.Forge`."""

    rooms: dict[str, MemoryRepo]
    fault: Fault | None = None
    performed: list[Step] = field(default_factory=list)
    is_closed: bool = False

    @classmethod
    def of(cls, *repos: MemoryRepo) -> MemoryForge:
        return cls({repo.name: repo for repo in repos})

    def repos(self) -> Iterator[Repo | LeftOut]:
        for repo in self.rooms.values():
            yield LeftOut(repo.name, *repo.left_out) if repo.left_out else repo.shown()

    def entries(self, repo: Repo) -> Sequence[Entry]:
        held = self.rooms[repo.name]
        assert repo.head is not None
        return [
            Entry(path, held.modes.get(path, Mode.FILE), blob_sha(data), len(data))
            for path, data in sorted(held.commits[repo.head].files.items())
            if format_of(path) is not None or path.endswith("digestbot.yaml")
        ]

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        commits = self.rooms[repo.name].commits.values()
        known = {blob_sha(data): data for commit in commits for data in commit.files.values()}
        return {sha: known[sha] for sha in shas if sha in known}

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        files = self.rooms[repo.name].commits[commit].files
        return {path: files[path] for path in paths if path in files}

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        held = self.rooms[repo.name]
        found = {name: held.branch(name) for name in branches if name in held.branches}
        if not held.has_pulls:
            return Survey(found)
        pulls = [held.seen(number) for number in sorted(held.pulls, reverse=True)]
        is_asked = set(branches).__contains__
        return Survey(
            found,
            tuple(p for p in pulls if p.state is PullState.OPEN or is_asked(p.branch)),
        )

    def statuses(self, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
        """See `Watching.statuses`."""
        return {
            one: self.rooms[one.repo].status(one.number)
            for one in pulls
            if one.repo in self.rooms and one.number in self.rooms[one.repo].pulls
        }

    def track(self, repo: str, number: int, title: str, body: str) -> int:
        """See `Tracking.track`."""
        issues = self.rooms[repo].issues
        if number and number not in issues:
            raise RefusedError(f"{repo} has no issue {number}", code="gone")
        alike = (known for known, (told, _) in issues.items() if told == title)
        known = number or next(alike, len(issues) + 1001)
        issues[known] = (title, body)
        return known

    def perform(self, repo: Repo, step: Step) -> None:
        fault = self._fault()
        if fault is not None and not fault.is_after:
            raise fault.error
        _PERFORM[type(step)](self.rooms[repo.name], step)
        self.performed.append(step)
        if fault is not None:
            raise fault.error

    def close(self) -> None:
        self.is_closed = True

    def _fault(self) -> Fault | None:
        fault = self.fault
        if fault is None:
            return None
        self.fault = None if fault.at == 0 else replace(fault, at=fault.at - 1)
        return fault if fault.at == 0 else None


def checks_of(said: Said) -> ChecksOf:
    """What all checks together say."""
    words = {name: (word or "PENDING").upper() for name, word in said.items()}
    pending = [name for name, word in words.items() if word in _PENDING]
    passed = [name for name, word in words.items() if word in _PASSED]
    failing = sorted(words.keys() - set(pending) - set(passed))
    return ChecksOf(tuple(failing), len(pending), len(passed))


def blob_sha(data: bytes) -> ObjectSha:
    """The name git gives these bytes."""
    return ObjectSha(hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest())


def _sha(kind: type[_Sha], name: str, told: object) -> _Sha:
    text = f"{name} {json.dumps(told, sort_keys=True)}"
    return kind(hashlib.sha1(text.encode()).hexdigest())


def _changed(before: Files, after: Files) -> set[str]:
    return {path for path in before.keys() | after if before.get(path) != after.get(path)}


def _merged_lines(before: bytes | None, ours: bytes | None, theirs: bytes | None) -> bytes | None:
    if ours in (before, theirs):
        return theirs
    if before is None or ours is None or theirs is None:
        return None
    lines = [data.split(b"\n") for data in (before, ours, theirs)]
    if len({len(each) for each in lines}) > 1:
        return None
    merged = []
    for old, mine, yours in zip(*lines, strict=True):
        if old not in (mine, yours) and mine != yours:
            return None
        merged.append(yours if old == mine else mine)
    return b"\n".join(merged)


def _push(repo: MemoryRepo, step: PushBranch) -> None:
    if repo.branches.get(step.branch) != step.expected:
        raise unsettled(f"{step.branch} is not where it was")
    files = {**repo.commits[step.base].files, **{one.path: one.content for one in step.files}}
    tree = Commit(files, (), "").tree
    repo.commit(step.branch, files, (step.base,), sealed(step.message, step.fingerprint, tree))


def _delete(repo: MemoryRepo, step: DeleteBranch) -> None:
    if step.branch not in repo.branches:
        return
    if repo.branches[step.branch] != step.expected:
        raise unsettled(f"{step.branch} is not where it was")
    repo.delete(step.branch)


def _open(repo: MemoryRepo, step: OpenPull) -> None:
    there = [one for one in repo.pulls.values() if one.state is PullState.OPEN]
    if any((one.branch, one.base) == (step.branch, step.base) for one in there):
        raise unsettled(f"a pull request already exists for {step.branch}")
    number = repo._number()
    repo.pulls[number] = Pull(
        number,
        repo._url(number),
        step.branch,
        repo.branches[step.branch],
        step.base,
        PullState.OPEN,
        step.title,
        step.body,
        is_draft=step.is_draft,
    )


def _edit(repo: MemoryRepo, step: EditPull) -> None:
    repo.change(step.number, lambda one: replace(one, title=step.title, body=step.body))


def _close(repo: MemoryRepo, step: ClosePull) -> None:
    repo.change(step.number, lambda one: replace(one, body=step.body))
    repo.close(step.number)


def _comment(repo: MemoryRepo, step: Comment) -> None:
    repo.change(step.number, lambda one: replace(one, comments=(*one.comments, step.text)))


def _label(repo: MemoryRepo, step: AddLabels) -> None:
    repo.labels[step.number] = step.labels
    repo.change(step.number, lambda one: replace(one, was_labeled=True))


def _ask(repo: MemoryRepo, step: RequestReviews) -> None:
    repo.reviewers[step.number] = step.reviewers
    repo.change(step.number, lambda one: replace(one, was_review_requested=True))


def _assign(repo: MemoryRepo, step: Assign) -> None:
    repo.assignees[step.number] = step.people
    repo.change(step.number, lambda one: replace(one, was_assigned=True))


def _enable(repo: MemoryRepo, step: EnableAutoMerge) -> None:
    if repo.seen(step.number).head != step.head:
        raise unsettled("the head is another one")
    repo.auto_merging.add(step.number)
    repo.change(step.number, lambda one: replace(one, was_auto_merged=True))


def _disable(repo: MemoryRepo, step: DisableAutoMerge) -> None:
    repo.auto_merging.discard(step.number)


def _merge(repo: MemoryRepo, step: Merge) -> None:
    shown = repo.seen(step.number)
    if shown.head != step.head or shown.state is not PullState.OPEN:
        raise unsettled("the head is another one")
    repo.merge(step.number)


_PERFORM: dict[type[Step], Callable[..., None]] = {
    PushBranch: _push,
    DeleteBranch: _delete,
    OpenPull: _open,
    EditPull: _edit,
    ClosePull: _close,
    Comment: _comment,
    AddLabels: _label,
    RequestReviews: _ask,
    Assign: _assign,
    EnableAutoMerge: _enable,
    DisableAutoMerge: _disable,
    Merge: _merge,
}


def with_checks(checks: Checks) -> Callable[[Pull], Pull]:
    """CI says so of a pull request."""
    return lambda pull: replace(pull, checks=checks)

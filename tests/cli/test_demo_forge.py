"""The forge of `digestbot demo rollout`: as a real one, where a rollout asks."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digestbot.cli.demo_forge import DemoForge, make_forge
from digestbot.cli.demo_repo import CI_TAKES, MAIN, PATH, Commit, DemoRepo
from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.interface import Forge
from digestbot.forge.pull import PullState
from digestbot.forge.repo import Mode, Repo
from digestbot.forge.seal import is_ours
from digestbot.forge.sha import ObjectSha
from digestbot.forge.steps import (
    ClosePull,
    Comment,
    DeleteBranch,
    EditPull,
    FileChange,
    Merge,
    OpenPull,
    PushBranch,
)
from digestbot.forge.watching import ChecksOf, PullId, Watching

BRANCH = "digestbot-rollout/1/images"
BEFORE, AFTER = "FROM alpine:3.21\n", "FROM alpine:3.22\n"


@dataclass
class Town:
    """A forge of two repos, and the time there."""

    time: datetime = datetime(2026, 3, 2, 8, tzinfo=UTC)
    forge: DemoForge = field(init=False)

    def __post_init__(self) -> None:
        self.forge = make_forge({"acme/app": BEFORE, "acme/web": BEFORE}, lambda: self.time)

    @property
    def room(self) -> DemoRepo:
        return self.forge.rooms["acme/app"]

    @property
    def repo(self) -> Repo:
        return self.room.shown()

    def push(self, text: str = AFTER) -> PushBranch:
        """The step that proposes this text."""
        change = FileChange(PATH, Mode.FILE, text.encode())
        base = self.room.branches[MAIN]
        there = self.room.branches.get(BRANCH)
        return PushBranch(BRANCH, base, there, (change,), "Update\n", "0123456789abcdef")

    def propose(self) -> int:
        """Open a pull request; its number."""
        self.forge.perform(self.repo, self.push())
        self.forge.perform(self.repo, OpenPull(BRANCH, MAIN, "title", "body"))
        return len(self.room.pulls)


@pytest.fixture
def town() -> Town:
    return Town()


def test_it_is_a_forge_that_tells_how_pull_requests_fare(town: Town) -> None:
    forge: Forge = town.forge
    watching: Watching = town.forge

    assert [repo.name for repo in forge.repos()] == ["acme/app", "acme/web"]
    assert watching.statuses([]) == {}


def test_names_are_those_that_git_gives(tmp_path: Path) -> None:
    def git(*words: str, data: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *words], cwd=tmp_path, input=data, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    commit = Commit(BEFORE.encode(), (), "Begin\n")
    git("init", "--quiet")
    blob = git("hash-object", "-w", "--stdin", data=commit.data)
    tree = git("mktree", data=f"100644 blob {blob}\t{PATH}\n".encode())
    people = "Demo <demo@example.com> 0 +0000"
    text = f"tree {tree}\nauthor {people}\ncommitter {people}\n\nBegin\n"
    made = git("hash-object", "-t", "commit", "--stdin", data=text.encode())

    assert (commit.blob.value, commit.tree.value, commit.sha.value) == (blob, tree, made)


def test_files_are_listed_and_read_by_name(town: Town) -> None:
    (entry,) = town.forge.entries(town.repo)
    head = town.room.branches[MAIN]
    unknown = ObjectSha("0" * 40)

    found = town.forge.blobs(town.repo, [entry.sha, unknown])

    assert (entry.path, entry.size) == (PATH, len(BEFORE))
    assert found == {entry.sha: BEFORE.encode()}
    assert entry.sha.names("blob", BEFORE.encode())
    at = town.forge.blobs_at(town.repo, head, [PATH, "other"])
    assert at == {PATH: BEFORE.encode()}
    assert town.forge.entries(replace(town.repo, head=None)) == ()


def test_one_repo_alone_is_the_same_repo(town: Town) -> None:
    alone = town.forge.alone("acme/app")

    alone.perform(town.repo, town.push())

    assert [repo.name for repo in alone.repos()] == ["acme/app"]
    assert BRANCH in town.room.branches


def test_what_is_pushed_is_known_as_our_own(town: Town) -> None:
    town.forge.perform(town.repo, town.push())

    branch = town.forge.survey(town.repo, [BRANCH]).branches[BRANCH]

    assert is_ours(branch)
    assert branch.parents == (town.repo.head,)


def test_a_survey_has_what_is_open_and_what_came_from_the_branch(town: Town) -> None:
    number = town.propose()

    opened = town.forge.survey(town.repo, ["other"]).pulls
    town.forge.perform(town.repo, ClosePull(number, "over"))
    closed = town.forge.survey(town.repo, ["other"]).pulls
    own = town.forge.survey(town.repo, [BRANCH]).pulls

    assert opened is not None
    assert [one.title for one in opened] == ["title"]
    assert closed == ()
    assert own is not None
    assert [(one.state, one.body) for one in own] == [(PullState.CLOSED, "over")]


def test_pull_requests_are_edited_and_commented_on(town: Town) -> None:
    number = town.propose()

    town.forge.perform(town.repo, EditPull(number, "new", "words"))
    town.forge.perform(town.repo, Comment(number, "it waits"))

    pull = town.room.pulls[number]
    assert (pull.title, pull.body, pull.comments) == ("new", "words", ("it waits",))


def test_what_is_merged_is_on_the_default_branch(town: Town) -> None:
    number = town.propose()

    town.room.merge(number, town.time)

    status = town.forge.statuses([PullId("acme/app", number)])[PullId("acme/app", number)]
    assert town.room.dockerfile() == AFTER
    assert town.room.open_pulls() == []
    assert (status.state, status.ended_at) == (PullState.MERGED, town.time)


@pytest.mark.parametrize(
    "checks, early, late",
    [
        pytest.param(ChecksOf(passed=2), ChecksOf(pending=2), ChecksOf(passed=2), id="green"),
        pytest.param(ChecksOf(("tests",)), ChecksOf(pending=2), ChecksOf(("tests",)), id="failing"),
        pytest.param(ChecksOf(), ChecksOf(), ChecksOf(), id="none-at-all"),
    ],
)
def test_checks_take_their_time(
    town: Town, checks: ChecksOf, early: ChecksOf, late: ChecksOf
) -> None:
    town.room.checks = checks
    number = town.propose()

    first = town.room.status(number, town.time).checks
    town.time += CI_TAKES
    then = town.room.status(number, town.time).checks

    assert (first, then) == (early, late)


def test_what_fails_on_the_base_is_no_new_failure(town: Town) -> None:
    town.room.checks = town.room.base_checks = ChecksOf(("lint",), passed=1)
    number = town.propose()

    status = town.room.status(number, town.time + timedelta(hours=1))

    assert status.checks.failing == ("lint",)
    assert status.new_failures == ()
    assert status.base == town.repo.head


def test_a_branch_is_deleted_where_it_is_what_it_was(town: Town) -> None:
    town.propose()
    head = town.room.branches[BRANCH]

    town.forge.perform(town.repo, DeleteBranch(BRANCH, head))

    assert BRANCH not in town.room.branches


def test_a_branch_that_has_moved_is_left_alone(town: Town) -> None:
    step = town.push()
    town.forge.perform(town.repo, step)

    with pytest.raises(UnsettledError, match="has moved"):
        town.forge.perform(town.repo, step)
    with pytest.raises(UnsettledError, match="has moved"):
        town.forge.perform(town.repo, DeleteBranch(BRANCH, town.room.branches[MAIN]))


def test_what_the_demo_never_does_is_refused(town: Town) -> None:
    head = town.room.branches[MAIN]

    with pytest.raises(RefusedError, match="the demo has no Merge"):
        town.forge.perform(town.repo, Merge(1, head))
    town.forge.close()

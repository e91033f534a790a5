"""The life of a proposal on GitHub, line by line, through PyGithub and the official schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from digestbot.forge.repo import Mode
from digestbot.forge.seal import read_seal
from digestbot.proposals.marker import read_marker
from digestbot.proposals.outcome import Outcome
from digestbot.proposals.settings import Rebase
from tests.github.server import executable
from tests.proposals.builders import digest, dockerfile
from tests.proposals.github_world import BRANCH, NAME, GitHubWorld, github_world

STALE = {"Dockerfile": dockerfile("python:3"), "README.md": b"hello\n"}


@pytest.fixture
def world() -> Iterator[GitHubWorld]:
    with github_world(STALE) as made:
        yield made


@pytest.fixture
def opened(world: GitHubWorld) -> GitHubWorld:
    assert world.outcomes() == [Outcome.OPENED]
    world.github.restart_log()
    return world


def proposed(world: GitHubWorld, branch: str = BRANCH) -> bytes:
    return world.github.files(NAME, branch)["Dockerfile"]


class TestNothingIsOpen:
    def test_one_branch_one_commit_one_pull_request_with_all_that_is_configured(
        self, world: GitHubWorld
    ) -> None:
        world.configure(labels=("deps", "docker"), reviewers=("ann", "acme/platform"))
        world.configure(assignees=("bob",), draft=True)
        world.state.permissions |= {"ann": "WRITE", "bob": "WRITE"}
        head = world.state.head()

        assert world.outcomes() == [Outcome.OPENED]

        pull = world.pull
        commit = world.state.git.objects.commit(world.state.head(BRANCH) or "")
        assert commit is not None
        assert list(commit.parents) == [head]
        assert read_seal(commit.message)
        assert proposed(world) == dockerfile("python:3", at=1)
        assert pull.title == f"Update python:3 digest to {digest(1).short}"
        assert pull.is_draft
        assert [label.name for label in pull.labels] == ["deps", "docker"]
        assert [one.login for one in pull.reviewers] == ["ann"]
        assert pull.teams == ["platform"]
        assert [one.login for one in pull.assignees] == ["bob"]
        marker = read_marker(pull.body or "")
        assert marker is not None
        assert marker.keys == (f"docker.io/library/python:3@{digest(1)}",)

    def test_it_takes_five_writes(self, world: GitHubWorld) -> None:
        world.outcomes()

        asked = [one.operation or f"{one.method} {one.path}" for one in world.github.writes]
        assert len(asked) == 5, asked

    def test_modes_stay(self) -> None:
        with github_world({"Dockerfile": executable(dockerfile("python:3"))}) as world:
            world.outcomes()

            tree = world.state.git.tree_of(world.state.head(BRANCH) or "")
            assert world.state.git.files(tree)["Dockerfile"].mode == Mode.EXECUTABLE


class TestItIsOpen:
    def test_run_again_with_nothing_new_writes_nothing(self, opened: GitHubWorld) -> None:
        assert opened.outcomes() == [Outcome.UNCHANGED]

        assert opened.github.writes == []

    def test_the_tag_moves_again_and_the_same_pull_request_follows(
        self, opened: GitHubWorld
    ) -> None:
        number = opened.pull.number
        opened.digests["python:3"] = 2

        assert opened.outcomes() == [Outcome.REFRESHED]

        assert len(opened.github.pulls(NAME)) == 1
        assert (opened.pull.number, proposed(opened)) == (number, dockerfile("python:3", at=2))
        assert digest(2).short in opened.pull.title
        assert str(digest(2)) in (opened.pull.body or "")

    def test_the_base_moved_without_conflict_and_it_is_left_alone(
        self, opened: GitHubWorld
    ) -> None:
        opened.github.commit(NAME, "main", {"README.md": b"more\n"})

        assert opened.outcomes() == [Outcome.UNCHANGED]

        assert opened.github.writes == []

    def test_the_base_moved_and_rebase_is_behind(self, opened: GitHubWorld) -> None:
        opened.configure(rebase=Rebase.BEHIND)
        head = opened.github.commit(NAME, "main", {"README.md": b"more\n"})

        assert opened.outcomes() == [Outcome.REBUILT]

        commit = opened.state.git.objects.commit(opened.state.head(BRANCH) or "")
        assert commit is not None
        assert list(commit.parents) == [head]

    def test_a_conflict_with_the_base_rebuilds_the_branch(self, opened: GitHubWorld) -> None:
        changed = dockerfile("python:3").replace(b"\n", b" AS build\n")
        opened.github.commit(NAME, "main", {"Dockerfile": changed})

        assert opened.outcomes() == [Outcome.REBUILT]

        assert proposed(opened) == dockerfile("python:3", at=1).replace(b"\n", b" AS build\n")
        assert opened.pull.is_open

    def test_a_conflict_is_left_alone_where_rebase_is_never(self, opened: GitHubWorld) -> None:
        opened.configure(rebase=Rebase.NEVER)
        changed = dockerfile("python:3").replace(b"\n", b" AS build\n")
        opened.github.commit(NAME, "main", {"Dockerfile": changed})

        assert opened.outcomes() == [Outcome.UNCHANGED]

    def test_somebody_pushed_to_the_branch_hands_off_and_said_once(
        self, opened: GitHubWorld
    ) -> None:
        head = opened.github.commit(NAME, BRANCH, {"README.md": b"mine\n"})
        opened.digests["python:3"] = 2

        assert opened.outcomes() == [Outcome.HANDS_OFF]
        assert opened.outcomes() == [Outcome.HANDS_OFF]

        assert opened.state.head(BRANCH) == head
        (comment,) = opened.pull.comments
        assert "digestbot leaves it alone" in comment.body

    def test_the_box_in_the_body_has_it_built_anew(self, opened: GitHubWorld) -> None:
        opened.github.commit(NAME, BRANCH, {"README.md": b"mine\n"})
        body = opened.pull.body or ""
        assert "- [ ] <!-- digestbot:rebuild -->" in body
        opened.pull.body = body.replace("- [ ] <!-- digestbot", "- [x] <!-- digestbot")

        opened.outcomes()

        assert opened.github.files(NAME, BRANCH)["README.md"] == b"hello\n"
        assert "- [ ] <!-- digestbot:rebuild -->" in (opened.pull.body or "")
        assert opened.outcomes() == [Outcome.UNCHANGED]

    def test_somebody_bumped_by_hand_and_it_is_closed_with_a_comment(
        self, opened: GitHubWorld
    ) -> None:
        opened.github.commit(NAME, "main", {"Dockerfile": dockerfile("python:3", at=1)})

        assert opened.outcomes() == [Outcome.CLOSED]

        (pull,) = opened.github.pulls(NAME)
        assert pull.state == "closed"
        assert len(pull.comments) == 1
        assert list(opened.github.branches(NAME)) == ["main"]

    def test_what_digestbot_closed_is_no_rejection(self, opened: GitHubWorld) -> None:
        opened.github.commit(NAME, "main", {"Dockerfile": dockerfile("python:3", at=1)})
        opened.outcomes()
        opened.github.commit(NAME, "main", {"Dockerfile": dockerfile("python:3")})

        assert opened.outcomes() == [Outcome.OPENED]

    def test_the_file_is_gone(self, opened: GitHubWorld) -> None:
        opened.github.commit(NAME, "main", {"Dockerfile": None})

        assert opened.outcomes() == [Outcome.CLOSED]

    def test_a_registry_that_does_not_answer_changes_nothing(self, opened: GitHubWorld) -> None:
        opened.digests.clear()

        outcome = opened.update()

        assert [verdict.outcome for verdict in outcome.verdicts] == [Outcome.KEPT]
        assert opened.github.writes == []


class TestItEnds:
    def test_closed_unmerged_that_digest_is_never_proposed_again(self, opened: GitHubWorld) -> None:
        opened.github.close_pull(NAME, opened.pull.number)

        assert opened.outcomes() == [Outcome.REJECTED]
        assert opened.outcomes() == [Outcome.REJECTED]

        assert opened.github.writes == []

    def test_closed_unmerged_the_next_digest_is_proposed(self, opened: GitHubWorld) -> None:
        opened.github.close_pull(NAME, opened.pull.number)
        opened.digests["python:3"] = 2

        assert opened.outcomes() == [Outcome.OPENED]

        assert opened.pull.number == 2
        assert proposed(opened) == dockerfile("python:3", at=2)

    def test_closed_and_its_branch_deleted_it_stays_rejected(self, opened: GitHubWorld) -> None:
        opened.github.close_pull(NAME, opened.pull.number)
        opened.github.delete_branch(NAME, BRANCH)

        assert opened.outcomes() == [Outcome.REJECTED]

    def test_merged_its_branch_is_deleted(self, opened: GitHubWorld) -> None:
        opened.github.merge_pull(NAME, opened.pull.number)

        assert opened.outcomes() == [Outcome.MERGED]

        assert list(opened.github.branches(NAME)) == ["main"]
        assert opened.outcomes() == []

    def test_merged_where_the_repo_deletes_branches_nothing_is_left_to_do(self) -> None:
        with github_world(STALE, delete_branch_on_merge=True) as world:
            world.outcomes()
            world.github.merge_pull(NAME, world.pull.number)
            world.github.restart_log()

            assert world.outcomes() == []
            assert world.github.writes == []


class TestOthers:
    def test_a_pull_request_of_another_bot_that_sets_the_digest_counts_as_ours(
        self, world: GitHubWorld
    ) -> None:
        files = {"Dockerfile": dockerfile("python:3", at=1)}
        world.github.open_pull(NAME, "renovate/python", files, by="renovate[bot]")
        world.github.restart_log()

        assert world.outcomes() == [Outcome.ADOPTED]

        assert world.github.writes == []

    def test_one_that_sets_another_digest_does_not(self, world: GitHubWorld) -> None:
        files = {"Dockerfile": dockerfile("python:3", at="older")}
        world.github.open_pull(NAME, "renovate/python", files, by="renovate[bot]")

        assert world.outcomes() == [Outcome.OPENED]

    def test_a_forged_rejection_by_somebody_else_does_not_count(self, opened: GitHubWorld) -> None:
        body, head = opened.pull.body or "", opened.state.head(BRANCH)
        opened.github.merge_pull(NAME, opened.pull.number)
        opened.github.commit(NAME, "main", {"Dockerfile": dockerfile("python:3")})
        assert opened.state.head(BRANCH) == head
        forged = opened.github.open_pull(NAME, BRANCH, {"x": b"x"}, by="mallory", body=body)
        opened.github.close_pull(NAME, forged.number, by="mallory")
        opened.github.delete_branch(NAME, BRANCH)

        assert opened.outcomes() == [Outcome.OPENED]


class TestMeanwhile:
    def test_archived_between_listing_and_writing_is_said(self, world: GitHubWorld) -> None:
        def archive() -> None:
            world.state.archived = True

        world.github.faults.add(archive, method="POST", path="/repos/*/git/trees")

        outcome = world.update()

        assert [problem.code for problem in outcome.problems] == ["archived"]
        assert world.github.pulls(NAME) == []

    def test_renamed_between_listing_and_writing_is_followed(self, world: GitHubWorld) -> None:
        renamed = False

        def rename() -> None:
            nonlocal renamed
            if not renamed:
                renamed = True
                world.github.rename(NAME, "acme/other")

        world.github.faults.add(rename, method="POST", path="/repos/*/git/trees")

        outcome = world.update()

        assert [verdict.outcome for verdict in outcome.verdicts] == [Outcome.OPENED]
        assert len(world.github.pulls("acme/other")) == 1

    def test_an_archived_repo_is_left_out(self) -> None:
        with github_world(STALE, archived=True) as world:
            outcome = world.update()

            assert outcome.left_out is not None
            assert outcome.left_out[0] == "archived"

    @pytest.mark.parametrize("nth", range(1, 6))
    @pytest.mark.parametrize("kind", ["502-before", "502-after", "drop-before", "drop-after"])
    def test_whatever_write_ends_in_the_unknown_there_is_one_pull_request(
        self, world: GitHubWorld, kind: str, nth: int
    ) -> None:
        writes = [
            ("POST", "/repos/*/git/trees", ""),
            ("POST", "/repos/*/git/commits", ""),
            ("POST", "/graphql", "updateRefs"),
            ("POST", "/repos/*/pulls", ""),
            ("POST", "/repos/*/issues/*/labels", ""),
        ]
        method, path, operation = writes[nth - 1]
        world.github.faults.add(kind, method=method, path=path, operation=operation)  # type: ignore[arg-type] # one of its kinds

        assert world.outcomes() == [Outcome.OPENED]

        assert len(world.github.pulls(NAME)) == 1
        assert [label.name for label in world.pull.labels] == ["digestbot"]
        assert proposed(world) == dockerfile("python:3", at=1)


class TestMerging:
    def test_auto_merge_is_left_to_github(self) -> None:
        with github_world(STALE, allow_auto_merge=True, required_checks=("ci",)) as world:
            world.configure(automerge=True)
            world.outcomes()
            world.github.set_checks(NAME, world.pull.head, ci=None)
            world.outcomes()
            assert world.pull.auto_merge is not None

            world.github.set_checks(NAME, world.pull.head, ci="success")

            assert world.github.pulls(NAME, "open") == []

    def test_where_github_has_nothing_to_wait_for_it_is_not_asked_in_vain(self) -> None:
        with github_world(STALE, allow_auto_merge=True) as world:
            world.configure(automerge=True)
            world.outcomes()
            world.github.restart_log()

            assert world.outcomes() == [Outcome.UNCHANGED]
            assert world.github.writes == []

            world.github.set_checks(NAME, world.pull.head, ci="success")
            assert world.outcomes() == [Outcome.MERGED]

    def test_a_review_alone_does_not_merge_what_no_check_looked_at(self) -> None:
        with github_world(STALE, allow_auto_merge=True, required_reviews=1) as world:
            world.configure(automerge=True)

            world.outcomes()
            world.outcomes()

            assert world.pull.auto_merge is None

    def test_a_merge_that_waits_for_a_review_is_not_tried(self) -> None:
        with github_world(STALE, required_reviews=1) as world:
            world.configure(automerge=True)
            world.outcomes()
            world.github.set_checks(NAME, world.pull.head, ci="success")
            world.github.restart_log()

            assert world.outcomes() == [Outcome.UNCHANGED]
            assert world.github.writes == []

    def test_digestbot_merges_itself_once_checks_are_green(self, opened: GitHubWorld) -> None:
        opened.configure(automerge=True)
        opened.github.set_checks(NAME, opened.pull.head, ci=None)
        assert opened.outcomes() == [Outcome.UNCHANGED]
        opened.github.set_checks(NAME, opened.pull.head, ci="success")

        assert opened.outcomes() == [Outcome.MERGED]

        assert opened.github.files(NAME)["Dockerfile"] == dockerfile("python:3", at=1)
        assert list(opened.github.branches(NAME)) == ["main"]

    @pytest.mark.parametrize("checks", [{}, {"ci": "failure"}, {"ci": None}])
    def test_never_without_green_checks(self, opened: GitHubWorld, checks: dict[str, Any]) -> None:
        opened.configure(automerge=True)
        opened.github.set_checks(NAME, opened.pull.head, **checks)

        assert opened.outcomes() == [Outcome.UNCHANGED]

        assert opened.pull.is_open

    def test_without_any_check_only_where_that_is_said(self, opened: GitHubWorld) -> None:
        opened.configure(automerge=True, automerge_without_checks=True)

        assert opened.outcomes() == [Outcome.MERGED]


class TestGroups:
    def test_one_pull_request_per_image(self) -> None:
        files = {"Dockerfile": dockerfile("python:3", "debian:12")}
        with github_world(files) as world:
            world.digests |= {"debian:12": 1}
            world.configure(group="image")

            assert world.outcomes() == [Outcome.OPENED, Outcome.OPENED]

            heads = {pull.head_ref for pull in world.github.pulls(NAME)}
            assert len(heads) == 2
            assert all(name.startswith("digestbot/") for name in heads)

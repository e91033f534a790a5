from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from graphql import parse, validate

from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.github.refs import REF, UPDATE_REFS
from digestbot.forge.repo import Mode
from digestbot.forge.seal import is_ours, read_seal
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import (
    DeleteBranch,
    FileChange,
)
from tests.forge.github.scene import BRANCH, NAME, NEW, OLD, PRINT, Scene, acting
from tests.forge.github.talking import app_settings, key_pair, session_with
from tests.github import schemas
from tests.github.errors import ApiError
from tests.github.server import GitHubServer, executable

OTHER = CommitSha.parse("b" * 40)


@pytest.mark.parametrize("document", [REF, UPDATE_REFS])
def test_every_document_is_one_that_github_understands(document: str) -> None:
    assert validate(schemas.graphql(), parse(document)) == []


def test_a_push_makes_one_sealed_commit_on_the_base() -> None:
    with acting({"Dockerfile": OLD, "other": b"kept"}) as scene:
        scene.do(scene.push())

        branch = scene.survey().branches[BRANCH]
        seal = read_seal(branch.message)
        assert scene.github.files(NAME, BRANCH) == {"Dockerfile": NEW, "other": b"kept"}
        assert branch.parents == (scene.repo.head,)
        assert is_ours(branch)
        assert seal is not None
        assert seal.fingerprint == PRINT


def test_a_push_takes_four_requests() -> None:
    with acting() as scene:
        scene.do(scene.push())

        assert scene.asked == ["Ref", "git/create-tree", "git/create-commit", "UpdateRefs"]


def test_a_push_replaces_what_the_branch_had_and_keeps_the_pull_request_open() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.commit(NAME, "main", {"new": b"x"})

        scene.do(scene.push(fingerprint="f" * 16))

        assert scene.survey().branches[BRANCH].parents == (scene.repo.head,)
        assert scene.github.pull(NAME, number).is_open


def test_a_push_on_an_older_base_finds_its_tree() -> None:
    with acting() as scene:
        base = scene.repo.head
        scene.github.commit(NAME, "main", {"new": b"x"})

        scene.do(scene.push(base=base))

        assert scene.github.files(NAME, BRANCH) == {"Dockerfile": NEW}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbfFROM a\r\nFROM b\rFROM c", id="BOM, CRLF, CR, no last newline"),
        pytest.param("FROM a # \U0001f4a3\u2028\n".encode(), id="beyond ASCII"),
        pytest.param(b"FROM a # caf\xe9\n", id="Latin-1"),
        pytest.param(b"\x00\xff\xfe", id="binary"),
        pytest.param(b"FROM a\x00\n", id="a zero in UTF-8"),
        pytest.param(b"\xed\xa0\x80", id="half a character"),
        pytest.param(b"", id="empty"),
    ],
)
@pytest.mark.parametrize("path", ["Dockerfile", "deep/er/Dockerfile ü"])
def test_every_byte_arrives(content: bytes, path: str) -> None:
    with acting({path: OLD}) as scene:
        scene.do(scene.push(files=(FileChange(path, Mode.FILE, content),)))

        assert scene.github.files(NAME, BRANCH) == {path: content}


def test_a_zero_never_travels_in_json_text() -> None:
    with acting() as scene:
        scene.do(scene.push(files=(FileChange("Dockerfile", Mode.FILE, b"FROM a\x00"),)))

        assert "git/create-blob" in scene.asked


def test_an_executable_stays_executable() -> None:
    with acting({"run.sh": executable(OLD)}) as scene:
        scene.do(scene.push(files=(FileChange("run.sh", Mode.EXECUTABLE, NEW),)))

        git = scene.state.git
        assert git.files(git.tree_of(scene.need_head().value))["run.sh"].mode == "100755"


def test_commits_of_an_app_are_verified() -> None:
    private, public = key_pair()
    with GitHubServer() as github:
        github.add_repo(NAME, {"Dockerfile": OLD})
        app = github.app(public)
        with session_with(github, NAME, app_settings(app.id, private)) as session:
            scene = Scene(github, session)

            scene.do(scene.push())

            assert scene.need_head().value in scene.state.verified


@pytest.mark.parametrize("mode", [Mode.SYMLINK, Mode.SUBMODULE])
def test_what_is_no_plain_file_is_not_written(mode: Mode) -> None:
    with acting() as scene:
        step = scene.push(files=(FileChange("link", mode, b"target"),))

        with pytest.raises(RefusedError) as caught:
            scene.do(step)

        assert caught.value.code == "no-file"
        assert scene.github.writes == []


def test_a_push_that_changes_nothing_makes_no_commit() -> None:
    with acting() as scene:
        with pytest.raises(UnsettledError) as caught:
            scene.do(scene.push(files=(FileChange("Dockerfile", Mode.FILE, OLD),)))

        assert caught.value.code == "no-change"
        assert scene.head() is None


@pytest.mark.parametrize("expected", [None, OTHER], ids=["it should not exist", "it should"])
def test_a_branch_that_somebody_has_moved_costs_no_write(expected: CommitSha | None) -> None:
    with acting() as scene:
        theirs = scene.github.commit(NAME, BRANCH, {"theirs": b"x"})

        with pytest.raises(UnsettledError) as caught:
            scene.do(scene.push(expected=expected))

        assert caught.value.code == "moved-meanwhile"
        assert scene.github.writes == []
        assert scene.need_head().value == theirs


@pytest.mark.parametrize("is_new", [True, False])
def test_a_branch_that_somebody_moves_in_between_is_theirs(is_new: bool) -> None:
    with acting() as scene:
        if not is_new:
            scene.do(scene.push())
        step = scene.push(fingerprint="f" * 16)
        scene.github.faults.add(
            lambda: scene.github.commit(NAME, BRANCH, {"theirs": b"x"}), operation="updateRefs"
        )

        with pytest.raises(UnsettledError):
            scene.do(step)

        assert "theirs" in scene.github.files(NAME, BRANCH)


def test_a_branch_that_moved_is_known_by_looking_whatever_github_says() -> None:
    with acting() as scene:

        def move() -> None:
            scene.github.commit(NAME, BRANCH, {"theirs": b"x"})
            raise ApiError(200, "Words that nobody documents")

        scene.github.faults.add(move, operation="updateRefs")

        with pytest.raises(UnsettledError) as caught:
            scene.do(scene.push())

        assert caught.value.code == "moved-meanwhile"


def test_a_branch_that_is_gone_though_github_refused_to_delete_it_is_fine() -> None:
    with acting() as scene:
        scene.do(scene.push())
        step = DeleteBranch(BRANCH, scene.need_head())

        def move() -> None:
            scene.github.delete_branch(NAME, BRANCH)
            raise ApiError(200, "Words that nobody documents")

        scene.github.faults.add(move, operation="updateRefs")

        scene.do(step)


def test_a_push_done_twice_is_unsettled_and_does_no_harm() -> None:
    with acting() as scene:
        step = scene.push()
        scene.do(step)
        head = scene.head()

        with pytest.raises(UnsettledError):
            scene.do(step)

        assert scene.head() == head


def test_a_github_without_compare_and_swap_is_written_by_rest() -> None:
    with _old_github() as scene:
        scene.do(scene.push())
        first = scene.need_head()
        scene.do(scene.push(fingerprint="f" * 16))
        second = scene.need_head()
        scene.do(DeleteBranch(BRANCH, second))

        assert first != second
        assert scene.head() is None
        assert [one for one in scene.asked if one.startswith("git/") and one.endswith("ref")] == [
            "git/create-ref",
            "git/update-ref",
            "git/delete-ref",
        ]


@pytest.mark.parametrize("is_new", [True, False])
def test_even_by_rest_nobody_is_overwritten(is_new: bool) -> None:
    with _old_github() as scene:
        if not is_new:
            scene.do(scene.push())
        step = scene.push(fingerprint="f" * 16)
        scene.github.faults.add(
            lambda: scene.github.commit(NAME, BRANCH, {"theirs": b"x"}), path="*/git/commits"
        )

        with pytest.raises(UnsettledError):
            scene.do(step)

        assert "theirs" in scene.github.files(NAME, BRANCH)


@pytest.mark.parametrize(
    "said, code, hint",
    [
        pytest.param(
            "Repository rule violations found: Cannot create ref", "protected", "bypass", id="rules"
        ),
        pytest.param(
            "Commits must have verified signatures.", "protected", "signed", id="signatures"
        ),
    ],
)
def test_a_rule_of_the_repo_is_said(said: str, code: str, hint: str) -> None:
    def refuse() -> None:
        raise ApiError(200, said)

    with acting() as scene:
        scene.github.faults.add(refuse, operation="updateRefs")

        with pytest.raises(RefusedError, match=said[:20]) as caught:
            scene.do(scene.push())

    assert caught.value.code == code
    assert hint in caught.value.hint


def test_a_protected_branch_is_refused() -> None:
    with acting() as scene:
        scene.state.protected.add(BRANCH)

        with pytest.raises(RefusedError) as caught:
            scene.do(scene.push())

    assert caught.value.code == "protected"


def test_workflows_without_the_permission_are_said() -> None:
    def refuse() -> None:
        raise ApiError(404, "Not Found")

    path = ".github/workflows/ci.yml"
    with acting({path: OLD}) as scene:
        scene.github.faults.add(refuse, path="*/git/trees")

        with pytest.raises(RefusedError) as caught:
            scene.do(scene.push(files=(FileChange(path, Mode.FILE, NEW),)))

    assert caught.value.code == "no-workflow-permission"
    assert "workflow" in caught.value.hint


@contextmanager
def _old_github() -> Iterator[Scene]:
    """A GitHub that does not know `updateRefs`."""

    def refuse() -> None:
        message = "Field 'updateRefs' doesn't exist on type 'Mutation'"
        raise ApiError(200, message, kind="undefinedField")

    with acting() as scene:
        scene.github.faults.add(refuse, operation="updateRefs", times=0)
        yield scene


# -- deleting


def test_a_branch_is_deleted_once() -> None:
    with acting() as scene:
        scene.do(scene.push())
        step = DeleteBranch(BRANCH, scene.need_head())

        scene.do(step)
        scene.do(step)

        assert scene.head() is None
        assert scene.asked.count("UpdateRefs") == 2


def test_a_branch_that_somebody_pushed_to_is_not_deleted() -> None:
    with acting() as scene:
        scene.do(scene.push())
        step = DeleteBranch(BRANCH, scene.need_head())
        scene.github.commit(NAME, BRANCH, {"theirs": b"x"})

        with pytest.raises(UnsettledError):
            scene.do(step)

        assert scene.head() is not None

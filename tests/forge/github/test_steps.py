from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import pytest
from graphql import parse, validate

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.github.merging import ENABLE_AUTO_MERGE, MERGE_TARGET
from digestbot.forge.github.performing import _WAYS
from digestbot.forge.github.refs import REF, UPDATE_REFS
from digestbot.forge.repo import Mode
from digestbot.forge.seal import is_ours, read_seal
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import (
    AddLabels,
    Assign,
    ClosePull,
    Comment,
    DeleteBranch,
    EditPull,
    EnableAutoMerge,
    FileChange,
    Merge,
    OpenPull,
    RequestReviews,
    Step,
)
from tests.forge.github.scene import BRANCH, NAME, NEW, OLD, PRINT, Scene, acting
from tests.forge.github.talking import app_settings, key_pair, session_with
from tests.github import schemas
from tests.github.errors import ApiError
from tests.github.faults import FaultKind
from tests.github.server import GitHubServer, executable

OTHER = CommitSha.parse("b" * 40)
OPEN = OpenPull(BRANCH, "main", "Update python", "body")


@pytest.mark.parametrize("document", [REF, UPDATE_REFS, MERGE_TARGET, ENABLE_AUTO_MERGE])
def test_every_document_is_one_that_github_understands(document: str) -> None:
    assert validate(schemas.graphql(), parse(document)) == []


def test_every_step_has_its_way() -> None:
    assert set(_WAYS) == set(get_args(Step))


# -- pushing


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


# -- pull requests


def test_a_pull_request_is_opened_edited_and_closed() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.do(EditPull(number, "Another title", "another body"))
        edited = scene.pull(number)
        scene.do(ClosePull(number, "obsolete"))
        scene.do(ClosePull(number, "obsolete"))
        closed = scene.pull(number)

        assert (edited.title, edited.body) == ("Another title", "another body")
        assert (closed.state, closed.body) == ("closed", "obsolete")


def test_a_draft_is_a_draft() -> None:
    with acting() as scene:
        scene.do(scene.push())
        scene.do(OpenPull(BRANCH, "main", "Update python", "body", is_draft=True))

        assert scene.pull(1).is_draft


def test_a_second_pull_request_is_never_opened() -> None:
    with acting() as scene:
        scene.propose()

        with pytest.raises(UnsettledError) as caught:
            scene.do(OPEN)

        assert caught.value.code == "already-exists"
        assert len(scene.github.pulls(NAME)) == 1


def test_nothing_to_merge_means_that_the_repo_has_moved_on() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.merge_pull(NAME, number)

        with pytest.raises(UnsettledError):
            scene.do(OPEN)


def test_a_repo_without_drafts_says_so() -> None:
    def refuse() -> None:
        raise ApiError(422, "Draft pull requests are not supported in this repository.")

    with acting() as scene:
        scene.do(scene.push())
        scene.github.faults.add(refuse, method="POST", path="*/pulls")

        with pytest.raises(RefusedError) as caught:
            scene.do(OpenPull(BRANCH, "main", "Update python", "body", is_draft=True))

    assert caught.value.code == "no-drafts"


def test_comments_and_labels_arrive() -> None:
    with acting() as scene:
        number = scene.propose()

        scene.do(Comment(number, "Hands off."))
        scene.do(AddLabels(number, ("digestbot", "a new one")))
        scene.do(AddLabels(number, ("digestbot",)))

        pull = scene.github.pull(NAME, number)
        assert [one.name for one in pull.labels] == ["digestbot", "a new one"]
        assert [one.body for one in pull.comments] == ["Hands off."]


@pytest.mark.parametrize(
    "wanted, asked, refused",
    [
        pytest.param(("ann", "bob"), ["ann", "bob"], (), id="people"),
        pytest.param(("acme/platform",), ["platform"], (), id="a team"),
        pytest.param(("ACME/platform", "ann"), ["ann", "platform"], (), id="both"),
        pytest.param(("ann", "nobody"), ["ann"], ("nobody",), id="no collaborator"),
        pytest.param(("digestbot-user", "ann"), ["ann"], ("digestbot-user",), id="the author"),
        pytest.param(("acme/ghosts", "ann"), ["ann"], ("acme/ghosts",), id="no such team"),
        pytest.param(("evil/platform", "ann"), ["ann"], ("evil/platform",), id="strangers"),
        pytest.param(("nobody",), [], ("nobody",), id="nobody at all"),
    ],
)
def test_one_who_cannot_review_keeps_nobody_else_out(
    wanted: tuple[str, ...], asked: list[str], refused: tuple[str, ...]
) -> None:
    with acting() as scene:
        scene.github.user("ann")
        scene.github.user("bob")
        number = scene.propose()
        error = _error(scene, RequestReviews(number, wanted))

        pull = scene.github.pull(NAME, number)
        assert [one.login for one in pull.reviewers] + pull.teams == asked
        assert (error is None) == (not refused)
        assert all(name in str(error) for name in refused)
        assert error is None or error.code == "not-reviewers"


@pytest.mark.parametrize("what", ["502-before", "502-after"])
def test_reviews_that_nobody_knows_of_are_unsettled(what: FaultKind) -> None:
    with acting() as scene:
        scene.github.user("ann")
        number = scene.propose()
        scene.github.faults.add(what, path="*/requested_reviewers")

        assert isinstance(_error(scene, RequestReviews(number, ("ann",))), UnsettledError)


def test_people_are_assigned_and_those_who_cannot_be_are_named() -> None:
    with acting() as scene:
        scene.github.user("Ann")
        number = scene.propose()
        fine = _error(scene, Assign(number, ("ann",)))
        error = _error(scene, Assign(number, ("ann", "nobody")))

        assert fine is None
        assert isinstance(error, RefusedError)
        assert error.code == "not-assignable"
        assert str(error).endswith(": nobody")


# -- merging


def test_github_merges_once_its_rules_are_met() -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        number = scene.propose()
        head = scene.need_head()
        scene.do(EnableAutoMerge(number, head))
        scene.do(EnableAutoMerge(number, head))

        before = scene.pull(number).state
        scene.github.set_checks(NAME, head.value, ci="success")
        after = scene.pull(number).state

        assert (before, after) == ("open", "merged")
        assert scene.asked.count("EnableAutoMerge") == 1


@pytest.mark.parametrize(
    "is_on, code", [(False, "auto-merge-off"), (True, "clean-status")], ids=["off", "clean"]
)
def test_where_github_does_not_merge_by_itself_the_reason_says_to_merge(
    is_on: bool, code: str
) -> None:
    with acting(allow_auto_merge=is_on) as scene:
        number = scene.propose()
        error = _error(scene, EnableAutoMerge(number, scene.need_head()))
        scene.do(Merge(number, scene.need_head()))

        assert error is not None
        assert error.code == code
        assert scene.pull(number).state == "merged"


@pytest.mark.parametrize(
    "said, code",
    [
        ("Pull request Pull request is in unstable status", "clean-status"),
        ("Pull request Protected branch rules not configured for this branch", "auto-merge-off"),
        ("Pull request Auto merge is not allowed for this repository", "auto-merge-off"),
        ("Pull request User is not authorized for this protected branch", "protected"),
    ],
)
def test_what_github_says_of_auto_merge_is_understood(said: str, code: str) -> None:
    def refuse() -> None:
        raise ApiError(200, said)

    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        scene.github.faults.add(refuse, operation="enablePullRequestAutoMerge")

        error = _error(scene, EnableAutoMerge(number, scene.need_head()))

    assert isinstance(error, RefusedError)
    assert error.code == code


@pytest.mark.parametrize(
    "allowed",
    ["allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"],
)
def test_the_method_is_one_that_the_repo_allows(allowed: str) -> None:
    methods = ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge")
    settings: dict[str, Any] = {one: one == allowed for one in methods}
    with acting(**settings) as scene:
        number = scene.propose()
        step = Merge(number, scene.need_head())

        scene.do(step)
        scene.do(step)

        assert scene.pull(number).state == "merged"
        assert scene.asked.count("pulls/merge") == 1


def test_a_blocked_merge_is_refused_with_its_reason() -> None:
    with acting(required_reviews=1) as scene:
        number = scene.propose()
        error = _error(scene, Merge(number, scene.need_head()))

        assert isinstance(error, RefusedError)
        assert error.code == "not-mergeable"
        assert "approving review" in str(error)


@pytest.mark.parametrize("kind", [Merge, EnableAutoMerge])
def test_a_head_that_somebody_moved_is_not_merged(
    kind: type[Merge | EnableAutoMerge],
) -> None:
    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        step = kind(number, scene.need_head())
        scene.github.commit(NAME, BRANCH, {"theirs": b"x"})

        assert isinstance(_error(scene, step), UnsettledError)
        assert scene.pull(number).state == "open"


@pytest.mark.parametrize(
    "kind, where",
    [
        (Merge, {"method": "PUT"}),
        (EnableAutoMerge, {"operation": "enablePullRequestAutoMerge"}),
    ],
)
def test_a_head_that_moves_in_between_is_not_merged(
    kind: type[Merge | EnableAutoMerge], where: dict[str, Any]
) -> None:
    with acting(allow_auto_merge=True) as scene:
        number = scene.propose()
        step = kind(number, scene.need_head())
        scene.github.faults.add(
            lambda: scene.github.commit(NAME, BRANCH, {"theirs": b"x"}), **where
        )

        assert isinstance(_error(scene, step), UnsettledError)
        assert scene.pull(number).state == "open"


# -- trouble that may meet every step


def _steps(scene: Scene) -> list[Step]:
    """Every step, fit for a repo with an open proposal."""
    head = scene.need_head()
    return [
        scene.push(fingerprint="f" * 16),
        DeleteBranch(BRANCH, head),
        OpenPull("feature", "main", "t", "b"),
        EditPull(1, "t", "b"),
        ClosePull(1, "b"),
        Comment(1, "c"),
        AddLabels(1, ("l",)),
        RequestReviews(1, ("ann",)),
        Assign(1, ("ann",)),
        EnableAutoMerge(1, head),
        Merge(1, head),
    ]


STEPS = range(len(_WAYS))


def _error(scene: Scene, step: Step) -> ForgeError | None:
    try:
        scene.do(step)
    except ForgeError as error:
        return error
    return None


def _proposed(scene: Scene) -> None:
    scene.github.user("ann")
    scene.propose()
    scene.github.commit(NAME, "feature", {"feature": b"x"})


@pytest.mark.parametrize("number", STEPS)
@pytest.mark.parametrize("what", ["502-before", "502-after", "drop-before", "drop-after"])
def test_a_write_of_which_nobody_knows_is_unsettled_and_never_repeated(
    number: int, what: FaultKind
) -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        _proposed(scene)
        step = _steps(scene)[number]
        if isinstance(step, Merge):
            scene.github.set_checks(NAME, step.head.value, ci="success")
        scene.github.restart_log()
        _strike_writes(scene, what)

        error = _error(scene, step)

        assert isinstance(error, UnsettledError)
        assert len(scene.github.writes) == 1


def _strike_writes(scene: Scene, what: FaultKind) -> None:
    for method in ("POST", "PATCH", "PUT"):
        scene.github.faults.add(what, method=method, path="/repos/*")
    for mutation in ("updateRefs", "enablePullRequestAutoMerge"):
        scene.github.faults.add(what, operation=mutation)


@pytest.mark.parametrize("number", STEPS)
def test_a_repo_that_was_archived_meanwhile_is_refused(number: int) -> None:
    with acting(allow_auto_merge=True) as scene:
        _proposed(scene)
        step = _steps(scene)[number]
        scene.state.archived = True

        error = _error(scene, step)

        assert isinstance(error, RefusedError)
        assert error.code == "archived"


@pytest.mark.parametrize("number", STEPS)
def test_a_repo_that_was_renamed_meanwhile_is_followed(number: int) -> None:
    with acting(allow_auto_merge=True, required_checks=("ci",)) as scene:
        _proposed(scene)
        step, repo = _steps(scene)[number], scene.repo
        if isinstance(step, Merge):
            scene.github.set_checks(NAME, step.head.value, ci="success")
        scene.github.rename(NAME, "acme/new")

        scene.do(step, repo)


@pytest.mark.parametrize("number", STEPS)
def test_a_token_that_expired_meanwhile_is_refused(number: int) -> None:
    with acting(allow_auto_merge=True) as scene:
        _proposed(scene)
        step = _steps(scene)[number]
        scene.github.faults.add("expired")

        error = _error(scene, step)

        assert isinstance(error, RefusedError)
        assert error.code == "unauthorized"


@pytest.mark.parametrize("number", STEPS)
def test_a_token_that_may_not_write_is_refused_with_a_hint(number: int) -> None:
    with acting(allow_auto_merge=True) as scene:
        _proposed(scene)
        step = _steps(scene)[number]
        token = scene.github.token("reader", permissions={"metadata": "read", "contents": "read"})
        scene.state.permissions["reader"] = "READ"
        scene.session._tokens.token = lambda: token.value  # type: ignore[method-assign]

        error = _error(scene, step)

        assert isinstance(error, RefusedError)
        assert error.hint

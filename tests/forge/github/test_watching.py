from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError
from digestbot.forge.github.answer import Partial
from digestbot.forge.github.checked import CONTEXTS
from digestbot.forge.github.watching import (
    MOST_COMMITS,
    MOST_PAGES,
    MOST_PULLS,
    commits_document,
    pulls_document,
    statuses,
)
from digestbot.forge.pull import Gate, Mergeable, PullState
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import AddLabels
from digestbot.forge.watching import ChecksOf, PullId, PullStatus, Review
from tests.forge.github.scene import BRANCH, NAME, Scene, acting
from tests.github import schemas
from tests.github.errors import ApiError
from tests.github.faults import FaultKind
from tests.github.graphql.cost import cost_of


def watch(scene: Scene, number: int = 1) -> PullStatus:
    """How a pull request of the repo fares."""
    one = PullId(NAME, number)
    return statuses(scene.session, [one])[one]


@pytest.mark.parametrize("repos", [[1], [3, 1], [1] * MOST_PULLS], ids=str)
def test_every_query_for_pull_requests_is_one_that_github_understands(repos: list[int]) -> None:
    assert validate(schemas.graphql(), parse(pulls_document(repos))) == []


@pytest.mark.parametrize("count", [1, MOST_COMMITS])
def test_every_query_for_commits_is_one_that_github_understands(count: int) -> None:
    assert validate(schemas.graphql(), parse(commits_document(count))) == []


def test_a_full_query_costs_one_point() -> None:
    assert cost_of(parse(pulls_document([1] * MOST_PULLS)), {}).points == 1
    assert cost_of(parse(commits_document(MOST_COMMITS)), {}).points == 1


def test_an_open_pull_request_is_told_in_one_query() -> None:
    with acting() as scene:
        number, base = scene.propose(), scene.repo.head
        scene.do(AddLabels(number, ("digestbot", "patch")))
        scene.github.set_checks(NAME, scene.need_head().value, ci="success", lint=None)
        scene.github.restart_log()

        found = watch(scene, number)

        assert found == PullStatus(
            state=PullState.OPEN,
            head=scene.need_head(),
            base=base,  # type: ignore[arg-type] # the repo is not empty
            url=f"{scene.github.url}/{NAME}/pull/{number}",
            mergeable=Mergeable.YES,
            gate=Gate.OPEN,
            labels=("digestbot", "patch"),
            checks=ChecksOf(pending=1, passed=1),
        )
        assert scene.asked == ["Statuses"]


@pytest.mark.parametrize("how, state", [("merge", PullState.MERGED), ("close", PullState.CLOSED)])
def test_one_that_ended_is_told_with_its_time(how: str, state: PullState) -> None:
    with acting() as scene:
        number = scene.propose()
        if how == "merge":
            scene.github.merge_pull(NAME, number)
        else:
            scene.github.close_pull(NAME, number)

        found = watch(scene, number)

        now = datetime.fromtimestamp(scene.github.clock.now(), UTC).replace(microsecond=0)
        assert (found.state, found.ended_at) == (state, now)


@pytest.mark.parametrize(
    "required, reviews, review, gate",
    [
        pytest.param(0, [], Review.NONE, Gate.OPEN, id="none needed"),
        pytest.param(1, [], Review.REQUIRED, Gate.SHUT, id="needed"),
        pytest.param(1, ["APPROVED"], Review.APPROVED, Gate.OPEN, id="approved"),
        pytest.param(2, ["APPROVED"], Review.REQUIRED, Gate.SHUT, id="not by enough"),
        pytest.param(
            1, ["APPROVED", "CHANGES_REQUESTED"], Review.CHANGES, Gate.SHUT, id="another mind"
        ),
    ],
)
def test_what_reviewers_say_is_told(
    required: int, reviews: list[str], review: Review, gate: Gate
) -> None:
    with acting(required_reviews=required) as scene:
        number = scene.propose()
        for state in reviews:
            scene.github.review(NAME, number, state)

        found = watch(scene, number)

        assert (found.review, found.gate) == (review, gate)


def test_what_fails_on_the_base_already_is_no_new_failure() -> None:
    with acting() as scene:
        scene.github.ci(
            NAME,
            {"build": "FAILURE", "lint": "FAILURE", "docs": "SUCCESS"},
            {"lint": "FAILURE", "build": "SUCCESS"},
        )
        scene.propose()
        scene.github.restart_log()

        found = watch(scene)

        assert found.checks == ChecksOf(failing=("build", "lint"), passed=1)
        assert found.base_checks == ChecksOf(failing=("lint",), passed=1)
        assert found.new_failures == ("build",)
        assert scene.asked == ["Statuses", "Checks"]


def test_what_fails_since_it_was_merged_is_still_a_new_failure() -> None:
    with acting() as scene:
        scene.github.ci(NAME, {"build": "FAILURE"})
        scene.propose()
        scene.github.merge_pull(NAME, 1)
        scene.github.set_checks(NAME, scene.state.head() or "", build="failure")

        found = watch(scene)

        assert found.state is PullState.MERGED
        assert found.new_failures == ("build",)


def test_a_repo_without_ci_has_no_checks() -> None:
    with acting() as scene:
        scene.github.ci(NAME, {})
        scene.propose()

        assert not watch(scene).checks


def test_checks_of_the_commit_before_are_not_those_of_the_head() -> None:
    with acting() as scene:
        scene.propose()
        scene.github.set_checks(NAME, scene.need_head().value, ci="success")
        new = scene.github.commit(NAME, BRANCH, {"theirs": b"x"})

        found = watch(scene)

        assert found.head == CommitSha.parse(new)
        assert not found.checks


def test_of_a_check_that_was_run_again_the_last_word_counts() -> None:
    with acting() as scene:
        scene.propose()
        head = scene.need_head().value
        scene.github.add_check(NAME, head, "build", "failure")
        scene.github.clock.advance(60)
        scene.github.add_check(NAME, head, "build", "success")

        assert watch(scene).checks == ChecksOf(passed=1)


@pytest.mark.parametrize("count", [CONTEXTS, CONTEXTS + 1, 3 * CONTEXTS])
def test_checks_are_read_page_by_page(count: int) -> None:
    with acting() as scene:
        scene.propose()
        words: dict[str, Any] = dict.fromkeys((f"c{n}" for n in range(count)), "success")
        scene.github.set_checks(NAME, scene.need_head().value, **words)

        assert watch(scene).checks == ChecksOf(passed=count)


def test_checks_without_end_are_never_green() -> None:
    with acting() as scene:
        scene.propose()
        words: dict[str, Any] = dict.fromkeys(
            (f"c{n}" for n in range(CONTEXTS * (MOST_PAGES + 2))), "success"
        )
        scene.github.set_checks(NAME, scene.need_head().value, **words)

        assert watch(scene).checks.pending == 1


def test_many_pull_requests_of_many_repos_are_asked_for_together() -> None:
    with acting() as scene:
        wanted = []
        for n in range(MOST_PULLS + 5):
            name = f"acme/r{n % 9}"
            if n < 9:
                scene.github.add_repo(name)
            pull = scene.github.open_pull(name, f"b{n}", {"f": str(n)})
            wanted.append(PullId(name, pull.number))
        scene.github.restart_log()

        found = statuses(scene.session, [*wanted, *wanted])

        assert set(found) == set(wanted)
        assert scene.asked == ["Statuses", "Statuses"]
        assert all(one.url.endswith(f"/{pull.number}") for pull, one in found.items())


@pytest.mark.parametrize(
    "pull",
    [
        PullId("acme/gone", 1),
        PullId("acme/secret", 1),
        PullId(NAME, 99),
        PullId("/srv/checkout", 1),
        PullId("app", 1),
    ],
    ids=["no such repo", "not for us", "no such number", "a path", "no owner"],
)
def test_what_cannot_be_seen_lacks_and_the_others_are_told(pull: PullId) -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.add_repo("acme/secret", private=True, permission="")

        found = statuses(scene.session, [pull, PullId(NAME, number)])

        assert set(found) == {PullId(NAME, number)}


def test_of_nothing_nothing_is_asked() -> None:
    with acting() as scene:
        assert statuses(scene.session, []) == {}
        assert scene.asked == []


def test_a_repo_that_was_renamed_is_told_by_the_name_that_was_asked_for() -> None:
    with acting() as scene:
        number = scene.propose()
        scene.github.rename(NAME, "acme/new")

        assert watch(scene, number).state is PullState.OPEN


def test_a_fork_that_is_gone_and_a_base_branch_that_is_gone_do_no_harm() -> None:
    with acting() as scene:
        scene.github.commit(NAME, "next", {"a": b"a"})
        pull = scene.github.open_pull(NAME, "work", {"b": b"b"}, base="next")
        scene.github.close_pull(NAME, pull.number)
        scene.github.delete_branch(NAME, "next")
        scene.github.delete_branch(NAME, "work")

        assert watch(scene, pull.number).base == CommitSha.parse(pull.base)


def test_without_the_permission_to_read_checks_nothing_is_green() -> None:
    granted = {"metadata": "read", "contents": "write", "pull_requests": "write"}
    with acting(private=True) as scene:
        scene.propose()
        scene.github.set_checks(NAME, scene.need_head().value, ci="success", lint="failure")
        token = scene.github.token(permissions=granted)
        scene.session._tokens.token = lambda: token.value  # type: ignore[method-assign]

        found = watch(scene)

        assert found.state is PullState.OPEN
        assert not found.checks


@pytest.mark.parametrize("what", ["502-before", "502-after", "drop-before", "malformed"])
@pytest.mark.parametrize("operation", ["Statuses", "Checks"])
def test_a_query_that_fails_is_asked_again(operation: str, what: FaultKind) -> None:
    with acting() as scene:
        scene.github.ci(NAME, {"build": "FAILURE"})
        scene.propose()
        scene.github.faults.add(what, operation=operation)

        assert watch(scene).new_failures == ("build",)


@pytest.mark.parametrize("what", ["secondary", "secondary-429", "too-quickly"])
def test_a_secondary_limit_is_waited_for_or_put_off(what: FaultKind) -> None:
    with acting() as scene:
        scene.propose()
        scene.github.faults.add(what, operation="Statuses", times=0)

        with pytest.raises(DeferredError):
            watch(scene)


def test_a_budget_that_is_used_up_puts_it_off() -> None:
    with acting() as scene:
        number = scene.propose()
        key = next(iter(scene.github.world.tokens.values())).key
        scene.github.limits.exhaust(key, scene.github.clock.now(), is_graphql=True)

        with pytest.raises(DeferredError):
            watch(scene, number)


def test_what_takes_github_too_long_is_asked_for_in_smaller_parts() -> None:
    with acting() as scene:
        wanted = []
        for n in range(7):
            pull = scene.github.open_pull(NAME, f"b{n}", {"f": str(n)})
            wanted.append(PullId(NAME, pull.number))
        scene.github.faults.add("502-before", operation="Statuses", times=4)
        scene.github.restart_log()

        found = statuses(scene.session, wanted)

        assert set(found) == set(wanted)
        assert scene.asked == ["Statuses"] * 6


def test_when_github_is_down_that_is_said_soon() -> None:
    with acting() as scene:
        scene.propose()
        scene.github.faults.add("502-before", times=0)

        with pytest.raises(ForgeError, match="502"):
            statuses(scene.session, [PullId(NAME, n) for n in range(1, 26)])

        assert len(scene.asked) < 20


class _Says:
    """A session that gives one answer after the other."""

    def __init__(self, *said: Partial) -> None:
        self.said = list(said)

    def graphql_partial(self, document: str, variables: Mapping[str, object]) -> Partial:
        return self.said.pop(0)


SHA = "a" * 40
ONE, TWO = PullId("acme/a", 1), PullId("acme/b", 2)
BROKEN = ForgeError("Something went wrong", code="unavailable")
NOT_FOUND = RefusedError("no such repo", code="not-found-or-no-access")


def a_pull(*contexts: Any, **changes: Any) -> dict[str, Any]:
    """A pull request, as GraphQL tells of it."""
    page = {"hasNextPage": False, "endCursor": None}
    rollup = {"contexts": {"nodes": list(contexts), "pageInfo": page}}
    commit = {"oid": SHA, "statusCheckRollup": rollup}
    return {
        "state": "OPEN",
        "url": "u",
        "isDraft": False,
        "mergeable": "MERGEABLE",
        "mergeStateStatus": "CLEAN",
        "reviewDecision": None,
        "mergedAt": None,
        "closedAt": None,
        "headRefOid": SHA,
        "baseRefOid": "b" * 40,
        "labels": {"nodes": []},
        "commits": {"nodes": [{"commit": commit}]},
        **changes,
    }


def ask(*said: Partial) -> Mapping[PullId, PullStatus]:
    return statuses(_Says(*said), [ONE, TWO])  # type: ignore[arg-type] # all that is used of it


def both(first: Any, second: Any, **errors: Any) -> Partial:
    told = {"repo0": {"pull0": first}, "repo1": {"pull1": second}}
    return Partial(told, {tuple(path.split("_")): error for path, error in errors.items()})


@pytest.mark.parametrize("error", [BROKEN, NOT_FOUND])
def test_a_part_that_breaks_lacks(error: ForgeError) -> None:
    assert set(ask(both(a_pull(), None, repo1_pull1=error))) == {ONE}


def test_a_check_that_may_not_be_seen_leaves_all_of_them_unknown() -> None:
    path = "repo0_pull0_commits_nodes_0_commit_statusCheckRollup_contexts_nodes_1"

    found = ask(both(a_pull(FAILING, None), a_pull(FAILING), **{path: NOT_FOUND}), BASES)

    assert not found[ONE].checks
    assert found[TWO].checks.failing == ("ci",)


def test_checks_that_break_are_not_taken_for_none() -> None:
    broken = a_pull(commits={"nodes": [{"commit": {"oid": SHA, "statusCheckRollup": None}}]})
    path = "repo0_pull0_commits_nodes_0_commit_statusCheckRollup"

    assert set(ask(both(broken, a_pull(), **{path: BROKEN}))) == {TWO}


def test_a_field_that_breaks_takes_its_pull_request_with_it() -> None:
    assert set(ask(both(a_pull(), a_pull(labels=None), repo1_pull1_labels=BROKEN))) == {ONE}


def test_where_every_part_breaks_nobody_knows() -> None:
    with pytest.raises(ForgeError, match="went wrong"):
        ask(both(None, None, repo0_pull0=BROKEN, repo1_pull1=BROKEN))


def test_where_every_part_is_gone_that_is_an_answer() -> None:
    assert ask(Partial({"repo0": None, "repo1": None}, {("repo0",): NOT_FOUND})) == {}


def test_an_error_of_the_whole_query_is_one() -> None:
    with pytest.raises(ForgeError, match="went wrong"):
        ask(Partial({"repo0": {"pull0": a_pull()}, "repo1": None}, {(): BROKEN}))


FAILING = {"__typename": "StatusContext", "context": "ci", "state": "FAILURE"}

BASES = Partial({"repo0": {"object": None}, "repo1": {"object": None}})


def test_what_fails_is_not_called_new_before_the_base_could_be_read() -> None:
    base = Partial({"repo0": {"object": None}}, {("repo0", "object"): BROKEN})
    told = both(a_pull(FAILING, headRefOid=SHA), a_pull(FAILING))
    second = {"oid": "b" * 40, "statusCheckRollup": None}
    bases = Partial({**base.data, "repo1": {"object": second}}, base.errors)

    assert set(ask(told, bases)) == {TWO}


@pytest.mark.parametrize("error", [BROKEN, NOT_FOUND])
def test_checks_of_which_the_rest_cannot_be_read_are_never_green(error: ForgeError) -> None:
    green = {"__typename": "StatusContext", "context": "ci", "state": "SUCCESS"}
    longer = a_pull(green)
    rollup = longer["commits"]["nodes"][0]["commit"]["statusCheckRollup"]
    rollup["contexts"]["pageInfo"] = {"hasNextPage": True, "endCursor": "c"}
    rest = {"oid": SHA, "statusCheckRollup": None}
    later = Partial(
        {"repo0": {"object": None}, "repo1": {"object": rest}}, {("repo0", "object"): error}
    )

    found = ask(both(longer, longer), later)

    assert found[TWO].checks == ChecksOf(passed=1)
    assert ONE not in found or not found[ONE].checks.passed


def test_of_a_base_with_a_check_that_may_not_be_seen_nothing_is_known() -> None:
    page = {"hasNextPage": False, "endCursor": None}
    dark = {"oid": "b" * 40, "statusCheckRollup": {"contexts": {"nodes": [None], "pageInfo": page}}}
    forbidden = RefusedError("Resource not accessible by integration", code="no-permission")
    base = Partial(
        {"repo0": {"object": dark}}, {("repo0", "object", "statusCheckRollup"): forbidden}
    )

    found = ask(both(a_pull(FAILING), a_pull()), base)

    assert found[ONE].new_failures == ("ci",)


def test_of_a_base_that_is_gone_nothing_is_known() -> None:
    found = ask(both(a_pull(FAILING), a_pull()), BASES)

    assert found[ONE].new_failures == ("ci",)
    assert not found[ONE].base_checks


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "DREAMING"},
        {"headRefOid": "main"},
        {"baseRefOid": None},
        {"mergeable": "PERHAPS"},
        {"reviewDecision": "SHRUG"},
        {"isDraft": None},
        {"mergedAt": "yesterday"},
        {"closedAt": "2026-01-01T00:00:00"},
        {"commits": None},
        {"labels": {"nodes": [None]}},
    ],
    ids=str,
)
def test_what_github_does_not_promise_is_not_guessed(changes: dict[str, Any]) -> None:
    with pytest.raises(ForgeError) as caught:
        ask(both(a_pull(**changes), a_pull()))

    assert caught.value.code == "malformed"


@pytest.mark.parametrize(
    "word, gate",
    [
        ("CLEAN", Gate.OPEN),
        ("HAS_HOOKS", Gate.OPEN),
        ("UNSTABLE", Gate.OPEN),
        ("BLOCKED", Gate.SHUT),
        ("BEHIND", Gate.UNKNOWN),
        ("DIRTY", Gate.UNKNOWN),
        ("DREAMING", Gate.UNKNOWN),
        (None, Gate.UNKNOWN),
    ],
)
def test_the_gate_is_as_a_survey_tells_it(word: str | None, gate: Gate) -> None:
    assert ask(both(a_pull(mergeStateStatus=word), a_pull()))[ONE].gate is gate


_KEYS = st.sampled_from(["repo0", "pull0", "state", "commits", "nodes", "labels", "object", "oid"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(SHA),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=15,
)
_PULLS = st.fixed_dictionaries(
    {},
    optional={key: _JSON | st.just(value) for key, value in a_pull(FAILING).items()},
)


@given(_JSON | _PULLS, st.lists(_JSON, min_size=3, max_size=3))
def test_whatever_is_answered_nothing_worse_than_our_own_errors_happens(
    pull: Any, more: list[Any]
) -> None:
    later = [Partial({"repo0": one, "repo1": one}) for one in more]

    with suppress(ForgeError):
        ask(both(pull, a_pull(FAILING)), *later)


def test_an_error_of_github_that_is_no_refusal_is_told_as_such() -> None:
    def refuse() -> None:
        raise ApiError(403, "Resource protected by organization SAML enforcement.")

    with acting() as scene:
        scene.propose()
        scene.github.faults.add(refuse, operation="Statuses")

        with pytest.raises(RefusedError) as caught:
            watch(scene)

    assert caught.value.code == "sso"

"""The repos behind a target, and why some are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.answer import Partial
from digestbot.forge.github.listed import read_branches, read_listed
from digestbot.forge.github.listing import GitHubListing, Selection
from digestbot.forge.github.session import RETRIES, Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.repo import LeftOut, Repo
from digestbot.secret import Secret
from tests.forge.github.talking import app_settings, key_pair, session_with
from tests.github.server import GitHubServer

PROPOSING = Selection(is_proposing=True)
US = "digestbot-user"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


def listed(
    github: GitHubServer, target: str = "acme", selection: Selection = PROPOSING
) -> list[Repo | LeftOut]:
    with session_with(github, target) as session:
        return list(GitHubListing(session, target, selection).repos())


def repos(found: Sequence[Repo | LeftOut]) -> dict[str, Repo]:
    return {one.name: one for one in found if isinstance(one, Repo)}


def left_out(found: Sequence[Repo | LeftOut]) -> dict[str, str]:
    return {one.name: one.reason for one in found if isinstance(one, LeftOut)}


def test_repo_is_as_the_forge_has_it(github: GitHubServer) -> None:
    made = github.add_repo(
        "acme/app", default_branch="trunk", allow_auto_merge=True, delete_branch_on_merge=True
    )

    (repo,) = repos(listed(github, "acme/app")).values()

    head = made.head() or ""
    assert repo.name == "acme/app"
    assert repo.default_branch == "trunk"
    assert str(repo.head) == head
    assert str(repo.tree) == made.git.tree_of(head)
    assert (repo.allows_auto_merge, repo.deletes_branches) == (True, True)
    assert (repo.ours, repo.open_pulls) == ((), 0)


def test_hundred_repos_cost_one_request(github: GitHubServer) -> None:
    for number in range(101):
        github.add_repo(f"acme/r{number:03}")

    found = listed(github)

    assert list(repos(found)) == [f"acme/r{number:03}" for number in range(101)]
    assert len(github.requests) == 2


def test_pages_are_asked_for_one_by_one(github: GitHubServer) -> None:
    for number in range(101):
        github.add_repo(f"acme/r{number:03}")
    with session_with(github) as session:
        found = GitHubListing(session, "acme", PROPOSING).repos()

        for _ in range(100):
            next(found)
        assert len(github.requests) == 1

        next(found)
        assert len(github.requests) == 2


def test_page_that_is_too_much_for_github_is_asked_for_in_parts(github: GitHubServer) -> None:
    for number in range(30):
        github.add_repo(f"acme/r{number:03}")
    github.faults.add("502-before", times=RETRIES + 1)

    assert len(repos(listed(github))) == 30


def test_user_has_repos_too(github: GitHubServer) -> None:
    github.add_repo("ann/tool", kind="User")

    assert list(repos(listed(github, "ann", Selection()))) == ["ann/tool"]


def test_repos_of_others_are_not_listed(github: GitHubServer) -> None:
    github.add_repo("acme/app")
    github.add_repo("other/app")

    assert list(repos(listed(github))) == ["acme/app"]


@pytest.mark.parametrize(
    "more, reason",
    [
        ({"archived": True}, "archived"),
        ({"disabled": True}, "disabled"),
        ({"locked": True}, "locked"),
        ({"files": {}}, "empty"),
        ({"permission": "READ"}, "no-push-permission"),
        ({"permission": "TRIAGE"}, "no-push-permission"),
    ],
)
def test_repo_that_takes_no_proposals_is_left_out(
    github: GitHubServer, more: dict[str, Any], reason: str
) -> None:
    github.add_repo("acme/odd", **more)
    github.add_repo("acme/app")

    found = listed(github)

    assert left_out(found) == {"acme/odd": reason}
    assert list(repos(found)) == ["acme/app"]


def test_fork_is_left_out_unless_it_is_asked_for_by_name(github: GitHubServer) -> None:
    github.add_repo("acme/app")
    github.fork("acme/app", "ann")

    assert left_out(listed(github, "ann", Selection())) == {"ann/app": "fork"}
    assert list(repos(listed(github, "ann/app", Selection()))) == ["ann/app"]


def test_scan_needs_no_permission_to_push_and_reads_archives_by_name(github: GitHubServer) -> None:
    github.add_repo("acme/read", permission="READ")
    github.add_repo("acme/old", archived=True)

    assert list(repos(listed(github, "acme", Selection()))) == ["acme/read"]
    assert list(repos(listed(github, "acme/old", Selection()))) == ["acme/old"]
    assert left_out(listed(github, "acme/old", PROPOSING)) == {"acme/old": "archived"}


@pytest.mark.parametrize(
    "selection, names",
    [
        (Selection(names=("app-*",)), ["acme/app-a", "acme/app-b"]),
        (Selection(names=("APP-A", "x")), ["acme/app-a"]),
        (Selection(topics=("docker",)), ["acme/app-b", "acme/web"]),
        (Selection(names=("app-*",), topics=("docker", "none")), ["acme/app-b"]),
    ],
)
def test_selection_says_which_repos_are_meant(
    github: GitHubServer, selection: Selection, names: list[str]
) -> None:
    github.add_repo("acme/app-a")
    github.add_repo("acme/app-b", topics=["docker"])
    github.add_repo("acme/web", topics=["docker", "site"])

    found = listed(github, selection=selection)

    assert list(repos(found)) == names
    assert set(left_out(found).values()) <= {"name", "topic"}
    assert len(found) == 3


def test_who_proposes_learns_the_topics_of_a_repo_and_who_scans_does_not_ask(
    github: GitHubServer,
) -> None:
    github.add_repo("acme/web", topics=["site", "docker"])

    proposing = listed(github, "acme", PROPOSING)
    scanning = listed(github, "acme", Selection())

    assert repos(proposing)["acme/web"].topics == ("docker", "site")
    assert repos(scanning)["acme/web"].topics == ()


def test_our_branches_and_their_pull_requests_are_brought_along(github: GitHubServer) -> None:
    github.add_repo("acme/app")
    github.open_pull("acme/app", "digestbot/images", {"a": "b"}, by=US)
    github.open_pull("acme/app", "digestbot/theirs", {"a": "f"}, by="mallory")
    github.commit("acme/app", "digestbot/left-over", {"a": "c"})
    github.open_pull("acme/app", "feature", {"a": "d"})
    github.open_pull("acme/app", "digestbot/closed", {"a": "e"})
    github.close_pull("acme/app", github.pulls("acme/app")[-1].number)

    (repo,) = repos(listed(github)).values()

    assert repo.ours == (
        "digestbot/closed",
        "digestbot/images",
        "digestbot/left-over",
        "digestbot/theirs",
    )
    assert repo.open_pulls == 1
    assert [int(time.timestamp()) for time in repo.opened] == [int(github.clock.now())]
    assert len(github.requests) == 1


def test_the_pulse_changes_with_our_branches_and_pull_requests_and_with_nothing_else(
    github: GitHubServer,
) -> None:
    def pulse() -> str:
        (repo,) = repos(listed(github)).values()
        return repo.pulse

    github.add_repo("acme/app")
    seen = [pulse()]
    number = github.open_pull("acme/app", "digestbot/images", {"a": "b"}).number
    events: list[Callable[[], object]] = [
        lambda: None,
        lambda: github.comment("acme/app", number, "hello"),
        lambda: github.commit("acme/app", "digestbot/images", {"a": "c"}),
        lambda: github.close_pull("acme/app", number),
        lambda: github.reopen_pull("acme/app", number),
        lambda: github.merge_pull("acme/app", number),
        lambda: github.delete_branch("acme/app", "digestbot/images"),
    ]
    for event in events:
        github.clock.advance(60)
        event()
        seen.append(pulse())
        assert pulse() == seen[-1]

    github.commit("acme/app", "main", {"a": "d"})
    github.open_pull("acme/app", "feature", {"a": "e"})

    assert all(seen)
    assert all(before != after for before, after in pairwise(seen[:-1]))
    assert pulse() == seen[-1]


def test_many_branches_of_ours_cost_one_more_request(github: GitHubServer) -> None:
    github.add_repo("acme/app")
    for number in range(25):
        github.open_pull("acme/app", f"digestbot/image-{number:02}", {"a": str(number)}, by=US)

    (repo,) = repos(listed(github)).values()

    assert len(repo.ours) == repo.open_pulls == 25
    assert len(github.requests) == 2


@pytest.mark.parametrize(
    "prefix, ours",
    [
        ("digestbot/", ("digestbot/a",)),
        ("bots/digest/", ("bots/digest/b",)),
        ("bots/digest-", ("bots/digest-c",)),
        ("bot-", ("bot-d",)),
    ],
)
def test_prefix_may_be_another_one(
    github: GitHubServer, prefix: str, ours: tuple[str, ...]
) -> None:
    github.add_repo("acme/app")
    for branch in ("digestbot/a", "bots/digest/b", "bots/digest-c", "bot-d"):
        github.commit("acme/app", branch, {"a": branch})

    found = repos(listed(github, selection=Selection(is_proposing=True, prefix=prefix)))

    assert found["acme/app"].ours == ours


def test_scan_asks_for_no_branches(github: GitHubServer) -> None:
    github.add_repo("acme/app")
    github.open_pull("acme/app", "digestbot/images", {"a": "b"})

    assert repos(listed(github, selection=Selection()))["acme/app"].ours == ()


def test_app_sees_what_it_is_installed_for(github: GitHubServer) -> None:
    for number in range(3):
        github.add_repo(f"acme/r{number}")
    app = github.app(key_pair()[1])
    (installation,) = github.world.installations.values()
    installation.repos = {"r0", "r2"}

    with session_with(github, settings=app_settings(app.id)) as session:
        found = list(GitHubListing(session, "acme", PROPOSING).repos())

    assert list(repos(found)) == ["acme/r0", "acme/r2"]
    assert left_out(found) == {"acme/r1": "not-installed"}


def test_app_with_more_repos_than_a_page_sees_them_all(github: GitHubServer) -> None:
    for number in range(105):
        github.add_repo(f"acme/r{number:03}")
    app = github.app(key_pair()[1])

    with session_with(github, settings=app_settings(app.id)) as session:
        found = list(GitHubListing(session, "acme", PROPOSING).repos())

    assert len(repos(found)) == 105


def test_renamed_repo_goes_by_its_new_name(github: GitHubServer) -> None:
    github.add_repo("acme/app")
    github.rename("acme/app", "acme/new")

    assert list(repos(listed(github, "acme/app"))) == ["acme/new"]


@pytest.mark.parametrize("target", ["nobody", "nobody/app", "acme/none", "acme/se cret"])
def test_target_that_is_not_there_is_refused(github: GitHubServer, target: str) -> None:
    github.add_repo("acme/app")

    with pytest.raises(RefusedError) as caught:
        listed(github, target)

    assert caught.value.code == "not-found-or-no-access"


def test_secret_repo_is_not_there_for_others(github: GitHubServer) -> None:
    github.add_repo("acme/secret", private=True, permission="")

    with pytest.raises(RefusedError):
        listed(github, "acme/secret")
    assert listed(github) == []


def test_wrong_token_is_said(github: GitHubServer) -> None:
    settings = GitHubSettings(token=Secret("wrong"))
    with session_with(github, settings=settings) as session, pytest.raises(RefusedError) as caught:
        list(GitHubListing(session, "acme").repos())

    assert caught.value.code == "unauthorized"


# -- Answers that GitHub does not give, but might.

NODE: dict[str, Any] = {
    "nameWithOwner": "acme/app",
    "url": "https://github.com/acme/app",
    "viewerPermission": "WRITE",
    "defaultBranchRef": {
        "name": "main",
        "target": {"oid": "a" * 40, "tree": {"oid": "b" * 40}},
    },
}


@pytest.mark.parametrize(
    "node, reason",
    [
        (None, "unreadable"),
        ([], "unreadable"),
        ({}, "unreadable"),
        ({**NODE, "nameWithOwner": "acme"}, "unreadable"),
        ({**NODE, "nameWithOwner": "acme/.."}, "unreadable"),
        ({**NODE, "nameWithOwner": "acme/app/../../x"}, "unreadable"),
        ({**NODE, "nameWithOwner": "acme/a\nb"}, "unreadable"),
        ({**NODE, "nameWithOwner": "acme/app\n"}, "unreadable"),
        ({**NODE, "defaultBranchRef": {"name": "main", "target": {"oid": "x"}}}, "unreadable"),
        ({**NODE, "defaultBranchRef": {"name": "main", "target": {"oid": "a" * 40}}}, "unreadable"),
    ],
)
def test_repo_that_cannot_be_read_is_left_out(node: object, reason: str) -> None:
    found = read_listed(node, "digestbot/")

    assert isinstance(found, LeftOut)
    assert found.reason == reason
    assert found.name.isprintable()


@pytest.mark.parametrize("permission", [None, "ADMIN", "MAINTAIN", "WRITE"])
def test_permission_that_is_not_told_is_no_refusal(permission: str | None) -> None:
    found = read_listed({**NODE, "viewerPermission": permission}, "digestbot/")

    assert not isinstance(found, LeftOut)
    assert found.may_push


@pytest.mark.parametrize(
    "prefix, name, ours",
    [
        ("refs/heads/", "digestbot/images", ("digestbot/images",)),
        ("refs/heads/digestbot/", "images", ("digestbot/images",)),
        ("refs/heads/", "other", ()),
        ("refs/tags/", "digestbot/images", ()),
        ("refs/heads/", "digestbot/a\nb", ()),
        ("refs/heads/", "digestbot/" + "x" * 300, ()),
    ],
)
def test_branch_is_named_in_either_way(prefix: str, name: str, ours: tuple[str, ...]) -> None:
    refs = {"nodes": [None, 7, {"prefix": prefix, "name": name}]}

    repo = read_branches(Repo("acme/app", "main", None, None), refs, "digestbot/")

    assert repo.ours == ours


names = st.sampled_from([*NODE, "nodes", "name", "target", "oid", "refs", "createdAt"])
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner),
    max_leaves=12,
)


@given(json, st.sampled_from(["", *NODE, "refs", "repositoryTopics"]))
def test_whatever_comes_is_a_repo_or_left_out(odd: object, place: str) -> None:
    node = {**NODE, place: odd} if place else odd

    found = read_listed(node, "digestbot/")

    if isinstance(found, LeftOut):
        assert found.reason
    else:
        assert found.repo.name == "acme/app"


class Parrot:
    """A session that says the same again and again."""

    settings = GitHubSettings()
    is_app = False

    def __init__(self, data: object) -> None:
        self._data = data
        self.asked = 0

    def graphql_partial(self, document: str, variables: Mapping[str, object]) -> Partial:
        self.asked += 1
        return Partial(cast("Mapping[str, object]", self._data))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param({}, id="without nodes"),
        pytest.param({"nodes": [NODE], "pageInfo": {"hasNextPage": False}}, id="last"),
        pytest.param({"nodes": "x", "pageInfo": 7}, id="odd"),
    ],
)
def test_list_ends_where_no_more_is_promised(page: object) -> None:
    parrot = Parrot({"repositoryOwner": {"repositories": page}})

    list(GitHubListing(cast("Session", parrot), "acme").repos())

    assert parrot.asked == 1


@pytest.mark.parametrize("cursor", [None, "same"])
def test_list_without_end_is_broken_off(cursor: str | None) -> None:
    page = {"nodes": [NODE], "pageInfo": {"hasNextPage": True, "endCursor": cursor}}
    parrot = Parrot({"repositoryOwner": {"repositories": page}})

    with pytest.raises(ForgeError, match="has no end"):
        list(GitHubListing(cast("Session", parrot), "acme").repos())

    assert parrot.asked <= 2

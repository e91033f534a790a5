from __future__ import annotations

import pytest

from digestbot.forge.github.permissions import Access, examine
from digestbot.forge.github.settings import GitHubSettings
from digestbot.secret import Secret
from tests.forge.github.talking import app_settings, key_pair, session_with
from tests.github.scene import ALL_PERMISSIONS
from tests.github.server import GitHubServer

NAME = "acme/app"
PROBES = (
    "contents: read",
    "contents: write",
    "pull requests: write",
    "checks: read",
    "commit statuses: read",
)


def _examine(
    github: GitHubServer, settings: GitHubSettings | None = None, target: str = NAME
) -> dict[str, Access]:
    with session_with(github, target, settings) as session:
        return {one.name: one for one in examine(session, target)}


def _token(value: str) -> GitHubSettings:
    return GitHubSettings(token=Secret(value))


def test_a_classic_token_with_everything_is_fine_and_nothing_is_written() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)
        before = github.branches(NAME)

        found = _examine(github, _token(github.token("ann", scopes=("repo", "workflow")).value))

        assert all(one.is_ok for one in found.values())
        assert found["account"].message == "ann"
        assert found[NAME].message == f"tried with {NAME}"
        assert found.keys() >= {"scope repo", "scope workflow", "rate limit", *PROBES}
        assert github.branches(NAME) == before
        assert github.pulls(NAME) == []


@pytest.mark.parametrize(
    "scopes, private, missing",
    [
        pytest.param(("repo",), True, {"scope workflow"}, id="no workflow"),
        pytest.param(("public_repo", "workflow"), False, set(), id="public repos only"),
        pytest.param(
            ("gist",),
            False,
            {"scope repo", "scope workflow", "contents: write", "pull requests: write"},
            id="something else",
        ),
    ],
)
def test_missing_scopes_are_named(
    scopes: tuple[str, ...], private: bool, missing: set[str]
) -> None:
    with GitHubServer() as github:
        github.add_repo(NAME, private=private)

        found = _examine(github, _token(github.token(scopes=scopes).value))

        assert {name for name, one in found.items() if not one.is_ok} == missing
        assert all(found[name].hint for name in missing)


@pytest.mark.parametrize(
    "permission, level, missing",
    [
        pytest.param("contents", "read", {"contents: write"}, id="contents"),
        pytest.param("pull_requests", "read", {"pull requests: write"}, id="pull requests"),
        pytest.param("checks", "", {"checks: read"}, id="checks"),
        pytest.param("statuses", "", {"commit statuses: read"}, id="statuses"),
    ],
)
@pytest.mark.parametrize("is_app", [True, False], ids=["App", "fine-grained token"])
def test_missing_permissions_are_named(
    permission: str, level: str, missing: set[str], is_app: bool
) -> None:
    granted = {key: value for key, value in ALL_PERMISSIONS.items() if key != permission}
    granted |= {permission: level} if level else {}
    with GitHubServer() as github:
        github.add_repo(NAME, private=True)
        github.add_repo("acme/other", private=True)
        if is_app:
            app = github.app(key_pair()[1], permissions=granted)
            settings = app_settings(app.id)
        else:
            settings = _token(github.token(permissions=granted).value)

        with session_with(github, "acme", settings) as session:
            found = list(examine(session, NAME))

        wrong = {one.name for one in found if not one.is_ok}
        # An App without contents: write is told that it may not push at all.
        assert wrong in (missing, {NAME})
        assert all(one.hint for one in found if not one.is_ok)
        assert not any(one.name.startswith("scope") for one in found)


def test_an_app_is_named_with_the_place_where_it_is_installed() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)
        app = github.app(key_pair()[1])

        found = _examine(github, app_settings(app.id), "acme")

        assert found["account"].message == f"GitHub App {app.id}, installed at acme"
        assert all(one.is_ok for one in found.values())
        assert found["acme"].message == f"tried with {NAME}"


def test_an_app_that_is_not_installed_says_so_and_no_more() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)
        app = github.app(key_pair()[1], on=[])

        found = _examine(github, app_settings(app.id))

        assert list(found) == [NAME]
        assert "not installed" in found[NAME].message


@pytest.mark.parametrize("target", [NAME, "acme"])
@pytest.mark.parametrize(
    "settings, said",
    [
        pytest.param({"archived": True}, "archived", id="archived"),
        pytest.param({"permission": "READ"}, "may not push", id="no push"),
        pytest.param({"disabled": True}, "disabled", id="disabled"),
    ],
)
def test_a_target_without_a_repo_to_propose_to_says_why(
    target: str, settings: dict[str, object], said: str
) -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)
        for name, value in settings.items():
            setattr(github.repo(NAME), name, value)

        found = _examine(github, target=target)

        assert not found[target].is_ok
        assert said in found[target].message
        assert found[target].hint


@pytest.mark.parametrize("target", ["acme/gone", "nobody"])
def test_a_target_that_is_not_there_is_said(target: str) -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)

        found = _examine(github, target=target)

        assert not found[target].is_ok
        assert found[target].hint


def test_an_owner_without_repos_is_said() -> None:
    with GitHubServer() as github:
        github.user("acme", "Organization")

        assert not _examine(github, target="acme")["acme"].is_ok


def test_a_wrong_token_is_said_without_being_shown() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)

        found = _examine(github, _token("ghp_wrongcanary"))

        assert list(found) == [NAME]
        assert not found[NAME].is_ok
        assert "canary" not in str(found)


def test_a_budget_that_is_nearly_used_up_is_said() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME)
        github.limits.primary = 50

        budget = _examine(github)["rate limit"]

        assert not budget.is_ok
        assert budget.message == "49 of 50 requests are left of this hour"
        assert "App" in budget.hint

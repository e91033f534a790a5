from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from digestbot.clock import Clock
from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.limits import Limiter
from digestbot.forge.github.owners import WideForge, open_github_watching
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.watching import PullId
from digestbot.secret import Secret
from tests.forge.github.talking import app_settings, key_pair
from tests.github.server import GitHubServer

OWNERS = ("acme", "globex", "initech")
MINT = "apps/create-installation-access-token"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@contextmanager
def watching(
    github: GitHubServer, settings: GitHubSettings, limiter: Limiter | None = None
) -> Iterator[WideForge]:
    chosen = dataclasses.replace(settings, api_url=github.url)
    forge = open_github_watching(chosen, limiter, clock=github.clock.as_clock())
    with closing(forge):
        yield forge


def populate(github: GitHubServer) -> list[PullId]:
    """A private repo with two pull requests at each owner."""
    wanted = []
    for owner in OWNERS:
        github.add_repo(f"{owner}/app", private=True)
        for branch in ("a", "b"):
            pull = github.open_pull(f"{owner}/app", branch, {branch: "x"})
            wanted.append(PullId(f"{owner}/app", pull.number))
    github.restart_log()
    return wanted


def asked(github: GitHubServer) -> list[str]:
    return [one.operation for one in github.requests]


def test_a_token_asks_for_the_pull_requests_of_all_owners_together(github: GitHubServer) -> None:
    wanted = populate(github)
    settings = GitHubSettings(token=Secret(github.token().value))

    with watching(github, settings) as forge:
        found = forge.statuses(wanted)

    assert set(found) == set(wanted)
    assert asked(github) == ["Statuses"]


def test_an_app_asks_each_owner_with_a_token_of_its_own(github: GitHubServer) -> None:
    wanted = populate(github)
    app = github.app(key_pair()[1], on=OWNERS)

    with watching(github, app_settings(app.id)) as forge:
        found = forge.statuses(wanted)
        again = forge.statuses([PullId("Acme/app", 1)])

    assert set(found) == set(wanted)
    assert set(again) == {PullId("Acme/app", 1)}
    assert asked(github).count("Statuses") == len(OWNERS) + 1
    assert asked(github).count(MINT) == len(OWNERS)


def test_where_an_app_is_not_installed_pull_requests_lack_until_it_is(
    github: GitHubServer,
) -> None:
    wanted = populate(github)
    app = github.app(key_pair()[1], on=OWNERS[:2])

    with watching(github, app_settings(app.id)) as forge:
        before = forge.statuses(wanted)
        # As if the owner had clicked `Install`.
        other = github.app(key_pair()[1], on=OWNERS[2:])
        installed = next(i for i in github.world.installations.values() if i.app is other)
        installed.app = app
        after = forge.statuses(wanted)

    assert set(before) == set(wanted[:4])
    assert set(after) == set(wanted)


def test_a_token_that_is_wrong_is_an_error(github: GitHubServer) -> None:
    wanted = populate(github)

    with (
        watching(github, GitHubSettings(token=Secret("ghp_wrong"))) as forge,
        pytest.raises(RefusedError) as caught,
    ):
        forge.statuses(wanted)

    assert caught.value.code == "unauthorized"


def test_an_issue_is_kept_in_any_repo(github: GitHubServer) -> None:
    populate(github)
    app = github.app(key_pair()[1], on=OWNERS)

    with watching(github, app_settings(app.id)) as forge:
        numbers = {forge.track(f"{owner}/app", 0, "t", "b") for owner in OWNERS for _ in "xx"}

    assert numbers == {3}
    assert [len(github.issues(f"{owner}/app")) for owner in OWNERS] == [1, 1, 1]


def test_where_an_app_is_not_installed_no_issue_is_kept(github: GitHubServer) -> None:
    populate(github)
    app = github.app(key_pair()[1], on=OWNERS[:2])

    with watching(github, app_settings(app.id)) as forge, pytest.raises(RefusedError) as caught:
        forge.track("initech/app", 0, "t", "b")

    assert caught.value.code == "not-installed"


def test_one_limiter_counts_for_all_owners(github: GitHubServer) -> None:
    wanted = populate(github)
    app = github.app(key_pair()[1], on=OWNERS)
    limiter = Limiter((), 10, Clock())

    with watching(github, app_settings(app.id), limiter) as forge:
        forge.statuses(wanted)

    assert limiter.calls == len(github.requests)


def test_github_that_is_down_is_an_error(github: GitHubServer) -> None:
    wanted = populate(github)
    settings = GitHubSettings(token=Secret(github.token().value))
    github.faults.add("502-before", times=0)

    with watching(github, settings) as forge, pytest.raises(ForgeError, match="502"):
        forge.statuses(wanted)


def test_it_may_be_closed_unused_and_twice(github: GitHubServer) -> None:
    with watching(github, GitHubSettings()) as forge:
        forge.close()

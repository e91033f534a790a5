"""An owner with three hundred repos, of which sixty are stale; GitHub keeps all its limits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from digestbot.forge.blob_cache import BlobCache
from digestbot.proposals.outcome import Outcome
from tests.github.server import GitHubServer
from tests.proposals.builders import digest, dockerfile
from tests.proposals.github_world import BRANCH, GitHubWorld

REPOS, STALE = 300, 60


def name_of(number: int) -> str:
    return f"acme/app{number:03}"


def is_stale(number: int) -> bool:
    return number % (REPOS // STALE) == 0


def populate(github: GitHubServer) -> None:
    for number in range(REPOS):
        # Every repo has a Dockerfile of its own, and one of a template that all share.
        own = b"# repo %d\n" % number + dockerfile("python:3", at=0 if is_stale(number) else 1)
        files = {"Dockerfile": own, "ci/Dockerfile": dockerfile("debian:12", at=1)}
        github.add_repo(name_of(number), files | {"README.md": b"hello\n"})


def test_sixty_right_pull_requests_and_a_second_run_that_costs_what_is_open(
    tmp_path: Path,
) -> None:
    with GitHubServer() as github:
        populate(github)
        world = GitHubWorld(github, target="acme", cache=BlobCache(tmp_path / "cache"))
        world.digests = {"python:3": 1, "debian:12": 1}

        first = world.run()
        writes = [one for one in github.writes if one.status < 400]
        github.restart_log()
        second = world.run()

        said = Counter(verdict.outcome for one in first for verdict in one.verdicts)
        assert (len(first), said) == (REPOS, {Outcome.OPENED: STALE})
        for number in filter(is_stale, range(REPOS)):
            (pull,) = github.pulls(name_of(number))
            assert digest(1).short in pull.title
            expected = b"# repo %d\n" % number + dockerfile("python:3", at=1)
            assert github.files(name_of(number), BRANCH)["Dockerfile"] == expected
        # A tree, a commit, a branch, a pull request, a label.
        assert len(writes) == 5 * STALE

        assert not [problem for one in (*first, *second) for problem in one.problems]
        assert github.writes == []
        # Three pages of repos, and one look at each of the sixty that have something open.
        asked = Counter(one.operation for one in github.requests)
        assert sum(asked.values()) == REPOS // 100 + STALE, asked


def test_where_nothing_is_open_and_nothing_moved_a_run_costs_one_request_for_a_hundred_repos(
    tmp_path: Path,
) -> None:
    with GitHubServer() as github:
        populate(github)
        world = GitHubWorld(github, target="acme", cache=BlobCache(tmp_path / "cache"))
        world.digests = {"python:3": 0, "debian:12": 1}
        for number in filter(lambda one: not is_stale(one), range(REPOS)):
            own = b"# repo %d\n" % number + dockerfile("python:3", at=0)
            github.commit(name_of(number), "main", {"Dockerfile": own})
        world.run()
        github.restart_log()

        world.run()

        assert len(github.requests) == REPOS // 100

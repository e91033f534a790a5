from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from digestbot.forge.github.forge import open_github
from digestbot.forge.github.listing import Selection
from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.interface import Forge, Interest
from digestbot.forge.repo import LeftOut, Repo
from digestbot.forge.steps import DeleteBranch, OpenPull, PushBranch
from digestbot.secret import Secret
from tests.forge.github.scene import BRANCH, CHANGE, NAME, NEW, OLD, PRINT
from tests.github.server import GitHubServer

DOCKERFILES = Interest("dockerfiles", lambda path: path.endswith("Dockerfile"))
PROPOSING = Selection(is_proposing=True)


@contextmanager
def _forge(github: GitHubServer, target: str = "acme", **more: object) -> Iterator[Forge]:
    settings = GitHubSettings(github.url, Secret(github.token().value))
    clock = github.clock.as_clock()
    forge = open_github(target, settings, DOCKERFILES, clock=clock, **more)  # type: ignore[arg-type]
    try:
        yield forge
    finally:
        forge.close()


def _push(repo: Repo) -> PushBranch:
    assert repo.head is not None
    return PushBranch(BRANCH, repo.head, None, (CHANGE,), "Update python", PRINT)


def _one(forge: Forge) -> Repo:
    repo = next(iter(forge.repos()))
    assert isinstance(repo, Repo)
    return repo


def test_nothing_is_asked_before_use() -> None:
    with GitHubServer() as github, _forge(github):
        assert github.requests == []


def test_a_repo_is_listed_read_surveyed_and_proposed_to() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME, {"Dockerfile": OLD, "README.md": b"x"})
        with _forge(github, selection=PROPOSING) as forge:
            repo = _one(forge)
            entries = forge.entries(repo)
            blobs = forge.blobs(repo, [entry.sha for entry in entries])
            forge.perform(repo, _push(repo))
            forge.perform(repo, OpenPull(BRANCH, repo.default_branch, "Update python", "body"))
            survey = forge.survey(repo, [BRANCH])
            branch = survey.branches[BRANCH]
            proposed = forge.blobs_at(repo, branch.head, ["Dockerfile", "gone"])
            again = _one(forge)

        assert [entry.path for entry in entries] == ["Dockerfile"]
        assert list(blobs.values()) == [OLD]
        assert proposed == {"Dockerfile": NEW}
        assert [pull.branch for pull in survey.pulls or ()] == [BRANCH]
        assert (again.ours, again.open_pulls) == ((BRANCH,), 1)


def test_only_the_chosen_repos_of_an_owner_are_listed() -> None:
    with GitHubServer() as github:
        github.add_repo(NAME, topics=["docker"])
        github.add_repo("acme/other")
        with _forge(github, selection=replace(PROPOSING, topics=("docker",))) as forge:
            found = list(forge.repos())

        assert [one.name for one in found if isinstance(one, Repo)] == [NAME]
        assert [one.reason for one in found if isinstance(one, LeftOut)] == ["topic"]


def test_pushes_may_go_another_way_and_all_else_does_not() -> None:
    pushed: list[tuple[str, PushBranch, str]] = []

    def push_with(session: Session) -> object:
        token = session.git_token()
        return lambda repo, step: pushed.append((repo.name, step, token.reveal()))

    with GitHubServer() as github:
        github.add_repo(NAME, {"Dockerfile": OLD})
        head = github.commit(NAME, BRANCH, {"x": b"y"})
        with _forge(github, NAME, push_with=push_with) as forge:
            repo = _one(forge)
            step = _push(repo)
            forge.perform(repo, step)
            untouched = github.branches(NAME)[BRANCH]
            branch = forge.survey(repo, [BRANCH]).branches[BRANCH]
            forge.perform(repo, DeleteBranch(BRANCH, branch.head))

        assert [one[:2] for one in pushed] == [(NAME, step)]
        assert pushed[0][2] in github.world.tokens
        assert untouched == head
        assert BRANCH not in github.branches(NAME)


def test_the_words_of_forges_do_not_load_what_speaks_with_github() -> None:
    script = (
        "import sys, digestbot.forge.interface, digestbot.forge.steps; "
        "sys.exit(any(one in sys.modules for one in ('github', 'git', 'requests')))"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert done.returncode == 0

"""What git does for GitHub where its API shall not, or cannot: push commits, list huge trees."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from digestbot.cli.forges import ForgeOptions
from digestbot.forge.git_environment import Login
from digestbot.forge.github.forge import Entries, Push
from digestbot.forge.github.session import Session
from digestbot.forge.remote import DIGESTBOT, RemoteForge, push_branch
from digestbot.forge.repo import Entry, Repo
from digestbot.forge.steps import PushBranch
from digestbot.scan.forge_files import INTEREST


def pushing(options: ForgeOptions, session: Session) -> Push:
    """A way to push branches, with signed commits where that is configured."""

    def push(repo: Repo, step: PushBranch) -> None:
        identity = options.identity or DIGESTBOT
        url, login = _url(options, repo), _login(session)
        push_branch(url, login, step, identity=identity, signing=options.signing)

    return push


def cloning(options: ForgeOptions, session: Session) -> Entries:
    """A way to list files: by a shallow clone without contents, which is gone afterwards."""

    def entries(repo: Repo) -> Sequence[Entry]:
        with closing(RemoteForge(_url(options, repo), INTEREST, _login(session))) as copy:
            return copy.entries(repo)

    return entries


def _url(options: ForgeOptions, repo: Repo) -> str:
    return f"{options.github.web_url}/{repo.name}.git"


def _login(session: Session) -> Login:
    return Login("x-access-token", session.git_token())

"""The forge of a target: composed here, and imported only when one is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from digestbot.cli.importing import importing
from digestbot.cli.targets import GitHubTarget, GitTarget, LocalTarget, Target
from digestbot.clock import Clock
from digestbot.errors import UsageError
from digestbot.forge.errors import RefusedError
from digestbot.forge.github.limits import Limiter, OnAnswer, OnLeft
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.interface import Forge
from digestbot.forge.repo import Entry, Repo
from digestbot.forge.signing import Identity, KeyFormat, Signing
from digestbot.scan.forge_files import INTEREST

if TYPE_CHECKING:
    from digestbot.config.models import Settings
    from digestbot.forge.github.forge import Entries, Push
    from digestbot.forge.github.session import Session

_FORMATS = {"ssh": KeyFormat.SSH, "gpg": KeyFormat.GPG}
_EXTRA = frozenset({"github", "git", "gitdb", "jwt", "cryptography", "nacl"})


@dataclass(frozen=True, slots=True)
class ForgeOptions:
    """How forges are opened.

    Attributes:
        names: Globs; of an owner, only repos called so.
        topics: Of an owner, only repos with one of these.
        is_proposing: Whether it is about branches, so that permission to push is needed.
        is_rehearsal: Whether nothing will be pushed after all.
        prefix: What the names of our branches begin with.
        write_by: `api` or `git`: how commits get to GitHub.
        signing: How commits are signed that git makes.
        identity: Who makes those; None is digestbot, or in a checkout its user.
        limiter: Counts what GitHub is asked, over all targets.
        cache: Where files that were read are kept; None is the user's cache folder.
    """

    github: GitHubSettings = field(default_factory=GitHubSettings)
    names: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    is_proposing: bool = False
    is_rehearsal: bool = False
    prefix: str = "digestbot/"
    write_by: str = "api"
    signing: Signing | None = None
    identity: Identity | None = None
    cache: Path | None = None
    limiter: Limiter | None = None


@dataclass(frozen=True, slots=True)
class ForgeWords:
    """What the command line says of forges; empty where it says nothing."""

    names: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    is_proposing: bool = False
    is_rehearsal: bool = False
    write_by: str = ""
    max_wait: float = 30.0


def forge_options(
    settings: Settings,
    options: ForgeWords,
    on_answer: OnAnswer | None = None,
    on_left: OnLeft | None = None,
) -> ForgeOptions:
    """From the configuration, and what the command line puts in place of it.

    `on_answer` and `on_left` are told of each of GitHub's answers, and of its limits.

    Raises:
        UsageError: The configuration names no usable token, or no GitHub.
    """
    from digestbot.proposals.setup import github_settings  # noqa: PLC0415 - imports pydantic

    signing = settings.signing
    name, _, mail = (settings.commit.signoff or "").rstrip(">").partition(" <")
    github = github_settings(settings.github, os.environ, max_wait_s=options.max_wait)
    return ForgeOptions(
        github=github,
        limiter=Limiter(
            github.windows, github.concurrency, Clock(), on_answer=on_answer, on_left=on_left
        ),
        names=options.names or settings.repos.names,
        topics=options.topics or settings.repos.topics,
        is_proposing=options.is_proposing,
        is_rehearsal=options.is_rehearsal,
        write_by=options.write_by or settings.github.write_by,
        signing=Signing(_FORMATS[signing.format], signing.key) if signing else None,
        identity=Identity(name, mail) if name and mail else None,
        cache=settings.cache,
    )


def open_forge(target: Target, options: ForgeOptions) -> Forge:
    """The forge that has the repos of a target; close it in the end.

    Raises:
        UsageError: Packages that it needs are not installed.
        ForgeError: There is no such repository.
    """
    with needing_packages(target):
        match target:
            case LocalTarget():
                return _open_local(target, options)
            case GitHubTarget():
                return _open_github(target, options)
            case GitTarget():
                return _open_remote(target, options)


def _open_local(target: LocalTarget, options: ForgeOptions) -> Forge:
    from digestbot.forge.local import LocalForge  # noqa: PLC0415 - imports git

    try:
        return LocalForge(target.path, INTEREST, prefix=options.prefix, signing=options.signing)
    except RefusedError as error:
        raise UsageError(str(error), hint=error.hint) from error


def _open_remote(target: GitTarget, options: ForgeOptions) -> Forge:
    from digestbot.forge.remote import DIGESTBOT, RemoteForge  # noqa: PLC0415 - imports git

    return RemoteForge(
        target.url,
        INTEREST,
        prefix=options.prefix,
        identity=options.identity or DIGESTBOT,
        signing=options.signing,
    )


def _open_github(target: GitHubTarget, options: ForgeOptions) -> Forge:
    from digestbot.forge.blob_cache import BlobCache, default_folder  # noqa: PLC0415 - heavy
    from digestbot.forge.github.forge import open_github  # noqa: PLC0415 - likewise
    from digestbot.forge.github.listing import Selection  # noqa: PLC0415 - likewise

    def push_with(session: Session) -> Push:
        from digestbot.cli.by_git import pushing  # noqa: PLC0415 - imports git

        return pushing(options, session)

    def clone_with(session: Session) -> Entries:
        def entries(repo: Repo) -> Sequence[Entry]:
            from digestbot.cli.by_git import cloning  # noqa: PLC0415 - imports git

            return cloning(options, session)(repo)

        return entries

    return open_github(
        target.name,
        options.github,
        INTEREST,
        cache=BlobCache(options.cache or default_folder()),
        selection=Selection(
            options.names,
            options.topics,
            options.is_proposing,
            options.prefix,
            options.is_rehearsal,
        ),
        limiter=options.limiter,
        push_with=push_with if options.write_by == "git" else None,
        clone_with=clone_with,
    )


@contextmanager
def needing_packages(target: Target) -> Iterator[None]:
    """Import inside what a target needs.

    Raises:
        UsageError: It is not installed.
    """
    try:
        with importing():
            yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise UsageError(
            f"{target} needs packages that are not installed ({error.name})",
            hint="pip install 'digestbot[forge]'",
        ) from error

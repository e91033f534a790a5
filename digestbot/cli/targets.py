"""TARGET words: a folder, a repo or an owner on GitHub, the URL of any git repository."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from digestbot.errors import UsageError

GITHUB = "github:"
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_REPO = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# As git and scp know it: somebody at a host, then a path.
_SCP = re.compile(r"[^/@:\s]+@[^/@:\s]+:")
FORMS = "a folder, github:owner/repo, github:owner, or the https or ssh URL of a git repository"


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """A file or folder on this machine, as it was typed."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class GitHubTarget:
    """A repo on GitHub; without `repo`, all of the owner's."""

    owner: str
    repo: str = ""

    @property
    def name(self) -> str:
        """`acme/app`, or `acme`."""
        return f"{self.owner}/{self.repo}" if self.repo else self.owner

    def __str__(self) -> str:
        return GITHUB + self.name


@dataclass(frozen=True, slots=True)
class GitTarget:
    """A git repository anywhere; the URL has no password in it."""

    url: str

    def __str__(self) -> str:
        return self.url


Target = LocalTarget | GitHubTarget | GitTarget


def parse_target(text: str) -> Target:
    """What a TARGET word means. Nothing is asked for it, but whether a path exists.

    Raises:
        UsageError: It is none of the forms, or there is no such path.
    """
    if text.startswith(GITHUB):
        return _github(text)
    if _URL.match(text):
        return GitTarget(_checked_url(text))
    if os.path.lexists(text):
        return LocalTarget(text)
    if _SCP.match(text):
        return GitTarget(_checked_url(text))
    raise UsageError(f"no such file or folder: {text}", hint=_spelling(text))


def _github(text: str) -> GitHubTarget:
    name = text.removeprefix(GITHUB).removesuffix(".git")
    owner, slash, repo = name.partition("/")
    if not _OWNER.fullmatch(owner) or (slash and not _REPO.fullmatch(repo)):
        raise UsageError(
            f"{text} names no repo on GitHub",
            hint="write github:owner/repo, or github:owner for all repos of an owner",
        )
    return GitHubTarget(owner, repo)


def _checked_url(text: str) -> str:
    from digestbot.forge.errors import RefusedError  # noqa: PLC0415 - paths need none of it
    from digestbot.forge.git_url import GitUrl  # noqa: PLC0415 - likewise

    try:
        return GitUrl.parse(text).text
    except RefusedError as error:
        raise UsageError(str(error), hint=error.hint) from None


def _spelling(text: str) -> str:
    owner, _, repo = text.partition("/")
    if _OWNER.fullmatch(owner) and _REPO.fullmatch(repo):
        return f"check the spelling; if it is a repo on GitHub, write {GITHUB}{text}"
    return f"check the spelling; a target is {FORMS}"

"""What git's complaints mean."""

from __future__ import annotations

import re
from collections.abc import Iterable

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SAID = re.compile(r"^(?:remote: )?(?:fatal|error|!|env): ?(.*)$", re.MULTILINE)
_SIZE = 300

# The first that matches counts: (what git says, whose error that is, its code, what to do).
_MEANINGS: tuple[tuple[re.Pattern[str], type[ForgeError], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind, code, hint)
    for pattern, kind, code, hint in (
        (
            "dubious ownership",
            RefusedError,
            "foreign-owner",
            "if you trust it, run `git config --global --add safe.directory <path>`",
        ),
        (
            "cannot use bare repository|must be run in a work tree",
            RefusedError,
            "bare-repo",
            "name a checkout, or the URL of the repository",
        ),
        ("not a git repository", RefusedError, "not-a-repo", "name a folder of a git checkout"),
        (
            "auto-detection is disabled|tell me who you are|empty ident",
            RefusedError,
            "no-identity",
            "say who commits: `git config --global user.name …` and `user.email …`",
        ),
        (
            "failed to sign|no private key|load (?:public )?key|incorrect passphrase|no secret key",
            RefusedError,
            "signing-failed",
            "check that the signing key exists, and that its agent holds it if it has a passphrase",
        ),
        (
            "transport '[^']*' not allowed|from promisor remote",
            RefusedError,
            "partial-clone",
            "the checkout lacks files of its own commit; fetch them first: `git fetch --refetch`",
        ),
        (
            "exists; cannot create|conflicting refs",
            RefusedError,
            "branch-name-taken",
            "another branch is in the way; rename it, or choose another branch prefix",
        ),
        (
            r"stale info|fetch first|non-fast-forward|cannot lock ref|failed to update|file exists",
            UnsettledError,
            "branch-moved",
            "",
        ),
        (
            "remote rejected|pre-receive hook|protected branch|denied to",
            RefusedError,
            "push-refused",
            "the host does not let this account push that branch",
        ),
        (
            "could not read username|auth.* failed|permission denied|error: 40[13]|host key verif",
            RefusedError,
            "no-access",
            "check the configured user and token or the ssh key, and what they may do",
        ),
        (
            "not found|error: 404|does not appear to be a git repository",
            RefusedError,
            "not-found-or-no-access",
            "check the URL, and whether the account may see the repo",
        ),
        (
            "error: 30[0-9]|redirect",
            RefusedError,
            "moved",
            "the repo is elsewhere by now; use its new URL (no password is sent along)",
        ),
        ("mismatched algorithms", RefusedError, "hash-mismatch", "the repo uses another hash"),
    )
)


def failure(said: str, secrets: Iterable[str] = ()) -> ForgeError:
    """The error for what git wrote before it gave up; no secret is repeated."""
    said = _without(said, secrets)
    message = _sentence(said)
    for pattern, kind, code, hint in _MEANINGS:
        if pattern.search(said):
            return kind(f"git: {message}", code=code, hint=hint)
    return ForgeError(f"git: {message}", code="git-failed")


def _without(said: str, secrets: Iterable[str]) -> str:
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    return said


def _sentence(said: str) -> str:
    """The first line that names a cause, fit to be shown."""
    found = _SAID.search(said)
    line = found[1] if found else said.strip().partition("\n")[0]
    return _CONTROL.sub(" ", line).strip()[:_SIZE] or "it failed, and did not say why"

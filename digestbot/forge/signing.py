"""Who commits, and with which key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class KeyFormat(StrEnum):
    """The kinds of signature that git makes, by its own names."""

    SSH = "ssh"
    GPG = "openpgp"


@dataclass(frozen=True, slots=True)
class Signing:
    """The key that commits are signed with.

    `key` is the path of an SSH key (the private one, or the public one of a key that an agent
    holds), or what gpg calls its key.
    """

    format: KeyFormat
    key: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The author and committer of our commits."""

    name: str
    email: str


def signing_settings(signing: Signing | None) -> Mapping[str, str]:
    """Git's settings for it: a repo's own words about keys and programs do not count."""
    return {
        "commit.gpgSign": "false",
        "gpg.format": signing.format.value if signing else KeyFormat.GPG.value,
        "user.signingKey": signing.key if signing else "",
        "gpg.program": "gpg",
        "gpg.openpgp.program": "gpg",
        "gpg.x509.program": "gpgsm",
        "gpg.ssh.program": "ssh-keygen",
        "gpg.ssh.defaultKeyCommand": "",
    }


def identity_environment(identity: Identity | None) -> Mapping[str, str]:
    """The variables by which git learns who commits; empty: it asks the user's settings."""
    if identity is None:
        return {}
    names = {f"GIT_{who}_NAME": identity.name for who in ("AUTHOR", "COMMITTER")}
    return names | {f"GIT_{who}_EMAIL": identity.email for who in ("AUTHOR", "COMMITTER")}

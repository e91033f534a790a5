"""The seal under a commit message: by it digestbot knows its own work, and nobody else's.

It is one trailer, `Digestbot-Seal: <fingerprint> <tree>`: what the commit proposes, and the
tree it was made with. A commit whose tree is another one was changed by somebody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digestbot.forge.repo import Branch
from digestbot.forge.sha import ObjectSha

_SEAL = re.compile(r"^Digestbot-Seal: ([0-9a-f]{16}) ([0-9a-f]{40,64})$", re.ASCII | re.MULTILINE)
_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S.*")


@dataclass(frozen=True, slots=True)
class Seal:
    """What a sealed message says; `fingerprint` is 16 hex digits."""

    fingerprint: str
    tree: str


def sealed(message: str, fingerprint: str, tree: ObjectSha) -> str:
    """The message with a seal as its last trailer."""
    text = message.rstrip()
    last = text.rpartition("\n\n")[2]
    among_trailers = "\n\n" in text and all(map(_TRAILER.fullmatch, last.split("\n")))
    return (
        f"{text}{chr(10) if among_trailers else chr(10) * 2}Digestbot-Seal: {fingerprint} {tree}\n"
    )


def read_seal(message: str) -> Seal | None:
    """The seal of a commit message; None without one, or with several."""
    found = _SEAL.findall(message)
    return Seal(*found[0]) if len(found) == 1 else None


def is_ours(branch: Branch) -> bool:
    """Whether the branch leads to a commit that digestbot made, and nobody changed since."""
    seal = read_seal(branch.message)
    return seal is not None and seal.tree == branch.tree.value and len(branch.parents) == 1

"""Names of git objects: 40 hex digits, or 64 in a SHA-256 repo."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

_HEX = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_HASHES = {40: hashlib.sha1, 64: hashlib.sha256}


@dataclass(frozen=True, slots=True, order=True)
class ObjectSha:
    """The name of a git object; its form was checked."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name in this text.

        Raises:
            ValueError: It is none.
        """
        if not _HEX.fullmatch(text):
            raise ValueError(f"not the name of a git object: {text[:80]!r}")
        return cls(text)

    def names(self, kind: str, data: bytes) -> bool:
        """Whether a `blob`, `tree` or `commit` with these bytes is called so."""
        header = f"{kind} {len(data)}\0".encode()
        hashed = _HASHES[len(self.value)](header + data, usedforsecurity=False)
        return hashed.hexdigest() == self.value

    def __str__(self) -> str:
        return self.value


class CommitSha(ObjectSha):
    """The name of a commit."""

    __slots__ = ()

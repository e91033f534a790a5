"""A content digest: algorithm and lower-case hex, checked for form."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_DIGEST = re.compile(r"(sha256|sha384|sha512):([0-9a-f]+)", re.ASCII)
_SHORT = 7


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest such as `sha256:1a2b…`; see OCI image-spec, descriptor.md#digests."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm:hex`.

        Raises:
            ValueError: The algorithm is unknown, or the hex has the wrong length or letters.
        """
        match = _DIGEST.fullmatch(text)
        if match is None or len(match[2]) != HEX_LENGTHS[match[1]]:
            raise ValueError(_explain(text))
        return cls(match[1], match[2])

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> Digest:
        """The digest of these bytes."""
        return cls(algorithm, hashlib.new(algorithm, data).hexdigest())

    @property
    def short(self) -> str:
        """The first characters, for people: `1a2b3c4`."""
        return self.hex[:_SHORT]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def _explain(text: str) -> str:
    algorithm, colon, digits = text.partition(":")
    if not colon:
        return f"digest {text[:80]!r} has no algorithm (expected sha256:<64 hex digits>)"
    if algorithm not in HEX_LENGTHS:
        return f"digest algorithm {algorithm[:32]!r} is not one of {', '.join(HEX_LENGTHS)}"
    if digits.strip("0123456789abcdef"):
        return f"{algorithm} digest has characters other than 0-9 and a-f"
    return f"{algorithm} digest has {len(digits)} hex digits, not {HEX_LENGTHS[algorithm]}"

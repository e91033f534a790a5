"""Digests: form, shortening, and computing one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.image import Digest


@pytest.mark.parametrize("algorithm, length", [("sha256", 64), ("sha384", 96), ("sha512", 128)])
def test_each_registered_algorithm_has_its_length(algorithm: str, length: int) -> None:
    text = f"{algorithm}:{'0a' * (length // 2)}"

    digest = Digest.parse(text)

    assert digest == Digest(algorithm, "0a" * (length // 2))
    assert str(digest) == text


@pytest.mark.parametrize(
    "text, rule",
    [
        ("", "no algorithm"),
        ("1" * 64, "no algorithm"),
        ("sha256:", "0 hex digits, not 64"),
        ("sha256:" + "1" * 63, "63 hex digits, not 64"),
        ("sha512:" + "1" * 64, "64 hex digits, not 128"),
        ("sha1:" + "1" * 40, "'sha1' is not one of"),
        ("SHA256:" + "1" * 64, "'SHA256' is not one of"),
        ("sha256:" + "A" * 64, "other than"),
        ("sha256:" + "1" * 63 + "\n", "other than"),
        ("sha256:" + "\u0661" * 64, "other than"),
    ],
)
def test_a_malformed_digest_is_refused_with_the_rule(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Digest.parse(text)


@given(st.binary(max_size=100))
def test_the_digest_of_bytes_is_their_hash(data: bytes) -> None:
    digest = Digest.of(data)

    assert digest.hex == hashlib.sha256(data).hexdigest()
    assert Digest.parse(str(digest)) == digest
    assert digest.hex.startswith(digest.short)

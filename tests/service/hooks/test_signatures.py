from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.secret import Secret
from digestbot.service.hooks import signatures
from digestbot.service.hooks.delivery import Delivery
from digestbot.service.hooks.signatures import (
    has_authorization,
    has_path_secret,
    has_secret_or_signature,
    is_signed,
)

KEY = "schlüssel"
BODY = b'{"a": 1}'


def _hex(algorithm: str, key: bytes = KEY.encode(), body: bytes = BODY) -> str:
    return hmac.new(key, body, getattr(hashlib, algorithm)).hexdigest()


def _with(header: str, text: str) -> Delivery:
    return Delivery({header: text}, BODY)


def test_a_header_is_octets_as_a_server_reads_them() -> None:
    sent = KEY.encode().decode("latin-1")

    assert has_authorization(_with("authorization", sent), Secret(KEY))
    assert has_authorization(_with("authorization", f"Bearer {sent}"), Secret(KEY))
    assert not has_authorization(_with("authorization", KEY), Secret(KEY))


def test_a_path_is_text() -> None:
    assert has_path_secret(Delivery({}, b"", KEY), Secret(KEY))
    assert has_path_secret(Delivery({}, b"", "\udcff"), Secret("\udcff"))


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "sha1="])
def test_a_signature_needs_its_own_algorithm_and_prefix(algorithm: str, prefix: str) -> None:
    delivery = _with("x-signature", prefix + _hex(algorithm))

    believed = is_signed(delivery, Secret(KEY), "x-signature", "sha256", "sha256=")

    assert believed == (algorithm == "sha256" and prefix == "sha256=")


def test_hex_digits_are_compared_as_they_are_written() -> None:
    upper = _with("x-signature", _hex("sha256").upper())

    assert not is_signed(upper, Secret(KEY), "x-signature", "sha256")


def test_the_secret_or_a_signature_will_do() -> None:
    for text in ("plain", _hex("sha256", b"plain")):
        assert has_secret_or_signature(_with("x-auth", text), Secret("plain"), "x-auth")
    for text in ("", "plai", _hex("sha256", b"other"), _hex("sha1", b"plain"), "Bearer plain"):
        assert not has_secret_or_signature(_with("x-auth", text), Secret("plain"), "x-auth")


_WAYS: dict[str, Callable[[Delivery, Secret], bool]] = {
    "authorization": has_authorization,
    "path": has_path_secret,
    "signature": lambda delivery, secret: is_signed(delivery, secret, "x-signature", "sha256"),
    "either": lambda delivery, secret: has_secret_or_signature(delivery, secret, "x-signature"),
}


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("secret", ["", " ", "\t\n"])
def test_an_empty_secret_authenticates_nobody(way: str, secret: str) -> None:
    key = secret.encode()

    for text in (secret, f"Bearer {secret}", _hex("sha256", key)):
        headers = {"authorization": text, "x-signature": text}
        assert not _WAYS[way](Delivery(headers, BODY, text), Secret(secret))


@pytest.mark.parametrize("way", _WAYS)
def test_everything_is_compared_in_constant_time(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append(expected)
        return hmac.compare_digest(given, expected)

    headers = {"authorization": "plain", "x-signature": "plain"}
    right, wrong = Delivery(headers, BODY, "plain"), Delivery({}, BODY, "")
    monkeypatch.setattr(signatures, "compare_digest", compare)

    _WAYS[way](right, Secret("plain"))
    of_right, compared = compared, []
    _WAYS[way](wrong, Secret("plain"))

    assert of_right == compared
    assert compared


@given(
    text=st.text(st.characters()),
    body=st.binary(),
    path=st.text(st.characters()),
    secret=st.text(st.characters()),
)
def test_no_text_makes_a_comparison_fail(text: str, body: bytes, path: str, secret: str) -> None:
    delivery = Delivery({"authorization": text, "x-signature": text}, body, path)

    for way in _WAYS.values():
        assert way(delivery, Secret(secret)) in {True, False}

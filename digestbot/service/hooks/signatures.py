"""Who knows the secret: compared in constant time, over the bytes as they came.

An empty secret authenticates nobody. Header texts are those of an HTTP server, where one
character is one octet (RFC 9110, section 5.5).
"""

from __future__ import annotations

import hmac
from hmac import compare_digest
from typing import Literal

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery


def has_authorization(delivery: Delivery, secret: Secret) -> bool:
    """Whether `Authorization` is the secret, alone or as a bearer token."""
    key = _key(secret)
    return _is_one_of(key, _header(delivery, "authorization"), key, b"Bearer " + key)


def has_path_secret(delivery: Delivery, secret: Secret) -> bool:
    """Whether the secret stands in the path, for senders that cannot say it elsewhere."""
    key = _key(secret)
    return _is_one_of(key, _octets(delivery.path_secret), key)


def is_signed(
    delivery: Delivery,
    secret: Secret,
    header: str,
    algorithm: Literal["sha256", "sha1"],
    prefix: str = "",
) -> bool:
    """Whether this header is the HMAC of the body in hex, behind the prefix."""
    key = _key(secret)
    return _is_one_of(key, _header(delivery, header), _signature(key, delivery, algorithm, prefix))


def has_secret_or_signature(delivery: Delivery, secret: Secret, header: str) -> bool:
    """Whether this header is the secret, or the HMAC-SHA256 of the body in hex."""
    key = _key(secret)
    return _is_one_of(key, _header(delivery, header), key, _signature(key, delivery, "sha256"))


def _is_one_of(key: bytes, given: bytes, *expected: bytes) -> bool:
    # All are compared, so that the time does not tell which one came close.
    equal = [compare_digest(given, one) for one in expected]
    return any(equal) and bool(key.strip())


def _signature(key: bytes, delivery: Delivery, algorithm: str, prefix: str = "") -> bytes:
    return prefix.encode() + hmac.new(key, delivery.body, algorithm).hexdigest().encode()


def _key(secret: Secret) -> bytes:
    return _octets(secret.reveal())


def _header(delivery: Delivery, name: str) -> bytes:
    return delivery.headers.get(name, "").encode("latin-1", "replace")


def _octets(text: str) -> bytes:
    # A path or an environment may hold what is no Unicode text; encoding it must not fail.
    return text.encode("utf-8", "surrogatepass")

"""How these tests speak with the test GitHub."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.secret import Secret
from tests.github.server import GitHubServer


@contextmanager
def session_with(
    github: GitHubServer, target: str = "acme", settings: GitHubSettings | None = None
) -> Iterator[Session]:
    """A session on the virtual clock; with a classic token, unless the settings say otherwise."""
    chosen = settings or GitHubSettings(token=Secret(github.token().value))
    session = Session(
        dataclasses.replace(chosen, api_url=github.url), target, github.clock.as_clock()
    )
    try:
        yield session
    finally:
        session.close()


@cache
def key_pair() -> tuple[str, str]:
    """A private key and its public one, as PEM; made once, as that takes its time."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def app_settings(app_id: object, private_key: str = "") -> GitHubSettings:
    """Of a GitHub App."""
    return GitHubSettings(app_id=str(app_id), private_key=Secret(private_key or key_pair()[0]))

"""What tests of the registry room share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registries.fake import FakeRegistry

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def nobodys_certificates(monkeypatch: pytest.MonkeyPatch, nobodys_environment: Path) -> None:
    """No certificates but those that a test brings."""
    del nobodys_environment
    for name in _CERTIFICATES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    """A fake registry on loopback."""
    with FakeRegistry() as server:
        yield server


@pytest.fixture
def world(fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """The same, in place of every host there is."""
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    return fake

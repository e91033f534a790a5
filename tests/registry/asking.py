"""Short ways to ask, for tests."""

from __future__ import annotations

import pytest

from digestbot.clock import Clock
from digestbot.image import ImageReference, Platform
from digestbot.registry.errors import CODES, RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import RegistrySettings


class FakeTime:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        """A clock of this time; the wall says 2026-11-21 00:00:00 UTC and later."""
        return Clock(
            monotonic=lambda: self.now,
            wall=lambda: 1_795_219_200.0 + self.now - 1_000.0,
            sleep=self.sleep,
            jitter=lambda: 0.0,
        )


def make_query(name: str, platform: str = "") -> Query:
    """The question for a name as a Dockerfile has it."""
    followed = ImageReference.parse(name).followed
    assert followed is not None
    return Query(followed, Platform.parse(platform) if platform else None)


def ask(
    name: str,
    settings: RegistrySettings | None = None,
    *,
    platform: str = "",
    time: FakeTime | None = None,
) -> Resolution:
    """The answer to one question, by a resolver of its own; waits take no time."""
    clock = (time or FakeTime()).clock
    with RegistryResolver(settings, clock=clock) as resolver:
        return resolver.resolve(make_query(name, platform))


def ask_in_vain(
    name: str,
    settings: RegistrySettings | None = None,
    *,
    platform: str = "",
    time: FakeTime | None = None,
) -> RegistryError:
    """The error of one question, checked to be one for people."""
    with pytest.raises(RegistryError) as caught:
        ask(name, settings, platform=platform, time=time)
    error = caught.value
    assert error.code in CODES
    assert str(error).startswith(str(make_query(name).image))
    assert error.host
    return error


def error_of(resolver: RegistryResolver, name: str, platform: str = "") -> RegistryError:
    """The error that this resolver has for one question."""
    with pytest.raises(RegistryError) as caught:
        resolver.resolve(make_query(name, platform))
    return caught.value

from __future__ import annotations

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.models import Settings
from digestbot.service.figures import Figures
from digestbot.service.hooks.debounce import Debounce
from digestbot.service.hooks.opening import hook_routes
from digestbot.service.metrics import Metrics
from tests.github.clock import VirtualClock
from tests.service.virtual_engine import VirtualEngine

HOOK = {"name": "gh", "kind": "github", "secret_env": "HOOK"}


def paths(settings: Settings, environ: dict[str, str]) -> list[str]:
    clock = VirtualClock(0.0)
    engine = VirtualEngine({}, clock=clock, on_error=lambda _job, _error: None)
    routes = hook_routes(settings, environ, Debounce(clock.as_clock()), engine, Metrics(Figures))
    return [str(getattr(route, "path", "")) for route in routes]


def test_without_hooks_nothing_is_served() -> None:
    assert paths(Settings(), {}) == []


def test_hooks_have_two_paths() -> None:
    settings = Settings.model_validate({"hooks": [HOOK]})

    assert paths(settings, {"HOOK": "0123456789abcdef"}) == [
        "/hooks/{name}",
        "/hooks/{name}/{secret:path}",
    ]


def test_a_secret_that_is_missing_stops_the_service_before_it_begins() -> None:
    settings = Settings.model_validate({"hooks": [HOOK]})

    with pytest.raises(ConfigError, match=r"hooks\.gh\.secret_env"):
        paths(settings, {})

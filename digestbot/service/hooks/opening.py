"""The webhooks of a configuration, ready to be served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from starlette.routing import BaseRoute

from digestbot.clock import Clock
from digestbot.config.models import Settings
from digestbot.service.hooks.debounce import Debounce
from digestbot.service.hooks.hook import hooks_of
from digestbot.service.hooks.receiver import make_routes
from digestbot.service.jobs import Engine
from digestbot.service.metrics import Metrics


def hook_routes(
    settings: Settings,
    environ: Mapping[str, str],
    debounce: Debounce,
    engine: Engine,
    metrics: Metrics,
    clock: Clock | None = None,
) -> Sequence[BaseRoute]:
    """The routes for `endpoint.make_app`; none where no hooks are configured.

    Args:
        settings: Their `hooks` are served.
        environ: Where secrets may be.
        debounce: Has watched the works `image` and `repo` of the engine.
        engine: Is given jobs of these names, and of the cycle's.
        metrics: Counts deliveries.
        clock: Tells the time.

    Raises:
        ConfigError: A secret is missing, or none.
    """
    hooks = hooks_of(settings.hooks, environ)
    if not hooks:
        return []
    return make_routes(hooks, partial(debounce.take, engine), metrics.hook, clock)

"""The dashboard of `digestbot serve`, put together from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from digestbot.cli.serving import Serving
from digestbot.service.asking import Asks
from digestbot.service.jobs import Engine
from digestbot.service.readiness import Reason
from digestbot.service.rollouts.asking import RolloutAsks
from digestbot.service.rollouts.checking import WayBack
from digestbot.web.access import access_of
from digestbot.web.actions import SAID, action_routes
from digestbot.web.routes import Dashboard, Routes, dashboard_routes


def routes_of(
    served: Serving,
    environ: Mapping[str, str],
    host: str,
    reasons: Callable[[], Sequence[Reason]],
    started: datetime,
    engine: Engine,
) -> Routes:
    """The routes of the dashboard for a service that listens at this address; none where it is off.

    Raises:
        ConfigError: A user's token is missing, or none.
    """
    config = served.settings.dashboard
    if not config.enabled:
        return []
    access = access_of(config, environ, host, served.clock)
    back = WayBack(served.database, served.brief_resolver, served.clock)
    dashboard = Dashboard(
        served.database, served.loaded, access, reasons, started, SAID, served.clock, back.last
    )
    asks = Asks(served.database, engine, served.clock)
    taking = RolloutAsks(asks, served.database, back, served.settings.rollout, served.clock)
    return dashboard_routes(dashboard, action_routes(access, taking))

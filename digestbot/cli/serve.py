"""`digestbot serve`: watch the configured targets until told to end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click

from digestbot.cli import dashboard
from digestbot.cli.exits import Exit
from digestbot.cli.logged import logged
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.rolling import rolling_of
from digestbot.cli.serving import Serving, serving
from digestbot.cli.settings import config_option
from digestbot.cli.stopping import STOP_S, stopping
from digestbot.cli.terminal import Terminal
from digestbot.config.addresses import check_listen
from digestbot.config.models import Settings
from digestbot.config.serving import HoldConfig
from digestbot.errors import UsageError
from digestbot.registry.mirrors import mirror_hosts
from digestbot.service import endpoint
from digestbot.service.cycle import HINT
from digestbot.service.figures import read_figures, read_last_success
from digestbot.service.hooks.debounce import Debounce
from digestbot.service.hooks.opening import hook_routes
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.jobs import Engine, Job, Stop, Work
from digestbot.service.kept import Kept
from digestbot.service.logs import Event, get_log
from digestbot.service.metrics import Metrics
from digestbot.service.readiness import Readiness
from digestbot.service.scheduler import CYCLE, Scheduler, Timetable
from digestbot.service.scope import Scope
from digestbot.service.timetable import next_fire
from digestbot.store.database import Database

BEAT_S, KEPT_S = 5.0, 1.0
LONGEST_PAUSE = timedelta(minutes=10)
_log = get_log(__name__)


@click.command("serve", cls=GroupedCommand)
@config_option
@option(
    "--listen",
    heading="Service",
    env="LISTEN",
    metavar="HOST:PORT",
    help="Where the dashboard, /healthz, /readyz, /metrics and /hooks/ are served, in place of "
    "what `service.listen` says.",
)
@common
@click.pass_context
def command(context: click.Context, /, *, config: Path | None, listen: str | None) -> int:
    """Watch the configured targets until SIGTERM or Ctrl-C.

    A cycle begins by the timetable (`service.cron`): it lists the repos, asks about each image
    once, and works on the repos where anything moved. What is held back is looked at again when
    its time has come. Rollouts that were started go on, wave by wave. Whoever is to know is told
    of what changed (`notify`). Who looks at the dashboard is for `dashboard` to say.
    """
    terminal = Terminal.of(context)
    given = _address(listen) if listen else None
    with (
        logged(terminal),
        serving(context, config=config, make_metrics=_metrics) as served,
        stopping(lambda text: _log.info(Event.SERVICE_STOPPING, message=text)) as stop,
    ):
        return _serve(served, given or _address(served.settings.service.listen), stop)


def _serve(served: Serving, address: tuple[str, int], stop: threading.Event) -> Exit:
    metrics, settings = served.metrics, served.settings.service
    if metrics is None:
        raise ValueError("a service counts what it does")
    times = Timetable(
        settings.cron,
        settings.timezone,
        settings.jitter,
        run_on_start=settings.run_on_start,
        pause=_pause(served.settings.hold),
    )

    def run_cycle(asked: Stop, scope: Scope | None, by: Sequence[str]) -> None:
        with metrics.job(CYCLE.name if scope is None else HINT):
            served.cycle(asked, scope=scope, asked_by=by)

    debounce = Debounce(served.clock)
    open_engine = partial(_engine, served)
    scheduler = Scheduler(
        served.database, times, run_cycle, open_engine, served.clock, debounce.watched
    )
    ready = Readiness(
        last_success=partial(read_last_success, served.database),
        is_running=lambda: not stop.is_set(),
        next_cycle=partial(next_fire, settings.cron, settings.timezone),
        started=datetime.now(UTC),
    )
    engine, rolling = scheduler.open(), rolling_of(served, metrics, _note_failure)
    try:
        # Strangers may ask, too, and as often as they like.
        reasons = Kept(ready.reasons, KEPT_S)
        hooks = hook_routes(served.settings, os.environ, debounce, engine, metrics, served.clock)
        pages = dashboard.routes_of(served, os.environ, address[0], reasons, ready.started, engine)
        app = endpoint.make_app(reasons, metrics.exposition, [*hooks, *pages])
        with endpoint.serving(app, *address) as port:
            scheduler.start()
            rolling.beat()
            _log.info(Event.SERVICE_STARTED, address=f"{address[0]}:{port}")
            while not stop.wait(BEAT_S):
                scheduler.check_clock()
                rolling.beat()
            is_done = _stopped(engine, rolling.engine)
        _log.info(Event.SERVICE_STOPPED, is_done=is_done)
    finally:
        rolling.engine.stop(0)
        engine.stop(0)
    return Exit.OK


def _stopped(*engines: Engine) -> bool:
    """Ask all to leave off at once, then wait for them; whether all of it did."""
    end = time.monotonic() + STOP_S
    for engine in engines:
        engine.stop(0)
    return all(engine.stop(max(end - time.monotonic(), 0)) for engine in engines)


def _pause(hold: HoldConfig) -> timedelta:
    """A tenth of what is waited for is not too much to wait longer."""
    waits = [wait for wait in (hold.settle, hold.min_age) if wait]
    return min([LONGEST_PAUSE, *(wait / 10 for wait in waits)])


def _engine(served: Serving, work: Mapping[str, Work]) -> Engine:
    return InProcessEngine(work, workers=1, clock=served.clock, on_error=_note_failure)


def _note_failure(job: Job, error: BaseException) -> None:
    _log.error(Event.JOB_FAILED, job=job.name, problem=str(error), exc_info=error)


def _metrics(database: Database, settings: Settings) -> Metrics:
    """Who is configured is counted by name, however many hosts the repos name."""
    known = {*settings.registries, *mirror_hosts(settings.mirrors)}
    return Metrics(partial(read_figures, database), known=known)


def _address(text: str) -> tuple[str, int]:
    try:
        host, _, port = check_listen(text).rpartition(":")
    except ValueError as error:
        raise UsageError(f"--listen {text}: {error}") from None
    return host, int(port)

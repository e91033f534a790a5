"""What `digestbot serve` and `digestbot run` drive rollouts with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from digestbot.cli.serving import Serving
from digestbot.config.rollout import RolloutConfig
from digestbot.forge.interface import Forge
from digestbot.proposals.run import Run
from digestbot.secret import Secret
from digestbot.service.inprocess import InProcessEngine, OnError
from digestbot.service.jobs import Engine, Job, Stop
from digestbot.service.notify.address import url_in_file, url_in_variable
from digestbot.service.rollouts.pacemaker import STEP, Pacemaker
from digestbot.service.rollouts.probing import WebhookProbe
from digestbot.service.rollouts.rounds import Ledger, Rounds, Tools
from digestbot.service.rollouts.ways import Probe, Ways

if TYPE_CHECKING:
    from digestbot.forge.github.owners import WideForge
    from digestbot.service.metrics import Metrics  # `run` has none


def rounds_of(served: Serving) -> Rounds:
    """The steps of the rollouts of a service."""
    notices = served.aftermath.notices
    return Rounds(
        served.database,
        partial(_tools, served),
        lambda: served.note_deliveries(notices.tell("")),
        notices.site,
    )


@dataclass
class Rolling:
    """Drives the rollouts of one service, apart from its cycles, which may take long.

    Attributes:
        engine: Its own: one step is made at a time.
    """

    pacemaker: Pacemaker
    engine: Engine

    def beat(self) -> None:
        """Have a step made where somebody said something."""
        self.pacemaker.beat(self.engine)


def rolling_of(served: Serving, metrics: Metrics, on_error: OnError) -> Rolling:
    """What drives the rollouts of a service from now on; stop its engine in the end."""
    pacemaker = Pacemaker(rounds_of(served), served.clock)

    def work(job: Job, stop: Stop) -> None:
        with metrics.job(STEP):
            pacemaker.work(job, stop, engine)

    engine = InProcessEngine({STEP: work}, workers=1, clock=served.clock, on_error=on_error)
    return Rolling(pacemaker, engine)


@contextmanager
def _tools(served: Serving) -> Iterator[Tools]:
    """What one step is made with, until the end of the block."""
    config = served.settings.rollout
    with served.resolver() as resolver, closing(_open_watching(served)) as wide:
        watch, shared = served.watched(resolver)
        inquiry = served.inquiry(resolver)

        def run_on(forge: Forge) -> Run:
            run = shared.run_on(forge, watch, inquiry, has_pulls=True)
            return replace(run, today=served.now().date())

        ways = Ways(
            served.database,
            served.open_repo,
            wide,
            run_on,
            probe_of(config, os.environ),
            clock=served.clock,
            may_merge=config.allow_merge,
        )
        yield Tools(ways, Ledger(config.issue, wide) if config.issue else None)


def probe_of(config: RolloutConfig, environ: Mapping[str, str]) -> Probe:
    """Asks the address of the configuration; without one nobody answers."""
    address = _address_of(config, environ)
    return WebhookProbe(address) if address is not None else lambda _rollout, _count: None


def _address_of(config: RolloutConfig, environ: Mapping[str, str]) -> Secret | None:
    if config.probe_url is not None:
        return Secret(config.probe_url)
    if config.probe_url_env is not None:
        return url_in_variable(config.probe_url_env, "rollout.probe_url_env", environ)
    if config.probe_url_file is not None:
        return url_in_file(config.probe_url_file, "rollout.probe_url_file")
    return None


def _open_watching(served: Serving) -> WideForge:
    from digestbot.forge.github.owners import open_github_watching  # noqa: PLC0415 - heavy

    return open_github_watching(served.forges.github, served.forges.limiter)

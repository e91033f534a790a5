"""Whoever drives a rollout in tests: `Driver` over the real forge, as the service composes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from digestbot.clock import Clock
from digestbot.forge.blob_cache import BlobCache
from digestbot.forge.github.forge import open_github
from digestbot.forge.github.limits import Limiter
from digestbot.forge.github.listing import Selection
from digestbot.forge.github.owners import open_github_watching
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.interface import Forge
from digestbot.forge.repo import Repo
from digestbot.proposals.evidence import Inquiry
from digestbot.proposals.proposal import Writer
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.writer import ProposalWriter
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.forge_files import INTEREST
from digestbot.service.rollouts.driver import Driver, Ways
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.rollouts import Rollout
from tests.proposals.github_world import nothing_recorded


class Nobody:
    """A registry that is not to be asked."""

    def resolve(self, query: Query) -> Resolution:
        raise RegistryError(f"{query} is asked about", code="not-recorded", host="")


@contextmanager
def ways_over(
    database: Database, settings: GitHubSettings, clock: Clock, cache: Path
) -> Iterator[Ways]:
    """What a rollout on this GitHub is driven with."""
    limiter = Limiter(settings.windows, settings.concurrency, clock)
    open_repo = partial(
        open_github,
        settings=settings,
        interest=INTEREST,
        cache=BlobCache(cache),
        clock=clock,
        selection=Selection(is_proposing=True),
        limiter=limiter,
    )
    with closing(open_github_watching(settings, limiter, clock=clock)) as watching:
        yield Ways(database, open_repo, watching, _run_on, clock=clock)


def _run_on(forge: Forge) -> Run:
    return Run(
        forge=forge,
        resolver=Nobody(),
        rules_for=lambda _files: Rules(proposals=ProposalSettings()),
        writer_for=_writer_for,
    )


def _writer_for(repo: Repo, settings: ProposalSettings) -> Writer:
    return ProposalWriter(repo, settings, Inquiry(nothing_recorded))


def step(ways: Ways, name: str) -> Rollout:
    """One step of a rollout, from what the state says of it."""
    with ways.database.reading() as connection:
        rollout = rollouts.get(connection, name)
    assert rollout is not None
    return Driver(ways, rollout, threading.Event()).step()

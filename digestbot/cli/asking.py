"""Who is asked in a run, and who says whether what was answered may be proposed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from digestbot.cli.answers import open_resolver
from digestbot.clock import Clock
from digestbot.registry.resolution import Resolver
from digestbot.scan.engine import Policy
from digestbot.scan.gate import Gate, RegistryGate
from digestbot.scan.setup import Setup

if TYPE_CHECKING:
    from digestbot.config.serving import StateConfig
    from digestbot.proposals.rules import Asked
    from digestbot.registry.resolver import RegistryResolver
    from digestbot.store.database import Database


@dataclass(frozen=True, slots=True)
class Asking:
    """What the lookups of a run have in common.

    Attributes:
        resolver: Whom to ask.
        registries: The registries behind it; None where others answer.
        gate: What holds back; None where nothing does.
        asked_in: What people asked for in a repo, by its name; without one, in all of them.
    """

    resolver: Resolver
    registries: RegistryResolver | None = None
    gate: Gate | None = None
    asked_in: Callable[[str], Asked] | None = None

    def policy(self, policy: Policy) -> Policy:
        """The policy with this gate, and with what people asked for in all repos."""
        asked = () if self.asked_in is None else self.asked_in("").ignore
        return replace(policy, gate=self.gate, ignore=(*policy.ignore, *asked))


@contextmanager
def asking(
    setup: Setup, digests: Path | None, *, offline: bool = False, is_proposing: bool = False
) -> Iterator[Asking]:
    """Who is asked, until the block ends.

    The history of digests is taken from the state where one is configured, and goes on there.
    Who only scans, without state and deny list, holds nothing back and asks nothing more.

    Raises:
        UsageError: The file of digests cannot be read.
        StoreError: The state cannot be used.
    """
    with ExitStack() as stack:
        resolver = stack.enter_context(open_resolver(setup.registries, digests, offline=offline))
        if offline or not (is_proposing or setup.state or setup.hold.deny):
            yield Asking(resolver)
            return
        registries = _registries(resolver)
        clock = Clock()
        if setup.state is None:
            gate = RegistryGate(setup.hold, lambda _query: (), registries, clock)
            yield Asking(resolver, registries, gate)
            return
        from digestbot.service.heeding import Heeding  # noqa: PLC0415 - imports SQLAlchemy
        from digestbot.service.watch import Histories, Watch  # noqa: PLC0415 - likewise

        database = stack.enter_context(closing(_open(setup.state)))
        gate = RegistryGate(setup.hold, Histories(database), registries, clock)

        def now() -> datetime:
            return datetime.fromtimestamp(clock.wall(), UTC)

        watch = Watch(database, resolver, gate.offer_text, now)
        yield Asking(watch, registries, gate, Heeding(database, gate, now))


def _registries(resolver: Resolver) -> RegistryResolver | None:
    from digestbot.registry.resolver import RegistryResolver  # noqa: PLC0415 - speaks HTTP

    return resolver if isinstance(resolver, RegistryResolver) else None


def _open(config: StateConfig) -> Database:
    from digestbot.store.database import Database  # noqa: PLC0415 - imports SQLAlchemy
    from digestbot.store.location import location_of  # noqa: PLC0415 - likewise

    return Database.open(location_of(config, os.environ))

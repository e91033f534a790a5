"""What the commands about rollouts share: the state, and who says something."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from digestbot.cli.options import Decorated, option
from digestbot.cli.settings import check_trust, load
from digestbot.cli.terminal import Terminal
from digestbot.clock import Clock
from digestbot.config.models import Settings
from digestbot.errors import UsageError
from digestbot.report.plain import NAME_LIMIT, one_line
from digestbot.rollout.machine import MachineError
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store.database import Database
from digestbot.store.location import location_of
from digestbot.store.rollouts import Rollout


@dataclass(frozen=True, slots=True)
class Opened:
    """The configuration, and the state that it names: while the service uses it, too."""

    settings: Settings
    database: Database


@contextmanager
def opened(context: click.Context, config: Path | None, *, no_config: bool) -> Iterator[Opened]:
    """The state until the block ends; nothing is made that is not there.

    Raises:
        ConfigError: The configuration is wrong, or was merely found.
        UsageError: It names no state.
        StoreError: There is none, or it cannot be opened.
    """
    Terminal.of(context).start_logging()
    loaded = load(context, config=config, no_config=no_config, keys={})
    check_trust(context, loaded)
    if loaded.settings.state is None:
        raise UsageError(
            "the configuration names no state",
            hint="name a file with --config, and write in it: state: {folder: /var/lib/digestbot}",
        )
    location = location_of(loaded.settings.state, os.environ)
    with closing(Database.open(location, must_exist=True)) as database:
        yield Opened(loaded.settings, database)


by_option = option(
    "--by",
    default="",
    heading="Who and why",
    env="BY",
    metavar="NAME",
    help="Who says so. [default: the user of this machine]",
)
"""The option --by, which is kept with what is said."""


def said_by(command: Decorated) -> Decorated:
    """The options --by and --reason, which are kept with what is said."""
    reason = option(
        "--reason",
        default="",
        heading="Who and why",
        env="REASON",
        metavar="TEXT",
        help="Why; it is kept with what is done.",
    )
    return by_option(reason(command))


def whoever(by: str) -> str:
    """Who says something: by name, or the user of this machine, as far as it is known."""
    if by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def say(database: Database, name: str, told: Told) -> Rollout:
    """Have a rollout do what somebody says; the rollout after it.

    Raises:
        UsageError: There is no such rollout, or it cannot be told that now.
        StoreError: The state cannot be written.
    """
    # What is typed is shown on terminals and in issues, and no database keeps all of it.
    kept = replace(told, by=one_line(told.by, NAME_LIMIT), reason=one_line(told.reason))
    try:
        return tell(database, name, kept, now())
    except MachineError as error:
        raise UsageError(str(error), hint=error.hint) from error


def now() -> datetime:
    """The time, by the clock that the command was given."""
    context = click.get_current_context(silent=True)
    clock = context.find_object(Clock) if context is not None else None
    return datetime.fromtimestamp((clock or Clock()).wall(), UTC)

"""`digestbot db`: bring the state up to date, copy it, check it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.settings import check_trust, config_options, load
from digestbot.cli.terminal import Terminal
from digestbot.errors import UsageError
from digestbot.report.plain import one_line
from digestbot.store.database import Database
from digestbot.store.location import location_of


@click.group("db")
def command() -> None:
    """Bring the state up to date, copy it, or check it.

    The state is what the configuration names at `state`.
    """


@command.command("upgrade", cls=GroupedCommand)
@config_options
@common
@click.pass_context
def upgrade(context: click.Context, config: Path | None, no_config: bool) -> int:
    """Bring the tables up to date, as `serve` and `run` do.

    Where there is no state, an empty one is made.
    """
    with _state(context, config, no_config=no_config, must_exist=False) as database:
        said = f"the state in {database.location} is up to date (revision {database.revision})"
        Terminal.of(context).say(said)
    return Exit.OK


@command.command("backup", cls=GroupedCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_options
@common
@click.pass_context
def backup(context: click.Context, file: Path, config: Path | None, no_config: bool) -> int:
    """Write a copy of the state to FILE, while the service goes on.

    FILE is replaced where there is one, once the copy is whole. A state in PostgreSQL is
    copied with pg_dump.
    """
    with _state(context, config, no_config=no_config) as database:
        database.backup(file)
    Terminal.of(context).say(f"wrote {file}")
    return Exit.OK


@command.command("check", cls=GroupedCommand)
@config_options
@common
@click.pass_context
def check(context: click.Context, config: Path | None, no_config: bool) -> int:
    """Look for damage in the state. Exit code 1 where something is wrong."""
    terminal = Terminal.of(context)
    with _state(context, config, no_config=no_config) as database:
        found = database.check()
        where = str(database.location)
    if not found:
        terminal.say(f"the state in {where} is well")
        return Exit.OK
    for sentence in found:
        click.echo(f"{where}: {one_line(sentence)}")
    return Exit.FINDINGS


@contextmanager
def _state(
    context: click.Context, config: Path | None, *, no_config: bool, must_exist: bool = True
) -> Iterator[Database]:
    Terminal.of(context).start_logging()
    loaded = load(context, config=config, no_config=no_config, keys={})
    check_trust(context, loaded)
    if loaded.settings.state is None:
        raise UsageError(
            "the configuration names no state",
            hint="name a file with --config, and write in it: state: {folder: /var/lib/digestbot}",
        )
    location = location_of(loaded.settings.state, os.environ)
    with closing(Database.open(location, must_exist=must_exist)) as database:
        yield database

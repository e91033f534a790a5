"""`digestbot config`: check the configuration, show what is in force, write a first one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.output import emit
from digestbot.cli.settings import config_options, load
from digestbot.cli.terminal import Terminal
from digestbot.config.example import example_text
from digestbot.config.load import LoadedSettings
from digestbot.config.origins import Row, effective_rows
from digestbot.config.schema import schema_text
from digestbot.errors import UsageError


@click.group("config")
def command() -> None:
    """Check, show or create the configuration."""


@command.command("validate", cls=GroupedCommand)
@config_options
@common
@click.pass_context
def validate(context: click.Context, config: Path | None, no_config: bool) -> int:
    """Check the configuration: every mistake with its line."""
    loaded = load(context, config=config, no_config=no_config, keys={})
    Terminal.of(context).say(f"{_source(loaded)} is valid")
    return Exit.OK


@command.command("show", cls=GroupedCommand)
@config_options
@option(
    "--format",
    "show_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    heading="Output",
    env="FORMAT",
    help="The output's format.",
)
@common
@click.pass_context
def show(context: click.Context, config: Path | None, no_config: bool, show_format: str) -> int:
    """Show every setting in force, and where its value comes from."""
    loaded = load(context, config=config, no_config=no_config, keys={})
    rows = effective_rows(loaded)
    if show_format == "json":
        document = {row.key: {"value": row.value, "origin": row.origin} for row in rows}
        emit(json.dumps(document, indent=2) + "\n", None)
    else:
        emit(_table(rows), None)
    return Exit.OK


@command.command("schema", cls=GroupedCommand)
@option(
    "--output",
    type=click.Path(path_type=Path),
    heading="Output",
    env="OUTPUT",
    metavar="FILE",
    help="Write to a file instead of stdout.",
)
@common
def schema(output: Path | None) -> int:
    """Print the JSON Schema of the configuration, for editors."""
    emit(schema_text(), output)
    return Exit.OK


@command.command("init", cls=GroupedCommand)
@click.argument("path", type=click.Path(path_type=Path), default=Path("digestbot.yaml"))
@common
@click.pass_context
def init(context: click.Context, path: Path) -> int:
    """Write a first, commented configuration (digestbot.yaml)."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(example_text())
    except FileExistsError as error:
        raise UsageError(f"{path} exists already", hint="name another file") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    Terminal.of(context).say(f"wrote {path}; check it with: digestbot config validate")
    return Exit.OK


def _source(loaded: LoadedSettings) -> str:
    return str(loaded.path) if loaded.path else "the built-in configuration (no file found)"


def _table(rows: list[Row]) -> str:
    shown = [(row.key, json.dumps(row.value, ensure_ascii=False), row.origin) for row in rows]
    key_width = max(len(key) for key, _, _ in shown)
    value_width = max(len(value) for _, value, _ in shown)
    return "".join(
        f"{key:<{key_width}}  {value:<{value_width}}  {origin}\n" for key, value, origin in shown
    )

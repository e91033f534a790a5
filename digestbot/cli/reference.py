"""The reference documentation, made from the code: `config/reference.md`.

Written anew by `python -m digestbot.cli.reference > config/reference.md`; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import click

from digestbot.cli.exits import MEANING
from digestbot.cli.main import digestbot
from digestbot.config.reference import settings_reference
from digestbot.policy.finding import STATUSES
from digestbot.policy.reasons import REASONS
from digestbot.registry.errors import CODES

HEAD = """\
# Reference

Made from the code by `python -m digestbot.cli.reference`; do not edit.
"""
WIDTH = 80


def reference() -> str:
    """The whole page, as markdown."""
    parts = [HEAD, "## Commands\n"]
    parts += [_command(name, command) for name, command in _commands("digestbot", digestbot)]
    codes = {str(int(code)): meaning for code, meaning in MEANING.items()}
    parts += ["## Exit codes\n", _table("Code", codes)]
    parts += ["5 wins over 1: what could not be found out is not clean.\n"]
    parts += ["## Configuration\n", settings_reference()]
    parts += ["## Statuses\n", _table("Status", STATUSES)]
    parts += ["## Reasons\n", "Why a finding has its status.\n", _table("Reason", REASONS)]
    parts += ["Reasons of `failed` findings, and codes in `errors`:\n", _table("Code", CODES)]
    return "\n".join(parts)


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        with click.Context(command, info_name=name) as context:
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                if found is not None:
                    yield from _commands(f"{name} {child}", found)


def _command(name: str, command: click.Command) -> str:
    with click.Context(command, info_name=name, max_content_width=WIDTH) as context:
        return f"### {name}\n\n```\n{command.get_help(context)}\n```\n"


def _table(title: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {title} | Meaning |", "| --- | --- |"]
    lines += [f"| `{key}` | {meaning} |" for key, meaning in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())

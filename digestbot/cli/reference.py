"""The reference documentation, made from the code: `config/reference.md`.

Written anew by `python -m digestbot.cli.reference > config/reference.md`; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from digestbot.cli.contracts import contracts
from digestbot.cli.exits import MEANING
from digestbot.cli.main import digestbot
from digestbot.config.reference import settings_reference
from digestbot.policy.finding import STATUSES
from digestbot.policy.reasons import REASONS
from digestbot.proposals.outcome import OUTCOMES
from digestbot.registry.errors import CODES
from digestbot.service.logs import EVENTS, FIELDS
from digestbot.service.series import SERIES

HEAD = """\
# Reference

Made from the code by `python -m digestbot.cli.reference`; do not edit.
"""


def reference() -> str:
    """The whole page, as markdown."""
    parts = [HEAD, "## Commands\n"]
    parts += [_command(context) for context in _contexts()]
    codes = {str(int(code)): meaning for code, meaning in MEANING.items()}
    parts += ["## Exit codes\n", _table("Code", codes)]
    parts += ["5 wins over 1: what could not be found out is not clean.\n"]
    parts += ["## Configuration\n", settings_reference()]
    parts += ["## Statuses\n", _table("Status", STATUSES)]
    parts += ["## Reasons\n", "Why a finding has its status.\n", _table("Reason", REASONS)]
    parts += ["Reasons of `failed` findings, and codes in `errors`:\n", _table("Code", CODES)]
    parts += ["## Outcomes\n", "What became of a proposal of `digestbot update`.\n"]
    parts += [_table("Outcome", OUTCOMES)]
    parts += ["## Metrics\n", "What `/metrics` of `digestbot serve` shows.\n", _series()]
    parts += ["## Log\n", "Fields of a line of the log; events have others of their own.\n"]
    parts += [_table("Field", FIELDS), _table("Event", EVENTS)]
    parts += ["## Contracts\n", "The JSON that programs may rely on; only additions are made.\n"]
    parts += [contracts()]
    return "\n".join(parts)


def _contexts(parent: click.Context | None = None) -> Iterator[click.Context]:
    """One context per command, each below that of its group, as when it is really called."""
    if parent is None:
        parent = click.Context(digestbot, info_name="digestbot", **digestbot.context_settings)
    yield parent
    if isinstance(parent.command, click.Group):
        for name in parent.command.list_commands(parent):
            command = parent.command.get_command(parent, name)
            if command is not None:
                yield from _contexts(click.Context(command, parent=parent, info_name=name))


def _command(context: click.Context) -> str:
    return f"### {context.command_path}\n\n```\n{context.get_help()}\n```\n"


def _table(title: str, rows: Mapping[Any, str]) -> str:
    lines = [f"| {title} | Meaning |", "| --- | --- |"]
    lines += [f"| `{key}` | {meaning} |" for key, meaning in rows.items()]
    return "\n".join(lines) + "\n"


def _series() -> str:
    lines = ["| Series | Kind | Labels | Meaning |", "| --- | --- | --- | --- |"]
    for one in SERIES:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines += [f"| `{one.name}` | {one.kind} | {labels or 'none'} | {one.meaning} |"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())

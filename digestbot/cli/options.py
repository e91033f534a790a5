"""How options are declared: each with its environment variable, in named groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

# Where a context keeps the command line as it was typed.
WORDS = "digestbot.words"
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class GroupedOption(click.Option):
    """An option that stands under a heading in `--help`."""

    def __init__(self, *names: Any, heading: str = "Options", **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.heading = heading


class GroupedCommand(click.Command):
    """A command whose `--help` lists options by heading."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per heading, in the order in which headings first appear."""
        sections: dict[str, list[tuple[str, str]]] = {}
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        # --help itself has no heading, and comes last.
        for parameter in sorted(options, key=lambda one: not isinstance(one, GroupedOption)):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "heading", "Help")
                sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def option(
    *names: str, heading: str, env: str | None = None, **attributes: Any
) -> Callable[[Decorated], Decorated]:
    """A click option under a heading, with `DIGESTBOT_<env>` as its environment variable."""
    if env is not None:
        attributes |= {"envvar": f"DIGESTBOT_{env}", "show_envvar": True}
    return click.option(*names, cls=GroupedOption, heading=heading, **attributes)


def common(command: Decorated) -> Decorated:
    """The options that every command has: -v, -q, --color."""
    for add in (
        option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            heading="Output",
            env="COLOR",
            help="Use colour; auto: on a terminal, unless NO_COLOR is set.",
            callback=_keep("color"),
            expose_value=False,
        ),
        option(
            "-q",
            "--quiet",
            count=True,
            heading="Output",
            help="Say less on stderr; twice: only errors.",
            callback=_keep("quiet"),
            expose_value=False,
        ),
        option(
            "-v",
            "--verbose",
            count=True,
            heading="Output",
            help="Show what is current too; twice: every request.",
            callback=_keep("verbose"),
            expose_value=False,
        ),
    ):
        command = add(command)
    return command


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Leave the value where `cli.terminal` finds it, instead of in every signature."""

    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        context.find_root().meta[f"digestbot.{key}"] = value
        return value

    return callback

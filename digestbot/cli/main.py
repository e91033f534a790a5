"""The command `digestbot`: finds the sub-command, and turns whatever happens into an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

from digestbot import __version__
from digestbot.cli.exits import Exit, code_of
from digestbot.cli.importing import importing
from digestbot.cli.options import WORDS
from digestbot.cli.terminal import Terminal
from digestbot.clock import Clock
from digestbot.errors import DigestbotError, UsageError

COMMANDS = {
    "scan": "Find pinned images and say which digests moved.",
    "update": "Bring updates home as pull requests.",
    "rollout": "Bring one digest to many repos, wave by wave.",
    "status": "Show what the service knows, and what of it needs attention.",
    "health": "Ask a running service whether it works.",
    "notify": "Try whether messages about what changed arrive.",
    "hooks": "Show where webhooks are posted to, and what to paste where.",
    "serve": "Watch the configured targets until SIGTERM or Ctrl-C.",
    "run": "Do one full cycle over the configured targets, and exit.",
    "db": "Bring the state up to date, copy it, or check it.",
    "image": "Show what a registry says of one reference.",
    "config": "Check, show or create the configuration.",
    "doctor": "Check that registries and GitHub can be reached and logins work.",
    "demo": "See it at work, without account or network.",
    "completion": "Print the completion script for a shell.",
}
COMPLETE_VARIABLE = "_DIGESTBOT_COMPLETE"
ISSUES = "https://github.com/digestbot/digestbot/issues"


class LazyGroup(click.Group):
    """Commands that are imported when they are called; `digestbot scan` pays for no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, from the module of this name.

        Raises:
            UsageError: It needs packages that are not installed.
        """
        if cmd_name not in COMMANDS:
            return None
        try:
            with importing():
                module = importlib.import_module(f"digestbot.cli.{cmd_name}")
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("digestbot"):
                raise
            raise UsageError(
                f"digestbot {cmd_name} needs packages that are not installed ({error.name})",
                hint="pip install 'digestbot[service]'",
            ) from error
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit codes: 0 nothing to do, 1 findings, 2 usage, 3 internal error, "
    "4 no input, 5 incomplete, 130 interrupted.",
)
@click.version_option(__version__, message="digestbot %(version)s")
def digestbot() -> None:
    """Keep pinned container images fresh.

    Finds every image:tag@sha256:… in your Dockerfiles, asks the registries what the tags
    are now, says what is stale, and rewrites exactly those digests.

    Start with: digestbot scan
    """


def run(arguments: Sequence[str], clock: Clock | None = None) -> int:
    """Run a command line; returns the exit code and prints errors to stderr.

    With a clock, it is what the commands about rollouts know the time by.
    """
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        return shell_complete(digestbot, {}, "digestbot", COMPLETE_VARIABLE, instruction)
    try:
        with digestbot.make_context("digestbot", list(arguments), obj=clock) as context:
            context.meta[WORDS] = tuple(arguments)
            return _invoke(context)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        _show(error)
        return Exit.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; no file is half-written", err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception:  # noqa: BLE001 - the one place where the unexpected is reported
        _report_crash()
        return Exit.INTERNAL


def _invoke(context: click.Context) -> int:
    try:
        result = digestbot.invoke(context)
    except DigestbotError as error:
        Terminal.of(context).fail(error)
        return code_of(error)
    sys.stdout.flush()
    return int(result or Exit.OK)


def _show(error: click.ClickException) -> None:
    """Print what click has to say in the form of all other errors."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    click.echo(f"error: {error.format_message()}", err=True)
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        click.echo(f"hint: see {context.command_path} --help", err=True)


def _report_crash() -> None:
    """Print something that can be pasted into an issue."""
    import platform  # noqa: PLC0415 - slow to import, and hopefully never needed
    import traceback  # noqa: PLC0415 - likewise

    click.echo(
        f"error: digestbot failed in a way it should not. Please report this at\n{ISSUES}\n\n"
        f"digestbot {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"```\n{traceback.format_exc()}```",
        err=True,
    )

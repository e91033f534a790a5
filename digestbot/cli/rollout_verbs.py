"""`digestbot rollout pause`, `resume` and so on: what somebody has a rollout do.

It is written into the state, also while `digestbot serve` works with it, and done at the next
step of whoever drives the rollout.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.rollout_state import opened, said_by, say, whoever
from digestbot.cli.settings import config_options
from digestbot.cli.terminal import Terminal
from digestbot.rollout.machine import Verb
from digestbot.service.rollouts.meanings import ABOUT_ONE, ABOUT_WAVE, MEANINGS
from digestbot.service.rollouts.telling import Told
from digestbot.store.database import Database

_HELP: Final[Mapping[Verb, str]] = {
    Verb.PAUSE: "What is open stays open and is looked after; too many failures still halt it.",
    Verb.RESUME: "For one that is paused or halted. What failed until now halts it no more; "
    "what fails from now on does.",
    Verb.PROMOTE: "All else that the gate asks for still holds. It counts for this wave alone.",
    Verb.APPROVE: "Where the plan wants a yes before each wave, and where no check of any repo "
    "says anything. It counts for this wave alone.",
    Verb.RETRY: "REPO is one of the plan that could not be proposed, or was skipped. A pull "
    "request that somebody closed is not proposed again: open it again, and it takes part.",
    Verb.SKIP: "REPO is one of the plan. A pull request that is open there is left as it is.",
    Verb.ABORT: "Pull requests that the rollout opened are closed, with a word that says why; "
    "those of others are left alone.",
    Verb.ROLLBACK: "What is open is closed. First the registries are asked whether the digests "
    "that repos had are still there; where one is not, nothing is done.",
}
_DONE: Final[Mapping[Verb, str]] = {
    Verb.PAUSE: "is paused: nothing new is opened, and what is open is looked after",
    Verb.RESUME: "goes on: what failed so far halts it no more",
    Verb.PROMOTE: "does not wait for this wave to soak; all else its gate asks for still holds",
    Verb.APPROVE: "has a yes to what comes after this wave",
    Verb.RETRY: "tries {repo} again",
    Verb.SKIP: "leaves {repo} out",
    Verb.ABORT: "is ended: what is open is closed, what is merged stays",
    Verb.ROLLBACK: "is rolled back: what is open is closed, and each repo that was merged is "
    "offered what it had",
}


def named_config(context: click.Context) -> str:
    """The option that names the configuration, as it was typed; for commands to be copied."""
    config = context.params.get("config")
    if config is None or context.get_parameter_source("config") is not ParameterSource.COMMANDLINE:
        return ""
    return f" --config {shlex.quote(str(config))}"


def have(context: click.Context, database: Database, name: str, told: Told) -> None:
    """Have a rollout do something, and say what happens now, and what to look at.

    Raises:
        UsageError: It cannot be told that now; there is no such rollout or repo.
        StoreError: The state cannot be written.
    """
    rollout = say(database, name, told)
    terminal = Terminal.of(context)
    terminal.say(f"rollout {rollout.id} {_DONE[told.verb].format(repo=told.repo)}")
    terminal.say(
        "digestbot serve does so within a minute, digestbot run when it is called; see: "
        f"digestbot rollout status {rollout.id}{named_config(context)}"
    )


_wave = option(
    "--wave",
    type=click.IntRange(0),
    heading="Wave",
    env="WAVE",
    metavar="N",
    help="The wave that is meant, 0 for the canary; where another is under way, nothing is done. "
    "[default: whichever is under way]",
)
"""With it, a yes that two people say counts once."""


def verb_command(verb: Verb) -> Callable[[Callable[..., int]], click.Command]:
    """Make a command about one rollout, with the options that all of these have."""

    def decorate(function: Callable[..., int]) -> click.Command:
        decorated: Any = common(function)
        decorated = config_options(said_by(decorated))
        if verb in ABOUT_ONE:
            decorated = click.argument("repo", metavar="REPO")(decorated)
        if verb in ABOUT_WAVE:
            decorated = _wave(decorated)
        decorated = click.argument("name", metavar="ID")(decorated)
        text = f"{MEANINGS[verb]}\n\n{_HELP[verb]}"
        make = click.command(str(verb), cls=GroupedCommand, help=text)
        return make(click.pass_context(decorated))

    return decorate


def _command(verb: Verb) -> click.Command:
    @verb_command(verb)
    def command(
        context: click.Context,
        name: str,
        config: Path | None,
        no_config: bool,
        by: str,
        reason: str,
        repo: str = "",
        wave: int | None = None,
    ) -> int:
        with opened(context, config, no_config=no_config) as state:
            have(context, state.database, name, Told(verb, whoever(by), reason, repo, wave))
        return Exit.OK

    return command


pause, resume, promote, approve, retry, skip = map(
    _command, (Verb.PAUSE, Verb.RESUME, Verb.PROMOTE, Verb.APPROVE, Verb.RETRY, Verb.SKIP)
)

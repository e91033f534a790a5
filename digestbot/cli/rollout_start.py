"""`digestbot rollout start`: have a plan done, exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.rollout_rules import check_allowed, limits_of
from digestbot.cli.rollout_state import Opened, now, opened, said_by, say, whoever
from digestbot.cli.rollout_verbs import named_config
from digestbot.cli.settings import config_options
from digestbot.cli.terminal import Terminal
from digestbot.errors import UsageError
from digestbot.report.summary import plural
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.objections import CHANGED, LARGE, OLDER, Objection, objections
from digestbot.service.rollouts.planning import again
from digestbot.service.rollouts.telling import Told
from digestbot.store import rollouts
from digestbot.store.rollouts import Rollout

_ALL_THE_SAME = "All the same (needs --reason)"


@click.command("start", cls=GroupedCommand)
@click.argument("name", metavar="ID")
@config_options
@said_by
@option(
    "--older",
    is_flag=True,
    heading=_ALL_THE_SAME,
    env="ROLLOUT_OLDER",
    help="Although the plan is older than a day.",
)
@option(
    "--large",
    is_flag=True,
    heading=_ALL_THE_SAME,
    env="ROLLOUT_LARGE",
    help="Although it reaches a large part of all repos, or many.",
)
@option(
    "--changed",
    is_flag=True,
    heading=_ALL_THE_SAME,
    env="ROLLOUT_CHANGED",
    help="Although its repos changed since: only those of the plan are reached.",
)
@common
@click.pass_context
def start(
    context: click.Context,
    /,
    *,
    name: str,
    config: Path | None,
    no_config: bool,
    by: str,
    reason: str,
    older: bool,
    large: bool,
    changed: bool,
) -> int:
    """Have a plan done, exactly.

    ID is what `digestbot rollout plan` printed, or its beginning. What is done is that plan, and
    not what its tag or its repos have become since.
    """
    given = {OLDER: older, LARGE: large, CHANGED: changed}
    flags = [slug for slug, is_given in given.items() if is_given]
    if flags and not reason.strip():
        raise UsageError(f"{_options(flags)} without a reason", hint="say why, with --reason")
    with opened(context, config, no_config=no_config) as state:
        rollout = _planned(state, name)
        words = named_config(context)
        overridden = _overridden(state, rollout, flags, words) if rollout else ()
        kept = _kept_reason(reason, overridden)
        told = say(state.database, name, Told(Verb.START, whoever(by), kept))
    terminal = Terminal.of(context)
    targets = plural(len(told.plan.targets), "repo")
    terminal.say(f"rollout {told.id} is started: {targets} in {plural(told.plan.waves, 'wave')}")
    terminal.say(
        "digestbot serve opens its pull requests from now on, digestbot run makes one step; see: "
        f"digestbot rollout status {told.id}{words}"
    )
    return Exit.OK


def _planned(state: Opened, name: str) -> Rollout | None:
    """The plan, unless it was started before; that is said by whoever is told to start it."""
    with state.database.reading() as connection:
        rollout = rollouts.get(connection, rollouts.find(connection, name))
    return rollout if rollout and rollout.standing.state is State.PLANNED else None


def _overridden(
    state: Opened, rollout: Rollout, flags: Collection[str], words: str
) -> Sequence[Objection]:
    """What speaks against starting it, and is overridden.

    Raises:
        UsageError: Something is not.
    """
    config = state.settings.rollout
    check_allowed(config, rollout.plan.rules)
    found = objections(rollout.plan, again(state.database, rollout.plan), limits_of(config), now())
    left = [one for one in found if one.slug not in flags]
    if left:
        needed = [one.slug for one in found]
        raise UsageError(
            "\n".join(one.message for one in left),
            hint="make a new plan, or start this one all the same: "
            f"digestbot rollout start {rollout.id}{words} {_options(needed)} --reason 'WHY'",
        )
    return found


def _kept_reason(reason: str, overridden: Sequence[Objection]) -> str:
    """The reason, with what it overrides: both are kept."""
    if not overridden:
        return reason
    return f"{reason.strip()} [{_options([one.slug for one in overridden])}]"


def _options(slugs: Sequence[str]) -> str:
    return " ".join(f"--{slug}" for slug in slugs)

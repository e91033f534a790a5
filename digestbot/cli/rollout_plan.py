"""`digestbot rollout plan`: what exactly would be done, written down under an id."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

import click

from digestbot.cli.answers import open_resolver
from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.output import emit
from digestbot.cli.rollout_options import PlanOptions, plan_options
from digestbot.cli.rollout_rules import limits_of, rules_of
from digestbot.cli.rollout_state import Opened, by_option, now, opened, whoever
from digestbot.cli.rollout_verbs import named_config
from digestbot.cli.settings import config_options
from digestbot.cli.terminal import Terminal
from digestbot.config.names import read_image_glob
from digestbot.errors import NoInputError, UsageError
from digestbot.image import ImageTag
from digestbot.policy.holding import moment_text
from digestbot.registry.resolution import Query
from digestbot.registry.resolver import RegistryResolver
from digestbot.report.json_v1 import as_json
from digestbot.report.plain import one_line
from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.rollout import plan_markdown, plan_text
from digestbot.rollout.contract import plan_id
from digestbot.rollout.objections import OLD, large
from digestbot.rollout.plan_document import document
from digestbot.rollout.plan_words import Shown
from digestbot.rollout.selection import Selection
from digestbot.scan.setup import make_setup
from digestbot.service.rollouts.moving import Chosen, Mover, Moves
from digestbot.service.rollouts.planning import Choice, choose, tags
from digestbot.store import rollouts

_TAGS_SHOWN = 5


@click.command("plan", cls=GroupedCommand)
@click.argument("image")
@config_options
@plan_options
@by_option
@common
@click.pass_context
def plan(context: click.Context, /, **arguments: Any) -> int:
    """Say what exactly would be done, and keep it under an id.

    IMAGE is a name or a glob, with a tag or without: alpine, python:3.12,
    ghcr.io/acme/base:*. Its tag is asked about once, and the digest is frozen. With --to it is
    another tag of that image that is asked about, and that pins follow from then on.

    It goes by what `digestbot serve` or `digestbot run` found, and writes nothing to any repo.
    Exit code 1 where there is something to do, 4 where nobody follows such an image.
    """
    terminal = Terminal.of(context)
    options = PlanOptions(**arguments)
    if options.to is not None and options.to_digest is not None:
        raise UsageError("--to and --to-digest together", hint="leave one of them away")
    selection = _selection(options)
    with opened(context, options.config, no_config=options.no_config) as state:
        choice = _choice(state, selection, terminal)
        shown = replace(_plan(state, choice, options), words=named_config(context))
        if shown.plan.targets:
            with state.database.begin() as connection:
                rollouts.create(connection, shown.plan)
    style = Style(terminal.width, terminal.colorful(sys.stdout), terminal.verbosity)
    color = style.color and options.output is None
    emit(
        FORMATS[options.report_format](shown, replace(style, color=color)),
        options.output,
        color=color,
    )
    is_shown = options.output is None and options.report_format == "text"
    if not is_shown or not shown.plan.targets:
        _say(shown, choice, terminal)
    if shown.problems:
        return Exit.INCOMPLETE
    return Exit.FINDINGS if shown.plan.targets else Exit.OK


def _json(shown: Shown, _style: Style, /) -> str:
    return as_json(document(shown.plan, shown.problems))


FORMATS: Final[dict[str, Callable[[Shown, Style], str]]] = {
    "text": plan_text.render,
    "json": _json,
    "markdown": plan_markdown.render,
}


def _selection(options: PlanOptions) -> Selection:
    try:
        glob = read_image_glob(options.image)
    except ValueError as error:
        raise UsageError(
            f"IMAGE {error}", hint="a name, with a tag or without: alpine, python:3.1*"
        ) from error
    _check_texts(*options.orgs, *options.repos, *options.topics, *options.paths)
    _check_texts(*options.canary, options.canary_topic or "")
    return Selection(
        image=glob,
        digests=frozenset(options.digests_now),
        behind=options.behind,
        orgs=options.orgs,
        repos=options.repos,
        topics=options.topics,
        paths=options.paths,
        owners=options.owners,
    )


def _check_texts(*texts: str) -> None:
    for text in texts:
        if not text.isprintable():
            raise UsageError(f"{one_line(text, 80)} is not one line of text that can be shown")


def _choice(state: Opened, selection: Selection, terminal: Terminal) -> Choice:
    choice = choose(state.database, selection, now())
    if not choice.images:
        raise NoInputError(
            f"no pin that is watched follows {selection.image}",
            hint="name another image; digestbot run looks for new ones",
        )
    if choice.seen_at is not None and choice.at - choice.seen_at > OLD:
        terminal.say(
            f"the repos were last looked at {moment_text(choice.seen_at)}; "
            "digestbot run brings the state up to date"
        )
    return choice


def _plan(state: Opened, choice: Choice, options: PlanOptions) -> Shown:
    config = state.settings.rollout
    rules = rules_of(config, options)
    moves = _moves(state, choice, options)
    made = choice.plan(moves, rules, whoever(options.by))
    return Shown(made, plan_id(made), large(made, limits_of(config)), moves.problems)


def _moves(state: Opened, choice: Choice, options: PlanOptions) -> Moves:
    pinned = choice.pinned()
    if options.to is not None:
        _check_image(pinned, options.to)
    setup = make_setup(state.settings, os.environ)
    with open_resolver(setup.registries, options.digests) as resolver:
        registries = resolver if isinstance(resolver, RegistryResolver) else None
        mover = Mover(resolver, registries, setup.hold.deny, setup.policy.jobs, options.to)
        if options.to_digest is None:
            return mover.moves(pinned)
        named = tags(pinned)
        if len(named) > 1:
            more = ", …" if len(named) > _TAGS_SHOWN else ""
            raise UsageError(
                f"--to-digest is for one tag, and {len(named)} are chosen: "
                f"{', '.join(named[:_TAGS_SHOWN])}{more}",
                hint="name one of them",
            )
        if registries is None:
            raise UsageError("--to-digest is asked of the registry", hint="leave --digests away")
        return replace(mover, resolver=Chosen(options.to_digest, registries)).moves(pinned)


def _check_image(pinned: Iterable[Query], to: ImageTag) -> None:
    """Do nothing, if all that is chosen is the image that this is a tag of.

    Raises:
        UsageError: It is not: a tag of one image says nothing about another.
    """
    chosen = {query.image.image for query in pinned}
    others = sorted(chosen - {to.image})
    if others and to.image not in chosen and len(others) == 1:
        raise UsageError(
            f"--to {to} is a tag of another image, and pins keep theirs",
            hint=f"name a tag of the image that is chosen: --to {others[0]}:TAG",
        )
    if others:
        more = ", …" if len(others) > _TAGS_SHOWN else ""
        raise UsageError(
            f"--to is for {to.image}, and other images are chosen: "
            f"{', '.join(others[:_TAGS_SHOWN])}{more}",
            hint=f"name one image: digestbot rollout plan {to.image} --to {to}",
        )


def _say(shown: Shown, choice: Choice, terminal: Terminal) -> None:
    """What the text of a plan says, where it is not read; and why there is none."""
    if shown.plan.targets:
        terminal.say(f"{plural(len(shown.plan.targets), 'repo')}; start it: {shown.start}")
    elif not choice.places:
        fits = " and none fits ".join(f"--{key.removesuffix('s')}" for key in choice.misses)
        terminal.say(
            f"nothing is chosen: {plural(choice.images, 'image')} of that name, and no pin "
            + (f"that fits {fits}" if fits else "for which all holds that was said")
        )
    elif not shown.problems:
        terminal.say("there is nothing to do: whatever is chosen has the digest, or is left out")

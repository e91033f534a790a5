"""`digestbot doctor`: can registries and GitHub be reached, do logins work, and if not, why."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.settings import check_trust, config_options, load, network_options
from digestbot.cli.targets import GITHUB, GitHubTarget, parse_target
from digestbot.cli.terminal import Terminal
from digestbot.config.load import LoadedSettings
from digestbot.config.models import Settings
from digestbot.errors import NoInputError, UsageError
from digestbot.forge.errors import ForgeError
from digestbot.image import ImageTag
from digestbot.image.reference import DEFAULT_REGISTRY
from digestbot.registry.mirrors import rewrite
from digestbot.report.plain import one_line
from digestbot.scan.setup import make_setup
from digestbot.scan.tree import UnreadableError, find_files


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is well, and what to do if it is not."""

    is_ok: bool
    message: str
    hint: str = ""


@click.command("doctor", cls=GroupedCommand)
@click.argument("subjects", nargs=-1, metavar="[REGISTRY | TARGET]...")
@config_options
@network_options
@common
@click.pass_context
def command(
    context: click.Context,
    subjects: tuple[str, ...],
    config: Path | None,
    no_config: bool,
    timeout: float | None,
    allow_private: bool,
) -> int:
    """Check that registries and GitHub can be reached and logins work.

    TARGET is github:owner/repo or github:owner: what the token or the App may do there that
    `digestbot update` needs. It is tried with requests that change nothing.

    Without any of these, the registries that the configuration names and those that the
    files in this folder pin images of.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    keys = {"timeout": timeout, "allow_private": allow_private}
    loaded = load(context, config=config, no_config=no_config, keys=keys)
    check_trust(context, loaded)
    is_well = True
    for check in _checks(loaded, subjects):
        is_well = is_well and check.is_ok
        click.echo(_line(check, color=terminal.colorful(sys.stdout)))
    return Exit.OK if is_well else Exit.INCOMPLETE


def _checks(loaded: LoadedSettings, subjects: Sequence[str]) -> Iterator[Check]:
    targets = [parse_target(one) for one in subjects if one.startswith(GITHUB)]
    registries = [one for one in subjects if not one.startswith(GITHUB)]
    source = str(loaded.path) if loaded.path else "none; the built-in one is used"
    yield Check(is_ok=True, message=f"configuration: {source}")
    yield _check_git()
    if not targets or registries:
        yield from _check_registries(loaded.settings, registries)
    for target in targets:
        if isinstance(target, GitHubTarget):
            yield from _check_github(loaded.settings, target)


def _check_registries(settings: Settings, registries: Sequence[str]) -> Iterator[Check]:
    from digestbot.registry.probe import probe  # noqa: PLC0415 - imports requests
    from digestbot.registry.resolver import RegistryResolver  # noqa: PLC0415 - likewise

    with RegistryResolver(make_setup(settings, os.environ).registries) as resolver:
        for registry in registries or sorted(_known_registries(settings)):
            found = probe(resolver, registry)
            yield Check(found.is_ok, found.message, found.hint)


def _check_github(settings: Settings, target: GitHubTarget) -> Iterator[Check]:
    """What may be done there; without an answer, one line that says why there is none."""
    try:
        yield from _examine(settings, target)
    except UsageError as error:
        yield Check(is_ok=False, message=str(error), hint=error.hint)
    except ForgeError as error:
        yield Check(is_ok=False, message=f"{target}: {error}", hint=error.hint)


def _examine(settings: Settings, target: GitHubTarget) -> Iterator[Check]:
    from digestbot.cli.forges import ForgeWords, forge_options, needing_packages  # noqa: PLC0415 - registries need none of it

    with needing_packages(target):
        from digestbot.forge.github.listing import Selection  # noqa: PLC0415 - imports github
        from digestbot.forge.github.permissions import examine  # noqa: PLC0415 - likewise
        from digestbot.forge.github.session import Session  # noqa: PLC0415 - likewise

    options = forge_options(settings, ForgeWords(is_proposing=True))
    selection = Selection(options.names, options.topics, options.is_proposing, options.prefix)
    with closing(Session(options.github, target.name)) as session:
        for found in examine(session, target.name, selection):
            name = "" if found.name == target.name else f" {found.name}:"
            yield Check(found.is_ok, f"{target}:{name} {found.message}", found.hint)


def _check_git() -> Check:
    path = shutil.which("git")
    if path:
        return Check(is_ok=True, message=f"git: {path}")
    return Check(False, "git: not found", "without it .gitignore is not respected; install git")  # noqa: FBT003


def _known_registries(settings: Settings) -> set[str]:
    """Those of the configuration, and those that would be asked for this folder's files."""
    known = set(settings.registries)
    for image in _pinned_images():
        known.add(rewrite(image, settings.mirrors).registry)
    return known or {DEFAULT_REGISTRY}


def _pinned_images() -> Iterator[ImageTag]:
    try:
        files = find_files([Path()])
    except NoInputError:
        return
    for file in files:
        try:
            occurrences = file.format.read(file.path, file.read())
        except (OSError, UnreadableError):
            continue
        for occurrence in occurrences:
            if occurrence.reference is not None and occurrence.reference.followed is not None:
                yield occurrence.reference.followed


def _line(check: Check, *, color: bool) -> str:
    mark, shade = ("ok  ", "green") if check.is_ok else ("fail", "red")
    word = click.style(mark, fg=shade) if color else mark
    hint = f"\n      hint: {one_line(check.hint)}" if check.hint else ""
    return f"{word}  {one_line(check.message)}{hint}"

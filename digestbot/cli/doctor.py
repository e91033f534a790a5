"""`digestbot doctor`: can the registries be reached, do the logins work, and if not, why."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.settings import check_trust, config_options, load, network_options
from digestbot.cli.terminal import Terminal
from digestbot.config.load import LoadedSettings
from digestbot.config.models import Settings
from digestbot.errors import NoInputError
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
@click.argument("registries", nargs=-1, metavar="[REGISTRY]...")
@config_options
@network_options
@common
@click.pass_context
def command(
    context: click.Context,
    registries: tuple[str, ...],
    config: Path | None,
    no_config: bool,
    timeout: float | None,
    allow_private: bool,
) -> int:
    """Check that registries can be reached and logins work.

    Without REGISTRY, those that the configuration names and those that the files in this
    folder pin images of.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    keys = {"timeout": timeout, "allow_private": allow_private}
    loaded = load(context, config=config, no_config=no_config, keys=keys)
    check_trust(context, loaded)
    is_well = True
    for check in _checks(loaded, registries):
        is_well = is_well and check.is_ok
        click.echo(_line(check, color=terminal.colorful(sys.stdout)))
    return Exit.OK if is_well else Exit.INCOMPLETE


def _checks(loaded: LoadedSettings, registries: tuple[str, ...]) -> Iterator[Check]:
    from digestbot.registry.probe import probe  # noqa: PLC0415 - imports requests
    from digestbot.registry.resolver import RegistryResolver  # noqa: PLC0415 - likewise

    source = str(loaded.path) if loaded.path else "none; the built-in one is used"
    yield Check(is_ok=True, message=f"configuration: {source}")
    yield _check_git()
    with RegistryResolver(make_setup(loaded.settings, os.environ).registries) as resolver:
        for registry in registries or sorted(_known_registries(loaded.settings)):
            found = probe(resolver, registry)
            yield Check(found.is_ok, found.message, found.hint)


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

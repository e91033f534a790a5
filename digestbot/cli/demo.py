"""`digestbot demo`: the real commands against a registry and a repository of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from digestbot.cli.demo_registry import make_index, serve
from digestbot.cli.exits import Exit
from digestbot.cli.importing import importing
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.terminal import Terminal
from digestbot.errors import UsageError
from digestbot.image import Digest

DOCKERFILE = """\
FROM golang:1.25@{golang} AS build
WORKDIR /src
COPY . .
RUN go build -o /app .

FROM python:3.13-slim@{python}
COPY --from=build /app /usr/local/bin/app
ENTRYPOINT ["app"]
"""
CONFIG = """\
# Whoever pins docker.io images is answered by the demo's own registry.
mirrors:
  docker.io/: {host}/hub/
"""
# What is said, the command, and the exit code that it must have.
STEPS = (
    ("A Dockerfile pins two images. One of the tags has moved since:", ["scan"], Exit.FINDINGS),
    ("What would change:", ["scan", "--diff"], Exit.FINDINGS),
    ("Change it:", ["scan", "--write"], Exit.OK),
    ("And again: nothing is left to do.", ["scan"], Exit.OK),
)


@click.command("demo", cls=GroupedCommand)
@click.argument("what", type=click.Choice(["rollout"]), required=False, metavar="[rollout]")
@option(
    "--dashboard",
    is_flag=True,
    heading="Demo",
    env="DEMO_DASHBOARD",
    help="With `rollout`: in the end one more goes on, on the dashboard, until Ctrl-C.",
)
@common
@click.pass_context
def command(context: click.Context, what: str | None, dashboard: bool) -> int:
    """See it at work, without account or network.

    Starts a small registry on loopback with a tag that has just moved, makes a git
    repository with a stale Dockerfile in a temporary folder, scans it, shows the diff,
    writes the fix, scans again, and cleans up.

    With `rollout` it brings one digest to a dozen repos instead, wave by wave, and back
    again; they live in memory, and hours pass in a second.
    """
    color = Terminal.of(context).colorful(sys.stdout)
    if what is None and dashboard:
        raise UsageError("--dashboard is for the demo of rollouts", hint="digestbot demo rollout")
    return _rollout(color=color, dashboard=dashboard) if what else _scan(color=color)


def _rollout(*, color: bool, dashboard: bool) -> int:
    try:
        with importing():
            from digestbot.cli.demo_rollout import play  # noqa: PLC0415 - needs what `serve` needs
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("digestbot"):
            raise
        raise UsageError(
            f"digestbot demo rollout needs packages that are not installed ({error.name})",
            hint="pip install 'digestbot[service]'",
        ) from error
    return play(color=color, dashboard=dashboard)


def _scan(*, color: bool) -> int:
    before, after, golang = make_index(1), make_index(2), make_index(3)
    tags = {"hub/library/python:3.13-slim": after, "hub/library/golang:1.25": golang}
    with serve(tags) as host, tempfile.TemporaryDirectory(prefix="digestbot-demo-") as folder:
        text = DOCKERFILE.format(golang=Digest.of(golang), python=Digest.of(before))
        repo = _make_repo(Path(folder) / "app", {"Dockerfile": text})
        config = Path(folder) / "digestbot.yaml"
        config.write_text(CONFIG.format(host=host), encoding="utf-8")
        for number, (title, arguments, expected) in enumerate(STEPS, start=1):
            click.echo(f"{number}. {title}\n")
            click.secho(f"$ digestbot {' '.join(arguments)}", bold=color, color=color)
            code = _run_digestbot(arguments, repo, config, color="always" if color else "never")
            click.echo(f"(exit code {code})\n")
            if code != expected:
                raise UsageError(f"the demo broke off: expected exit code {expected}, got {code}")
    click.echo("That was the demo; the folder and the registry are gone.")
    click.echo("On a repository of yours: digestbot scan")
    return Exit.OK


def _make_repo(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    try:
        for arguments in (["init", "--quiet"], ["add", "--all"]):
            subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S603, S607 - fixed words
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError(f"the demo needs git: {error}", hint="install git") from error
    return folder


def _run_digestbot(arguments: list[str], folder: Path, config: Path, *, color: str) -> int:
    own = {"DIGESTBOT_CONFIG": str(config), "DOCKER_CONFIG": str(config.parent)}
    inherited = {key: value for key, value in os.environ.items() if "DIGESTBOT" not in key}
    command_line = [sys.executable, "-m", "digestbot", *arguments, "--color", color]
    sys.stdout.flush()
    return subprocess.run(  # noqa: S603 - ourselves, with fixed words
        command_line, cwd=folder, env=inherited | own, check=False
    ).returncode

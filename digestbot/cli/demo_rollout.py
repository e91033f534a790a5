"""`digestbot demo rollout`: one digest for a dozen repos, from the plan to the way back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

import click

from digestbot.cli.demo_dashboard import show
from digestbot.cli.demo_forge import DemoForge, make_forge
from digestbot.cli.demo_play import Play
from digestbot.cli.demo_registry import make_index, serve
from digestbot.cli.demo_repo import ALL_WELL
from digestbot.cli.demo_stage import DemoClock, staged
from digestbot.cli.exits import Exit
from digestbot.forge.watching import ChecksOf
from digestbot.image import Digest
from digestbot.report.plain import shorten_digests
from digestbot.rollout.machine import State
from digestbot.rollout.progress import TargetState

IMAGE: Final = "python:3.13-slim"
OTHER_IMAGE: Final = "debian:13-slim"
OLD: Final = make_index(1, "2026-02-10T00:00:00Z")
NEW: Final = make_index(2, "2026-03-02T06:40:00Z")
OTHER: Final = make_index(3, "2026-01-20T00:00:00Z")
NAMES: Final = [
    "api",
    "billing",
    "cart",
    "catalog",
    "docs",
    "jobs",
    "mail",
    "orders",
    "payments",
    "search",
    "shop",
    "users",
]
OTHERS: Final = ("infra", "notes", "proxy", "site")
DOCKERFILE: Final = 'FROM {image}@{digest}\nCOPY app /app\nCMD ["/app"]\n'
CONFIG: Final = """\
targets: [github:acme]
state: {{folder: state}}
mirrors: {{docker.io/: {host}/hub/}}
rollout:
  canary: [acme/docs]
  waves: [50, 100]
  soak: 30m
dashboard:
  users: [{{name: ann, role: operator, token_env: DEMO_TOKEN}}]
"""


def play(*, color: bool, dashboard: bool) -> int:
    """All of it; with a dashboard, one more rollout goes on there until Ctrl-C."""
    clock = DemoClock()
    tags = {"python:3.13-slim": OLD, "python:before": OLD, OTHER_IMAGE: OTHER}
    manifests = {f"hub/library/{tag}": body for tag, body in tags.items()}
    with serve(manifests) as host:
        config = CONFIG.format(host=host)
        token = secrets.token_urlsafe(18)
        with staged(config, make_fleet(clock), clock, token, color=color) as stage:
            stage.look()
            manifests[f"hub/library/{IMAGE}"] = NEW
            told = Play(stage)
            for act in (*ACTS, _once_more) if dashboard else ACTS:
                act(told)
            if dashboard:
                show(stage, token)
    click.echo("That was the demo; the repos, the registry and the state are gone.")
    click.echo("On repos of yours: digestbot run, then digestbot rollout plan IMAGE")
    return Exit.OK


def make_fleet(clock: DemoClock) -> DemoForge:
    """A dozen repos on one image, four on another; some of them are as repos are."""
    pins = dict.fromkeys(NAMES, (IMAGE, OLD)) | dict.fromkeys(OTHERS, (OTHER_IMAGE, OTHER))
    files = {
        f"acme/{name}": DOCKERFILE.format(image=image, digest=Digest.of(index))
        for name, (image, index) in pins.items()
    }
    forge = make_forge(files, clock.now)
    rooms = forge.rooms
    for name in ("cart", "search"):
        rooms[f"acme/{name}"].checks = ChecksOf(failing=("integration-tests",), passed=1)
    failing_before = ChecksOf(failing=("lint",), passed=1)
    rooms["acme/catalog"].checks = rooms["acme/catalog"].base_checks = failing_before
    rooms["acme/jobs"].checks = rooms["acme/jobs"].base_checks = ChecksOf()
    return forge


def _plan(play: Play) -> None:
    play.tell(
        "digestbot knows 16 repos; 12 of them pin python:3.13-slim. A fix was just pushed "
        "to that tag. What would it take to bring it to all of them?"
    )
    play.plan(IMAGE)


def _start(play: Play) -> None:
    play.tell("Do it. That it reaches most of the fleet has to be said, with a reason.")
    play.type("start", play.name, "--large", "--reason", "CVE-2026-1234 in zlib")
    play.aside("(The service makes a step each minute; here ten minutes pass at once.)")
    play.until(lambda: play.has_begun(1))


def _halt(play: Play) -> None:
    play.tell(
        "The canary was green and has soaked, so the second wave began. Checks fail in two "
        "of its repos, more than a tenth: it halts by itself. (What fails in acme/catalog "
        "failed before, and does not count.)"
    )
    play.until(lambda: play.state() is State.HALTED)
    play.type("status", play.name, expected=Exit.FINDINGS)


def _go_on(play: Play) -> None:
    play.tell("acme/search mends its tests; acme/cart is left out. Go on.")
    play.stage.forge.rooms["acme/search"].checks = ALL_WELL
    play.type("skip", play.name, "acme/cart", "--reason", "has a zlib of its own")
    play.type("resume", play.name)
    play.aside("(People merge what is green, and acme/jobs, which nothing checks.)")
    play.stage.merge()
    play.until(lambda: play.has_begun(2))


def _finish(play: Play) -> None:
    play.tell("The last wave turns green, and people merge it: all waves are through.")
    play.until(lambda: play.count(TargetState.GREEN) > 1)
    play.stage.merge()
    play.until(lambda: play.state() is State.WATCHING)
    play.type("status", play.name)


def _go_back(play: Play) -> None:
    play.tell("The fix leaks memory: each repo is offered the digest that it had.")
    play.type("rollback", play.name, "--yes", "--reason", "it leaks memory")
    play.until(lambda: play.count(TargetState.PENDING, is_back=True) > 1)
    play.stage.merge()
    play.until(lambda: play.state() is State.ROLLED_BACK)
    play.type("status", play.name)
    first = play.stage.forge.rooms["acme/api"].dockerfile().splitlines()[0]
    play.aside(f"acme/api has what it had: {shorten_digests(first)}")
    click.echo()


def _once_more(play: Play) -> None:
    play.tell("Once more, on the dashboard.")
    play.plan(IMAGE)
    play.type("start", play.name, "--large", "--reason", "CVE-2026-1234 in zlib")


ACTS: Final[tuple[Callable[[Play], None], ...]] = (
    _plan,
    _start,
    _halt,
    _go_on,
    _finish,
    _go_back,
)

"""`digestbot notify`: whether those who are to be told can be told."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common
from digestbot.cli.output import emit
from digestbot.cli.settings import check_trust, config_options, load
from digestbot.cli.terminal import Terminal
from digestbot.clock import Clock
from digestbot.config.serving import NotifyConfig
from digestbot.errors import UsageError
from digestbot.report.layout import ink
from digestbot.report.plain import one_line
from digestbot.report.style import Style
from digestbot.service.notify.delivery import Delivery, deliver
from digestbot.service.notify.kinds import recipients
from digestbot.service.notify.message import Message


@click.group("notify")
def command() -> None:
    """Try whether messages about what changed arrive."""


@command.command("test", cls=GroupedCommand)
@click.argument("name", required=False)
@config_options
@common
@click.pass_context
def test(context: click.Context, name: str | None, config: Path | None, no_config: bool) -> int:
    """Send a test message to each notifier, or to the one of this NAME.

    Says of each whether it took the message. Exit code 5 where one did not.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    loaded = load(context, config=config, no_config=no_config, keys={})
    check_trust(context, loaded)
    deliveries = _send(_chosen(loaded.settings.notify, name))
    style = Style(color=terminal.colorful(sys.stdout))
    emit("".join(_line(one, style) for one in deliveries), None, color=style.color)
    return Exit.OK if all(one.is_ok for one in deliveries) else Exit.INCOMPLETE


def _chosen(configs: Sequence[NotifyConfig], name: str | None) -> Sequence[NotifyConfig]:
    if not configs:
        raise UsageError(
            "the configuration names nobody to notify",
            hint="name a file with --config, and write in it: "
            "notify: [{name: ops, kind: slack, url_env: SLACK_WEBHOOK}]",
        )
    chosen = [config for config in configs if name in (None, config.name)]
    if not chosen:
        known = ", ".join(config.name for config in configs)
        raise UsageError(f"no notifier is called {name!r}", hint=f"there is: {known}")
    return chosen


def _send(configs: Sequence[NotifyConfig]) -> list[Delivery]:
    message = Message(datetime.fromtimestamp(Clock().wall(), UTC), is_test=True)
    return [deliver(one.notifier, message) for one in recipients(configs, os.environ)]


def _line(delivery: Delivery, style: Style) -> str:
    if delivery.is_ok:
        return f"{ink('ok  ', 'green', style)}  {delivery.notifier} took the message\n"
    hint = f"      hint: {one_line(delivery.hint)}\n" if delivery.hint else ""
    return f"{ink('fail', 'red', style)}  {one_line(delivery.failure)}\n{hint}"

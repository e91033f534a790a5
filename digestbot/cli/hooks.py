"""`digestbot hooks`: where webhooks are posted to, and what to paste where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from digestbot import __version__
from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.output import emit
from digestbot.cli.settings import check_trust, config_options, load
from digestbot.cli.terminal import Terminal
from digestbot.config.addresses import check_http_url
from digestbot.config.models import Settings
from digestbot.errors import UsageError
from digestbot.report.json_v1 import as_json
from digestbot.report.layout import ink
from digestbot.report.plain import one_line
from digestbot.report.style import Style
from digestbot.service.hooks.contract import SCHEMA, HookGuide, HooksReport
from digestbot.service.hooks.guide import PLACEHOLDER, guide_of

EXAMPLE = "https://digestbot.example.com"


@click.command("hooks", cls=GroupedCommand)
@config_options
@option(
    "--url",
    heading="Service",
    env="PUBLIC_URL",
    metavar="URL",
    default="",
    help=f"Where the senders reach the service: {EXAMPLE}. [default: `dashboard.url`]",
)
@option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    heading="Output",
    env="FORMAT",
    help="The report's format.",
)
@common
@click.pass_context
def command(
    context: click.Context, config: Path | None, no_config: bool, url: str, report_format: str
) -> int:
    """Show where webhooks are posted to, and what to paste where.

    Secrets are not shown, and not read: <secret> stands for them, and the name of the variable
    or file beside it says where they are.
    """
    terminal = Terminal.of(context)
    terminal.start_logging()
    loaded = load(context, config=config, no_config=no_config, keys={})
    check_trust(context, loaded)
    report = _report(loaded.settings, _checked(url) or loaded.settings.dashboard.url or "")
    style = Style(terminal.width, terminal.colorful(sys.stdout), terminal.verbosity)
    emit(FORMATS[report_format](report, style), None, color=style.color)
    return Exit.OK


def _checked(url: str) -> str:
    try:
        checked = check_http_url(url) if url else ""
    except ValueError:
        raise UsageError(f"--url is not an address such as {EXAMPLE}") from None
    if "?" in checked:
        raise UsageError(f"--url has a query; write an address such as {EXAMPLE}")
    return checked


def _report(settings: Settings, url: str) -> HooksReport:
    if not settings.hooks:
        raise UsageError(
            "the configuration names no hooks",
            hint="name a file with --config, and write in it: hooks: "
            "[{name: harbor, kind: harbor, registry: harbor.corp, secret_env: HARBOR_HOOK}]",
        )
    return HooksReport(SCHEMA, __version__, [guide_of(hook, url) for hook in settings.hooks])


def _json(report: HooksReport, _style: Style) -> str:
    return as_json(report)


def _text(report: HooksReport, style: Style) -> str:
    return "\n".join(_block(hook, style) for hook in report.hooks)


def _block(hook: HookGuide, style: Style) -> str:
    of = f"{hook.kind}, {hook.registry}" if hook.registry else hook.kind
    lines = [f"{ink(hook.name, 'cyan', style)}  ({of})"]
    lines += [f"  POST      {hook.url}", f"  {PLACEHOLDER}  {_where(hook)}"]
    lines += [f"  {number}. {step}" for number, step in enumerate(hook.steps, 1)]
    if hook.snippet:
        lines += ["", *(f"     {line}" for line in hook.snippet.splitlines())]
    return "".join(f"{line}\n" for line in lines)


def _where(hook: HookGuide) -> str:
    if hook.secret_env:
        return f"the value of {hook.secret_env}"
    return f"what is in {one_line(hook.secret_file or '')}"


FORMATS: Final[dict[str, Callable[[HooksReport, Style], str]]] = {"text": _text, "json": _json}

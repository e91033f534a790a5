"""`digestbot health`: asks a running service whether it works; a container's health check."""

from __future__ import annotations

import http.client
import json
import os
from urllib.parse import urlsplit

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.errors import UsageError
from digestbot.report.plain import one_line

LISTEN = "DIGESTBOT_LISTEN"
DEFAULT_LISTEN = "127.0.0.1:8080"
TIMEOUT_S = 5.0
_LIMIT = 64 * 1024
_OK = 200
# Where a service listens on all addresses, it is asked at the nearest one.
_NEAREST = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - nothing listens here


@click.command("health", cls=GroupedCommand)
@option(
    "--url",
    heading="Service",
    env="URL",
    metavar="URL",
    help="Where the service answers. [default: where DIGESTBOT_LISTEN says that it listens, or "
    "http://127.0.0.1:8080]",
)
@option(
    "--live",
    is_flag=True,
    heading="Service",
    env="LIVE",
    help="Ask only whether the process lives, not whether it does its work.",
)
@common
def command(url: str | None, live: bool) -> int:
    """Ask a running service whether it works.

    Exits with 0 if it is ready, with 1 if it is not, and says why, and with 5 if nobody
    answers. It is quick, as containers ask all the time.
    """
    host, port, prefix = _read_url(url or _own_url())
    where = f"http://{host}:{port}"
    try:
        status, body = _get(host, port, f"{prefix}{'/healthz' if live else '/readyz'}")
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        click.echo(one_line(f"nobody answers at {where}: {why}"))
        if not url:
            click.echo("hint: if it listens elsewhere, say where: --url http://HOST:PORT", err=True)
        return Exit.INCOMPLETE
    word, reasons = _read_answer(body)
    if status == _OK and word:
        click.echo(one_line(word))
        return Exit.OK
    if not word:
        click.echo(f"what answers at {where} is no digestbot ({status})")
        return Exit.INCOMPLETE
    click.echo(one_line(f"{word}: {reasons}" if reasons else f"{word} ({status})"))
    return Exit.FINDINGS


def _own_url() -> str:
    """Where the service of this machine, or of this container, answers."""
    host, _, port = (os.environ.get(LISTEN) or DEFAULT_LISTEN).rpartition(":")
    return f"http://{_NEAREST.get(host, host)}:{port}"


def _read_url(url: str) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme != "http" or parts.username is not None or not host.isprintable():
        raise UsageError(
            f"{one_line(url)} is no address of a service",
            hint="it looks like http://127.0.0.1:8080",
        )
    return (f"[{host}]" if ":" in host else host), port, parts.path.rstrip("/")


def _get(host: str, port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host.strip("[]"), port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_LIMIT)
    finally:
        connection.close()


def _read_answer(body: bytes) -> tuple[str, str]:
    """The word that the service has for how it is, and why; empty where it is another one."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(answer, dict) or not isinstance(answer.get("status"), str):
        return "", ""
    reasons = answer.get("reasons")
    listed = reasons if isinstance(reasons, list) else []
    messages = [str(one.get("message")) for one in listed if isinstance(one, dict)]
    return answer["status"], "; ".join(messages)

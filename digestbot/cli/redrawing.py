"""A page that is drawn again and again in the same place, until it is over or Ctrl-C."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

import click

from digestbot.cli.stopping import stopping
from digestbot.errors import UsageError

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def check_screen() -> None:
    """Do nothing, if stdout is a terminal on which a page can be drawn again.

    Raises:
        UsageError: It is not.
    """
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(
            "--watch needs a terminal", hint="without --watch it is printed once, anywhere"
        )


def redraw(draw: Callable[[], tuple[str, bool]], every_s: float) -> None:
    """Draw until it is over, or somebody asks to end: that is no error.

    Args:
        draw: Makes the page, and says whether it is the last one.
        every_s: Seconds from one to the next.
    """
    before = _REST_OF_SCREEN
    with stopping(lambda _text: None) as stop:
        while True:
            page, is_last = draw()
            lines = _fitting(page, cut=not is_last)
            text = "".join(f"{line}{_REST_OF_LINE}\n" for line in lines)
            # Nothing is wiped before the new page is there: it would flicker.
            click.echo(f"{_HOME}{before}{text}{_REST_OF_SCREEN}", nl=False, color=True)
            before = ""
            if is_last or stop.wait(every_s):
                return


def _fitting(page: str, *, cut: bool) -> list[str]:
    """The lines that the screen has room for; all of the last page, which may scroll."""
    lines = page.splitlines()
    room = shutil.get_terminal_size().lines - 1
    if not cut or len(lines) <= room:
        return lines
    kept = max(room - 1, 1)
    return [*lines[:kept], f"… {len(lines) - kept:,} more lines (without --watch all are shown)"]

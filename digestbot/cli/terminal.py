"""What commands say to people: on stderr, in colour where that is wanted."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

import click

from digestbot.errors import DigestbotError
from digestbot.report.plain import one_line

DEFAULT_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Terminal:
    """How this run talks: its verbosity, and whether each stream takes colour."""

    verbosity: int
    color: str

    @classmethod
    def of(cls, context: click.Context) -> Terminal:
        """What the user asked for with -v, -q and --color."""
        meta = context.find_root().meta
        verbosity = meta.get("digestbot.verbose", 0) - meta.get("digestbot.quiet", 0)
        return cls(verbosity, meta.get("digestbot.color", "auto"))

    def colorful(self, stream: TextIO) -> bool:
        """Whether to colour: the flag, then NO_COLOR, then FORCE_COLOR, then the terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns to fill: those of the terminal, 80 elsewhere."""
        return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar would be seen by a person."""
        return self.verbosity >= 0 and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def say(self, text: str) -> None:
        """One line for the person at the terminal; -q silences it."""
        if self.verbosity >= 0:
            click.echo(_harmless(text), err=True)

    def fail(self, error: DigestbotError) -> None:
        """What went wrong, and on its own line what to do about it."""
        color = self.colorful(sys.stderr)
        for line in str(error).splitlines():
            self._tell(_styled("error:", "red", color), line, color=color)
        if error.hint:
            self._tell(_styled("hint:", "cyan", color), error.hint, color=color)

    def _tell(self, label: str, text: str, *, color: bool) -> None:
        click.echo(f"{label} {_harmless(text)}", err=True, color=color)

    def start_logging(self) -> None:
        """Send digestbot's own log to stderr at -vv; nobody else's logger is touched."""
        if self.verbosity > 1:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
            logger = logging.getLogger("digestbot")
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)


def _harmless(text: str) -> str:
    """One line that is no command to a terminal, nor to whoever reads a job's log."""
    line = one_line(text)
    return f" {line}" if line.startswith("::") else line.replace("##[", "# #[")


def _styled(text: str, color: str, enabled: bool) -> str:
    return click.style(text, fg=color, bold=True) if enabled else text

"""The log of the commands that work on a fleet, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from digestbot.cli.terminal import Terminal
from digestbot.service.logs import start_logging, stop_logging

_EVERY_REQUEST = 2


@contextmanager
def logged(terminal: Terminal, *, has_report: bool = False) -> Iterator[bool]:
    """Log until the block ends, as -v and -q say; gives whether programs are meant to read it.

    That is where stderr is no terminal: each line is then a JSON object. Beside a report that
    comes at the end, people are told of what went wrong only.
    """
    is_json, verbosity = not sys.stderr.isatty(), terminal.verbosity
    if has_report and not is_json and verbosity < _EVERY_REQUEST:
        verbosity = min(verbosity, 0) - 1
    start_logging(json=is_json, verbosity=verbosity, stream=sys.stderr)
    try:
        yield is_json
    finally:
        stop_logging()

"""The report formats, by name: the one place where a new one is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from digestbot.report.style import Style
from digestbot.scan.result import ScanResult


class Report(Protocol):
    """A way to write down what a scan found."""

    def render(self, result: ScanResult, style: Style, /) -> str:
        """The report: whole lines, the last one ended too. Never raises, whatever was found."""


def _text() -> Report:
    from digestbot.report import text  # noqa: PLC0415 - a run writes one format, and imports one

    return text


def _json() -> Report:
    from digestbot.report import json_v1  # noqa: PLC0415 - likewise

    return json_v1


def _sarif() -> Report:
    from digestbot.report import sarif  # noqa: PLC0415 - likewise

    return sarif


def _github() -> Report:
    from digestbot.report import github  # noqa: PLC0415 - likewise

    return github


def _markdown() -> Report:
    from digestbot.report import markdown  # noqa: PLC0415 - likewise

    return markdown


REPORTS: dict[str, Callable[[], Report]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
    "markdown": _markdown,
}
"""How to get each report."""

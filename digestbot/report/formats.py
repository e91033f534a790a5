"""The report formats, by name: the one place where a new one is registered."""

from __future__ import annotations

from typing import Protocol

from digestbot.report import github, json_v1, markdown, sarif, text
from digestbot.report.style import Style
from digestbot.scan.result import ScanResult


class Report(Protocol):
    """A way to write down what a scan found."""

    def render(self, result: ScanResult, style: Style, /) -> str:
        """The report: whole lines, the last one ended too. Never raises, whatever was found."""


REPORTS: dict[str, Report] = {
    "text": text,
    "json": json_v1,
    "sarif": sarif,
    "github": github,
    "markdown": markdown,
}

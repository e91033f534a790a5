"""The status for programs: JSON by the contract `digestbot/status/v1`."""

from __future__ import annotations

from digestbot.report.json_v1 import as_json
from digestbot.report.style import Style
from digestbot.service.status_contract import StatusReport


def render(report: StatusReport, _style: Style, /) -> str:
    """The status as JSON, keys in the order of the contract, each item of a list on one line."""
    return as_json(report)

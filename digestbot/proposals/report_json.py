"""The report of an update for programs: JSON by the contract `digestbot/update/v1`."""

from __future__ import annotations

from digestbot.proposals.report_contract import UpdateReport
from digestbot.report.json_v1 import as_json
from digestbot.report.style import Style


def render(report: UpdateReport, _style: Style, /) -> str:
    """The report as JSON, keys in the order of the contract, each repo on one line."""
    return as_json(report)

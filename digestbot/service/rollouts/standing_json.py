"""How rollouts stand, for programs: JSON by `digestbot/rollout/v1` and `digestbot/rollouts/v1`."""

from __future__ import annotations

from digestbot.report.json_v1 import as_json
from digestbot.report.style import Style
from digestbot.service.rollouts.standing_contract import RolloutReport, RolloutsReport


def render(report: RolloutReport | RolloutsReport, _style: Style, /) -> str:
    """JSON, keys in the order of the contract, each item of a list on one line."""
    return as_json(report)

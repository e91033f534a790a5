"""From the configuration to what a scan needs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digestbot.config.load import read_settings
from digestbot.image import Digest
from digestbot.policy.holding import HoldRules
from digestbot.scan.setup import gate_rules

BAD = Digest.of(b"bad")


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("{}", HoldRules(settle=timedelta(hours=3)), id="by-default"),
        pytest.param(
            "hold: {settle: 10m, min_age: 5d, lost_platforms: false, same_images: false}",
            HoldRules(timedelta(minutes=10), timedelta(days=5), False, False),
            id="all-of-it",
        ),
        pytest.param(
            f"hold: {{settle: 0s}}\ndeny: ['{BAD}']", HoldRules(deny=frozenset({BAD})), id="deny"
        ),
    ],
)
def test_what_is_held_back_is_configured(text: str, expected: HoldRules) -> None:
    settings = read_settings(text.encode(), "digestbot.yaml").settings

    assert gate_rules(settings) == expected

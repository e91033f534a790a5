from __future__ import annotations

from pathlib import Path

from tests.service.rollouts.pace import PER_HOUR, PER_MINUTE, patient


def test_forge_and_ci_are_never_asked_for_more_than_they_take(tmp_path: Path) -> None:
    told = patient(150, tmp_path)

    assert told.most_within(60) <= PER_MINUTE
    assert told.most_within(3600) <= PER_HOUR
    assert told.most_pending <= 50
    assert told.asked["OpenPull"] == 150
    assert told.asked["AddLabels"] == 150

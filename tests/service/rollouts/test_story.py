"""The story of a rollout, with few repos: all that it asserts itself, and what it says."""

from __future__ import annotations

from pathlib import Path

from tests.service.rollouts.story import run


def test_a_rollout_breaks_is_mended_reaches_all_and_goes_all_the_way_back(tmp_path: Path) -> None:
    said: list[str] = []

    run(24, tmp_path, said.append)

    for sentence in (
        "wave 1 begins",
        "wave 2 begins",
        "it halts: 4 of 12 repos fail",
        "build fails in 4 repos: acme/app0011, acme/app0013, acme/app0019 and 1 more",
        "two hours later no more pull request is open than 12",
        "ann resumes it",
        "wave 3 begins",
        "people have merged what they would: 22 merged, 2 skipped",
        "each of 22 repos is offered what it had",
        "all 24 repos are back at their own digests",
    ):
        assert any(sentence in line for line in said), said

"""The service as its operators have it: a process, a registry, a forge."""

from __future__ import annotations

from pathlib import Path

from tests.service.story import story, tell


def test_a_tag_that_moved_is_held_back_then_proposed_and_then_there_is_peace(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    with story(tmp_path, 10, said.append) as told:
        told.has_time, told.settle_s = False, 3

        tell(told)

    text = "\n".join(said)
    assert "first cycle: state done, listed 10" in text
    assert "2 pull requests" in text
    assert "a cycle when nothing moved: 1 requests to GitHub, 5 HEAD and 0 other" in text
    assert '/readyz: 200 {"status":"ready"}' in text

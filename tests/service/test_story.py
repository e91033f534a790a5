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
        # On no day of the test: a cycle that comes with the minute would be counted, too.
        told.cron = "0 0 29 2 *"

        tell(told)

    text = "\n".join(said)
    assert "first cycle: state done, listed 10" in text
    assert "2 pull requests" in text
    (quiet,) = [line.partition("moved: ")[2] for line in said if "when nothing moved" in line]
    assert quiet == "1 requests to GitHub, 5 HEAD and 0 other requests to the registry"
    assert '/readyz: 200 {"status":"ready"}' in text

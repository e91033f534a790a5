"""Files with everything that BuildKit finds in them; `notation` explains how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from digestbot.files import dockerfile
from digestbot.files.occurrence import Occurrence, Pin
from tests.files.dockerfile.notation import marked, places, short

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in CASES
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def _described(found: Occurrence) -> dict[str, str]:
    described = {"at": f"{found.line}:{found.column}", "kind": found.kind}
    if found.written:
        described["written"] = short(found.written)
    if found.reference is not None:
        described["means"] = short(str(found.reference))
    if found.skip is not None:
        described["skip"] = found.skip.reason
    if found.refusal is not None:
        described["refusal"] = found.refusal.reason
    return described


@pytest.mark.parametrize("case", _cases())
def test_it_finds_what_buildkit_pulls_and_where_each_edit_lands(case: dict[str, Any]) -> None:
    file = marked(case["text"])

    found = dockerfile.read("app/Dockerfile", file.data)

    assert [_described(occurrence) for occurrence in found] == case["finds"]
    assert places(found) == file.places
    for occurrence in found:
        assert (occurrence.path, occurrence.format) == ("app/Dockerfile", "dockerfile")
        if isinstance(occurrence.place, Pin):
            assert occurrence.reference is not None
            assert occurrence.reference.digest is not None
            start, end = occurrence.place.start, occurrence.place.end
            assert file.data[start:end].decode() == occurrence.reference.digest.hex


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.values[0]["name"] for case in _cases()]

    assert len(names) == len(set(names))
    assert len(names) >= 118

"""A repo that anybody may write to costs only so much time, and only so many questions."""

from __future__ import annotations

import pytest

from digestbot.image import Digest
from digestbot.scan.bounds import Bounds
from digestbot.scan.engine import Policy, scan
from digestbot.scan.result import ScanResult
from tests.scan.test_engine import Memory, Registry, files

FEW = Bounds(references=6, images=4, registries=2)
OLD = Digest.of(b"old")


def dockerfile(*images: str) -> str:
    return "".join(f"FROM {image}@{OLD}\n" for image in images)


def scanned(*texts: str, bounds: Bounds | None = FEW) -> tuple[ScanResult, Registry]:
    registry = Registry({})
    found: list[Memory] = files(**{f"Dockerfile{n}": text for n, text in enumerate(texts)})
    return scan(found, registry, Policy(), bounds=bounds), registry


def reasons(result: ScanResult) -> list[str]:
    return [finding.reason for finding in result.findings]


def test_what_is_within_them_is_followed() -> None:
    result, registry = scanned(dockerfile("a:1", "a:2"), dockerfile("ghcr.io/b/c:1"))

    assert len(registry.asked) == 3
    assert {problem.scope for problem in result.problems} == {"registry"}


@pytest.mark.parametrize(
    "images, reason, asked",
    [
        pytest.param([f"a:{n}" for n in range(6)], "too-many-images", 4, id="images"),
        pytest.param([f"r{n}.io/a:1" for n in range(6)], "too-many-registries", 2, id="hosts"),
    ],
)
def test_what_is_beyond_them_is_said_and_not_asked(
    images: list[str], reason: str, asked: int
) -> None:
    result, registry = scanned(dockerfile(*images))

    assert len(registry.asked) == asked
    assert reasons(result).count(reason) == len(images) - asked
    assert [one.code for one in result.problems if one.scope == "file"] == [reason]


def test_the_same_image_again_needs_no_room() -> None:
    _, registry = scanned(dockerfile("a:1", "a:2", "a:3"), dockerfile("a:1", "a:2", "a:3"))

    assert len(registry.asked) == 3


def test_each_pin_of_a_tag_counts_as_each_is_compared() -> None:
    pins = "".join(f"FROM a:1@{Digest.of(bytes([n]))}\n" for n in range(6))

    result, _ = scanned(pins)

    assert reasons(result).count("too-many-images") == 2


def test_a_file_that_has_more_references_than_there_is_room_for_is_left() -> None:
    result, registry = scanned(dockerfile("a:1"), dockerfile(*["a:2"] * 9), dockerfile("a:3"))

    assert reasons(result) == ["unreachable", "too-many-references", "unreachable"]
    assert len(registry.asked) == 2
    assert "too-many-references" in {one.code for one in result.problems}


def test_without_them_all_is_followed() -> None:
    _, registry = scanned(dockerfile(*[f"r{n}.io/a:1" for n in range(9)]), bounds=None)

    assert len(registry.asked) == 9

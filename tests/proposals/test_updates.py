"""Findings become updates: one per image:tag, platform and new digest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digestbot.policy.finding import Status
from digestbot.proposals.updates import unknown_images, updates_of
from tests.proposals.builders import digest, dockerfile, full, scanned
from tests.report.builders import make_finding, make_result


def test_every_place_that_pins_an_image_is_in_its_one_update() -> None:
    files = {"Dockerfile": dockerfile("python:3", "python:3"), "b/Dockerfile": dockerfile("python")}
    files["b/Dockerfile"] = dockerfile("docker.io/library/python:3")

    (update,) = updates_of(scanned(files, {"python:3": 1}))

    assert update.key == f"{full('python:3')}@{digest(1)}"
    places = [(one.occurrence.path, one.occurrence.line) for one in update.findings]
    assert places == [("Dockerfile", 1), ("Dockerfile", 2), ("b/Dockerfile", 1)]


def test_updates_are_in_the_order_of_their_keys() -> None:
    result = scanned(
        {"Dockerfile": dockerfile("python:3", "golang:1")}, {"python:3": 1, "golang:1": 1}
    )

    keys = [update.key for update in updates_of(result)]

    assert keys == sorted(keys)
    assert len(keys) == 2


def test_a_platform_of_its_own_is_an_update_of_its_own() -> None:
    text = b"# digestbot: platform=linux/arm64\n" + dockerfile("python:3") + dockerfile("python:3")

    updates = updates_of(scanned({"Dockerfile": text}, {"python:3": 1, "python:3 linux/arm64": 2}))

    assert {(str(one.platform), one.new) for one in updates} == {
        ("None", digest(1)),
        ("linux/arm64", digest(2)),
    }


def test_pins_of_several_tags_that_get_another_one_are_one_update() -> None:
    pins = dockerfile("python:3.12", "python:3.13", "python:3.14")
    tags = {"python:3.12": 1, "python:3.13": 1, "python:3.14": 1}
    result = scanned({"Dockerfile": pins}, tags)
    findings = [replace(one, new_tag="3.14") for one in result.findings[:2]]

    (update,) = updates_of(replace(result, findings=(*findings, result.findings[2])))

    assert update.key == f"{full('python:3.14')}@{digest(1)}"
    assert update.other_tags == ("3.12", "3.13")
    assert len(update.findings) == 3


def test_a_tag_that_only_a_comment_names_is_followed() -> None:
    text = f"# digestbot: tag=3\nFROM python@{digest(0)}\n".encode()

    (update,) = updates_of(scanned({"Dockerfile": text}, {"python:3": 1}))

    assert str(update.image) == full("python:3")


@pytest.mark.parametrize("pin", [True, False])
def test_an_image_without_a_digest_is_an_update_only_if_it_is_to_be_pinned(pin: bool) -> None:
    result = scanned({"Dockerfile": b"FROM python:3\n"}, {"python:3": 1}, pin=pin)

    assert len(updates_of(result)) == int(pin)


@pytest.mark.parametrize(
    "status", [Status.CURRENT, Status.HELD, Status.SKIPPED, Status.FAILED], ids=str
)
def test_what_is_not_to_change_is_no_update(status: Status) -> None:
    assert updates_of(make_result([make_finding(status=status)])) == ()


def test_what_moved_but_cannot_be_edited_is_no_update() -> None:
    assert updates_of(make_result([make_finding(edited=False)])) == ()


def test_images_that_could_not_be_looked_up_are_unknown() -> None:
    files = {"Dockerfile": dockerfile("python:3", "golang:1")}

    assert unknown_images(scanned(files, {"python:3": 1})) == {full("golang:1")}


def test_a_file_that_could_not_be_read_names_no_image() -> None:
    assert unknown_images(make_result([make_finding(None, Status.FAILED)])) == frozenset()

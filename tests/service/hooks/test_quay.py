from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import MalformedError, Reading
from tests.service.hooks import payloads
from tests.service.hooks.senders import QUAY


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param(["3.12", "latest"], id="a-list"),
        pytest.param({"3.12": "b750fe79", "latest": "b750fe79"}, id="names-with-image-ids"),
        pytest.param(["3.12", "latest", "3.12"], id="one-twice"),
        pytest.param(["3.12", payloads.CHILD, "latest"], id="a-digest-among-them"),
    ],
)
def test_each_tag_that_moved_is_a_hint(tags: Any) -> None:
    assert QUAY.hinted(payloads.quay(tags)) == [
        "quay.io/corp/python:3.12",
        "quay.io/corp/python:latest",
    ]


def test_a_push_without_tags_is_of_no_interest() -> None:
    assert QUAY.read(payloads.quay([])) == Reading()


def test_builds_and_scans_are_of_no_interest() -> None:
    assert QUAY.read(payloads.quay_build()) == Reading()


def test_the_host_in_the_payload_is_not_believed() -> None:
    assert QUAY.hinted(payloads.quay(["3.12"], host="ghcr.io")) == ["quay.io/corp/python:3.12"]


@pytest.mark.parametrize(
    "field, value",
    [
        pytest.param("updated_tags", "3.12", id="tags-are-a-text"),
        pytest.param("updated_tags", None, id="tags-are-null"),
        pytest.param("updated_tags", [3.12], id="tags-are-numbers"),
        pytest.param("updated_tags", [["3.12"]], id="tags-are-lists"),
        pytest.param("updated_tags", ["a b"], id="no-tag"),
        pytest.param("updated_tags", ["3.12"] * 10_001, id="too-many"),
        pytest.param("repository", None, id="no-repository"),
        pytest.param("repository", "", id="empty-repository"),
    ],
)
def test_what_quay_does_not_send_is_malformed(field: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        QUAY.read(payloads.quay(["3.12"]) | {field: value})

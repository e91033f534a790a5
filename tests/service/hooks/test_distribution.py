from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import MalformedError, Reading
from tests.service.hooks.payloads import CHILD, LAYER, distribution_event
from tests.service.hooks.senders import DISTRIBUTION

_DOCKER = "application/vnd.docker.distribution.manifest"


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        f"{_DOCKER}.list.v2+json",
        f"{_DOCKER}.v2+json",
    ],
)
def test_a_manifest_with_a_tag_is_a_hint(media_type: str) -> None:
    events = {"events": [distribution_event(media_type=media_type)]}

    assert DISTRIBUTION.hinted(events) == ["registry.corp/base/python:3.12"]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(distribution_event(media_type=LAYER, tag=None), id="a-layer"),
        pytest.param(distribution_event(media_type="application/octet-stream"), id="a-blob"),
        pytest.param(distribution_event(media_type=f"{_DOCKER}.v1+json"), id="the-first-format"),
        pytest.param(distribution_event(tag=None), id="pushed-by-digest"),
        pytest.param(distribution_event(tag=""), id="an-empty-tag"),
        pytest.param(distribution_event(tag=CHILD), id="a-digest-for-a-tag"),
        pytest.param(distribution_event(action="pull"), id="a-pull"),
        pytest.param(distribution_event(action="mount"), id="a-mount"),
        pytest.param({"action": "delete", "target": {"digest": CHILD}}, id="deleted"),
    ],
)
def test_what_moves_no_tag_is_of_no_interest(event: Any) -> None:
    assert DISTRIBUTION.read({"events": [event]}).hints == ()


def test_a_batch_is_read_in_order_and_each_tag_once() -> None:
    children = [distribution_event(tag=None, name=f"child-{number}") for number in range(3)]
    layers = [distribution_event(media_type=LAYER, tag=None, name="layer")]
    first = distribution_event(name="index")
    second = distribution_event(tag="latest", name="latest")

    reading = DISTRIBUTION.read({"events": [*layers, *children, first, second, first]})

    assert [str(hint.image) for hint in reading.hints if hasattr(hint, "image")] == [
        "registry.corp/base/python:3.12",
        "registry.corp/base/python:latest",
    ]
    assert reading.id == ""


def test_a_thousand_events_are_a_thousand_hints() -> None:
    events = [distribution_event(tag=f"v{number}") for number in range(1000)]

    assert len(DISTRIBUTION.hinted({"events": events})) == 1000


def test_an_envelope_without_events_says_nothing() -> None:
    assert DISTRIBUTION.read({"events": []}) == Reading()


@pytest.mark.parametrize("name", [None, "", "a b"])
def test_an_event_without_a_name_has_none(name: Any) -> None:
    event = distribution_event() | {"id": name}

    assert DISTRIBUTION.read({"events": [event]}) == Reading(DISTRIBUTION.hints, "")


def test_the_host_that_was_pushed_to_is_not_believed() -> None:
    event = distribution_event(host="ghcr.io")

    assert DISTRIBUTION.hinted({"events": [event]}) == ["registry.corp/base/python:3.12"]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"events": None}, id="no-events"),
        pytest.param({"events": {}}, id="events-are-an-object"),
        pytest.param({"events": [[]]}, id="an-event-is-a-list"),
        pytest.param({"events": [{}]}, id="an-event-without-action"),
        pytest.param({"events": [{"action": "push"}]}, id="a-push-of-nothing"),
        pytest.param({"events": [distribution_event() | {"id": 7}]}, id="id-is-a-number"),
        pytest.param({"events": [distribution_event(repository="A/b")]}, id="upper-case"),
        pytest.param({"events": [{"action": "pull"}] * 10_001}, id="too-many"),
        pytest.param(distribution_event(), id="an-event-without-envelope"),
    ],
)
def test_what_distribution_does_not_send_is_malformed(payload: Any) -> None:
    with pytest.raises(MalformedError):
        DISTRIBUTION.read(payload)

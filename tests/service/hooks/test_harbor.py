from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import MalformedError, Reading
from tests.service.hooks import payloads
from tests.service.hooks.senders import CLOUD_EVENTS, HARBOR, SECRET, by_hmac

BINARY = {"ce_specversion": "1.0", "ce_type": "harbor.artifact.pushed", "ce_id": "0d0ad9f5"}


def test_the_auth_header_of_the_policy_is_compared_as_it_is_written() -> None:
    assert HARBOR.believes(HARBOR.deliver(authorization=SECRET))
    assert HARBOR.believes(HARBOR.deliver(authorization=f"Bearer {SECRET}"))
    assert not HARBOR.believes(HARBOR.deliver(authorization=f"Basic {SECRET}"))
    assert not HARBOR.believes(HARBOR.deliver(authorization=f"Bearer  {SECRET}"))
    assert not HARBOR.believes(HARBOR.deliver(authorization="Bearer "))


def test_a_signature_is_no_auth_header() -> None:
    delivery = HARBOR.deliver()
    signed = by_hmac("authorization")(delivery.body, SECRET).headers["authorization"]

    assert not HARBOR.believes(HARBOR.deliver(authorization=signed))


@pytest.mark.parametrize(
    "kind",
    [
        "PULL_ARTIFACT",
        "DELETE_ARTIFACT",
        "SCANNING_COMPLETED",
        "SCANNING_FAILED",
        "QUOTA_EXCEED",
        "REPLICATION",
        "TAG_RETENTION",
        "push_artifact",
        "SOMETHING_NEW",
    ],
)
def test_other_events_are_of_no_interest(kind: str) -> None:
    assert HARBOR.read({"type": kind, "occur_at": 1, "event_data": {"replication": {}}}) == (
        Reading()
    )


def test_a_tag_that_was_set_by_hand_moved_too() -> None:
    assert HARBOR.hinted(payloads.harbor("CREATE_TAG")) == ["harbor.corp/base/python:3.12"]


@pytest.mark.parametrize("digest", [payloads.INDEX, payloads.CHILD, "sha512:" + "ab" * 64])
def test_a_manifest_without_a_tag_has_its_digest_for_one_and_is_of_no_interest(
    digest: str,
) -> None:
    assert HARBOR.hinted(payloads.harbor(tag=digest)) == []


@pytest.mark.parametrize("suffix", ["", ".sig", ".att", ".sbom"])
def test_what_hangs_on_a_manifest_is_of_no_interest(suffix: str) -> None:
    tag = payloads.INDEX.replace(":", "-") + suffix

    assert HARBOR.hinted(payloads.harbor(tag=tag)) == []


def test_many_resources_are_many_hints_each_once() -> None:
    payload = payloads.harbor()
    resources = payload["event_data"]["resources"]
    resources += [{"tag": "3.13"}, {"tag": "3.12"}, {"tag": payloads.CHILD}]

    assert HARBOR.hinted(payload) == [
        "harbor.corp/base/python:3.12",
        "harbor.corp/base/python:3.13",
    ]


@pytest.mark.parametrize(
    "name",
    ["hub-proxy/library/python", "mirror/ghcr.io/corp/python", "quay.io/corp/python"],
)
def test_projects_that_mirror_another_registry_are_harbors_own(name: str) -> None:
    payload = payloads.harbor(host="ghcr.io")
    payload["event_data"]["repository"]["repo_full_name"] = name

    assert HARBOR.hinted(payload) == [f"harbor.corp/{name}:3.12"]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents+JSON",
    ],
)
def test_cloudevents_in_structured_mode(media_type: str) -> None:
    reading = CLOUD_EVENTS.read(content_type=media_type)

    assert reading == Reading(CLOUD_EVENTS.hints, CLOUD_EVENTS.id)


def test_cloudevents_in_binary_mode() -> None:
    reading = HARBOR.read(payloads.harbor_data(), **BINARY)

    assert reading == Reading(HARBOR.hints, "0d0ad9f5")


@pytest.mark.parametrize("kind", ["harbor.artifact.pulled", "harbor.scan.completed", "other"])
def test_other_cloudevents_are_of_no_interest(kind: str) -> None:
    structured = CLOUD_EVENTS.read(payloads.cloud_event(kind))
    binary = HARBOR.read(payloads.harbor_data(), **BINARY | {"ce_type": kind})

    assert structured == Reading(id=CLOUD_EVENTS.id)
    assert binary == Reading(id="0d0ad9f5")


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a\x00", "\ud800", "é"])
def test_an_id_that_is_not_fit_to_be_kept_is_none(name: str) -> None:
    payload = payloads.cloud_event() | {"id": name}

    assert CLOUD_EVENTS.read(payload) == Reading(CLOUD_EVENTS.hints, "")


def _changed(path: str, value: Any) -> Any:
    payload = payloads.harbor()
    *parents, last = path.split(".")
    inner = payload
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return payload


@pytest.mark.parametrize(
    "path, value",
    [
        pytest.param("type", 17, id="type-is-a-number"),
        pytest.param("type", None, id="type-is-null"),
        pytest.param("event_data", None, id="no-data"),
        pytest.param("event_data", [], id="data-is-a-list"),
        pytest.param("event_data.repository", "base/python", id="repository-is-a-text"),
        pytest.param("event_data.repository.repo_full_name", ["base"], id="name-is-a-list"),
        pytest.param("event_data.repository.repo_full_name", "", id="name-is-empty"),
        pytest.param("event_data.resources", {}, id="resources-are-an-object"),
        pytest.param("event_data.resources", ["3.12"], id="resources-are-texts"),
        pytest.param("event_data.resources", [{"tag": 3.12}], id="tag-is-a-number"),
        pytest.param("event_data.resources", [{"tag": "3.12"}] * 10_001, id="too-many"),
    ],
)
def test_what_harbor_does_not_send_is_malformed(path: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        HARBOR.read(_changed(path, value))


def test_a_cloudevent_without_its_data_is_malformed() -> None:
    with pytest.raises(MalformedError, match="data is not an object"):
        CLOUD_EVENTS.read(payloads.cloud_event() | {"data": None})

from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import MalformedError, Reading
from tests.service.hooks import payloads
from tests.service.hooks.senders import GHCR


@pytest.mark.parametrize("event", ["registry_package", "package"])
@pytest.mark.parametrize("action", ["published", "updated"])
@pytest.mark.parametrize("kind", ["CONTAINER", "container"])
def test_a_tag_is_named_in_lower_case(event: str, action: str, kind: str) -> None:
    payload = payloads.ghcr(action, event=event, kind=kind)

    reading = GHCR.read(payload, x_github_event=event)

    assert reading == Reading(GHCR.hints, GHCR.id)


def test_without_an_owner_its_namespace_is_the_owner() -> None:
    payload = payloads.ghcr()
    payload["registry_package"]["owner"] = None

    assert GHCR.read(payload).hints == GHCR.hints


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"package_version": None}, id="no-version"),
        pytest.param({"package_version": {}}, id="no-metadata"),
        pytest.param({"package_version": {"container_metadata": None}}, id="metadata-is-null"),
        pytest.param({"package_version": {"container_metadata": {"tag": {}}}}, id="tag-is-empty"),
        pytest.param({"package_type": "npm"}, id="of-npm"),
        pytest.param({"package_type": "docker"}, id="of-the-registry-before"),
    ],
)
def test_what_moves_no_tag_is_of_no_interest(change: Any) -> None:
    payload = payloads.ghcr()
    payload["registry_package"] |= change

    assert GHCR.read(payload) == Reading(id=GHCR.id)


@pytest.mark.parametrize("tag", ["", payloads.CHILD])
def test_a_child_of_an_index_has_no_tag_and_is_of_no_interest(tag: str) -> None:
    assert GHCR.read(payloads.ghcr(tag=tag)) == Reading(id=GHCR.id)


def test_other_actions_are_of_no_interest() -> None:
    assert GHCR.read(payloads.ghcr("deleted")) == Reading(id=GHCR.id)


@pytest.mark.parametrize("event", ["ping", "push", "workflow_run", "", "PACKAGE"])
def test_other_events_are_not_even_read(event: str) -> None:
    assert GHCR.read(b"not JSON", x_github_event=event) == Reading(id=GHCR.id)


def test_the_address_of_the_package_is_not_believed() -> None:
    payload = payloads.ghcr(url="evil.example/corp/base/python:3.12")

    assert GHCR.read(payload).hints == GHCR.hints


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"name": None}, id="no-name"),
        pytest.param({"name": "a b"}, id="a-name-with-a-space"),
        pytest.param({"owner": "Corp"}, id="owner-is-a-text"),
        pytest.param({"owner": None, "namespace": None}, id="nobodys"),
        pytest.param({"package_type": None}, id="no-type"),
        pytest.param({"package_version": "3.12"}, id="version-is-a-text"),
        pytest.param({"package_version": {"container_metadata": []}}, id="metadata-is-a-list"),
        pytest.param(
            {"package_version": {"container_metadata": {"tag": {"name": 3}}}}, id="tag-is-a-number"
        ),
    ],
)
def test_what_github_does_not_send_is_malformed(change: Any) -> None:
    payload = payloads.ghcr()
    payload["registry_package"] |= change

    with pytest.raises(MalformedError):
        GHCR.read(payload)


def test_the_event_of_the_header_must_be_in_the_body() -> None:
    with pytest.raises(MalformedError, match="package is not an object"):
        GHCR.read(payloads.ghcr(), x_github_event="package")

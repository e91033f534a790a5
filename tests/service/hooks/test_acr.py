from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import MalformedError, Reading
from tests.service.hooks import payloads
from tests.service.hooks.senders import ACR


@pytest.mark.parametrize("action", ["delete", "quarantine", "chart_push", "chart_delete", "PUSH"])
def test_other_actions_are_of_no_interest(action: str) -> None:
    assert ACR.read(payloads.acr(action)) == Reading(id=ACR.id)


def test_a_ping_says_nothing() -> None:
    assert ACR.read(payloads.acr_ping()).hints == ()


@pytest.mark.parametrize("tag", [None, "", payloads.CHILD])
def test_a_push_without_a_tag_is_of_no_interest(tag: Any) -> None:
    assert ACR.read(payloads.acr(tag=tag)) == Reading(id=ACR.id)


def test_the_host_that_was_pushed_to_is_not_believed() -> None:
    payload = payloads.acr(host="other.azurecr.io")

    assert ACR.hinted(payload) == ["corp.azurecr.io/base/python:3.12"]


@pytest.mark.parametrize(
    "field, value",
    [
        pytest.param("action", None, id="no-action"),
        pytest.param("action", ["push"], id="action-is-a-list"),
        pytest.param("id", 17, id="id-is-a-number"),
        pytest.param("target", None, id="no-target"),
        pytest.param("target", "base/python:3.12", id="target-is-a-text"),
        pytest.param("target", {"tag": "3.12"}, id="no-repository"),
        pytest.param("target", {"repository": "base/python", "tag": 3}, id="tag-is-a-number"),
    ],
)
def test_what_azure_does_not_send_is_malformed(field: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        ACR.read(payloads.acr() | {field: value})

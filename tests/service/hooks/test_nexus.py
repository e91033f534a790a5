from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import Delivery, MalformedError, Reading
from tests.service.hooks import payloads
from tests.service.hooks.senders import NEXUS, SECRET, by_authorization, by_hmac

_HEADER = "x-nexus-webhook-signature"
_BOTH = ["nexus.corp:8083/base/python:3.12", "nexus.corp:8083/docker-hosted/base/python:3.12"]


@pytest.mark.parametrize(
    "prove",
    [
        pytest.param(by_hmac(_HEADER, "sha256"), id="sha256"),
        pytest.param(by_hmac(_HEADER, "sha1", "sha1="), id="with-a-prefix"),
        pytest.param(by_hmac("x-hub-signature", "sha1"), id="another-header"),
        pytest.param(by_authorization, id="the-secret-itself"),
    ],
)
def test_other_proofs_are_not_believed(prove: Any) -> None:
    body = NEXUS.deliver().body

    assert not NEXUS.believes(Delivery(prove(body, SECRET).headers, body))


def test_the_signature_is_over_the_bytes_as_they_came() -> None:
    signed = NEXUS.deliver()

    assert not NEXUS.believes(Delivery(signed.headers, signed.body.replace(b" ", b"")))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(payloads.nexus(), id="a-component-that-came"),
        pytest.param(payloads.nexus(action="UPDATED"), id="a-component-that-changed"),
        pytest.param(payloads.nexus_asset("v2/base/python/manifests/3.12"), id="an-asset"),
        pytest.param(payloads.nexus_asset("/v2/base/python/manifests/3.12"), id="with-a-slash"),
    ],
)
def test_a_tag_is_named_in_each_way_that_it_may_be_pulled(payload: Any) -> None:
    assert NEXUS.hinted(payload) == _BOTH


def test_a_repository_whose_name_no_image_can_have_leaves_the_other_name() -> None:
    assert NEXUS.hinted(payloads.nexus(place="DockerHosted")) == _BOTH[:1]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(payloads.nexus(action="DELETED"), id="deleted"),
        pytest.param(payloads.nexus(action="PURGED"), id="purged"),
        pytest.param(payloads.nexus_asset("v2/-/blobs/" + payloads.INDEX), id="a-blob"),
        pytest.param(payloads.nexus_asset("v2/a/manifests/" + payloads.CHILD), id="a-child"),
        pytest.param(payloads.nexus_asset("concrete", "npm"), id="an-asset-of-npm"),
        pytest.param(
            payloads.nexus(fields={"format": "maven2", "group": "org", "name": "a"}), id="of-maven"
        ),
        pytest.param(
            payloads.nexus(fields={"format": "docker", "name": "a", "version": None}), id="no-tag"
        ),
    ],
)
def test_what_moves_no_tag_is_of_no_interest(payload: Any) -> None:
    assert NEXUS.read(payload) == Reading(id=NEXUS.id)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"audit": {"domain": "security.user"}}, id="an-audit"),
        pytest.param(payloads.nexus() | {"action": None}, id="no-action"),
        pytest.param(payloads.nexus() | {"repositoryName": 1}, id="repository-is-a-number"),
        pytest.param(payloads.nexus(fields="base/python"), id="component-is-a-text"),
        pytest.param(payloads.nexus(fields={"name": "a"}), id="no-format"),
        pytest.param(payloads.nexus(fields={"format": "docker", "version": "1"}), id="no-name"),
        pytest.param(payloads.nexus_asset("v2/A/manifests/B"), id="upper-case"),
    ],
)
def test_what_nexus_does_not_send_is_malformed(payload: Any) -> None:
    with pytest.raises(MalformedError):
        NEXUS.read(payload)

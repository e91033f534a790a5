from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import Delivery, MalformedError, Reading
from tests.service.hooks import payloads
from tests.service.hooks.senders import JFROG, SECRET, by_hmac


def test_the_secret_itself_is_believed_as_a_signature_is() -> None:
    told = Delivery({"x-jfrog-event-auth": SECRET}, JFROG.deliver().body)

    assert JFROG.believes(told)
    assert JFROG.believes(JFROG.deliver())


@pytest.mark.parametrize(
    "prove",
    [
        pytest.param(by_hmac("x-jfrog-event-auth", "sha1"), id="sha1"),
        pytest.param(by_hmac("x-jfrog-event-auth", "sha512"), id="sha512"),
        pytest.param(by_hmac("x-jfrog-event-auth", prefix="sha256="), id="with-a-prefix"),
        pytest.param(by_hmac("authorization"), id="another-header"),
    ],
)
def test_other_signatures_are_not_believed(prove: Any) -> None:
    body = JFROG.deliver().body

    assert not JFROG.believes(Delivery(prove(body, SECRET).headers, body))


def test_a_signature_of_another_body_is_not_believed() -> None:
    signed = JFROG.deliver()

    assert not JFROG.believes(Delivery(signed.headers, signed.body + b" "))


@pytest.mark.parametrize("event", ["pushed", "promoted"])
def test_a_tag_is_named_in_each_way_that_it_may_be_pulled(event: str) -> None:
    assert JFROG.hinted(payloads.jfrog(event)) == [
        "corp.jfrog.io/docker-local/base/python:3.12",
        "corp.jfrog.io/base/python:3.12",
    ]


def test_what_a_remote_repository_keeps_is_named_as_it_is_pulled() -> None:
    payload = payloads.jfrog(place="docker-remote-cache", image="library/ubuntu")

    assert JFROG.hinted(payload)[0] == "corp.jfrog.io/docker-remote/library/ubuntu:3.12"


def test_a_repository_whose_name_no_image_can_have_leaves_the_other_names() -> None:
    assert JFROG.hinted(payloads.jfrog(place="Docker-Local")) == ["corp.jfrog.io/base/python:3.12"]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(payloads.jfrog("deleted"), id="deleted"),
        pytest.param(payloads.jfrog(domain="artifact"), id="an-artifact"),
        pytest.param(payloads.jfrog(tag=payloads.CHILD), id="a-child-by-digest"),
        pytest.param(payloads.jfrog(tag="sha256__" + "c4" * 32), id="a-child-as-a-folder"),
        pytest.param({"domain": "build", "event_type": "uploaded", "data": {}}, id="a-build"),
    ],
)
def test_what_moves_no_tag_is_of_no_interest(payload: Any) -> None:
    assert JFROG.read(payload) == Reading()


def test_the_origin_in_the_payload_is_not_believed() -> None:
    payload = payloads.jfrog(origin="https://evil.example")

    assert JFROG.read(payload).hints == JFROG.hints


@pytest.mark.parametrize(
    "field, value",
    [
        pytest.param("domain", None, id="no-domain"),
        pytest.param("event_type", 1, id="event-is-a-number"),
        pytest.param("data", None, id="no-data"),
        pytest.param("data", [{}], id="data-is-a-list"),
        pytest.param("data", {"image_name": "a", "tag": "b"}, id="no-repository"),
        pytest.param(
            "data", {"repo_key": "a", "image_name": "B", "tag": "c"}, id="no-name-of-an-image"
        ),
    ],
)
def test_what_artifactory_does_not_send_is_malformed(field: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        JFROG.read(payloads.jfrog() | {field: value})

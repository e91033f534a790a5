from __future__ import annotations

from typing import Any

import pytest

from digestbot.service.hooks.delivery import Delivery, MalformedError
from tests.service.hooks import payloads
from tests.service.hooks.senders import DOCKERHUB, QUAY, SECRET


@pytest.mark.parametrize("sender", [DOCKERHUB, QUAY], ids=["dockerhub", "quay"])
def test_only_the_path_tells_who_sends(sender: Any) -> None:
    body = sender.deliver().body

    assert sender.believes(Delivery({}, body, SECRET))
    assert not sender.believes(Delivery({"authorization": SECRET}, body))
    assert not sender.believes(Delivery({}, body, f"{SECRET}/"))
    assert not sender.believes(Delivery({}, body, f"/{SECRET}"))


def test_a_secret_that_is_not_ascii_is_believed_in_the_path() -> None:
    assert DOCKERHUB.believes(DOCKERHUB.deliver(secret="schlüssel"), "schlüssel")


@pytest.mark.parametrize(
    "name, image",
    [
        pytest.param("corp/python", "docker.io/corp/python:3.12", id="of-an-organisation"),
        pytest.param("library/python", "docker.io/library/python:3.12", id="official"),
        pytest.param("python", "docker.io/library/python:3.12", id="official-and-short"),
        pytest.param("ghcr.io/corp/python", "docker.io/ghcr.io/corp/python:3.12", id="elsewhere"),
    ],
)
def test_names_are_those_of_docker_hub(name: str, image: str) -> None:
    assert DOCKERHUB.hinted(payloads.dockerhub(name=name)) == [image]


def test_where_it_wants_to_be_called_back_changes_nothing() -> None:
    payload = payloads.dockerhub()
    expected = DOCKERHUB.read(payload)

    for address in ("http://169.254.169.254/", "https://evil.example/", "", None, 17):
        payload["callback_url"] = address
        assert DOCKERHUB.read(payload) == expected
    del payload["callback_url"]
    assert DOCKERHUB.read(payload) == expected


@pytest.mark.parametrize(
    "part, value",
    [
        pytest.param("push_data", None, id="no-push"),
        pytest.param("push_data", {"pushed_at": 1}, id="no-tag"),
        pytest.param("push_data", {"tag": None}, id="tag-is-null"),
        pytest.param("push_data", {"tag": "a/b"}, id="tag-with-a-slash"),
        pytest.param("push_data", {"tag": "x" * 129}, id="tag-is-too-long"),
        pytest.param("repository", None, id="no-repository"),
        pytest.param("repository", {"name": "python"}, id="no-full-name"),
        pytest.param("repository", {"repo_name": "Corp/Python"}, id="upper-case"),
    ],
)
def test_what_docker_hub_does_not_send_is_malformed(part: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        DOCKERHUB.read(payloads.dockerhub() | {part: value})

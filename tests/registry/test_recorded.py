from __future__ import annotations

import json

import pytest

from digestbot.errors import UsageError
from digestbot.image import Digest
from digestbot.registry.errors import RegistryError
from digestbot.registry.recorded import RecordedResolver, read_answers, write_answers
from digestbot.registry.resolution import Resolution
from tests.registry.asking import make_query

DIGEST = Digest.of(b"one")
OTHER = Digest.of(b"other")


def test_answers_come_from_the_record() -> None:
    text = json.dumps(
        {
            "docker.io/library/python:3.12": str(DIGEST),
            "docker.io/library/python:3.12 linux/arm64": str(OTHER),
        }
    )
    resolver = RecordedResolver(read_answers(text))

    plain = resolver.resolve(make_query("python:3.12"))
    arm = resolver.resolve(make_query("python:3.12", "linux/arm64/v8"))

    assert (plain.digest, arm.digest) == (DIGEST, OTHER)
    assert plain.answered_by == "record"


def test_short_names_are_understood() -> None:
    assert read_answers(json.dumps({"python": str(DIGEST)})) == {
        "docker.io/library/python:latest": DIGEST
    }


@pytest.mark.parametrize("name, platform", [("node:1", ""), ("python:3", "linux/amd64")])
def test_image_that_is_not_in_the_record_is_an_error(name: str, platform: str) -> None:
    resolver = RecordedResolver({"docker.io/library/python:3": DIGEST})

    with pytest.raises(RegistryError) as caught:
        resolver.resolve(make_query(name, platform))

    assert caught.value.code == "not-recorded"
    assert caught.value.host == "docker.io"


def test_what_is_written_can_be_read() -> None:
    queries = [make_query("python:3"), make_query("python:3", "linux/arm/v7")]
    text = write_answers(Resolution(query, DIGEST) for query in queries)

    assert json.loads(text) == {
        "docker.io/library/python:3": str(DIGEST),
        "docker.io/library/python:3 linux/arm/v7": str(DIGEST),
    }
    resolver = RecordedResolver(read_answers(text))
    assert [resolver.resolve(query).digest for query in queries] == [DIGEST, DIGEST]


@pytest.mark.parametrize(
    "text, said",
    [
        pytest.param("", "not JSON", id="empty"),
        pytest.param("{", "not JSON", id="half"),
        pytest.param("[]", "not a JSON object", id="list"),
        pytest.param("[" * 100_000, "nested too deep", id="deep"),
        pytest.param('{"Python": "x"}', "'Python'", id="bad-name"),
        pytest.param(f'{{"python@{DIGEST}": "{DIGEST}"}}', "without a digest", id="with-digest"),
        pytest.param('{"python:3": "sha256:abc"}', "'python:3'", id="bad-digest"),
        pytest.param('{"python:3": 5}', "must be text", id="number"),
        pytest.param('{"python:3": null}', "must be text", id="null"),
        pytest.param(f'{{"python:3 linux": "{DIGEST}"}}', "not a platform", id="bad-platform"),
    ],
)
def test_broken_record_is_an_error_that_names_the_place(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_answers(text)

    assert said in str(caught.value)
    assert caught.value.hint

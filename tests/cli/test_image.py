"""`digestbot image`: what a registry says of one reference."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.program import digestbot
from tests.registries.fake import FakeRegistry
from tests.registries.samples import CREATED, OCI_INDEX, make_image, make_index


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        yield server


def test_an_index_is_shown_with_its_platforms_and_what_it_took(fake: FakeRegistry) -> None:
    digest = fake.local.add("team/app", "1", make_index("x", "linux/amd64", "linux/arm64"))

    outcome = digestbot("image", f"{fake.host}/team/app:1")

    assert outcome.code == 0
    lines = dict(line.strip().split("  ", 1) for line in outcome.stdout.splitlines()[1:])
    shown = {key: value.strip() for key, value in lines.items()}
    assert outcome.stdout.splitlines()[0] == f"{fake.host}/team/app:1"
    assert shown["digest"] == str(digest)
    assert shown["type"] == OCI_INDEX
    assert shown["platforms"] == "linux/amd64, linux/arm64"
    assert shown["created"] == CREATED
    assert shown["label"] == "build=x"
    assert shown["answered by"] == f"{fake.host} ({len(fake.local.calls)} GET)"


def test_json_is_one_document_per_line(fake: FakeRegistry) -> None:
    one = fake.local.add("team/app", "1", make_image("x", labels={"k": "v"}))
    two = fake.local.add("team/app", "2")

    outcome = digestbot(
        "image", "--format", "json", f"{fake.host}/team/app:1", f"{fake.host}/team/app:2"
    )

    documents = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [document["digest"] for document in documents] == [str(one), str(two)]
    assert documents[0] == {
        "schema": "digestbot/image/v1",
        "reference": f"{fake.host}/team/app:1",
        "image": f"{fake.host}/team/app",
        "tag": "1",
        "digest": str(one),
        "media_type": "application/vnd.oci.image.manifest.v1+json",
        "platforms": ["linux/amd64"],
        "described_platform": "linux/amd64",
        "created": CREATED,
        "labels": {"build": "x", "k": "v"},
        "annotations": {},
        "answered_by": fake.host,
        "requests": 2,
        "quota": None,
        "warnings": [],
    }


def test_a_reference_by_digest_is_looked_at_too(fake: FakeRegistry) -> None:
    digest = fake.local.add("team/app", "1")

    outcome = digestbot("image", f"{fake.host}/team/app@{digest}")

    assert str(digest) in outcome.stdout


def test_one_that_fails_does_not_hide_the_others(fake: FakeRegistry) -> None:
    digest = fake.local.add("team/app", "1")

    outcome = digestbot("image", f"{fake.host}/no/such:1", f"{fake.host}/team/app:1")

    assert outcome.code == 5
    assert str(digest) in outcome.stdout
    assert outcome.stderr.startswith(f"error: {fake.host}/no/such:1: ")


def test_what_is_no_reference_is_a_usage_error() -> None:
    outcome = digestbot("image", "Python:3")

    assert outcome.code == 2
    assert "must be lowercase" in outcome.stderr


def test_hostile_labels_stay_on_their_line(fake: FakeRegistry) -> None:
    labels = {"a": "x\x1b[2J\ny", "\u202eb": "z"}
    fake.local.add("team/app", "1", make_image("x", labels=labels))

    outcome = digestbot("image", f"{fake.host}/team/app:1")

    assert outcome.stdout.replace("\n", "").isprintable()
    assert len([line for line in outcome.stdout.splitlines() if " label " in line]) == 3

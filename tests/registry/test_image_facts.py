from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.image import Digest, ImageReference
from digestbot.registry.errors import RegistryError
from digestbot.registry.image_facts import ImageFacts, read_image
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import RegistrySettings
from tests.registries.fake import Answer, FakeRegistry
from tests.registries.real import open_registry
from tests.registries.samples import (
    CREATED,
    OCI_MANIFEST,
    make_attestation,
    make_image,
    make_index,
)
from tests.registries.tokens import TokenAuth


def facts_of(name: str, settings: RegistrySettings | None = None) -> ImageFacts:
    with RegistryResolver(settings) as resolver:
        return read_image(resolver, ImageReference.parse(name))


def test_index_is_described_by_its_usual_image(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        index = make_index(7, "linux/arm64", "linux/amd64", annotations={"a": "b"})
        registry.push("team/app", "1", index)
        registry.start_log()

        facts = facts_of(f"{registry.host}/team/app:1")

        assert len(registry.calls()) == facts.requests.total == 3

    assert facts.digest == index.digest
    assert [str(platform) for platform in facts.platforms] == ["linux/arm64", "linux/amd64"]
    assert str(facts.described.platform) == "linux/amd64"
    assert facts.described.created == CREATED
    assert facts.described.labels == {"build": "7"}
    assert facts.described.annotations == {"a": "b"}


def test_single_image_takes_two_requests(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        image = make_image(3, "linux/arm/v7")
        registry.push("team/app", "1", image)

        facts = facts_of(f"{registry.host}/team/app:1")

    assert (facts.digest, facts.media_type) == (image.digest, OCI_MANIFEST)
    assert [str(platform) for platform in facts.platforms] == ["linux/arm/v7"]
    assert facts.requests.total == 2


def test_index_of_docker_tells_all_in_one_request(fake: FakeRegistry) -> None:
    image = make_image()
    entry: dict[str, object] = {
        "mediaType": OCI_MANIFEST,
        "digest": str(image.digest),
        "size": 1,
        "platform": {"os": "linux", "architecture": "riscv64"},
        "annotations": {
            "org.opencontainers.image.created": "2026-01-02T00:00:00Z",
            "org.opencontainers.image.revision": "abc",
        },
    }
    index = make_index(1, "linux/s390x", extra=(entry, make_attestation(image)))
    fake.local.add("app", "1", index)

    facts = facts_of(f"{fake.host}/app:1")

    assert [str(platform) for platform in facts.platforms] == ["linux/s390x", "linux/riscv64"]
    assert facts.requests.gets == 3
    only = make_index(1, "linux/amd64")
    assert only.digest != facts.digest


def test_created_in_the_index_saves_two_requests(fake: FakeRegistry) -> None:
    annotations = {"org.opencontainers.image.created": "2026-01-02T00:00:00Z"}
    fake.local.add("app", "1", make_index(1, "linux/amd64", annotations=annotations))

    facts = facts_of(f"{fake.host}/app:1")

    assert facts.described.created == "2026-01-02T00:00:00Z"
    assert facts.requests.total == 1


def test_digest_alone_is_asked_for_as_it_is(fake: FakeRegistry) -> None:
    digest = fake.local.add("app", "1")

    facts = facts_of(f"{fake.host}/app@{digest}")

    assert facts.digest == digest
    assert fake.local.calls[0].reference == str(digest)


def test_tag_beside_a_digest_says_what_the_tag_is_now(fake: FakeRegistry) -> None:
    old = Digest.of(b"old")
    digest = fake.local.add("app", "1")

    assert facts_of(f"{fake.host}/app:1@{old}").digest == digest


def test_mirror_answers_and_is_named(fake: FakeRegistry) -> None:
    digest = fake.local.add("library/python", "3")
    settings = RegistrySettings(mirrors={"docker.io/": f"{fake.host}/"})

    facts = facts_of("python:3", settings)

    assert (facts.digest, facts.answered_by) == (digest, fake.host)


def test_quota_and_warnings_are_kept(fake: FakeRegistry) -> None:
    auth = TokenAuth(fake.local, fake.local)
    auth.site.headers = (
        ("ratelimit-limit", "100;w=21600"),
        ("ratelimit-remaining", "99;w=21600"),
        ("Warning", '299 - "use the other host"'),
    )
    fake.local.add("app", "1", make_image())

    facts = facts_of(f"{fake.host}/app:1")

    assert facts.quota
    assert facts.quota.remaining == 99
    assert facts.warnings == ("use the other host",)
    assert (facts.requests.gets, facts.requests.tokens) == (3, 1)


def test_empty_index_has_no_platforms(fake: FakeRegistry) -> None:
    body = b'{"schemaVersion": 2, "manifests": []}'
    headers = (("Content-Type", "application/vnd.oci.image.index.v1+json"),)
    fake.local.always(Answer(200, headers, body))

    facts = facts_of(f"{fake.host}/app:1")

    assert facts.platforms == ()
    assert facts.described.platform is None


def test_error_names_the_image_as_asked(fake: FakeRegistry) -> None:
    with pytest.raises(RegistryError) as caught:
        facts_of(f"{fake.host}/app:1")

    assert str(caught.value).startswith(f"{fake.host}/app:1: ")
    assert caught.value.code == "not-found"

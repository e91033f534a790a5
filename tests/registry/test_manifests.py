from __future__ import annotations

import json
from typing import Any

import pytest

from digestbot.image import Digest, Platform
from digestbot.registry.errors import RegistryError
from digestbot.registry.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MAX_CHILDREN,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    read_manifest,
    select_platform,
)
from tests.registries.samples import make_attestation, make_image, make_index

HOST = "r.example"
DIGEST = f"sha256:{'a' * 64}"


def make_descriptor(n: int, platform: Platform | None) -> Descriptor:
    return Descriptor(Digest.of(str(n).encode()), OCI_MANIFEST, platform=platform)


class TestReading:
    @pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
    def test_index_is_read(self, media_type: str) -> None:
        sample = make_index(1, "linux/amd64", "linux/arm/v7", media_type=media_type)

        manifest = read_manifest(sample.body, media_type, HOST)

        assert manifest.is_index
        assert manifest.digest == sample.digest
        assert [str(child.platform) for child in manifest.children] == [
            "linux/amd64",
            "linux/arm/v7",
        ]

    def test_image_is_read(self) -> None:
        sample = make_image()

        manifest = read_manifest(sample.body, OCI_MANIFEST, HOST)

        assert not manifest.is_index
        assert manifest.config
        assert manifest.config.digest == Digest.of(sample.blobs[0])

    @pytest.mark.parametrize(
        "content_type", ["", "application/json", "text/plain", "application/octet-stream"]
    )
    def test_own_media_type_counts_where_the_header_says_nothing(self, content_type: str) -> None:
        assert read_manifest(make_index().body, content_type, HOST).media_type == OCI_INDEX

    @pytest.mark.parametrize(
        "data, media_type",
        [
            ({"schemaVersion": 2, "manifests": []}, OCI_INDEX),
            ({"schemaVersion": 2, "config": {"digest": DIGEST}}, OCI_MANIFEST),
        ],
        ids=["index", "image"],
    )
    def test_shape_counts_where_nothing_is_said(self, data: Any, media_type: str) -> None:
        assert read_manifest(json.dumps(data).encode(), "", HOST).media_type == media_type

    @pytest.mark.parametrize(
        "body, content_type, code",
        [
            pytest.param(b"<html>", OCI_INDEX, "bad-manifest", id="html"),
            pytest.param(b"", OCI_INDEX, "bad-manifest", id="empty"),
            pytest.param(b"[]", OCI_INDEX, "bad-manifest", id="list"),
            pytest.param(b"{}", OCI_INDEX, "bad-manifest", id="no-manifests"),
            pytest.param(b"{}", OCI_MANIFEST, "bad-manifest", id="no-config"),
            pytest.param(b"{}", "", "bad-manifest", id="nothing-at-all"),
            pytest.param(b'{"manifests": [5]}', OCI_INDEX, "bad-manifest", id="entry"),
            pytest.param(b'{"manifests": [{}]}', OCI_INDEX, "bad-manifest", id="no-digest"),
            pytest.param(b'{"config": {"digest": "md5:x"}}', "", "bad-manifest", id="bad-digest"),
            pytest.param(b"[" * 100_000, OCI_INDEX, "bad-manifest", id="deep"),
            pytest.param(b'{"a":' * 50_000, OCI_INDEX, "bad-manifest", id="deep-objects"),
            pytest.param(b"\xff\xfe", OCI_INDEX, "bad-manifest", id="not-utf8"),
            pytest.param(
                f'{{"mediaType": "{DOCKER_LIST}", "manifests": []}}'.encode(),
                OCI_INDEX,
                "bad-manifest",
                id="contradiction",
            ),
            pytest.param(
                b'{"mediaType": "application/vnd.cncf.helm.chart.v1+json"}',
                "",
                "bad-manifest",
                id="no-image",
            ),
            pytest.param(
                json.dumps({"manifests": [{"digest": DIGEST}] * (MAX_CHILDREN + 1)}).encode(),
                OCI_INDEX,
                "bad-manifest",
                id="too-many",
            ),
            pytest.param(b'{"schemaVersion": 1, "fsLayers": []}', "", "schema1", id="schema1"),
            pytest.param(
                b"{}",
                "application/vnd.docker.distribution.manifest.v1+prettyjws",
                "schema1",
                id="header-alone-says-schema1",
            ),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, body: bytes, content_type: str, code: str
    ) -> None:
        with pytest.raises(RegistryError) as caught:
            read_manifest(body, content_type, HOST)

        assert caught.value.code == code
        assert caught.value.host == HOST

    def test_attestations_are_no_images(self) -> None:
        image = make_image()
        sample = make_index(1, "linux/amd64", extra=(make_attestation(image),))

        manifest = read_manifest(sample.body, OCI_INDEX, HOST)

        assert len(manifest.children) == 2
        assert [str(image.platform) for image in manifest.images] == ["linux/amd64"]

    def test_odd_annotations_are_left_out(self) -> None:
        data = {"manifests": [], "annotations": {"a": "b", "c": 5, "d": None}}

        manifest = read_manifest(json.dumps(data).encode(), OCI_INDEX, HOST)

        assert manifest.annotations == {"a": "b"}


class TestPlatforms:
    @pytest.mark.parametrize(
        "wanted, index",
        [
            ("linux/amd64", 0),
            ("linux/x86_64", 0),
            ("linux/arm64", 1),
            ("linux/arm64/v8", 1),
            ("linux/aarch64", 1),
            ("linux/arm", 2),
            ("linux/arm/v7", 2),
            ("linux/armhf", 2),
            ("linux/arm/v6", 3),
            ("windows/amd64", 4),
        ],
    )
    def test_one_child_matches_in_any_spelling(self, wanted: str, index: int) -> None:
        children = [
            make_descriptor(0, Platform.normalized("linux", "amd64")),
            make_descriptor(1, Platform.normalized("linux", "arm64", "v8")),
            make_descriptor(2, Platform.normalized("linux", "arm", "v7")),
            make_descriptor(3, Platform.normalized("linux", "arm", "v6")),
            make_descriptor(4, Platform.normalized("windows", "amd64", "", "10.0.20348.1")),
            make_descriptor(5, None),
        ]

        assert select_platform(children, Platform.parse(wanted), HOST) is children[index]

    def test_missing_platform_is_an_error_that_says_what_there_is(self) -> None:
        children = [make_descriptor(0, Platform("linux", "amd64"))]

        with pytest.raises(RegistryError) as caught:
            select_platform(children, Platform("linux", "s390x"), HOST)

        assert caught.value.code == "platform-missing"
        assert "no image for linux/s390x" in str(caught.value)
        assert "linux/amd64" in caught.value.hint

    def test_two_builds_of_windows_are_not_one(self) -> None:
        builds = ["10.0.17763.1", "10.0.20348.1"]
        children = [
            make_descriptor(n, Platform("windows", "amd64", "", build))
            for n, build in enumerate(builds)
        ]

        with pytest.raises(RegistryError) as caught:
            select_platform(children, Platform("windows", "amd64"), HOST)
        found = select_platform(children, Platform("windows", "amd64", "", builds[1]), HOST)

        assert "2 images for windows/amd64" in str(caught.value)
        assert found is children[1]

    def test_same_child_twice_is_one(self) -> None:
        child = make_descriptor(0, Platform("linux", "amd64"))

        assert select_platform([child, child], Platform("linux", "amd64"), HOST) == child


def test_docker_manifest_is_an_image() -> None:
    body = json.dumps({"mediaType": DOCKER_MANIFEST, "config": {"digest": DIGEST}}).encode()

    assert read_manifest(body, DOCKER_MANIFEST, HOST).media_type == DOCKER_MANIFEST

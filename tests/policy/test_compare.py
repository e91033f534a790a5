"""What a new manifest lost, or did not change, beside the pinned one."""

from __future__ import annotations

import pytest

from digestbot.policy.holding import Hold, HoldRules, compare
from digestbot.policy.reasons import REASONS
from digestbot.registry.manifests import Manifest, read_manifest
from tests.registries.samples import (
    DOCKER_LIST,
    Sample,
    make_attestation,
    make_image,
    make_index,
)

BOTH = ("linux/amd64", "linux/arm64")


def read(sample: Sample) -> Manifest:
    return read_manifest(sample.body, sample.media_type, "registry.example")


def windows(build: object, *versions: str) -> Sample:
    """An index of one image for Linux, and one per build of Windows."""
    images = [make_image(f"{build}{version}", "windows/amd64") for version in versions]
    extra = tuple(
        {
            "mediaType": image.media_type,
            "digest": str(image.digest),
            "size": len(image.body),
            "platform": {"os": "windows", "architecture": "amd64", "os.version": version},
        }
        for image, version in zip(images, versions, strict=True)
    )
    return make_index(build, "linux/amd64", extra=extra)


def attested(build: object, of: object) -> Sample:
    image = make_image(of, "linux/amd64")
    return make_index(build, "linux/amd64", extra=(make_attestation(image),))


@pytest.mark.parametrize(
    "old, new, reason, part",
    [
        pytest.param(make_index(1, *BOTH), make_index(2, *BOTH), "", "", id="the-same-platforms"),
        pytest.param(
            make_index(1, *BOTH, "linux/s390x"),
            make_index(2, "linux/amd64"),
            "platform-lost",
            "no longer runs on linux/arm64, linux/s390x",
            id="two-lost",
        ),
        pytest.param(
            make_index(1, *BOTH, "linux/arm/v6"),
            make_index(2, *BOTH, "linux/arm/v7"),
            "platform-lost",
            "linux/arm/v6",
            id="a-variant-lost",
        ),
        pytest.param(
            make_index(1), make_index(2, *BOTH, "linux/s390x"), "", "", id="one-more-platform"
        ),
        pytest.param(
            make_index(1), make_image(2), "single-now", "single image", id="became-single"
        ),
        pytest.param(make_image(1), make_index(2), "", "", id="became-an-index"),
        pytest.param(make_image(1), make_image(2), "", "", id="single-images"),
        pytest.param(
            attested(1, 1), attested(1, 2), "same-images", "pinned", id="attestation-moved"
        ),
        pytest.param(
            make_index(1),
            make_index(1, annotations={"a": "b"}),
            "same-images",
            "",
            id="annotation-moved",
        ),
        pytest.param(
            make_index(1), make_index(1, media_type=DOCKER_LIST), "same-images", "", id="media-type"
        ),
        pytest.param(
            make_index(1, "linux/amd64"), make_index(1, *BOTH), "", "", id="one-image-came-along"
        ),
        pytest.param(
            windows(1, "10.0.17763.1", "10.0.20348.1"),
            windows(2, "10.0.17763.9", "10.0.20348.9"),
            "",
            "",
            id="builds-of-windows-move",
        ),
        pytest.param(
            windows(1, "10.0.17763.1", "10.0.20348.1"),
            windows(2, "10.0.20348.9"),
            "platform-lost",
            "windows/amd64 10.0.17763",
            id="a-release-of-windows-lost",
        ),
    ],
)
def test_what_speaks_against_a_new_manifest(
    old: Sample, new: Sample, reason: str, part: str
) -> None:
    hold = compare(read(old), read(new))

    assert (hold.reason if hold else "") == reason
    assert hold is None or (part in hold.message and hold.until is None and reason in REASONS)


@pytest.mark.parametrize(
    "old, new, rules, expected",
    [
        (make_index(1), make_image(2), HoldRules(lost_platforms=False), None),
        (make_index(1), make_index(2, "linux/arm64"), HoldRules(lost_platforms=False), None),
        (attested(1, 1), attested(1, 2), HoldRules(same_images=False), None),
        (make_index(1), make_image(2), HoldRules(same_images=False), "single-now"),
        (attested(1, 1), attested(1, 2), HoldRules(lost_platforms=False), "same-images"),
    ],
)
def test_each_switch_turns_its_own_comparison_off(
    old: Sample, new: Sample, rules: HoldRules, expected: str | None
) -> None:
    hold = compare(read(old), read(new), rules)

    assert (hold.reason if isinstance(hold, Hold) else None) == expected


def test_many_lost_platforms_are_summed_up() -> None:
    many = [f"linux/arch{number}" for number in range(9)]

    hold = compare(read(make_index(1, "linux/amd64", *many)), read(make_index(2, "linux/amd64")))

    assert hold is not None
    assert hold.message.endswith("linux/arch4 and 4 more")

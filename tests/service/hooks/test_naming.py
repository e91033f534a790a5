from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.image import ImageReference
from digestbot.service.hooks.delivery import ImageHint, MalformedError
from digestbot.service.hooks.naming import name_any, name_image, reading
from tests.service.hooks.payloads import CHILD
from tests.service.hooks.senders import image

REGISTRIES = ("docker.io", "ghcr.io", "harbor.corp:8443", "localhost", "[::1]:5000")


@pytest.mark.parametrize("registry", REGISTRIES)
def test_an_image_is_named_at_the_registry_that_was_configured(registry: str) -> None:
    assert name_image(registry, "a/b", "1") == (image(registry, "a/b", "1"),)


def test_a_short_name_of_docker_hub_is_spelled_out() -> None:
    assert name_image("docker.io", "python", "3") == (image("docker.io", "library/python", "3"),)


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param("", id="none"),
        pytest.param(CHILD, id="a-digest"),
        pytest.param(CHILD.replace(":", "-"), id="referrers"),
        pytest.param(CHILD.replace(":", "-") + ".sig", id="a-signature"),
        pytest.param(CHILD.replace(":", "__"), id="a-digest-as-a-folder"),
        pytest.param("sha512:" + "0" * 128, id="a-longer-digest"),
    ],
)
def test_what_is_no_tag_that_anybody_pulls_is_of_no_interest(tag: str) -> None:
    assert name_image("ghcr.io", "a/b", tag) == ()
    assert name_image("ghcr.io", "not a name", tag) == ()


@pytest.mark.parametrize("tag", ["sha256", "sha-1a2b3c4", "sha256-short", "1.2.3-sha256"])
def test_tags_that_only_look_like_digests_are_tags(tag: str) -> None:
    assert name_image("ghcr.io", "a/b", tag) == (image("ghcr.io", "a/b", tag),)


@pytest.mark.parametrize(
    "repository, tag",
    [
        pytest.param("", "1", id="no-repository"),
        pytest.param("A/b", "1", id="upper-case"),
        pytest.param("/a", "1", id="leading-slash"),
        pytest.param("a/", "1", id="trailing-slash"),
        pytest.param("a/../b", "1", id="dots"),
        pytest.param("a:1", "2", id="a-tag-in-the-repository"),
        pytest.param(f"a@{CHILD}", "1", id="a-digest-in-the-repository"),
        pytest.param("a" * 256, "1", id="a-long-repository"),
        pytest.param("a", f"1@{CHILD}", id="a-digest-behind-the-tag"),
        pytest.param("a", "1/b:2", id="a-repository-in-the-tag"),
        pytest.param("a", "-1", id="a-dash-first"),
        pytest.param("a", "1" * 129, id="a-long-tag"),
        pytest.param("a", "1\n", id="a-newline"),
        pytest.param("a", "\ud800", id="a-surrogate"),
        pytest.param("a\x00", "1", id="a-nul"),
    ],
)
def test_names_of_no_image_are_malformed(repository: str, tag: str) -> None:
    with pytest.raises(MalformedError, match="names are not those of an image"):
        name_image("ghcr.io", repository, tag)


def test_a_host_that_no_image_name_can_have_names_no_image_of_docker_hub() -> None:
    with pytest.raises(MalformedError):
        name_image("registry", "a/b", "1")


def test_of_several_names_those_count_that_can_be() -> None:
    hints = name_any("ghcr.io", ("A/b", "a/b", "b", "a/b"), "1")

    assert hints == (image("ghcr.io", "a/b", "1"), image("ghcr.io", "b", "1"))


def test_a_reading_says_everything_once_and_in_order() -> None:
    first, second = image("ghcr.io", "a", "1"), image("ghcr.io", "b", "1")

    assert reading([second, first, second], "id").hints == (second, first)


@given(
    registry=st.sampled_from(REGISTRIES),
    repository=st.text(st.characters(), max_size=40)
    | st.from_regex(r"\A[a-z0-9./:@_-]{1,40}\Z")
    | st.sampled_from(["ghcr.io/a/b", "evil.example:1/x", "localhost/x", f"a@{CHILD}"]),
    tag=st.text(st.characters(), max_size=20) | st.from_regex(r"\A[a-z0-9./:@_-]{1,20}\Z"),
)
def test_no_name_reaches_another_registry(registry: str, repository: str, tag: str) -> None:
    try:
        hints = name_image(registry, repository, tag)
    except MalformedError:
        return

    for hint in hints:
        assert isinstance(hint, ImageHint)
        assert hint.image.registry == registry
        assert hint.image.tag == tag
        assert hint.image.repository.removeprefix("library/") == repository.removeprefix("library/")
        assert ImageReference.parse(str(hint.image)).followed == hint.image

"""The grammar of image references: what is read, how it is normalised, which rule breaks."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.image import Digest, ImageReference, ImageTag, InvalidReferenceError

D1 = "sha256:" + "1" * 64
D2 = "sha512:" + "2" * 128
LONG = "a" * 255

GOOD = [
    # written, registry, repository, tag, digest
    ("python", "docker.io", "library/python", None, None),
    ("python:3.12", "docker.io", "library/python", "3.12", None),
    (f"python:3.12@{D1}", "docker.io", "library/python", "3.12", D1),
    (f"python@{D1}", "docker.io", "library/python", None, D1),
    (f"python@{D2}", "docker.io", "library/python", None, D2),
    ("library/python", "docker.io", "library/python", None, None),
    ("docker.io/python", "docker.io", "library/python", None, None),
    ("index.docker.io/python", "docker.io", "library/python", None, None),
    ("docker.io/library/python:3", "docker.io", "library/python", "3", None),
    ("bitnami/redis", "docker.io", "bitnami/redis", None, None),
    ("ghcr.io/org/app:v1", "ghcr.io", "org/app", "v1", None),
    ("localhost:5000", "docker.io", "library/localhost", "5000", None),
    ("localhost/app", "localhost", "app", None, None),
    ("localhost:5000/app", "localhost:5000", "app", None, None),
    ("test:5000/repo", "test:5000", "repo", None, None),
    ("test:5000/repo:5000", "test:5000", "repo", "5000", None),
    ("127.0.0.1:5000/a/b/c:t", "127.0.0.1:5000", "a/b/c", "t", None),
    ("Uppercase/lower", "Uppercase", "lower", None, None),
    ("REG.example.com/a", "REG.example.com", "a", None, None),
    ("[::1]/app", "[::1]", "app", None, None),
    ("[::1]:5000/app:1", "[::1]:5000", "app", "1", None),
    ("[2001:db8::1]:5000/a/b", "[2001:db8::1]:5000", "a/b", None, None),
    ("a.b/c", "a.b", "c", None, None),
    ("xn--n3h.com/myimage", "xn--n3h.com", "myimage", None, None),
    ("foo/foo_bar.com", "docker.io", "foo/foo_bar.com", None, None),
    ("foo__bar/x--y.z", "docker.io", "foo__bar/x--y.z", None, None),
    ("0", "docker.io", "library/0", None, None),
    ("py:" + "t" * 128, "docker.io", "library/py", "t" * 128, None),
    ("py:_x.-", "docker.io", "library/py", "_x.-", None),
    ("sha256:" + "f" * 64, "docker.io", "library/sha256", "f" * 64, None),
    ("a" * 63, "docker.io", "library/" + "a" * 63, None, None),
    (f"ghcr.io/{LONG}", "ghcr.io", LONG, None, None),
    ("a" * 247, "docker.io", "library/" + "a" * 247, None, None),
]


@pytest.mark.parametrize("written, registry, repository, tag, digest", GOOD)
def test_a_reference_is_read_into_its_parts(
    written: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = ImageReference.parse(written)

    assert (reference.registry, reference.repository, reference.tag) == (registry, repository, tag)
    assert reference.digest == (Digest.parse(digest) if digest else None)
    assert reference.written == written


BAD = [
    ("", "is empty"),
    (" python", "must be lowercase letters"),
    ("python ", "must be lowercase letters"),
    ("python\n", "must be lowercase letters"),
    ("python:3\n", "tag '3\\n' must be"),
    ("a" * 64, "image id"),
    ("Python", "must be lowercase"),
    ("docker.io/Python", "must be lowercase"),
    ("org/Python:3", "must be lowercase"),
    ("é/python", "must be lowercase letters"),
    ("pyth\u00f6n", "must be lowercase letters"),
    ("py:\u0663", "tag"),
    ("ghcr.io/", "repository is missing"),
    (f"@{D1}", "repository is missing"),
    (":3", "repository is missing"),
    ("a//b", "empty path component"),
    ("/a", "empty path component"),
    ("a/", "empty path component"),
    ("-a/b", "'-a'"),
    ("a-/b", "'a-'"),
    ("a..b/c/d/..", "'a..b' is not a registry host"),
    ("docker/a..b", "'a..b'"),
    ("a___b", "'a___b'"),
    ("foo_bar.com/app", "'foo_bar.com' is not a registry host"),
    ("-reg.io/app", "'-reg.io' is not a registry host"),
    ("reg.io:port/app", "'reg.io:port' is not a registry host"),
    ("[fe80::1%eth0]/app", "is not a registry host"),
    ("[::1]", "followed by '/'"),
    ("[::1]:5000", "followed by '/'"),
    ("py:", "tag ''"),
    ("py:-x", "tag '-x'"),
    ("py:a+b", "tag 'a+b'"),
    ("py:" + "t" * 129, "129 characters, at most 128"),
    ("ghcr.io/" + "a" * 256, "256 characters, at most 255"),
    ("a" * 248, "256 characters, at most 255"),
    ("py@sha256:abc", "3 hex digits, not 64"),
    ("py@sha256:" + "A" * 64, "other than 0-9 and a-f"),
    ("py@md5:" + "1" * 32, "algorithm 'md5' is not one of"),
    ("py@" + "1" * 64, "has no algorithm"),
    ("py@", "has no algorithm"),
    (f"py@{D1}@{D1}", "more than one '@'"),
    (f"py@{D1}:3", "other than 0-9 and a-f"),
    ("https://ghcr.io/org/app", "'https:' is not a registry host"),
]


@pytest.mark.parametrize("written, rule", BAD)
def test_the_error_names_the_rule_that_broke(written: str, rule: str) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        ImageReference.parse(written)

    assert rule in str(caught.value)


@pytest.mark.parametrize(
    "written, normalized",
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3", "docker.io/library/python:3"),
        (f"python@{D1}", f"docker.io/library/python@{D1}"),
        (f"python:3@{D1}", f"docker.io/library/python:3@{D1}"),
        ("ghcr.io/a/b", "ghcr.io/a/b:latest"),
    ],
)
def test_str_is_the_normalized_form(written: str, normalized: str) -> None:
    assert str(ImageReference.parse(written)) == normalized


@pytest.mark.parametrize(
    "written, followed",
    [
        ("python", ImageTag("docker.io", "library/python", "latest")),
        ("python:3", ImageTag("docker.io", "library/python", "3")),
        (f"ghcr.io/a/b:3@{D1}", ImageTag("ghcr.io", "a/b", "3")),
        (f"python@{D1}", None),
    ],
)
def test_the_followed_tag_is_the_written_one_or_latest(
    written: str, followed: ImageTag | None
) -> None:
    assert ImageReference.parse(written).followed == followed


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    with contextlib.suppress(InvalidReferenceError):
        assert ImageReference.parse(text).written == text


_component = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)


@given(
    registry=st.sampled_from(["ghcr.io", "localhost:5000", "a.b-c.example:1", "[::1]:80"]),
    path=st.lists(_component, min_size=1, max_size=4),
    tag=st.none() | st.from_regex(re.compile(r"\w[\w.-]{0,127}", re.ASCII), fullmatch=True),
    digest=st.sampled_from([None, D1, D2]),
)
def test_the_normalized_form_reads_back_to_the_same_reference(
    registry: str, path: list[str], tag: str | None, digest: str | None
) -> None:
    written = f"{registry}/{'/'.join(path)}"
    written += f":{tag}" if tag else ""
    written += f"@{digest}" if digest else ""

    reference = ImageReference.parse(written)
    again = ImageReference.parse(str(reference))

    assert (again.registry, again.repository) == (reference.registry, reference.repository)
    assert (again.followed, again.digest) == (reference.followed, reference.digest)

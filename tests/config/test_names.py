from __future__ import annotations

import re

import pytest

from digestbot.config import names


def exactly(message: str) -> str:
    """A pattern for this message and nothing around it."""
    return rf"\A{re.escape(message)}\Z"


@pytest.mark.parametrize(
    "host",
    [
        "ghcr.io",
        "docker.io",
        "localhost",
        "localhost:5000",
        "registry:5000",
        "127.0.0.1:5000",
        "[::1]",
        "[fe80::1]:5000",
        "a-b.example.com:65535",
    ],
)
def test_a_host_as_image_names_spell_it_is_accepted(host: str) -> None:
    assert names.check_host(host) == host


@pytest.mark.parametrize(
    "host, message",
    [
        pytest.param("", "must not be empty", id="empty"),
        pytest.param("  ", "must not be empty", id="blank"),
        pytest.param("a\nb.c", "must not contain control characters", id="control"),
        pytest.param("a" * 1001 + ".io", "must not be longer than 1000 characters", id="very-long"),
        pytest.param(
            "https://ghcr.io",
            "is not a host; write 'ghcr.io', without a scheme or a path",
            id="url",
        ),
        pytest.param(
            "ghcr.io/acme",
            "is not a host; write 'ghcr.io', without a scheme or a path",
            id="path",
        ),
        pytest.param(
            "https:///x",
            "is not a host; write a host such as 'ghcr.io' or 'localhost:5000', "
            "without a scheme or a path",
            id="url-without-host",
        ),
        pytest.param("index.docker.io", "Docker Hub is written 'docker.io'", id="hub-index"),
        pytest.param("registry-1.docker.io", "Docker Hub is written 'docker.io'", id="hub-api"),
        pytest.param("hub.docker.com", "Docker Hub is written 'docker.io'", id="hub-website"),
        pytest.param("GHCR.io", "must be lower case; write 'ghcr.io'", id="upper-case"),
        pytest.param(
            "::1",
            "an IPv6 address goes in brackets, such as '[::1]' or '[::1]:5000'",
            id="bare-ipv6",
        ),
        pytest.param("ghcr.io:0", "must have a port between 1 and 65535", id="port-0"),
        pytest.param("ghcr.io:65536", "must have a port between 1 and 65535", id="port-65536"),
        pytest.param(
            "harbor",
            "is not a registry host (expected host or host:port; "
            "a host without a dot needs a port, unless it is localhost)",
            id="single-label",
        ),
        pytest.param(
            "-a.io",
            "is not a registry host (expected host or host:port; "
            "a host without a dot needs a port, unless it is localhost)",
            id="leading-dash",
        ),
        pytest.param(
            "me:secret@ghcr.io",
            "must not contain '@'; credentials go under registries.<host>",
            id="login",
        ),
    ],
)
def test_a_host_that_is_none_is_refused_with_the_fix(host: str, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        names.check_host(host)


@pytest.mark.parametrize(
    "prefix", ["docker.io/", "docker.io/library/", "harbor.corp/hub/", "[::1]:5000/a/b/"]
)
def test_a_prefix_that_ends_with_a_slash_is_accepted(prefix: str) -> None:
    assert names.check_prefix(prefix) == prefix


@pytest.mark.parametrize(
    "prefix, message",
    [
        pytest.param("", "must not be empty", id="empty"),
        pytest.param(
            "harbor.corp/hub", "must end with '/'; write 'harbor.corp/hub/'", id="no-slash"
        ),
        pytest.param(
            "https://harbor.corp/hub",
            "is a URL; write 'harbor.corp/hub/', without the scheme",
            id="url",
        ),
        pytest.param("index.docker.io/", "Docker Hub is written 'docker.io'", id="hub"),
        pytest.param(
            "library/",
            "is not a registry host (expected host or host:port; "
            "a host without a dot needs a port, unless it is localhost)",
            id="no-host",
        ),
        pytest.param(
            "harbor.corp//",
            "is not the beginning of an image name: invalid image reference "
            "'harbor.corp//x': the repository has an empty path component",
            id="two-slashes",
        ),
        pytest.param(
            "harbor.corp/Hub/",
            "is not the beginning of an image name: invalid image reference "
            "'harbor.corp/Hub/x': repository name 'Hub/x' must be lowercase",
            id="upper-case",
        ),
        pytest.param(
            "me:secret@harbor.corp/",
            "must not contain '@'; credentials go under registries.<host>",
            id="login",
        ),
    ],
)
def test_a_prefix_that_matches_nothing_is_refused_with_the_fix(prefix: str, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        names.check_prefix(prefix)


@pytest.mark.parametrize(
    "glob",
    [
        "docker.io/library/debian",
        "docker.io/library/python:3.1*",
        "docker.io/*",
        "ghcr.io/acme/*",
        "ghcr.io/acme",
        "localhost:5000/a:1",
        "*",
        "*/python:3.*",
        "*.example.com/base",
        "ghcr.i?/acme",
    ],
)
def test_a_glob_on_full_image_names_is_accepted(glob: str) -> None:
    assert names.check_image_glob(glob) == glob


@pytest.mark.parametrize(
    "glob, message",
    [
        pytest.param(
            "debian", "is matched with full names; write 'docker.io/library/debian'", id="short"
        ),
        pytest.param(
            "python:3.1*",
            "is matched with full names; write 'docker.io/library/python:3.1*'",
            id="short-with-tag",
        ),
        pytest.param(
            "python*", "is matched with full names; write 'docker.io/library/python*'", id="wild"
        ),
        pytest.param(
            "acme/app", "is matched with full names; write 'docker.io/acme/app'", id="hub-user"
        ),
        pytest.param(
            "docker.io/debian:12",
            "is matched with full names; write 'docker.io/library/debian:12'",
            id="no-library",
        ),
        pytest.param(
            "a.b/c@sha256:0",
            "must not have a digest; images are matched by name and tag",
            id="digest",
        ),
        pytest.param(
            "https://ghcr.io/a", "is a URL; write 'ghcr.io/a', without the scheme", id="url"
        ),
        pytest.param("", "must not be empty", id="empty"),
    ],
)
def test_a_glob_that_matches_no_image_is_refused_with_the_fix(glob: str, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        names.check_image_glob(glob)


@pytest.mark.parametrize("glob", ["vendor/**", "**/testdata/**", "Dockerfile.old", "a b/c", ".ci"])
def test_a_relative_path_glob_is_accepted(glob: str) -> None:
    assert names.check_path_glob(glob) == glob


@pytest.mark.parametrize(
    "glob, message",
    [
        pytest.param(
            "/vendor/**", "is relative to the scanned folder; write 'vendor/**'", id="absolute"
        ),
        pytest.param("./vendor", "is relative to the scanned folder; write 'vendor'", id="dot"),
        pytest.param("vendor\\a", "uses '/' between folders; write 'vendor/a'", id="backslash"),
        pytest.param("", "must not be empty", id="empty"),
    ],
)
def test_a_path_glob_that_matches_no_path_is_refused(glob: str, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        names.check_path_glob(glob)


@pytest.mark.parametrize("name", ["A", "_a1", "HARBOR_PASSWORD"])
def test_a_variable_name_is_accepted(name: str) -> None:
    assert names.check_variable(name) == name


@pytest.mark.parametrize("name", ["hunter2!", "1A", "$TOKEN", "", "a b"])
def test_what_is_no_variable_name_is_refused_without_repeating_it(name: str) -> None:
    message = (
        "must be the name of an environment variable (letters, digits and '_'), "
        "not the password itself"
    )

    with pytest.raises(ValueError, match=exactly(message)):
        names.check_variable(name)


def test_a_robot_name_with_a_dollar_is_a_user_name() -> None:
    assert names.check_username("robot$team+digestbot") == "robot$team+digestbot"


def test_a_user_name_with_a_colon_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="must not contain ':'") as caught:
        names.check_username("me:hunter2")

    assert "hunter2" not in str(caught.value)

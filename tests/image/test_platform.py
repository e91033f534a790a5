"""Platforms are compared in containerd's spelling."""

from __future__ import annotations

import pytest

from digestbot.image import Platform


@pytest.mark.parametrize(
    "written, normalized",
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/i386", "linux/386"),
        ("Linux/AMD64", "linux/amd64"),
        ("macos/arm64", "darwin/arm64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_a_platform_is_normalized(written: str, normalized: str) -> None:
    assert str(Platform.parse(written)) == normalized


@pytest.mark.parametrize("written", ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64"])
def test_another_shape_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a platform"):
        Platform.parse(written)


def test_the_windows_build_tells_platforms_apart() -> None:
    old = Platform.normalized("windows", "amd64", os_version="10.0.17763.1")

    assert old != Platform.normalized("windows", "amd64", os_version="10.0.20348.1")

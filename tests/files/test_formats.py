"""Which format reads which path."""

from __future__ import annotations

import pytest

from digestbot.files.formats import format_of


@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile",
        "a/b/dockerfile",
        "DOCKERFILE",
        "Dockerfile.dev",
        "Dockerfile.alpine.tmpl",
        "web.Dockerfile",
        "web.dockerfile",
        "Containerfile",
        "containerfile.dev",
        "web.Containerfile",
        "Containerfile-dev",
        ".devcontainer/Dockerfile",
        "a\nb/Dockerfile",
    ],
)
def test_dockerfiles_are_known_by_their_name(path: str) -> None:
    assert format_of(path) == "dockerfile"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "Dockerfile/",
        "Dockerfile/main.py",
        "Dockerfiles",
        "myDockerfile",
        "Dockerfile.",
        ".dockerignore",
        "Dockerfile.dockerignore",
        "web.Dockerfile.dockerignore",
        "Containerfile.containerignore",
        "Dockerfile.dev~",
        "Dockerfile.bak",
        "Dockerfile.orig",
        "Dockerfile.rej",
        ".Dockerfile.swp",
        "Dockerfile.md",
        "docker-compose.yml",
    ],
)
def test_other_files_are_not_read(path: str) -> None:
    assert format_of(path) is None

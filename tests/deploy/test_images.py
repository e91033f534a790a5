from __future__ import annotations

import re
from itertools import pairwise

import pytest

from digestbot.image.reference import ImageReference
from tests.deploy.dockerfile import stages
from tests.deploy.files import COMPOSE, DOCKERFILE, MANIFESTS

IMAGE_KEY = re.compile(r"^\s*(?:- )?image: *(\S+)$", re.MULTILINE)
SYNTAX = re.compile(r"^# *syntax=(\S+)$", re.MULTILINE)


def in_dockerfile() -> list[str]:
    names = {stage[0].value.split()[-1] for stage in stages()}
    bases = [stage[0].value.split()[0] for stage in stages()]
    return SYNTAX.findall(DOCKERFILE.read_text()) + [base for base in bases if base not in names]


def in_yaml() -> list[str]:
    return [name for path in (COMPOSE, *MANIFESTS) for name in IMAGE_KEY.findall(path.read_text())]


def is_exemplary(written: str) -> bool:
    """Whether a reference leaves nothing to be guessed: registry, path, tag and digest."""
    reference = ImageReference.parse(written)
    return str(reference) == written and None not in (reference.tag, reference.digest)


@pytest.mark.parametrize("written", [*in_dockerfile(), *in_yaml()])
def test_an_image_is_fully_qualified_and_pinned(written: str) -> None:
    assert is_exemplary(written)


def test_all_images_are_looked_at() -> None:
    assert len(in_dockerfile()) == 2
    assert len(in_yaml()) == 3


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("docker.io/library/python:3.13", id="no-digest"),
        pytest.param(f"docker.io/library/python@sha256:{'a' * 64}", id="no-tag"),
        pytest.param(f"library/python:3.13@sha256:{'a' * 64}", id="no-registry"),
        pytest.param(f"docker.io/python:3.13@sha256:{'a' * 64}", id="no-library"),
    ],
)
def test_what_leaves_something_to_be_guessed_is_not_exemplary(written: str) -> None:
    assert not is_exemplary(written)


def test_a_digest_that_is_nobodys_is_said_to_be_an_example() -> None:
    for path in MANIFESTS:
        lines = path.read_text().splitlines()
        for above, line in pairwise(lines):
            if "image: " in line:
                assert "@sha256:" + "0" * 64 in line
                assert above.strip() == "# Your registry, and the digest that your push printed."

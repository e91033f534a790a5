from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.service.site import LONGEST, NOWHERE, Site

ORIGIN = "https://digestbot.example.com"


@pytest.mark.parametrize(
    "subject, path",
    [
        pytest.param("rollout:3f2a9c", "/rollouts/3f2a9c", id="rollout"),
        pytest.param("run:a1b2c3", "/runs/a1b2c3", id="run"),
        pytest.param("repo:acme/app", "/repos?q=acme%2Fapp", id="repo"),
        pytest.param(
            "image:docker.io/library/python:3.12/flapping",
            "/images?q=docker.io%2Flibrary%2Fpython%3A3.12",
            id="image",
        ),
        pytest.param(
            "image:docker.io/library/python:3.12 (linux/arm/v7)/platform-lost",
            "/images?q=docker.io%2Flibrary%2Fpython%3A3.12",
            id="image of a platform",
        ),
        pytest.param(f"digest:sha256:{'a' * 64}", "/repos?status=denied", id="denied"),
        pytest.param("rollout:../a?b=/c", "/rollouts/..%2Fa%3Fb%3D%2Fc", id="no id"),
        pytest.param("repo:a\udc80", "/repos?q=a%3F", id="no text"),
    ],
)
def test_what_somebody_is_told_of_has_a_page(subject: str, path: str) -> None:
    assert Site(ORIGIN).about(subject) == f"{ORIGIN}{path}"


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("cycle", id="the whole cycle"),
        pytest.param("registry:ghcr.io/rate-limited", id="registry"),
        pytest.param("target:github:acme", id="target"),
        pytest.param("repos:more", id="others"),
        pytest.param("repo:", id="no name"),
        pytest.param("repo:a b", id="no name of a repo"),
        pytest.param(f"repo:{'a' * (LONGEST + 1)}", id="longer than can be asked for"),
        pytest.param(f"image:ghcr.io/a…{'f' * 64}", id="cut off"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_has_no_page_has_no_link(subject: str) -> None:
    assert Site(ORIGIN).about(subject) == ""


def test_where_nobody_knows_how_people_reach_it_nothing_is_linked() -> None:
    assert NOWHERE.about("repo:acme/app") == ""
    assert NOWHERE.rollout("3f2a9c") == ""


@given(st.sampled_from(["rollout", "run", "repo", "image", "digest"]), st.text(max_size=60))
def test_no_name_leads_elsewhere_or_breaks_out_of_a_link(kind: str, name: str) -> None:
    link = Site(ORIGIN).about(f"{kind}:{name}")

    parts = urlsplit(link)
    assert not link or f"{parts.scheme}://{parts.netloc}" == ORIGIN
    assert not set(link) & set(" <>|()[]\"'`\\\n*")
    assert link.isascii()
    assert set(parse_qs(parts.query)) <= {"q", "status"}

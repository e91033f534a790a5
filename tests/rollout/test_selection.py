from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digestbot.image import Digest, ImageReference, ImageTag
from digestbot.rollout.selection import Place, Selection

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD, NEW = (Digest.parse(f"sha256:{letter * 64}") for letter in "ab")


def tag(text: str) -> ImageTag:
    followed = ImageReference.parse(text).followed
    assert followed is not None
    return followed


ALPINE = tag("alpine:3.22")
PLACE = Place(
    "acme/app",
    "build/Dockerfile",
    3,
    ALPINE,
    OLD,
    behind_since=NOW - timedelta(days=3),
    topics=frozenset({"backend"}),
    owners=("@acme/platform", "@ann"),
)
ALL = Selection("docker.io/library/alpine:3.22")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="by name and tag"),
        pytest.param({"image": "docker.io/library/alpine"}, id="by name, whatever the tag"),
        pytest.param({"image": "*/alpine:3.*"}, id="by glob"),
        pytest.param({"digests": frozenset({NEW, OLD})}, id="by what it pins"),
        pytest.param({"behind": timedelta(days=3)}, id="by how long it is behind"),
        pytest.param({"behind": timedelta()}, id="by being behind at all"),
        pytest.param({"orgs": ("ACME",)}, id="by org, whatever the case"),
        pytest.param({"repos": ("acme/a*", "acme/none")}, id="by repo"),
        pytest.param({"topics": ("frontend", "backend")}, id="by topic"),
        pytest.param({"paths": ("build/*",)}, id="by path"),
        pytest.param({"owners": ("@bob", "@ANN")}, id="by owner, whatever the case"),
    ],
)
def test_a_place_is_chosen(changes: dict[str, object]) -> None:
    assert replace(ALL, **changes).chooses(PLACE, NOW)  # type: ignore[arg-type]  # a table's


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"image": "docker.io/library/alpine:3.21"}, id="another tag"),
        pytest.param({"image": "alpine:3.22"}, id="a name that is not the full one"),
        pytest.param({"digests": frozenset({NEW})}, id="it pins something else"),
        pytest.param({"behind": timedelta(days=3, seconds=1)}, id="not so long behind"),
        pytest.param({"orgs": ("acm",)}, id="another org"),
        pytest.param({"repos": ("acme/b*",)}, id="another repo"),
        pytest.param({"topics": ("frontend",)}, id="another topic"),
        pytest.param({"paths": ("deploy/*",)}, id="another path"),
        pytest.param({"owners": ("@bob",)}, id="another owner"),
        pytest.param({"topics": ("backend",), "paths": ("deploy/*",)}, id="only one of two"),
    ],
)
def test_a_place_is_not_chosen(changes: dict[str, object]) -> None:
    assert not replace(ALL, **changes).chooses(PLACE, NOW)  # type: ignore[arg-type]  # a table's


def test_what_is_current_is_not_behind() -> None:
    assert not replace(ALL, behind=timedelta()).chooses(replace(PLACE, behind_since=None), NOW)


@pytest.mark.parametrize(
    "written, apart",
    [
        pytest.param(f"alpine:3.22@{OLD}", False, id="before it"),
        pytest.param(f"alpine@{OLD}", True, id="in a comment"),
        pytest.param(f"alpine:$V@{OLD}", False, id="a variable may be anything"),
        pytest.param("", False, id="not known"),
    ],
)
def test_a_tag_that_surely_stands_apart_is_told(written: str, *, apart: bool) -> None:
    image = ImageTag("docker.io", "library/alpine", "3.22")

    assert Place("acme/app", "Dockerfile", 1, image, OLD, written=written).is_apart is apart

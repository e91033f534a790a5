"""Which comments of a Dockerfile steer which occurrence."""

from __future__ import annotations

import pytest

from digestbot.files.occurrence import Ignore, Steering
from tests.files.dockerfile.notation import read

TAG = Steering(tag="3")
IGNORE = Steering(ignore=Ignore())


@pytest.mark.parametrize(
    "text, steering",
    [
        pytest.param("# digestbot: tag=3\nFROM py@D1\n", TAG, id="above"),
        pytest.param("# digestbot: tag=3\r\nFROM py@D1\r\n", TAG, id="CRLF"),
        pytest.param("  # digestbot: tag=3\n\tFROM py@D1\n", TAG, id="indented"),
        pytest.param("# digestbot: tag=3\n# more\nFROM py@D1\n", TAG, id="in a block"),
        pytest.param("# digestbot: tag=3\n\nFROM py@D1\n", Steering(), id="not over a blank line"),
        pytest.param("FROM py@D1\n# digestbot: tag=3\n", Steering(), id="not below"),
        pytest.param("# digestbot: tag=3\nARG A\nFROM py@D1\n", Steering(), id="not further up"),
        pytest.param("FROM \\\n# digestbot: tag=3\n py@D1\n", TAG, id="inside, above the image"),
        pytest.param(
            "FROM py@D1 \\\n# digestbot: tag=3\n AS b\n", Steering(), id="inside, below the image"
        ),
        pytest.param("# digestbot: tag=3\nFROM \\\n py@D1\n", TAG, id="above a continued one"),
        pytest.param(
            "# digestbot: tag=3\nFROM \\\n# digestbot: ignore\n py@D1\n",
            Steering("3", None, Ignore()),
            id="above and inside",
        ),
        pytest.param("# digestbot: tag=3\nARG B=py@D1\nFROM $B\n", TAG, id="above the default"),
        pytest.param(
            "# digestbot: ignore\nARG B=py:3\nFROM $B\n", IGNORE, id="above a default to pin"
        ),
        pytest.param("# digestbot: ignore\nFROM ${B:?}\n", IGNORE, id="what cannot be followed"),
    ],
)
def test_a_comment_steers_what_stands_directly_below(text: str, steering: Steering) -> None:
    found = read(text)

    assert [each.steering for each in found] == [steering]


def test_each_mount_has_its_own_comments() -> None:
    found = read(
        "FROM scratch\n"
        "# digestbot: platform=linux/amd64\n"
        "RUN --mount=from=a \\\n"
        "  # digestbot: tag=3\n"
        "  --mount=from=b@D1 \\\n"
        "  make\n"
    )

    assert [(str(each.steering.platform), each.steering.tag) for each in found] == [
        ("linux/amd64", None),
        ("linux/amd64", "3"),
    ]


def test_nothing_steers_the_frontend_image() -> None:
    found = read("# syntax=a/dockerfile@D1\n# digestbot: tag=3\nFROM py@D1\n")

    assert [each.steering for each in found] == [Steering(), TAG]


@pytest.mark.parametrize(
    "text, message",
    [
        pytest.param("# digestbot: tga=3\nFROM py:3\n", "tga= is unknown", id="typo"),
        pytest.param(
            "# digestbot: tag=3\nARG B=py:3\n# digestbot: tag=3\nFROM $B\n",
            "tag is given twice",
            id="two opinions",
        ),
    ],
)
def test_a_bad_comment_stops_its_occurrence(text: str, message: str) -> None:
    bad, good = read(f"{text}FROM a:1\n")

    assert bad.skip is not None
    assert bad.skip.reason == "bad-comment"
    assert message in bad.skip.message
    assert good.skip is None


def test_text_of_a_heredoc_is_no_comment() -> None:
    found = read("FROM scratch\nRUN <<E\n# digestbot: tag=3\nE\nFROM py@D1\n")

    assert [each.steering for each in found] == [Steering()]

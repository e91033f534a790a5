from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.proposals.settings import CommitSettings
from digestbot.proposals.title import LIMIT, title_of
from digestbot.proposals.update import Update
from tests.proposals.words import NEW, OLD, moving, proposal, update

PLAIN = CommitSettings()


@pytest.mark.parametrize(
    "updates, title",
    [
        pytest.param([update()], f"Update python:3.13-slim digest to {NEW.short}", id="one"),
        pytest.param([update(old=[None])], f"Pin python:3.13-slim to {NEW.short}", id="first pin"),
        pytest.param(
            [update("a:1"), update("ghcr.io/b/c:2")],
            "Update 2 image digests: a:1, ghcr.io/b/c:2",
            id="two",
        ),
        pytest.param(
            [update(f"acme/tool-{n}:1") for n in range(9)], "Update 9 image digests", id="nine"
        ),
    ],
)
def test_title_says_what_moves(updates: list[Update], title: str) -> None:
    assert title_of(proposal(*updates), PLAIN) == title


def test_template_and_prefix() -> None:
    settings = CommitSettings("Bump {image} {tag} {old}->{new} ({count})", "chore(deps):")

    title = title_of(proposal(), settings)

    assert title == f"chore(deps): bump python 3.13-slim {OLD.short}->{NEW.short} (1)"


@given(st.text(max_size=300), st.text(max_size=50))
def test_title_is_one_short_printable_line(template: str, prefix: str) -> None:
    title = title_of(proposal(), CommitSettings(template, prefix))

    assert title.isprintable()
    assert 0 < len(title) <= LIMIT


def test_long_name_keeps_its_new_digest() -> None:
    title = title_of(proposal(update("registry.example.org/" + "a" * 200 + ":1")), PLAIN)

    assert len(title) <= LIMIT
    assert title.endswith(NEW.short)


@pytest.mark.parametrize(
    "image, tags, title",
    [
        pytest.param("a:2", ["1"], f"Update a:1 to 2 ({NEW.short})", id="one"),
        pytest.param("a:2", ["1", "1.1", "2"], f"Update a to 2 ({NEW.short})", id="several"),
        pytest.param("r.io/b/c:2", ["1"], f"Update r.io/b/c:1 to 2 ({NEW.short})", id="elsewhere"),
    ],
)
def test_title_says_to_which_tag(image: str, tags: list[str], title: str) -> None:
    assert title_of(proposal(moving(image, *tags)), PLAIN) == title


def test_a_title_with_long_tags_is_short_and_keeps_the_digest() -> None:
    found = title_of(proposal(moving(f"{'a' * 200}:{'2' * 128}", "1" * 128)), PLAIN)

    assert len(found) <= LIMIT
    assert found.endswith(f"({NEW.short})")

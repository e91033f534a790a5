from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.proposals.settings import CommitSettings
from digestbot.proposals.title import LIMIT, title_of
from digestbot.proposals.update import Update
from tests.proposals.words import NEW, OLD, proposal, update

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

"""Verdicts: whether to ask about an occurrence, and what the answer means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from digestbot.files.occurrence import Gap, Ignore, Occurrence, Pin, Skip, Steering
from digestbot.image import Digest, ImageReference, ImageTag, Platform
from digestbot.policy.finding import Finding, Status
from digestbot.policy.judge import judge, question
from digestbot.policy.reasons import REASONS
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution

OLD, NEW = Digest.of(b"old"), Digest.of(b"new")
TODAY = date(2026, 11, 21)


def occurrence(written: str, **changes: object) -> Occurrence:
    reference = ImageReference.parse(written)
    place = Pin(5, 69) if reference.digest else Gap(5)
    found = Occurrence("Dockerfile", 1, 6, "dockerfile", "from", written, reference, place)
    return replace(found, **changes)  # type: ignore[arg-type]


def ask(found: Occurrence, *, pin: bool = False) -> Query | Finding:
    asked = question(found, pin=pin, ignore=[], today=TODAY)
    if isinstance(asked, Finding):
        assert asked.reason in REASONS
    return asked


@pytest.mark.parametrize(
    "written, tag",
    [
        (f"python:3@{OLD}", ImageTag("docker.io", "library/python", "3")),
        (f"ghcr.io/a/b:x@{OLD}", ImageTag("ghcr.io", "a/b", "x")),
    ],
)
def test_a_pinned_tag_is_asked_about(written: str, tag: ImageTag) -> None:
    assert ask(occurrence(written)) == Query(tag)


def test_the_platform_of_the_comment_is_part_of_the_question() -> None:
    arm = Platform.parse("linux/arm64")
    found = occurrence(f"python:3@{OLD}", steering=Steering(platform=arm))

    assert ask(found) == Query(ImageTag("docker.io", "library/python", "3"), arm)


def test_an_unpinned_reference_is_only_asked_about_when_it_is_to_be_pinned() -> None:
    unpinned = ask(occurrence("python:3"))

    assert isinstance(unpinned, Finding)
    assert (unpinned.status, unpinned.reason) == (Status.UNPINNED, "no-digest")
    assert ask(occurrence("python:3"), pin=True) == Query(
        ImageTag("docker.io", "library/python", "3")
    )
    assert ask(occurrence("python"), pin=True) == Query(
        ImageTag("docker.io", "library/python", "latest")
    )


@pytest.mark.parametrize(
    "found, reason",
    [
        (occurrence(f"python@{OLD}"), "no-tag"),
        (occurrence(f"python:3@{Digest.of(b'x', 'sha512')}"), "other-algorithm"),
        (occurrence(f"python:3@{OLD}", steering=Steering(tag="4")), "bad-comment"),
        (occurrence(f"python:3@{OLD}", steering=Steering(ignore=Ignore())), "ignored"),
        (occurrence("python:3", skip=Skip("template", "a template")), "template"),
    ],
)
def test_what_cannot_be_followed_is_skipped_with_its_reason(found: Occurrence, reason: str) -> None:
    asked = ask(found)

    assert isinstance(asked, Finding)
    assert (asked.status, asked.reason) == (Status.SKIPPED, reason)


def test_a_comment_says_which_tag_a_bare_digest_follows() -> None:
    found = occurrence(f"python@{OLD}", steering=Steering(tag="3.12"))

    assert ask(found) == Query(ImageTag("docker.io", "library/python", "3.12"))


ASKED = Query(ImageTag("docker.io", "library/python", "3"))


def test_the_same_digest_is_current() -> None:
    finding = judge(occurrence(f"python:3@{OLD}"), Resolution(ASKED, OLD))

    assert (finding.status, finding.new_digest) == (Status.CURRENT, None)


def test_another_digest_is_stale() -> None:
    finding = judge(occurrence(f"python:3@{OLD}"), Resolution(ASKED, NEW))

    assert (finding.status, finding.reason) == (Status.STALE, "digest-moved")
    assert finding.message == f"docker.io/library/python:3 moved to {NEW}"
    assert finding.new_digest == NEW


@pytest.mark.parametrize("pinned", [OLD, NEW], ids=["another digest", "the same digest"])
def test_another_tag_is_stale_whatever_is_pinned(pinned: Digest) -> None:
    finding = judge(occurrence(f"python:3@{pinned}"), Resolution(ASKED, NEW), "4")

    assert (finding.status, finding.reason) == (Status.STALE, "other-tag")
    assert finding.message == f"docker.io/library/python:3 is to become 4@{NEW}"
    assert (finding.new_tag, finding.new_digest) == ("4", NEW)


@pytest.mark.parametrize(
    "pinned, status", [(OLD, Status.STALE), (NEW, Status.CURRENT)], ids=["stale", "current"]
)
def test_the_tag_that_it_has_is_no_other(pinned: Digest, status: Status) -> None:
    finding = judge(occurrence(f"python:3@{pinned}"), Resolution(ASKED, NEW), "3")

    assert (finding.status, finding.new_tag) == (status, None)


def test_an_answer_for_an_unpinned_reference_is_its_first_pin() -> None:
    finding = judge(occurrence("python:3"), Resolution(ASKED, NEW))

    assert (finding.status, finding.new_digest) == (Status.UNPINNED, NEW)


def test_what_has_no_place_for_an_edit_is_stale_all_the_same() -> None:
    refusal = Skip("split-digest", "its digest is spread over two lines")
    found = occurrence(f"python:3@{OLD}", place=None, refusal=refusal)

    finding = judge(found, Resolution(ASKED, NEW))

    assert (finding.status, finding.reason) == (Status.STALE, "split-digest")
    assert finding.message.endswith("not edited: its digest is spread over two lines")


@pytest.mark.parametrize("code", ["denied", "rate-limited", "timeout"])
def test_no_answer_is_failed_never_current(code: str) -> None:
    error = RegistryError("it broke", code=code, host="docker.io", hint="mend it")

    finding = judge(occurrence(f"python:3@{OLD}"), error)

    assert (finding.status, finding.reason) == (Status.FAILED, code)
    assert (finding.message, finding.hint) == ("it broke", "mend it")

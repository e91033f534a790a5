from __future__ import annotations

from dataclasses import replace

import pytest

from digestbot.proposals.evidence import Evidence
from digestbot.proposals.update import Update
from digestbot.proposals.warnings import created_at, warnings_of
from digestbot.registry.image_facts import ImageFacts
from tests.proposals.words import OLD, UNKNOWN, evidence, facts, update
from tests.registries.samples import OCI_MANIFEST


def single(platform: str = "linux/amd64") -> ImageFacts:
    return facts(OLD, platforms=(platform,), media_type=OCI_MANIFEST)


@pytest.mark.parametrize(
    "known, slug, part",
    [
        pytest.param(
            evidence(new=facts(platforms=["linux/amd64"])),
            "platform-lost",
            "linux/arm64",
            id="lost",
        ),
        pytest.param(evidence(new=single()), "single-now", "linux/amd64", id="single"),
        pytest.param(evidence(old=single()), "index-now", "linux/amd64", id="index"),
        pytest.param(
            evidence(new=facts(created="2026-01-01T00:00:00Z")), "older", "2026-01-01", id="older"
        ),
        pytest.param(UNKNOWN, "old-gone", OLD.short, id="gone"),
    ],
)
def test_what_is_unusual_is_said(known: Evidence, slug: str, part: str) -> None:
    (caution,) = warnings_of(update(), known)

    assert caution.slug == slug
    assert part in caution.sentence


def by_policy(reason: str, message: str) -> Update:
    made = update(old=(OLD, OLD))
    said = (replace(one, reason=reason, message=message) for one in made.findings)
    return replace(made, findings=tuple(said))


def test_a_denied_pin_is_the_first_thing_to_know() -> None:
    made = by_policy("denied-pinned", "it is pinned")

    first, *others = warnings_of(made, UNKNOWN)

    assert first.slug == "denied-pinned"
    assert OLD.short in first.sentence
    assert [caution.slug for caution in others] == ["old-gone"]


def test_what_is_not_the_newest_says_why() -> None:
    (caution,) = warnings_of(by_policy("not-newest", "the newest settles"), evidence())

    assert (caution.slug, caution.sentence) == ("not-newest", "the newest settles.")


def test_usual_update_has_no_warnings() -> None:
    assert warnings_of(update(), evidence()) == ()


def test_whoever_pins_one_platform_is_told_how_to_stay() -> None:
    (caution,) = warnings_of(update(), evidence(old=single("linux/arm/v7")))

    assert caution.line == "# digestbot: platform=linux/arm/v7"


def test_default_of_a_variable_is_a_warning() -> None:
    variable = update(written="${BASE}")

    assert [one.slug for one in warnings_of(variable, evidence())] == ["build-argument"]


def test_a_digest_behind_a_tag_that_is_a_variable_is_none() -> None:
    variable = update(written=f"golang:${{V}}@{OLD}")

    assert warnings_of(variable, evidence()) == ()


@pytest.mark.parametrize(
    "created",
    ["", "soon", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "1970-01-01T00:00:00Z",
     "1980-01-01T00:00:01Z", "\u0662\u0660"],
)  # fmt: skip
def test_times_that_are_made_up_are_unknown(created: str) -> None:
    assert created_at(facts(created=created)) is None
    assert warnings_of(update(), evidence(new=facts(created=created))) == ()


def test_time_with_nanoseconds_is_read() -> None:
    moment = created_at(facts(created="2026-10-05T12:00:00.123456789Z"))

    assert moment
    assert moment.day == 5

from __future__ import annotations

import pytest

from digestbot.registry.errors import CODES
from digestbot.service.conditions import NEEDS_SOMEBODY
from digestbot.web.hints import of_hold, of_lookup

# Of these there is nothing to do but to read what was said.
SILENT = {"not-recorded", "challenge", "bad-manifest", "answer-too-large", "unexpected"}


@pytest.mark.parametrize("code", sorted(set(CODES) - SILENT))
def test_each_cause_of_a_failure_says_what_to_do(code: str) -> None:
    told = of_lookup(code, "ghcr.io")

    assert told
    assert "{" not in told
    assert told[0].islower() or told.startswith("`")
    assert not told.endswith(".")


def test_the_host_is_named() -> None:
    assert of_lookup("tls", "harbor.corp:8443") == (
        "if its certificate is from an authority of your own, "
        "set registries.harbor.corp:8443.ca_file"
    )


def test_a_host_is_no_template() -> None:
    assert "{0.__class__}" in of_lookup("unauthorized", "{0.__class__}")


@pytest.mark.parametrize("code", ["unexpected", "", "what-nobody-knows"])
def test_of_what_nobody_knows_nothing_is_said(code: str) -> None:
    assert of_lookup(code, "ghcr.io") == ""


@pytest.mark.parametrize("reason", sorted(NEEDS_SOMEBODY))
def test_what_needs_somebody_says_what_to_do(reason: str) -> None:
    assert of_hold(reason)


def test_what_only_needs_time_says_nothing() -> None:
    assert of_hold("settling") == ""

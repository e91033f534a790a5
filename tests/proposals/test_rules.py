from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.clock import Clock
from digestbot.config.issues import ConfigError
from digestbot.config.models import Settings
from digestbot.files.occurrence import Skip
from digestbot.proposals.rules import Rulebook
from digestbot.proposals.run import Rules
from digestbot.scan.engine import Policy
from digestbot.scan.forge_files import RepoFiles
from tests.github.clock import VirtualClock

SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n" % (n, n, *[n - 1] * 9)
    for n in range(ord("b"), ord("k"))
)


def rules(
    text: str | bytes = "",
    *,
    path: str = ".digestbot.yaml",
    fixed: frozenset[str] = frozenset(),
    **org: object,
) -> Rules:
    data = text.encode() if isinstance(text, str) else text
    return rules_of({path: data} if data else {}, fixed=fixed, **org)


def rules_of(
    configuration: Mapping[str, bytes | Skip],
    *,
    fixed: frozenset[str] = frozenset(),
    **org: object,
) -> Rules:
    book = Rulebook(
        Settings.model_validate(org),
        Policy(jobs=3),
        fixed,
        Clock(wall=SATURDAY.timestamp),
    )
    return book.rules_for(RepoFiles(configuration=configuration))


def test_a_repo_without_configuration_has_the_rules_of_the_run() -> None:
    found = rules(labels=["deps"], automerge=True, pin=True)

    assert found.proposals.labels == ("deps",)
    assert found.proposals.automerge
    assert found.policy == Policy(pin=True, jobs=3)
    assert found.notices == ()


def test_a_repo_decides_what_it_may() -> None:
    found = rules(
        "enabled: false\ngroup: image\nlabels: [own]\nreviewers: [ann]\nautomerge: true\n",
        labels=["deps"],
    )

    proposals = found.proposals
    assert (proposals.enabled, proposals.group, proposals.labels) == (False, "image", ("own",))
    assert (proposals.reviewers, proposals.automerge) == (("ann",), True)
    assert found.notices == ()


def test_what_a_repo_ignores_comes_on_top_of_what_the_run_ignores() -> None:
    org = [{"image": "docker.io/library/debian"}]

    found = rules("ignore: [{image: ghcr.io/acme/*, path: legacy/**}]\n", ignore=org)

    assert [rule.image for rule in found.policy.ignore] == [
        "docker.io/library/debian",
        "ghcr.io/acme/*",
    ]


def test_what_a_repo_excludes_is_left_out() -> None:
    assert rules("exclude: [vendor/**]\n", exclude=["a/**"]).exclude == ("a/**", "vendor/**")


def test_what_is_not_for_a_repo_to_decide_is_ignored_and_said_with_its_line() -> None:
    found = rules("labels: [own]\nautomerge_without_checks: true\nallow_private: true\n")

    assert not found.proposals.automerge_without_checks
    assert found.notices == (
        ".digestbot.yaml:2: `automerge_without_checks` is ignored: it is not for a repo to decide",
        ".digestbot.yaml:3: `allow_private` is ignored: it is not for a repo to decide",
    )


def test_the_run_says_what_a_repo_may_decide() -> None:
    found = rules("automerge: true\nlabels: [own]\n", overridable=["labels"])

    assert (found.proposals.automerge, found.proposals.labels) == (False, ("own",))
    assert len(found.notices) == 1


def test_what_a_scan_in_the_repo_needs_is_no_news() -> None:
    assert rules("requires: '>=0.0'\nfail_on: []\njobs: 2\ntimeout: 5\n").notices == ()


def test_the_command_line_is_not_overruled() -> None:
    assert rules("group: image\n", fixed=frozenset({"group"})).proposals.group == "repo"


def test_a_schedule_that_is_closed_says_until_when() -> None:
    found = rules("schedule: {cron: ['* * * * mon-fri'], timezone: Europe/Berlin}\n")

    assert "2026-11-23" in found.closed


def test_a_schedule_that_is_closed_says_when_it_opens() -> None:
    found = rules("schedule: {cron: ['* 6 * * mon-fri'], timezone: Europe/Berlin}\n")

    assert found.opens_at == datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_the_freezes_of_a_repo_come_on_top_of_those_of_the_run() -> None:
    org = [{"start": "2026-11-20", "end": "2026-11-22", "reason": "the sale"}]

    found = rules("freeze: [{start: 2026-11-23, end: 2026-11-24}]\n", freeze=org)

    assert found.closed == "not before 2026-11-25 (UTC), as there is a freeze: the sale"
    assert found.opens_at == datetime(2026, 11, 25, tzinfo=UTC)


def test_the_time_is_asked_for_anew_for_each_repo() -> None:
    clock = VirtualClock(SATURDAY.timestamp())
    data = {"freeze": [{"start": "2026-11-21", "end": "2026-11-21"}]}
    book = Rulebook(Settings.model_validate(data), Policy(), clock=clock.as_clock())
    assert book.rules_for(RepoFiles()).closed

    clock.advance(timedelta(days=1).total_seconds())

    open_again = book.rules_for(RepoFiles())
    assert (open_again.closed, open_again.opens_at) == ("", None)


@pytest.mark.parametrize("schedule", ["['* * * * *']", "['* * * * sat', '* * * * mon']"])
def test_a_schedule_that_is_open_says_nothing(schedule: str) -> None:
    assert rules(f"schedule: {{cron: {schedule}}}\n").closed == ""


@pytest.mark.parametrize(
    "text, said",
    [
        pytest.param("labels: x\n", ".digestbot.yaml:1:1: labels: must be a list", id="type"),
        pytest.param("label: [x]\n", "unknown key; did you mean 'labels'?", id="unknown"),
        pytest.param("a: [\n", ".digestbot.yaml:2", id="syntax"),
        pytest.param(BOMB, "counting each use of an alias", id="bomb"),
        pytest.param(b"[" * 5000, "deep", id="depth"),
        pytest.param(b"\xff\xfe\x00", "UTF-16", id="encoding"),
        pytest.param(b"#" * (1 << 20) + b"\n", "larger than 1 MiB", id="size"),
        pytest.param("requires: '>=99'\n", "needs digestbot >=99", id="version"),
    ],
)
def test_a_broken_configuration_names_file_line_and_fix(text: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(text)

    assert ".digestbot.yaml" in str(caught.value)
    assert said in str(caught.value)


def test_several_configurations_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="several"):
        rules_of({".digestbot.yaml": b"", ".github/digestbot.yaml": b""})


def test_a_configuration_that_cannot_be_read_is_not_taken_for_none() -> None:
    with pytest.raises(ConfigError, match="it is a link"):
        rules_of({".digestbot.yaml": Skip("symlink", "it is a link")})


@given(st.binary(max_size=300))
def test_any_bytes_are_rules_or_a_configuration_error(data: bytes) -> None:
    with suppress(ConfigError):
        assert isinstance(rules_of({".digestbot.yaml": data}), Rules)

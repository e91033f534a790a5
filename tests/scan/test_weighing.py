"""A scan with a gate: what is held back is said, and never edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.policy.holding import Hold
from digestbot.policy.judge import judge, weighed
from digestbot.policy.reasons import REASONS
from digestbot.registry.recorded import RecordedResolver
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.engine import Policy, scan
from digestbot.scan.forge_files import RepoFile
from digestbot.scan.result import ScanResult
from tests.policy.sightings import digest

OLD, MID, NEW = digest("old"), digest("mid"), digest("new")
PYTHON, GO = "docker.io/library/python:3", "docker.io/library/golang:1"
UNTIL = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
SETTLING = Hold("settling", "it is young", UNTIL)
MEANWHILE = Hold("too-new", "it is young", UNTIL, instead=MID)


@dataclass
class FixedGate:
    """Says the same of every tag, and counts how often it was asked."""

    offer: Digest | Hold
    denied: frozenset[Digest] = frozenset()
    asked: Counter[tuple[str, Digest | None]] = field(default_factory=Counter)

    def denies(self, digest: Digest) -> bool:
        return digest in self.denied

    def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
        assert found.query == query
        self.asked[str(query), pinned] += 1
        return self.offer


def scanned(
    text: str,
    gate: FixedGate,
    answers: Mapping[str, Digest] | None = None,
    *,
    pin: bool = False,
    offline: bool = False,
) -> ScanResult:
    known = {PYTHON: NEW, GO: NEW} if answers is None else answers
    policy = Policy(pin=pin, offline=offline, gate=gate)
    files = [RepoFile("Dockerfile", "dockerfile", text.encode())]
    result = scan(files, RecordedResolver(known), policy)
    assert {finding.reason for finding in result.findings} <= {*REASONS, "not-recorded"}
    return result


def the_finding(result: ScanResult) -> Finding:
    (finding,) = result.findings
    return finding


def test_what_may_pass_is_stale_as_ever() -> None:
    result = scanned(f"FROM python:3@{OLD}\n", FixedGate(NEW))

    finding = the_finding(result)
    assert (finding.status, finding.reason, finding.until) == (Status.STALE, "digest-moved", None)
    assert finding.new_digest == NEW
    assert result.changes


@pytest.mark.parametrize(
    "text, pin, begin",
    [
        pytest.param(f"FROM python:3@{OLD}\n", False, f"{PYTHON} moved to {NEW}", id="stale"),
        pytest.param("FROM python:3\n", True, f"{PYTHON} has {NEW}", id="to-be-pinned"),
    ],
)
def test_what_is_held_has_a_reason_and_a_date_and_no_edit(text: str, pin: bool, begin: str) -> None:
    result = scanned(text, FixedGate(SETTLING), pin=pin)

    finding = the_finding(result)
    assert (finding.status, finding.reason, finding.until) == (Status.HELD, "settling", UNTIL)
    assert finding.message == f"{begin}; held back: it is young"
    assert (finding.new_digest, finding.edits, result.changes) == (None, (), ())
    assert result.queries == {the_query()}


def the_query() -> Query:
    reference = the_finding(scanned(f"FROM python:3@{OLD}\n", FixedGate(NEW))).occurrence.reference
    assert reference is not None
    assert reference.followed is not None
    return Query(reference.followed)


@pytest.mark.parametrize(
    "text, pin, status",
    [
        pytest.param(f"FROM python:3@{OLD}\n", False, Status.STALE, id="stale"),
        pytest.param("FROM python:3\n", True, Status.UNPINNED, id="to-be-pinned"),
    ],
)
def test_another_digest_is_proposed_in_place_of_the_newest(
    text: str, pin: bool, status: Status
) -> None:
    result = scanned(text, FixedGate(MEANWHILE), pin=pin)

    finding = the_finding(result)
    assert (finding.status, finding.reason, finding.until) == (status, "not-newest", UNTIL)
    assert finding.message.endswith(
        f" {NEW}; {MID} is proposed, which is not the newest: it is young"
    )
    assert finding.new_digest == MID
    (change,) = result.changes
    assert change.after == f"FROM python:3@{MID}\n".encode()


@pytest.mark.parametrize(
    "offer, reason",
    [pytest.param(MEANWHILE, "too-new", id="hold"), pytest.param(MID, "not-newest", id="bare")],
)
def test_a_pin_that_is_the_best_there_is_is_held(offer: Digest | Hold, reason: str) -> None:
    finding = the_finding(scanned(f"FROM python:3@{MID}\n", FixedGate(offer)))

    assert (finding.status, finding.reason) == (Status.HELD, reason)
    assert finding.new_digest is None


def test_what_has_no_place_for_an_edit_keeps_saying_why() -> None:
    text = f"ARG D={str(OLD)[:40]}\nARG E={str(OLD)[40:]}\nFROM python:3@${{D}}${{E}}\n"

    finding = the_finding(scanned(text, FixedGate(MEANWHILE)))

    assert (finding.status, finding.reason) == (Status.STALE, "split-digest")
    assert finding.new_digest == MID
    assert not finding.edits


def test_each_distinct_pin_is_weighed_once() -> None:
    gate = FixedGate(SETTLING)
    text = f"FROM python:3@{OLD}\n" * 3 + f"FROM python:3@{MID}\nFROM golang:1@{OLD}\n"

    result = scanned(text, gate)

    assert gate.asked == {(PYTHON, OLD): 1, (PYTHON, MID): 1, (GO, OLD): 1}
    assert [finding.status.value for finding in result.findings] == ["held"] * 5


def test_a_pin_that_the_tag_came_back_to_is_current_and_looked_at_again() -> None:
    back = Hold("flapping", "the tag came back to it", UNTIL, instead=NEW)

    finding = the_finding(scanned(f"FROM python:3@{NEW}\n", FixedGate(back)))

    assert (finding.status, finding.reason, finding.until) == (Status.CURRENT, "up-to-date", UNTIL)
    assert finding.message.endswith("; the tag came back to it")


def test_only_what_is_held_stays_as_it_is() -> None:
    class HoldsGo(FixedGate):
        def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
            return SETTLING if query.image.repository.endswith("golang") else found.digest

    result = scanned(f"FROM python:3@{OLD}\nFROM golang:1@{OLD}\n", HoldsGo(NEW))

    (change,) = result.changes
    assert change.after == f"FROM python:3@{NEW}\nFROM golang:1@{OLD}\n".encode()


@pytest.mark.parametrize(
    "text, offer, status, new",
    [
        pytest.param(f"FROM python:3@{OLD}\n", NEW, Status.STALE, NEW, id="replaced"),
        pytest.param(f"FROM python:3@{OLD}\n", MEANWHILE, Status.STALE, MID, id="by-an-older-one"),
        pytest.param(f"FROM python:3@{OLD}\n", SETTLING, Status.HELD, None, id="not-yet"),
        pytest.param(f"FROM python:3@{NEW}\n", SETTLING, Status.HELD, None, id="current"),
        pytest.param(f"FROM python@{OLD}\n", NEW, Status.SKIPPED, None, id="without-a-tag"),
        pytest.param(f"FROM node:3@{OLD}\n", NEW, Status.HELD, None, id="lookup-failed"),
        pytest.param(
            f"# digestbot: ignore\nFROM python:3@{OLD}\n", NEW, Status.SKIPPED, None, id="ignored"
        ),
    ],
)
def test_a_denied_pin_is_always_said_to_be_one(
    text: str, offer: Digest | Hold, status: Status, new: Digest | None
) -> None:
    pinned = NEW if str(NEW) in text else OLD

    finding = the_finding(scanned(text, FixedGate(offer, frozenset({pinned}))))

    assert (finding.status, finding.reason) == (status, "denied-pinned")
    assert finding.is_denied
    assert finding.new_digest == new
    assert finding.message.startswith(f"{pinned} is pinned and on the deny list; ")


def test_a_denied_pin_needs_no_registry_to_be_seen() -> None:
    gate = FixedGate(NEW, frozenset({OLD}))

    finding = the_finding(scanned(f"FROM python:3@{OLD}\n", gate, offline=True))

    assert (finding.status, finding.reason) == (Status.SKIPPED, "denied-pinned")
    assert not gate.asked


def test_a_denied_pin_that_cannot_be_edited_stays_a_denied_pin() -> None:
    class Open(FixedGate):
        def weigh(self, query: Query, pinned: Digest | None, found: Resolution) -> Digest | Hold:
            return found.digest

    text = f"ARG D={OLD}\nFROM python:3@$D\nFROM golang:1@$D\n"

    result = scanned(text, Open(NEW, frozenset({OLD})), {PYTHON: NEW, GO: MID})

    assert {finding.reason for finding in result.findings} == {"denied-pinned"}
    assert all("not edited" in finding.message for finding in result.findings)


def test_weighing_does_not_touch_what_may_pass() -> None:
    found = Resolution(the_query(), NEW)
    finding = the_finding(scanned(f"FROM python:3@{OLD}\n", FixedGate(NEW)))
    judged = judge(finding.occurrence, found)

    assert weighed(judged, found, NEW) is judged

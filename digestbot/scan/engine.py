"""The scan: files → occurrences → one lookup per distinct question → findings and changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Protocol

from digestbot.errors import EditRefusedError
from digestbot.files.edit import apply_edits
from digestbot.files.formats import Format
from digestbot.files.occurrence import Occurrence, Skip
from digestbot.files.verify import Wanted, plan_edits
from digestbot.image import Digest
from digestbot.policy.finding import Finding, Status
from digestbot.policy.ignore import IgnoreRule
from digestbot.policy.judge import judge, question
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.scan.aims import Aims, aimed, is_whole, left_alone
from digestbot.scan.bounds import Bounds, bounded, problems_of
from digestbot.scan.gate import Gate
from digestbot.scan.lookups import Answer, look_up, lookup_problems
from digestbot.scan.result import Change, Problem, ScanResult
from digestbot.scan.tree import UnreadableError
from digestbot.scan.weighing import weighed_findings

_log = logging.getLogger(__name__)


class SourceFile(Protocol):
    """A file that can be scanned, wherever it lives."""

    @property
    def path(self) -> str:
        """What reports call it."""

    @property
    def format_name(self) -> str:
        """The key of its format in `files.formats.FORMATS`."""

    @property
    def format(self) -> Format:
        """Its reader."""

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            UnreadableError: There is a rule against reading it.
            OSError: The system refused.
        """


class Observer(Protocol):
    """Someone who watches a scan, such as a progress bar."""

    def lookups_begin(self, total: int) -> None:
        """So many distinct questions will be asked."""

    def lookup_done(self, query: Query, answer: Answer) -> None:
        """One of them was answered."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user wants of a scan.

    `pin`: references without a digest get one. `offline`: nobody is asked. `jobs`: lookups at
    the same time. `gate`: who may hold back what would be proposed; without one, nothing is.
    `aims`: who knows what pins become, in place of registries; what is not meant is left alone.
    """

    pin: bool = False
    offline: bool = False
    ignore: Sequence[IgnoreRule] = ()
    jobs: int = 16
    gate: Gate | None = None
    aims: Aims | None = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read: the bytes themselves are not kept, only what tells them from others."""

    file: SourceFile
    occurrences: tuple[Occurrence, ...]
    digest: Digest | None = None


def scan(
    files: Iterable[SourceFile],
    resolver: Resolver,
    policy: Policy,
    *,
    today: date | None = None,
    observer: Observer | None = None,
    bounds: Bounds | None = None,
) -> ScanResult:
    """Read the files, ask about each distinct (image, tag) once, and judge every occurrence.

    One bad file, image or registry never ends the scan: it is a finding and a problem.
    Nothing is written; `ScanResult.changes` holds what could be. Without `bounds`, all there is
    is followed.
    """
    started_at, clock = datetime.now(UTC), time.perf_counter()
    today = today or started_at.astimezone().date()
    readings, problems = _read_all(files, bounds)
    asked = {
        occurrence: question(occurrence, pin=policy.pin, ignore=policy.ignore, today=today)
        for reading in readings
        for occurrence in reading.occurrences
    }
    wanted: Mapping[Occurrence, Wanted] = {}
    if policy.aims is not None and not policy.offline:
        asked, wanted = aimed(asked, policy.aims)
    if bounds is not None:
        asked = bounded(asked, bounds)
        problems += problems_of(asked.values())
    told = _ask(asked.values(), resolver, policy, observer)
    answers = dict(_answers(asked, told, wanted))
    verdicts = {found: _verdict(found, one, answers, wanted) for found, one in asked.items()}
    if policy.gate is not None:
        verdicts = weighed_findings(verdicts, answers, policy.gate, jobs=policy.jobs)
    findings, changes = _planned(readings, verdicts)
    if policy.aims is not None and policy.aims.is_whole and not is_whole(findings):
        findings, changes = left_alone(findings), []
    return ScanResult(
        started_at=started_at,
        duration_s=time.perf_counter() - clock,
        files=len(readings),
        lookups=len(told),
        findings=tuple(findings),
        problems=(*problems, *lookup_problems(told)),
        changes=tuple(changes),
        resolutions=tuple(a for a in told.values() if isinstance(a, Resolution)),
    )


def _answers(
    asked: Mapping[Occurrence, Query | Finding],
    told: Mapping[Query, Answer],
    wanted: Mapping[Occurrence, Wanted],
) -> Iterator[tuple[Occurrence, Answer]]:
    """What was answered; what a pin is to become counts as if it had been."""
    for occurrence, query in asked.items():
        if isinstance(query, Query):
            if occurrence in wanted:
                yield occurrence, Resolution(query, wanted[occurrence].digest)
            elif query in told:
                yield occurrence, told[query]


def _read_all(
    files: Iterable[SourceFile], bounds: Bounds | None
) -> tuple[list[_Reading], list[Problem]]:
    readings: list[_Reading] = []
    count = 0
    problems: list[Problem] = []
    for file in files:
        digest = None
        try:
            data = file.read()
            digest = Digest.of(data)
            occurrences = tuple(file.format.read(file.path, data))
        except UnreadableError as error:
            occurrences = (_whole_file(file, error.skip),)
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "see to its permissions, or leave it out with --exclude"
            problems.append(Problem("file", file.path, "unreadable", reason, hint))
            occurrences = (_whole_file(file, Skip("unreadable", f"cannot be read: {reason}")),)
        except Exception as error:  # noqa: BLE001 - contained, and reported
            # Whatever a stranger's file brings about, the other files are read all the same.
            _log.debug("reading %r failed", file.path, exc_info=True)
            reason = f"digestbot itself failed on this file ({type(error).__name__})"
            hint = "please report it, with what `-vv` prints"
            problems.append(Problem("file", file.path, "unreadable", reason, hint))
            occurrences = (_whole_file(file, Skip("unreadable", reason)),)
        if bounds is not None and count + len(occurrences) > bounds.references:
            occurrences = (_whole_file(file, bounds.skip()),)
        count += len(occurrences)
        readings.append(_Reading(file, occurrences, digest))
    return readings, problems


def _whole_file(file: SourceFile, skip: Skip) -> Occurrence:
    return Occurrence(file.path, 1, 1, file.format_name, "file", "", skip=skip)


def _ask(
    asked: Iterable[Query | Finding], resolver: Resolver, policy: Policy, observer: Observer | None
) -> dict[Query, Answer]:
    """What registries say; they are not asked offline, nor where it is known what pins become."""
    if policy.offline or policy.aims is not None:
        return {}
    distinct = list(dict.fromkeys(query for query in asked if isinstance(query, Query)))
    if observer is None:
        return look_up(distinct, resolver, jobs=policy.jobs)
    observer.lookups_begin(len(distinct))
    return look_up(distinct, resolver, jobs=policy.jobs, on_answer=observer.lookup_done)


def _verdict(
    occurrence: Occurrence,
    asked: Query | Finding,
    answers: Mapping[Occurrence, Answer],
    wanted: Mapping[Occurrence, Wanted],
) -> Finding:
    if isinstance(asked, Query):
        if occurrence in answers:
            tag = wanted[occurrence].tag if occurrence in wanted else None
            return judge(occurrence, answers[occurrence], tag)
        return Finding(
            occurrence, Status.SKIPPED, "offline", f"{asked} was not asked about: --offline"
        )
    if asked.reason == "unreadable":
        return replace(asked, status=Status.FAILED)
    return asked


def _planned(
    readings: Iterable[_Reading], verdicts: Mapping[Occurrence, Finding]
) -> tuple[list[Finding], list[Change]]:
    findings: list[Finding] = []
    changes: list[Change] = []
    for reading in readings:
        judged = [verdicts[found] for found in reading.occurrences]
        planned, change = _plan(reading, judged)
        findings += planned
        changes += [change] if change else []
    return findings, changes


def _plan(reading: _Reading, findings: list[Finding]) -> tuple[list[Finding], Change | None]:
    """The findings with their edits, and the change that these make to the file."""
    wanted = {
        index: Wanted(finding.new_digest, finding.new_tag)
        for index, finding in enumerate(findings)
        if finding.new_digest is not None and finding.occurrence.place is not None
    }
    if not wanted:
        return findings, None
    file = reading.file
    try:
        before = _read_again(reading)
        plan = plan_edits(file.format, file.path, before, reading.occurrences, wanted)
        after = apply_edits(before, (edit for group in plan.edits.values() for edit in group))
    except (OSError, UnreadableError, EditRefusedError) as error:
        skip = Skip("file-changed", f"the file changed meanwhile ({error})")
        return [_refuse(finding, skip) for finding in findings], None
    planned = [replace(f, edits=plan.edits.get(index, ())) for index, f in enumerate(findings)]
    for index, skip in plan.refusals.items():
        planned[index] = _refuse(planned[index], skip)
    return planned, Change(file.path, before, after) if before != after else None


def _read_again(reading: _Reading) -> bytes:
    data = reading.file.read()
    if Digest.of(data) != reading.digest:
        raise EditRefusedError("it holds other bytes now", reason="file-changed")
    return data


def _refuse(finding: Finding, skip: Skip) -> Finding:
    if finding.new_digest is None:
        return finding
    message = f"{finding.message}; not edited: {skip.message}"
    reason = finding.reason if finding.is_denied else skip.reason
    return replace(finding, reason=reason, message=message)

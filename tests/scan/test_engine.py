"""The scan: one lookup per question, every occurrence judged, nothing ever sinks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest

from digestbot.files.formats import FORMATS, Format
from digestbot.files.occurrence import Occurrence, Skip
from digestbot.files.verify import Wanted
from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.policy.reasons import REASONS
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.aims import NOT_CHOSEN
from digestbot.scan.engine import Policy, scan
from digestbot.scan.lookups import Answer
from digestbot.scan.result import ScanResult
from digestbot.scan.tree import UnreadableError

OLD, NEW = Digest.of(b"old"), Digest.of(b"new")


@dataclass
class Memory:
    """A file in memory; each read takes the next of its versions, the last one stays."""

    path: str
    versions: list[bytes | Exception]
    format_name: str = "dockerfile"

    @property
    def format(self) -> Format:
        return FORMATS[self.format_name]

    def read(self) -> bytes:
        version = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        if isinstance(version, Exception):
            raise version
        return version


@dataclass
class Registry:
    """Answers from a dict `image:tag` → digest; what is missing cannot be reached."""

    digests: Mapping[str, Digest]
    asked: Counter[str] = field(default_factory=Counter)

    def resolve(self, query: Query) -> Resolution:
        self.asked[str(query)] += 1
        if str(query) not in self.digests:
            host = query.image.registry
            raise RegistryError(f"{query}: no way", code="unreachable", host=host, hint="wait")
        return Resolution(query, self.digests[str(query)], answered_by=query.image.registry)


PYTHON, GO = "docker.io/library/python:3", "docker.io/library/golang:1"


def files(**texts: str) -> list[Memory]:
    return [Memory(name, [text.encode()]) for name, text in texts.items()]


def statuses(result: ScanResult) -> list[tuple[str, str]]:
    return [(finding.status.value, finding.reason) for finding in result.findings]


def test_one_piece_of_data_goes_through_the_whole_house() -> None:
    registry = Registry({PYTHON: NEW, GO: OLD})
    text = f"FROM golang:1@{OLD} AS b\nFROM python:3@{OLD}\nCOPY --from=b /a /b\n"

    result = scan(files(Dockerfile=text), registry, Policy())

    assert statuses(result) == [("current", "up-to-date"), ("stale", "digest-moved")]
    assert (result.files, result.lookups, result.problems) == (1, 2, ())
    (change,) = result.changes
    assert change.before == text.encode()
    assert change.after == text.replace(f"python:3@{OLD}", f"python:3@{NEW}").encode()
    (edit,) = result.findings[1].edits
    assert (edit.old, edit.new) == (OLD.hex, NEW.hex)
    assert change.before[edit.start : edit.end] == OLD.hex.encode()


def test_each_distinct_tag_is_asked_about_once_however_often_it_stands() -> None:
    registry = Registry({PYTHON: NEW})
    text = f"FROM python:3@{OLD}\nFROM docker.io/library/python:3@{NEW}\n"

    result = scan(files(a=text, b=text, c=text), registry, Policy())

    assert registry.asked == {PYTHON: 1}
    assert result.lookups == 1
    assert Counter(status for status, _ in statuses(result)) == {"stale": 3, "current": 3}


def test_a_second_scan_of_the_changed_file_finds_nothing_to_do() -> None:
    registry = Registry({PYTHON: NEW, GO: NEW})
    text = f"ARG D={OLD}\nFROM python:3@$D\nFROM golang:1\n"

    first = scan(files(Dockerfile=text), registry, Policy(pin=True))
    again = [Memory("Dockerfile", [first.changes[0].after])]
    second = scan(again, registry, Policy(pin=True))

    assert statuses(second) == [("current", "up-to-date")] * 2
    assert second.changes == ()


def test_unpinned_references_are_pinned_only_when_asked_for() -> None:
    registry = Registry({PYTHON: NEW, "docker.io/library/golang:latest": NEW})
    text = "FROM python:3 AS a\nFROM golang\n"

    without = scan(files(Dockerfile=text), registry, Policy())
    pinned = scan(files(Dockerfile=text), registry, Policy(pin=True))

    assert statuses(without) == [("unpinned", "no-digest")] * 2
    assert (without.lookups, without.changes) == (0, ())
    assert pinned.changes[0].after.decode() == (
        f"FROM python:3@{NEW} AS a\nFROM golang:latest@{NEW}\n"
    )


def test_offline_asks_nobody() -> None:
    registry = Registry({})
    text = f"FROM python:3@{OLD}\nFROM golang:1\n"

    result = scan(files(Dockerfile=text), registry, Policy(offline=True))

    assert statuses(result) == [("skipped", "offline"), ("unpinned", "no-digest")]
    assert not registry.asked


def test_a_registry_that_fails_hides_no_other_finding() -> None:
    registry = Registry({PYTHON: NEW})
    text = f"FROM ghcr.io/a/b:1@{OLD}\nFROM ghcr.io/a/c:1@{OLD}\nFROM python:3@{OLD}\n"

    result = scan(files(Dockerfile=text), registry, Policy())

    assert statuses(result) == [
        ("failed", "unreachable"),
        ("failed", "unreachable"),
        ("stale", "digest-moved"),
    ]
    (problem,) = result.problems
    assert (problem.scope, problem.subject, problem.code) == ("registry", "ghcr.io", "unreachable")
    assert problem.message.endswith("no way (and 1 more)")
    assert problem.hint == "wait"
    assert len(result.changes) == 1


@pytest.mark.parametrize(
    "trouble, status, reason",
    [
        (PermissionError(13, "Permission denied"), "failed", "unreadable"),
        (
            UnreadableError(Skip("too-large", "the file has more than 1 MiB")),
            "skipped",
            "too-large",
        ),
    ],
)
def test_a_file_that_cannot_be_read_hides_no_other_file(
    trouble: Exception, status: str, reason: str
) -> None:
    sound = files(sound=f"FROM python:3@{OLD}\n")

    result = scan([Memory("bad", [trouble]), *sound], Registry({PYTHON: NEW}), Policy())

    assert statuses(result) == [(status, reason), ("stale", "digest-moved")]
    assert [problem.subject for problem in result.problems] == (
        ["bad"] if status == "failed" else []
    )


@pytest.mark.parametrize(
    "later", [b"FROM golang:1\n", FileNotFoundError(2, "No such file or directory")]
)
def test_a_file_that_changes_under_the_scan_is_not_edited(later: bytes | Exception) -> None:
    first = f"FROM python:3@{OLD}\n".encode()

    result = scan([Memory("Dockerfile", [first, later])], Registry({PYTHON: NEW}), Policy())

    assert statuses(result) == [("stale", "file-changed")]
    assert result.changes == ()


def test_one_text_that_feeds_two_images_is_refused_and_the_rest_is_edited() -> None:
    registry = Registry({PYTHON: NEW, GO: OLD, "docker.io/library/node:1": NEW})
    text = f"ARG D={OLD}\nFROM python:3@$D\nFROM golang:1@$D\nFROM node:1@{OLD}\n"

    result = scan(files(Dockerfile=text), registry, Policy())

    assert statuses(result) == [
        ("stale", "shared-span"),
        ("current", "up-to-date"),
        ("stale", "digest-moved"),
    ]
    assert result.changes[0].after.decode() == text.replace(f"node:1@{OLD}", f"node:1@{NEW}")


def test_a_comment_and_a_rule_can_hold_an_image_back() -> None:
    registry = Registry({PYTHON: NEW})
    text = f"# digestbot: ignore until=2027-01-31 freeze\nFROM python:3@{OLD}\n"

    before = scan(files(D=text), registry, Policy(), today=date(2027, 1, 31))
    after = scan(files(D=text), registry, Policy(), today=date(2027, 2, 1))

    assert statuses(before) == [("skipped", "ignored")]
    assert "2027-01-31: freeze" in before.findings[0].message
    assert statuses(after) == [("stale", "digest-moved")]


def test_whoever_watches_is_told_of_each_lookup() -> None:
    class Watcher:
        def __init__(self) -> None:
            self.total: list[int] = []
            self.done: list[str] = []

        def lookups_begin(self, total: int) -> None:
            self.total.append(total)

        def lookup_done(self, query: Query, answer: Answer) -> None:
            self.done.append(str(query))

    watcher = Watcher()
    text = f"FROM python:3@{OLD}\nFROM golang:1@{OLD}\n"

    scan(files(Dockerfile=text), Registry({}), Policy(), observer=watcher)

    assert watcher.total == [2]
    assert sorted(watcher.done) == [GO, PYTHON]


HOSTILE: Sequence[str] = (
    "FROM",
    "FROM a b c d\n",
    "FROM {{ base }}\n",
    "FROM UPPER\n",
    "FROM python@sha256:abc\n",
    "FROM $X\n",
    "ARG X\nFROM $X\n",
    "FROM py-$TARGETARCH:1\n",
    "FROM a\nCOPY --from=$X / /\n",
    "FROM sha256:" + "1" * 64 + "\n",
    f"FROM python@{OLD}\n",
    "FROM a\nRUN <<EOF\n",
    "# digestbot: nonsense=1\nFROM python:3\n",
    "\xff\xfeF\x00R\x00O\x00M\x00",
    "",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_reason_is_a_known_slug(text: str) -> None:
    memory = Memory("Dockerfile", [text.encode("latin-1")])

    result = scan([memory], Registry({}), Policy())

    assert result.findings
    for finding in result.findings:
        assert finding.reason in REASONS
        assert finding.message
        assert finding.status in {Status.SKIPPED, Status.UNPINNED}


def test_a_fault_of_a_reader_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def matches(self, path: str) -> bool:
            return True

        def read(self, path: str, data: bytes) -> list[Occurrence]:
            raise ZeroDivisionError

    monkeypatch.setitem(FORMATS, "broken", Broken())
    broken = Memory("a", [b"x"], "broken")
    sound = files(b=f"FROM python:3@{OLD}\n")

    result = scan([broken, *sound], Registry({PYTHON: NEW}), Policy())

    assert statuses(result) == [("failed", "unreadable"), ("stale", "digest-moved")]
    assert "ZeroDivisionError" in result.problems[0].message


def test_many_references_that_share_a_pin_do_not_swell_the_report() -> None:
    count = 500
    lines = [f"FROM a:{number}@sha256:$A" for number in range(count)]
    text = "\n".join([f"ARG A={OLD.hex}", *lines, ""])
    registry = Registry({f"docker.io/library/a:{n}": NEW if n else OLD for n in range(count)})

    result = scan(files(Dockerfile=text), registry, Policy())

    assert max(len(finding.message) for finding in result.findings) < 400


@dataclass(frozen=True)
class Told:
    """Knows what some lines become."""

    lines: Mapping[int, Wanted | Skip]
    is_whole: bool = False

    def of(self, asked: Mapping[Occurrence, Query]) -> Mapping[Occurrence, Wanted | Skip]:
        return {one: self.lines[one.line] for one in asked if one.line in self.lines}


def test_where_it_is_known_what_pins_become_nobody_is_asked() -> None:
    lines = [f"FROM a:{number}@{OLD}" for number in range(1, 6)]
    aims = Told({1: Wanted(NEW), 2: Wanted(NEW, "9"), 3: Wanted(OLD), 4: Skip("lost", "a reason")})
    registry = Registry({})
    file = Memory("Dockerfile", ["\n".join(lines).encode()])

    result = scan([file], registry, Policy(aims=aims))

    assert registry.asked == Counter()
    assert [(one.status, one.reason) for one in result.findings] == [
        (Status.STALE, "digest-moved"),
        (Status.STALE, "other-tag"),
        (Status.CURRENT, "up-to-date"),
        (Status.SKIPPED, "lost"),
        (Status.SKIPPED, NOT_CHOSEN),
    ]
    [change] = result.changes
    assert change.after.decode().splitlines() == [
        f"FROM a:1@{NEW}",
        f"FROM a:9@{NEW}",
        *lines[2:],
    ]
    assert result.resolutions == ()


@pytest.mark.parametrize("is_whole", [True, False])
def test_where_all_belongs_together_it_is_edited_whole_or_not_at_all(*, is_whole: bool) -> None:
    files = [
        Memory("a/Dockerfile", [f"FROM a:1@{OLD}\nFROM b:1@{OLD}\n".encode()]),
        Memory("b/Dockerfile", [f"ARG V=1\nFROM a:$V@{OLD}\n".encode()]),
    ]
    aims = Told({1: Wanted(NEW, "9"), 2: Wanted(NEW, "9")}, is_whole)

    result = scan(files, Registry({}), Policy(aims=aims))

    reasons = {"not-whole"} if is_whole else {"other-tag"}
    assert [one.reason for one in result.findings] == [*reasons, *reasons, "tag-elsewhere"]
    assert len(result.changes) == int(not is_whole)
    assert [bool(one.edits) for one in result.findings] == [not is_whole] * 2 + [False]

"""Edits that are proven on a copy, and those that are refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from digestbot.files import dockerfile
from digestbot.files.edit import apply_edits
from digestbot.files.formats import Format
from digestbot.files.occurrence import Occurrence
from digestbot.files.verify import EditPlan, Wanted, plan_edits
from digestbot.image import Digest
from tests.files.dockerfile.notation import marked, short

NEW = {digit: Digest("sha256", digit * 64) for digit in "789"}


def planned(
    text: str, wanted: Mapping[int, str], reader: Format = dockerfile, tag: str | None = None
) -> EditPlan:
    data = marked(text).data
    found = dockerfile.read("Dockerfile", data)
    meant = {index: Wanted(NEW[digit], tag) for index, digit in wanted.items()}
    return plan_edits(reader, "Dockerfile", data, found, meant)


def written(text: str, plan: EditPlan) -> str:
    edits = [edit for each in plan.edits.values() for edit in each]
    return short(apply_edits(marked(text).data, edits).decode())


def reasons(plan: EditPlan) -> dict[int, str]:
    return {index: refusal.reason for index, refusal in plan.refusals.items()}


@pytest.mark.parametrize(
    "text, wanted, result",
    [
        pytest.param("FROM a:1@D1\n", {0: "7"}, "FROM a:1@D7\n", id="pin"),
        pytest.param("FROM a:1\n", {0: "7"}, "FROM a:1@D7\n", id="gap"),
        pytest.param("FROM a\n", {0: "7"}, "FROM a:latest@D7\n", id="gap without a tag"),
        pytest.param(
            "FROM a:1@D1\r\nFROM b:1@D2\r\nFROM c:1\r\n",
            {0: "7", 2: "8"},
            "FROM a:1@D7\r\nFROM b:1@D2\r\nFROM c:1@D8\r\n",
            id="some of them",
        ),
        pytest.param(
            "ARG B=a:1@D1\nFROM $B AS x\nFROM ${B} AS y\n",
            {0: "7", 1: "7"},
            "ARG B=a:1@D7\nFROM $B AS x\nFROM ${B} AS y\n",
            id="one place for two",
        ),
        pytest.param(
            "ARG B=a:1\nFROM $B AS x\nFROM $B AS y\n",
            {0: "7", 1: "7"},
            "ARG B=a:1@D7\nFROM $B AS x\nFROM $B AS y\n",
            id="one gap for two",
        ),
        pytest.param(
            'FROM scratch\nCOPY --from="a:1" /x /y\nRUN --mount=from=b:2@D1,target=/b x\n',
            {0: "7", 1: "8"},
            'FROM scratch\nCOPY --from="a:1@D7" /x /y\nRUN --mount=from=b:2@D8,target=/b x\n',
            id="COPY and mount",
        ),
        pytest.param(
            "# syntax=docker/dockerfile:1\nFROM a:1@D1\n",
            {0: "7"},
            "# syntax=docker/dockerfile:1@D7\nFROM a:1@D1\n",
            id="frontend",
        ),
        pytest.param("FROM a:1@D1\n", {}, "FROM a:1@D1\n", id="nothing"),
    ],
)
def test_edits_change_the_digests_that_were_meant(
    text: str, wanted: Mapping[int, str], result: str
) -> None:
    plan = planned(text, wanted)

    assert plan.refusals == {}
    assert set(plan.edits) == set(wanted)
    assert written(text, plan) == result


def test_edits_say_what_they_replace() -> None:
    (edit,) = planned("FROM a:1@D1\n", {0: "7"}).edits[0]

    assert (edit.path, edit.start, edit.end) == ("Dockerfile", 16, 80)
    assert (edit.old, edit.new) == ("1" * 64, "7" * 64)


@pytest.mark.parametrize(
    "text, wanted, refused",
    [
        pytest.param(
            "ARG D=D1\nFROM a:1@$D\nFROM b:1@$D\n",
            {0: "7", 1: "8"},
            {0: "shared-span", 1: "shared-span"},
            id="two images need two digests",
        ),
        pytest.param(
            "ARG B=a:1@D1\nFROM $B\n# digestbot: ignore\nFROM $B\n",
            {0: "7"},
            {0: "shared-span"},
            id="one of two is kept",
        ),
        pytest.param("FROM a@La\n", {0: "7"}, {0: "other-algorithm"}, id="sha512"),
        pytest.param("FROM a:1${D:+@$D}\n", {0: "7"}, {0: "conditional"}, id="conditional"),
        pytest.param("FROM $A\n", {0: "7"}, {0: "build-arg"}, id="nothing to follow"),
    ],
)
def test_unsafe_edits_are_refused(
    text: str, wanted: Mapping[int, str], refused: Mapping[int, str]
) -> None:
    plan = planned(text, wanted)

    assert plan.edits == {}
    assert reasons(plan) == refused


def test_a_shared_place_names_both_lines() -> None:
    plan = planned("ARG D=D1\nFROM a:1@$D\n\nFROM b:1@$D\n", {0: "7", 1: "8"})

    assert "lines 2, 4 " in plan.refusals[0].message


def test_a_refusal_leaves_the_other_edits() -> None:
    text = "ARG D=D1\nFROM a:1@$D\nFROM b:1@$D\nFROM c:1@D2\n"

    plan = planned(text, {0: "7", 1: "8", 2: "9"})

    assert set(plan.edits) == {2}
    assert written(text, plan).endswith("FROM c:1@D9\n")


def test_a_digest_that_means_something_elsewhere_is_refused() -> None:
    text = "ARG B=a:1@D1\nFROM $B\nFROM ${B%1}2\nFROM c:1@D2\n"

    plan = planned(text, {0: "7", 2: "9"})

    assert reasons(plan) == {0: "not-reproducible"}
    assert set(plan.edits) == {2}


def test_a_gap_that_means_something_elsewhere_is_refused() -> None:
    text = "ARG B=a:1\nFROM $B\nFROM $B-slim\nFROM c:1\n"

    plan = planned(text, {0: "7", 2: "9"})

    assert reasons(plan) == {0: "not-reproducible"}
    assert written(text, plan) == "ARG B=a:1\nFROM $B\nFROM $B-slim\nFROM c:1@D9\n"


@pytest.mark.parametrize(
    "text, wanted, result",
    [
        pytest.param("FROM a:1@D1\n", {0: "7"}, "FROM a:2.0@D7\n", id="pin"),
        pytest.param(
            "FROM --platform=$BUILDPLATFORM r.example:1/a:1@D1 AS a\r\nFROM a:1@D1",
            {0: "7"},
            "FROM --platform=$BUILDPLATFORM r.example:1/a:2.0@D7 AS a\r\nFROM a:1@D1",
            id="beside a port, and another of the name",
        ),
        pytest.param(
            "ARG B=a:1@D1\nFROM $B AS x\nFROM ${B} AS y\n",
            {0: "7", 1: "7"},
            "ARG B=a:2.0@D7\nFROM $B AS x\nFROM ${B} AS y\n",
            id="one place for two",
        ),
        pytest.param(
            "ARG R=r.example\nFROM ${R}/a:1@D1\n",
            {0: "7"},
            "ARG R=r.example\nFROM ${R}/a:2.0@D7\n",
            id="a variable before it",
        ),
        pytest.param(
            'FROM scratch\nCOPY --from="a:1@D1" /x /y\nRUN --mount=from=b:1@D1,target=/b x\n',
            {0: "7", 1: "8"},
            'FROM scratch\nCOPY --from="a:2.0@D7" /x /y\nRUN --mount=from=b:2.0@D8,target=/b x\n',
            id="COPY and mount",
        ),
        pytest.param("FROM a:2.0@D1\n", {0: "7"}, "FROM a:2.0@D7\n", id="the tag that it has"),
    ],
)
def test_a_tag_is_replaced_together_with_the_digest(
    text: str, wanted: Mapping[int, str], result: str
) -> None:
    plan = planned(text, wanted, tag="2.0")

    assert plan.refusals == {}
    assert written(text, plan) == result


def test_an_edit_of_a_tag_is_one_span() -> None:
    (edit,) = planned("FROM a:1@D1\n", {0: "7"}, tag="2.0").edits[0]

    assert (edit.path, edit.start, edit.end) == ("Dockerfile", 7, 80)
    assert (edit.old, edit.new) == (f"1@sha256:{'1' * 64}", f"2.0@sha256:{'7' * 64}")


@pytest.mark.parametrize(
    "text, wanted, refused",
    [
        pytest.param("ARG V=1\nFROM a:$V@D1\n", {0: "7"}, "tag-elsewhere", id="tag of its own"),
        pytest.param("ARG B=a:1\nFROM $B@D1\n", {0: "7"}, "tag-elsewhere", id="name of its own"),
        pytest.param("ARG D=D1\nFROM a:1@$D\n", {0: "7"}, "tag-elsewhere", id="own digest"),
        pytest.param("FROM a:1\\\n@D1\n", {0: "7"}, "tag-elsewhere", id="over two lines"),
        pytest.param("FROM a@D1\n", {0: "7"}, "tag-elsewhere", id="no tag"),
        pytest.param("FROM a:1\n", {0: "7"}, "tag-elsewhere", id="no digest"),
        pytest.param(
            "# digestbot: tag=1\nFROM a@D1\n", {0: "7"}, "tag-elsewhere", id="in a comment"
        ),
        pytest.param(
            "# digestbot: tag=1\nFROM a:1@D1\n", {0: "7"}, "tag-elsewhere", id="in a comment, too"
        ),
        pytest.param(
            "ARG B=a:1@D1\nFROM $B\nFROM ${B%@*}\n", {0: "7"}, "not-reproducible", id="used anew"
        ),
        pytest.param("ARG B=a:1@D1\nFROM $B\nFROM $B\n", {0: "7"}, "shared-span", id="one of two"),
    ],
)
def test_a_tag_that_cannot_be_replaced_with_the_digest_is_refused(
    text: str, wanted: Mapping[int, str], refused: str
) -> None:
    plan = planned(text, wanted, tag="2.0")

    assert plan.edits == {}
    assert reasons(plan) == {0: refused}


@pytest.mark.parametrize("tag", ["2 0", "", "2@x", "2\nRUN x", "$V"])
def test_what_is_no_tag_is_never_written(tag: str) -> None:
    plan = planned("FROM a:1@D1\n", {0: "7"}, tag=tag)

    assert plan.edits == {}
    assert reasons(plan) == {0: "not-reproducible"}


class Forgetful:
    """A format that misreads every copy it is shown."""

    def matches(self, path: str) -> bool:
        return True

    def read(self, path: str, data: bytes) -> list[Occurrence]:
        return []


def test_nothing_is_edited_where_the_copy_reads_differently() -> None:
    plan = planned("FROM a:1@D1\nFROM b:1\n", {0: "7", 1: "8"}, Forgetful())

    assert plan.edits == {}
    assert reasons(plan) == {0: "not-reproducible", 1: "not-reproducible"}


class Counting:
    """The real format, counting how often it reads."""

    def __init__(self) -> None:
        self.reads = 0

    def matches(self, path: str) -> bool:
        return dockerfile.matches(path)

    def read(self, path: str, data: bytes) -> list[Occurrence]:
        self.reads += 1
        return dockerfile.read(path, data)


def test_good_edits_cost_one_more_reading() -> None:
    counting = Counting()

    planned("FROM a:1@D1\n" * 50, dict.fromkeys(range(50), "7"), counting)

    assert counting.reads == 1


def test_bad_edits_cost_a_limited_number_of_readings() -> None:
    counting = Counting()
    bad = "".join(f"ARG B{i}=a:1\nARG C{i}=$B{i}-x\n" for i in range(200))
    stages = "".join(f"FROM $B{i}\nFROM $C{i}\n" for i in range(200))

    plan = planned(bad + stages, dict.fromkeys(range(0, 400, 2), "7"), counting)

    assert set(reasons(plan).values()) == {"not-reproducible"}
    assert counting.reads < 100

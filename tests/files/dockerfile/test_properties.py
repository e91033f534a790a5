"""What holds for every file: however it is written, whatever is in it, whoever edits it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from digestbot.files import dockerfile
from digestbot.files.dockerfile.directives import escape_of
from digestbot.files.dockerfile.instructions import read_instructions
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.rules import origins_of
from digestbot.files.dockerfile.source import Source
from digestbot.files.edit import Edit, apply_edits
from digestbot.files.occurrence import Occurrence, Pin
from digestbot.files.verify import Wanted, plan_edits
from digestbot.image import Digest
from tests.files.dockerfile.corpus import mutants, seeds
from tests.files.dockerfile.notation import long

Instruction = tuple[str, ...]

TAGS = st.sampled_from(["", ":3", ":3.12-slim"])
DIGESTS = st.sampled_from(["", "@D1", "@D2", "@La"])
LITERALS = st.builds(
    "{}{}{}".format, st.sampled_from(["py", "b.io/a/b", "[::1]:5000/a", "Bad"]), TAGS, DIGESTS
)
EXPANSIONS = st.sampled_from(
    [
        "$A",
        "${B}",
        "py:$A",
        "py:${B}@D3",
        "${C:-py:3@D4}",
        "${A:-py}",
        "py${C:+:3}",
        "x-$TARGETARCH",
    ]
)
REFERENCES = LITERALS | EXPANSIONS
ARGUMENTS = st.builds(
    "{}={}".format, st.sampled_from("AB"), LITERALS | st.sampled_from(["3", "", "3@D5", "$A"])
) | st.just("C")
OTHERS = st.one_of(
    st.builds(lambda ref: ("COPY", f"--from={ref}", "/x", "/y"), LITERALS | st.just("one")),
    st.builds(lambda ref: ("RUN", f"--mount=from={ref},target=/x", "make", "all"), LITERALS),
    st.builds(lambda ref: ("ONBUILD", "COPY", f"--from={ref}", "/x", "/y"), LITERALS),
    st.just(("RUN", "echo", "FROM", "x", "&&", "COPY", "--from=b")),
    st.just(("ENV", "A=1", 'B="FROM x"')),
    st.just(("CMD", '["FROM",', '"x"]')),
    st.just(("ARG", "A=9")),
)


@st.composite
def dockerfiles(draw: st.DrawFn) -> list[Instruction]:
    """Instructions as lists of words: ARGs, and stages with what may stand in them."""
    found: list[Instruction] = [("ARG", word) for word in draw(st.lists(ARGUMENTS, max_size=3))]
    for index in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([(), ("AS", "one"), ("as", "Two")]))
        base = draw(REFERENCES) if index == 0 else draw(REFERENCES | st.just("one"))
        found.append(("FROM", base, *name))
        found += draw(st.lists(OTHERS, max_size=3))
    return [tuple(long(word) for word in instruction) for instruction in found]


@dataclass
class Style:
    """How the same instructions may be written."""

    newline: str = "\n"
    bom: str = ""
    gap: str = " "
    between: str = ""
    quote: str = ""
    lower: bool = False
    final: bool = True


STYLES = st.builds(
    Style,
    newline=st.sampled_from(["\n", "\r\n"]),
    bom=st.sampled_from(["", "\ufeff"]),
    gap=st.sampled_from(
        [" ", "\t  ", " \\\n", " \\ \n\t", " \\\n# c \\\n", "\\\n \\\n\n  #\n ", "\v\\\n\f"]
    ),
    between=st.sampled_from(["", "\n", "# c\n", "  # FROM x\n\n", "\t\n"]),
    quote=st.sampled_from(["", '"']),
    lower=st.booleans(),
    final=st.booleans(),
)


def written(instructions: list[Instruction], style: Style) -> bytes:
    lines = []
    for keyword, *words in instructions:
        name = keyword.lower() if style.lower else keyword
        if style.quote and keyword == "FROM":
            words[0] = f'"{words[0]}"'
        lines.append(style.between + style.gap.join([name, *words]))
    text = "\n".join([*lines, ""] if style.final else lines)
    return (style.bom + text.replace("\n", style.newline)).encode()


def meaning(data: bytes) -> list[object]:
    """What is found, and what the places hold, without saying where they are."""
    return [
        (found.kind, str(found.reference), found.skip, found.refusal, held(data, found))
        for found in map(without_line, dockerfile.read("Dockerfile", data))
    ]


def without_line(found: Occurrence) -> Occurrence:
    skip = found.skip and replace(found.skip, message=found.skip.message.partition(": ")[2])
    return replace(found, skip=skip)


def held(data: bytes, found: Occurrence) -> object:
    place = found.place
    if place is None:
        return None
    if isinstance(place, Pin):
        return data[place.start : place.end]
    return (data[place.start - 1 : place.start], place.before)


@given(dockerfiles(), STYLES)
def test_the_same_instructions_mean_the_same_however_they_are_written(
    instructions: list[Instruction], style: Style
) -> None:
    plain = written(instructions, Style())

    assert meaning(written(instructions, style)) == meaning(plain)


@given(dockerfiles(), STYLES)
def test_every_pin_holds_the_digest_of_its_reference(
    instructions: list[Instruction], style: Style
) -> None:
    data = written(instructions, style)

    for found in dockerfile.read("Dockerfile", data):
        if isinstance(found.place, Pin):
            assert found.reference is not None
            assert found.reference.digest is not None
            hex_digits = data[found.place.start : found.place.end].decode()
            assert hex_digits == found.reference.digest.hex


def inverse(edits: set[Edit]) -> list[Edit]:
    """The edits that undo these, with the offsets of the edited file."""
    found = []
    shift = 0
    for edit in sorted(edits):
        start = edit.start + shift
        found.append(Edit(edit.path, start, start + len(edit.new), edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return found


NEW = Digest("sha256", "7" * 64)


@given(dockerfiles(), STYLES, st.sets(st.integers(0, 12)))
def test_edits_can_be_undone_and_need_no_second_run(
    instructions: list[Instruction], style: Style, chosen: set[int]
) -> None:
    data = written(instructions, style)
    found = dockerfile.read("Dockerfile", data)
    wanted = {index: Wanted(NEW) for index in chosen if index < len(found)}

    plan = plan_edits(dockerfile, "Dockerfile", data, found, wanted)

    edits = {edit for each in plan.edits.values() for edit in each}
    copy = apply_edits(data, edits)
    assert set(plan.edits) | set(plan.refusals) == set(wanted)
    assert apply_edits(copy, inverse(edits)) == data
    again = dockerfile.read("Dockerfile", copy)
    assert [each.kind for each in again] == [each.kind for each in found]
    for index, (before, after) in enumerate(zip(found, again, strict=True)):
        if index not in plan.edits:
            assert str(after.reference) == str(before.reference)
        else:
            assert after.reference is not None
            assert after.reference.digest == NEW
            assert isinstance(after.place, Pin)
    second = plan_edits(
        dockerfile, "Dockerfile", copy, again, dict.fromkeys(plan.edits, Wanted(NEW))
    )
    assert all(edit.old == edit.new for each in second.edits.values() for edit in each)
    assert set(second.edits) == set(plan.edits)


@given(dockerfiles(), STYLES, st.sets(st.integers(0, 12)))
def test_a_new_tag_takes_the_place_of_the_old_one_or_is_refused(
    instructions: list[Instruction], style: Style, chosen: set[int]
) -> None:
    data = written(instructions, style)
    found = dockerfile.read("Dockerfile", data)
    wanted = {index: Wanted(NEW, "9.9-x") for index in chosen if index < len(found)}

    plan = plan_edits(dockerfile, "Dockerfile", data, found, wanted)

    edits = {edit for each in plan.edits.values() for edit in each}
    copy = apply_edits(data, edits)
    again = dockerfile.read("Dockerfile", copy)
    assert set(plan.edits) | set(plan.refusals) == set(wanted)
    assert apply_edits(copy, inverse(edits)) == data
    assert all(edit.new == f"9.9-x@{NEW}" for edit in edits)
    for index, (before, after) in enumerate(zip(found, again, strict=True)):
        old, new = before.reference, after.reference
        if index not in plan.edits:
            assert str(new) == str(old)
            continue
        assert old is not None
        assert new is not None
        assert (new.image, new.tag, new.digest) == (old.image, "9.9-x", NEW)
        (edit,) = plan.edits[index]
        assert edit.old == f"{old.tag}@{old.digest}"
        assert data[edit.start - 1 : edit.start] == b":"


@given(st.binary(max_size=300))
def test_reading_never_raises(data: bytes) -> None:
    dockerfile.read("Dockerfile", data)
    dockerfile.read("Dockerfile", b"FROM a\n" + data)


PIECES = (
    *(b"FROM ", b"ARG A=", b"COPY --from=", b"RUN --mount=", b"ONBUILD ", b"\\\n", b"\n", b"$A"),
    *(b"${A", b"}", b":-", b"#", b"%", b"/", b"'", b'"', b"<<E", b"\xff", b"\xc2\xa0", b"\0"),
    *(b"# digestbot: ", b"tag=", b"ignore", b"@sha256:", b"1" * 64, b"`", b"# escape=`\n"),
    *(b'{"syntax":"a"}', b"[", b"]", b",", b"=", b"--", b" ", b"\r", b"\t", b"AS b", b"{{"),
)
ODD = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@given(ODD)
def test_reading_never_raises_on_odd_dockerfiles_either(data: bytes) -> None:
    for prefix in (b"", b"FROM a\n", b"ARG A=1\nFROM "):
        found = dockerfile.read("Dockerfile", prefix + data)
        for each in found:
            assert each.line >= 1
            assert each.column >= 1
            assert (each.place is None) or (each.refusal is None)
            assert each.place is None or each.reference is not None
            assert each.reference is not None or each.skip is not None


def test_what_is_passed_over_breaks_no_rule_and_names_no_image() -> None:
    texts = [*seeds(), *mutants(2000, random.Random(5))]

    for text in texts:
        source = Source.of(text.encode())
        try:
            escape = escape_of(source)
            every = list(read_instructions(source, escape, every=True))
        except RejectedError:
            continue
        careful = {each.number for each in read_instructions(source, escape)}
        for each in every:
            if each.number not in careful:
                assert each.keyword not in {"from", "onbuild"}
                assert list(origins_of(each)) == []


def test_plain_lines_are_passed_over() -> None:
    text = (
        "FROM a\n# c\n\nRUN x \\\n # c\n\n && y\nCOPY a b\nENV A=1 \\\n  B='x y'\nENV A b c\n"
        'WORKDIR /x\nUSER y\nEXPOSE 1\nARG X\nARG Y=1\nLABEL a.b="c d"\nCMD x\nENTRYPOINT y\n'
        "RUN --mount=type=cache,target=/c \\\n  --mount=type=tmpfs,target=/d x\nFROM b\n"
    )
    source = Source.of(text.encode())

    found = list(read_instructions(source, "\\"))

    assert [each.keyword for each in found] == ["from", "from"]

"""Files that BuildKit refuses: one occurrence that names line and rule, and no image."""

from __future__ import annotations

import pytest

from digestbot.files import dockerfile
from tests.files.dockerfile.notation import images, marked, read


@pytest.mark.parametrize(
    "text, line, rule",
    [
        pytest.param("", 1, "no FROM", id="empty"),
        pytest.param("\n# only a comment\n", 3, "no FROM", id="comments only"),
        pytest.param("ARG A=1\n", 2, "no FROM", id="ARG only"),
        pytest.param("\\\n", 1, "no instruction", id="nothing but a continuation"),
        pytest.param("FROM a\nFETCH b\n", 2, "'FETCH' is no instruction", id="unknown"),
        pytest.param("RUN x\nFROM a\n", 1, "RUN stands before the first FROM", id="too early"),
        pytest.param("FROM\n", 1, "FROM takes an image", id="FROM alone"),
        pytest.param("FROM a b\n", 1, "FROM takes an image", id="FROM with two"),
        pytest.param("FROM a to b\n", 1, "FROM takes an image", id="FROM without AS"),
        pytest.param("FROM ${A:-a b}\n", 1, "FROM takes an image", id="a blank in a default"),
        pytest.param("FROM a AS $b\n", 1, "'$b' is no name for a stage", id="stage name"),
        pytest.param("FROM --os=x a\n", 1, "there is no flag --os", id="flag of FROM"),
        pytest.param("FROM --platform a\n", 1, "--platform needs a value", id="no value"),
        pytest.param(
            "FROM --platform=a --platform=b c\n", 1, "--platform is given twice", id="twice"
        ),
        pytest.param("FROM a\nCOPY x\n", 2, "a source and a destination", id="COPY of one"),
        pytest.param('FROM a\nCOPY ["x"]\n', 2, "a source and a destination", id="JSON of one"),
        pytest.param("FROM a\nCOPY --link=x a b\n", 2, "--link takes true or false", id="switch"),
        pytest.param("FROM a\nCOPY --link= a b\n", 2, "--link takes true or false", id="blank"),
        pytest.param("FROM a\nADD --from=b a b\n", 2, "there is no flag --from", id="ADD"),
        pytest.param("FROM a\nCOPY x <<E\nE\n", 2, "cannot copy to a heredoc", id="destination"),
        pytest.param("FROM a\nRUN --mount x\n", 2, "--mount needs a value", id="mount"),
        pytest.param("FROM a\nRUN --mount= x\n", 2, "its value is empty", id="empty mount"),
        pytest.param('FROM a\nRUN --mount=a\\"b x\n', 2, "out of place", id="CSV quote"),
        pytest.param("FROM a\nRUN --mount=from=$B x\n", 2, "not expand variables", id="variable"),
        pytest.param("FROM a\nRUN --network=lan x\n", 2, "default, host, none", id="network"),
        pytest.param("FROM a\nRUN --security= x\n", 2, "insecure, sandbox", id="security"),
        pytest.param("FROM a\nRUN [1]\n", 2, "more than strings", id="JSON of numbers"),
        pytest.param("FROM a\nRUN <<E\nE \n", 2, "<<E is never ended", id="heredoc"),
        pytest.param("FROM a\nENV A\n", 2, "a name and a value", id="ENV without value"),
        pytest.param("FROM a\nENV A=1 B\n", 2, "'B' has no '='", id="ENV pair"),
        pytest.param("FROM a\nLABEL =1\n", 2, "a blank name", id="LABEL"),
        pytest.param("FROM a\nARG =1\n", 2, "a blank name", id="ARG"),
        pytest.param("FROM a\nARG\n", 2, "ARG has no arguments", id="ARG alone"),
        pytest.param("FROM a\nUSER\n", 2, "USER has no arguments", id="USER alone"),
        pytest.param("FROM a\nUSER --x b\n", 2, "there is no flag --x", id="flag of USER"),
        pytest.param("FROM a\nSHELL sh\n", 2, "a JSON array", id="SHELL"),
        pytest.param('FROM a\nVOLUME [" "]\n', 2, "a blank path", id="VOLUME"),
        pytest.param("FROM a\nHEALTHCHECK CMD\n", 2, "has no command", id="HEALTHCHECK CMD"),
        pytest.param("FROM a\nHEALTHCHECK NONE x\n", 2, "takes no arguments", id="NONE"),
        pytest.param("FROM a\nHEALTHCHECK x\n", 2, "takes CMD or NONE", id="HEALTHCHECK"),
        pytest.param("FROM a\nONBUILD\n", 2, "ONBUILD has no arguments", id="ONBUILD alone"),
        pytest.param("FROM a\nONBUILD ONBUILD x\n", 2, "ONBUILD ONBUILD", id="ONBUILD twice"),
        pytest.param("FROM a\nONBUILD MAINTAINER x\n", 2, "not allowed", id="MAINTAINER"),
        pytest.param("FROM a\nONBUILD FROM\u00a0 b\n", 2, "not allowed", id="no-break space"),
        pytest.param("FROM a\nONBUILD ENV A\n", 2, "a name and a value", id="trigger"),
        pytest.param("FROM a\nONBUILD CMD [1]\n", 2, "more than strings", id="JSON trigger"),
        pytest.param("# escape=\\\n# escape=`\nFROM a\n", 2, "given twice", id="directives"),
        pytest.param("# escape= \nFROM a\n", 1, "the escape must be", id="blank escape"),
        pytest.param('ARG A="x\nFROM a\n', 1, "quote is never closed", id="quote in ARG"),
        pytest.param("ARG A=${}\nFROM a\n", 1, "names no variable", id="expansion in ARG"),
        pytest.param("FROM a\nRUN " + "x" * 65_532 + "\n", 2, "has 65536 bytes", id="long line"),
    ],
)
def test_a_refused_file_is_one_occurrence_with_line_and_rule(
    text: str, line: int, rule: str
) -> None:
    found = read(text)

    assert len(found) == 1
    assert (found[0].kind, found[0].written, found[0].line) == ("file", "", line)
    assert found[0].reference is None
    assert found[0].skip is not None
    assert found[0].skip.reason == "invalid-dockerfile"
    assert found[0].skip.message.startswith(f"line {line}: ")
    assert rule in found[0].skip.message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM a\nRUN\nCMD\nENTRYPOINT\n", id="nothing to run"),
        pytest.param("FROM a\nRUN [ -f x ] && y\n", id="a test is no JSON"),
        pytest.param("FROM a\nRUN [NaN]\n", id="NaN is no JSON"),
        pytest.param("FROM a\nRUN " + "[" * 5000 + "\n", id="brackets without end"),
        pytest.param("FROM a\nENV A b=c d\nLABEL x y z\n", id="the old form of ENV"),
        pytest.param("FROM a\nARG --any A=1\nSTOPSIGNAL --any 9\n", id="flags nobody looks at"),
        pytest.param("FROM a\nONBUILD FETCH b\n", id="an unknown trigger"),
        pytest.param("FROM a\nHEALTHCHECK --any=1 NONE\n", id="flags of no health check"),
        pytest.param("FROM a\nRUN " + "x" * 65_531 + "\n", id="as long as a line can be"),
        pytest.param("FROM a\nRUN x \\\n" + "y \\\n" * 40_000 + "z\n", id="a longer joined line"),
        pytest.param("FROM a\nMAINTAINER me\nEXPOSE 1 2\nWORKDIR / x\n", id="others"),
        pytest.param("# check=skip=all\n# syntax-like=x\nFROM a\n", id="an unknown directive"),
    ],
)
def test_odd_but_valid_files_are_read(text: str) -> None:
    assert images(text) == ["from docker.io/library/a:latest"]


@pytest.mark.parametrize(
    "text, line",
    [
        pytest.param("FROM {{ base }}\n", 1, id="Jinja or Go"),
        pytest.param("FROM a\n{% if x %}\nRUN y\n{% endif %}\n", 2, id="Jinja block"),
        pytest.param("FROM a\n<%= commands %>\n", 2, id="ERB"),
    ],
)
def test_a_template_is_called_one(text: str, line: int) -> None:
    found = read(text)

    assert [(each.kind, each.line) for each in found] == [("file", line)]
    assert found[0].skip is not None
    assert found[0].skip.reason == "template"


def test_template_marks_in_shell_text_are_no_template() -> None:
    assert images("FROM a\nRUN docker ps --format '{{.ID}}' {% x %}\n") == [
        "from docker.io/library/a:latest"
    ]


def test_an_image_that_is_a_template_is_skipped_alone() -> None:
    assert images("FROM {{base}}\nFROM b:1\n") == ["from !template", "from docker.io/library/b:1"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("FROM a\n".encode("utf-16"), id="UTF-16 with its mark"),
        pytest.param("FROM a\n".encode("utf-16-be"), id="UTF-16 without"),
        pytest.param(b"\xfe\xff" + "FROM a\n".encode("utf-16-be"), id="big-endian"),
        pytest.param("FROM a\n".encode("utf-32"), id="UTF-32"),
        pytest.param(b"\x00\x00\xfe\xff" + "FROM a\n".encode("utf-32-be"), id="UTF-32 BE"),
        pytest.param(bytes(1000), id="NULs"),
    ],
)
def test_another_encoding_is_named(data: bytes) -> None:
    found = dockerfile.read("Dockerfile", data)

    assert [each.kind for each in found] == ["file"]
    assert found[0].skip is not None
    assert found[0].skip.reason == "encoding"


def test_a_refused_file_lists_no_image_but_its_frontend() -> None:
    found = images("# syntax=docker/dockerfile:1@D1\nFROM b:1\nFETCH\n")

    assert found == ["syntax docker.io/docker/dockerfile:1@D1", "file !invalid-dockerfile"]


def test_a_foreign_frontend_may_read_what_is_no_dockerfile() -> None:
    found = read("# syntax=acme/builder:2\nsteps: [x]\n")

    assert [each.kind for each in found] == ["syntax", "file"]
    assert found[1].skip is not None
    assert found[1].skip.reason == "foreign-frontend"
    assert "acme/builder:2" in found[1].skip.message


def test_expansions_that_double_are_stopped() -> None:
    doubling = "ARG A=abcdefgh\n" + "ARG A=$A$A\n" * 40
    found = read(f"{doubling}FROM $A\n")

    assert [each.kind for each in found] == ["file"]
    assert found[0].skip is not None
    assert found[0].skip.reason == "too-complex"


def test_a_file_of_one_message_per_line_stays_small() -> None:
    found = dockerfile.read("Dockerfile", b"\xff" * 5000)

    assert found[0].skip is not None
    assert len(found[0].skip.message) < 200


def test_marks_of_the_notation_are_not_part_of_the_file() -> None:
    assert marked("FROM a‸\n").data == b"FROM a\n"

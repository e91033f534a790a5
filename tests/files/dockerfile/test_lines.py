"""Physical lines to logical ones, and back to the offsets of the file."""

from __future__ import annotations

import pytest

from digestbot.files.dockerfile.heredocs import Heredoc
from digestbot.files.dockerfile.lines import LogicalLine, LogicalLines
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source


def logical(text: str, escape: str = "\\") -> list[LogicalLine]:
    return list(LogicalLines(Source.of(text.encode()), escape))


@pytest.mark.parametrize(
    "text, joined",
    [
        pytest.param("a\nb\n", ["a", "b"], id="lines"),
        pytest.param("a\r\nb\r\r\n", ["a", "b"], id="carriage returns"),
        pytest.param("a", ["a"], id="no final line feed"),
        pytest.param(" \ta \n", ["a "], id="leading space goes, trailing stays"),
        pytest.param("\u00a0\u2003a\n", ["a"], id="leading Unicode space"),
        pytest.param("\ufeffa\n", ["a"], id="byte order mark"),
        pytest.param("a\n\ufeffb\n", ["a", "\u00ef\u00bb\u00bfb"], id="only on the first line"),
        pytest.param("# x\n  # y\n\u00a0# z\na\n", ["a"], id="comments"),
        pytest.param("\n \n\t\r\n\u2028\na\n", ["a"], id="blank lines"),
        pytest.param("a\\\nb\n", ["ab"], id="continuation"),
        pytest.param("a\\ \t\nb\n", ["ab"], id="blanks behind the escape"),
        pytest.param("a\\\r\n b\r\n", ["a b"], id="continuation and CRLF"),
        pytest.param("a\\\r \nb\n", ["a\\\r ", "b"], id="a lone carriage return"),
        pytest.param("a\\\\\nb\n", ["a\\\\", "b"], id="doubled escape"),
        pytest.param("a\\\\\\\nb\n", ["a\\\\\\", "b"], id="three escapes"),
        pytest.param("a\\\n\n# c\\\n  # d\nb\n", ["ab"], id="blank and comment inside"),
        pytest.param("a\\\n\u00a0# c\nb\n", ["ab"], id="comment behind Unicode space inside"),
        pytest.param("a\\\n", ["a"], id="escape at the end"),
        pytest.param("\\\n  a\n", ["  a"], id="escape alone"),
        pytest.param("# a\\\nb\n", ["b"], id="a comment does not continue"),
        pytest.param("a # b\\\nc\n", ["a # bc"], id="no comment behind text"),
    ],
)
def test_lines_are_joined_as_buildkit_joins_them(text: str, joined: list[str]) -> None:
    assert [line.text for line in logical(text)] == joined


def test_the_escape_may_be_a_backtick() -> None:
    assert [line.text for line in logical("a`\nb\\\nc\n", "`")] == ["ab\\", "c"]


def test_every_character_knows_its_offset() -> None:
    text = "\ufeff# c\n  ab\\\n# d\n\ncd\\ \n e\nf\n"
    data = text.encode()

    first, second = logical(text)

    assert (first.text, first.number) == ("abcd e", 2)
    assert (second.text, second.number) == ("f", 7)
    for line in (first, second):
        offsets = line.offsets(0, len(line.text))
        assert "".join(chr(data[offset]) for offset in offsets) == line.text


@pytest.mark.parametrize("start, end", [(0, 0), (0, 2), (1, 3), (2, 4), (3, 6), (5, 6), (6, 6)])
def test_a_part_of_a_joined_line_has_its_own_offsets(start: int, end: int) -> None:
    (line,) = logical("ab\\\ncd\\\nef\n")

    whole = list(line.offsets(0, 6))

    assert whole == [0, 1, 4, 5, 8, 9]
    assert list(line.offsets(start, end)) == whole[start:end]


def test_the_value_of_a_part_ends_where_its_text_ends() -> None:
    (line,) = logical("ab\\\ncd\n")

    value = line.value(1, 3)

    assert (value.text, list(value.offsets), value.tail) == ("bc", [1, 4], 5)


@pytest.mark.parametrize(
    "body, heredoc, rest",
    [
        pytest.param("x\nE\nb\n", Heredoc("E", chomp=False), ["b"], id="plain"),
        pytest.param("\tE\nE\r\nb\n", Heredoc("E", chomp=False), ["b"], id="tabs count"),
        pytest.param("x\n\t\tE\nb\n", Heredoc("E", chomp=True), ["b"], id="tabs do not"),
        pytest.param("E \nE", Heredoc("E", chomp=False), [], id="at the end of the file"),
    ],
)
def test_the_body_of_a_heredoc_is_passed_over(body: str, heredoc: Heredoc, rest: list[str]) -> None:
    lines = LogicalLines(Source.of(f"a\n{body}".encode()), "\\")
    first = next(lines)

    lines.skip_body(heredoc, first.number)

    assert [line.text for line in lines] == rest


def test_a_heredoc_without_an_end_is_refused() -> None:
    lines = LogicalLines(Source.of(b"a\nx\n E\n"), "\\")
    first = next(lines)

    with pytest.raises(RejectedError, match="<<E is never ended") as caught:
        lines.skip_body(Heredoc("E", chomp=False), first.number)

    assert caught.value.line == 1


def test_columns_count_characters_from_one() -> None:
    source = Source.of("\ufeffAB\n\u00fc\u20acC\n".encode())

    assert [source.column_at(offset) for offset in (3, 4)] == [1, 2]
    assert [source.line_at(offset) for offset in (3, 5, 6)] == [1, 1, 2]
    assert source.column_at(6 + len("\u00fc\u20ac".encode())) == 3


def test_comments_stand_directly_above() -> None:
    source = Source.of(b"# a\n\n# b\r\n  # c\nX\nY\n")

    assert source.comments_above(5) == ["# b", "# c"]
    assert source.comments_above(6) == []
    assert source.comments_above(1) == []

"""Which heredocs a line announces."""

from __future__ import annotations

import pytest

from digestbot.files.dockerfile.heredocs import NestingError, heredocs


def found(line: str) -> list[str]:
    return [f"{'-' if each.chomp else ''}{each.name}" for each in heredocs(line)]


@pytest.mark.parametrize(
    "line, names",
    [
        pytest.param("RUN <<E", ["E"], id="one"),
        pytest.param("RUN <<-E cat", ["-E"], id="with tabs"),
        pytest.param("RUN 3<<E 4<<-F", ["E", "-F"], id="file descriptors"),
        pytest.param("RUN <<'E' <<\"F\" <<G''H", ["E", "F", "GH"], id="quotes"),
        pytest.param("RUN <<a\\ b", ["a b"], id="an escaped blank"),
        pytest.param("RUN <<'a b'", ["a b"], id="a quoted blank"),
        pytest.param("RUN << E", ["E"], id="a blank before the word"),
        pytest.param("RUN <<\t E x", ["E"], id="blanks before the word"),
        pytest.param("RUN << -E", ["-E"], id="a dash behind a blank is part of the name"),
        pytest.param("RUN <<- E", [], id="a blank behind the dash"),
        pytest.param("RUN <<", [], id="no word"),
        pytest.param('RUN <<""', [], id="an empty word"),
        pytest.param("RUN <<<E", [], id="a here-string"),
        pytest.param("RUN a<<E", [], id="inside a word"),
        pytest.param("RUN <<E<<F", [], id="two in a word"),
        pytest.param("RUN '<<E'", [], id="quoted"),
        pytest.param("RUN \\<<E", [], id="escaped"),
        pytest.param("RUN $((1<<2))", [], id="a shift without blanks"),
        pytest.param("RUN $((1 << 2 ))", ["2"], id="a shift with blanks"),
        pytest.param("RUN <<E;", ["E;"], id="no shell syntax"),
        pytest.param("RUN <<E it's", [], id="an odd single quote"),
        pytest.param('RUN <<E "', [], id="an odd double quote"),
        pytest.param('RUN <<E "it\'s"', ["E"], id="a quote in quotes"),
        pytest.param("RUN <<E \\'", ["E"], id="an escaped quote"),
        pytest.param("RUN <<$E", ["$E"], id="a variable is not expanded"),
        pytest.param("RUN <<${E}", ["${E}"], id="nor in braces"),
        pytest.param("RUN x ${A:-b c} <<E", ["E"], id="behind an expansion"),
        pytest.param("RUN <<${A:-b}", [], id="forgotten before an expansion"),
        pytest.param('RUN "${A:-"b"}" <<E', ["E"], id="quotes in an expansion in quotes"),
        pytest.param("RUN ${A#b} ${A/b/c} ${A//b/c} <<E", ["E"], id="patterns"),
        pytest.param("RUN ${A:=b} <<E", ["E"], id="an unknown operator with a colon"),
        pytest.param("RUN ${A=b} <<E", [], id="an unknown operator"),
        pytest.param("RUN ${A[0]} <<E", [], id="an index"),
        pytest.param("RUN ${#A} <<E", [], id="a length"),
        pytest.param("RUN ${A <<E", [], id="an open brace"),
        pytest.param("RUN ${} <<E", [], id="no name"),
        pytest.param('RUN "a\\"b\\c" <<E', ["E"], id="escapes in quotes"),
        pytest.param("RUN <<E\\", ["E"], id="an escape at the end"),
        pytest.param("RUN <<\xef\xbb\xbfE", ["E"], id="a byte order mark before the word"),
        pytest.param("RUN <<\xef\xbb\xbf 2", [], id="a byte order mark is no word"),
    ],
)
def test_heredocs_are_found_as_buildkit_finds_them(line: str, names: list[str]) -> None:
    assert found(line) == names


def test_unicode_space_separates_words() -> None:
    assert found("RUN a\u00a0<<E".encode().decode("latin-1")) == ["E"]


def test_absurd_nesting_is_an_error() -> None:
    with pytest.raises(NestingError):
        heredocs("RUN <<E " + "${a:-" * 1000)

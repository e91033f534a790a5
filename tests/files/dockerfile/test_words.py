"""Words of ARG, tokens of FROM, flags, JSON forms and CSV, with their offsets."""

from __future__ import annotations

import pytest

from digestbot.files.dockerfile.csv import CsvError, fields
from digestbot.files.dockerfile.flags import FlagError, FlagKind, parse_flags, split_flags
from digestbot.files.dockerfile.lines import LogicalLine
from digestbot.files.dockerfile.names import read_name
from digestbot.files.dockerfile.space import leading, trimmed_end
from digestbot.files.dockerfile.value import Value
from digestbot.files.dockerfile.words import (
    NotStringsError,
    json_strings,
    quoted_words,
    token_texts,
    tokens,
)

BYTES = "latin-1"


def line(text: str) -> LogicalLine:
    raw = text.encode().decode(BYTES)
    return LogicalLine(1, raw, ((0, 100),))


def texts(values: list[Value] | tuple[Value, ...]) -> list[str]:
    return [value.text.encode(BYTES).decode() for value in values]


@pytest.mark.parametrize(
    "text, words",
    [
        pytest.param("A=1 B", ["A=1", "B"], id="plain"),
        pytest.param('A="x y" B=1', ['A="x y"', "B=1"], id="double quotes"),
        pytest.param("A='x y'z B", ["A='x y'z", "B"], id="single quotes"),
        pytest.param("A=x\\ y B", ["A=x\\ y", "B"], id="escaped blank"),
        pytest.param('A="x\\" y" B', ['A="x\\" y"', "B"], id="escaped quote"),
        pytest.param("A='x\\' B", ["A='x\\'", "B"], id="no escape in single quotes"),
        pytest.param('A="x y', ['A="x y'], id="open quote"),
        pytest.param('A="x\\', ['A="x'], id="open quote and escape"),
        pytest.param("A=x\\", ["A=x"], id="escape at the end"),
        pytest.param("A=1\u00a0B\u2003C", ["A=1", "B", "C"], id="Unicode space"),
        pytest.param("A=\u00e0\u0105 B", ["A=\u00e0\u0105", "B"], id="bytes that look like space"),
        pytest.param("A=x\\\u2003y B", ["A=x\\\u2003y", "B"], id="escaped Unicode space"),
        pytest.param("", [], id="none"),
    ],
)
def test_quotes_and_escapes_hold_words_together(text: str, words: list[str]) -> None:
    given = line(text)

    found = quoted_words(given, 0, len(given.text), "\\")

    assert texts(found) == words
    for word in found:
        assert given.text[word.offsets[0] - 100 : word.offsets[-1] - 99] == word.text


def test_the_escape_of_words_may_be_a_backtick() -> None:
    assert texts(quoted_words(line("A=x` y\\ B"), 0, 9, "`")) == ["A=x` y\\", "B"]


def test_tokens_know_no_quotes() -> None:
    given = line("'a b'\t\v\u00a0c")

    assert texts(tokens(given, 0, len(given.text))) == ["'a", "b'", "\u00a0c"]
    assert token_texts("a  b") == ["a", "b"]
    assert token_texts("") == []


@pytest.mark.parametrize(
    "text, flags, rest",
    [
        pytest.param("a --b", [], "a --b", id="none"),
        pytest.param("--a=1 --b c", ["--a=1", "--b"], "c", id="two"),
        pytest.param("--a='x y'z c", ["--a=x yz"], "c", id="quotes go"),
        pytest.param('--a="x\'y" c', ["--a=x'y"], "c", id="quote in quotes"),
        pytest.param("--a=x\\ y c", ["--a=x y"], "c", id="escapes go"),
        pytest.param("--a='x\\'y' c", ["--a=x'y"], "c", id="even in single quotes"),
        pytest.param("--a\\", ["--a"], "", id="escape at the end"),
        pytest.param("--a='x", ["--a=x"], "", id="open quote"),
        pytest.param("-- --a", [], " --a", id="two dashes end them"),
        pytest.param("--a -- --b", ["--a"], " --b", id="behind a flag too"),
        pytest.param("--'' --b", [], " --b", id="even with quotes"),
        pytest.param("--", [], "", id="two dashes alone"),
        pytest.param("--a", ["--a"], "", id="nothing else"),
        pytest.param("-a --b", [], "-a --b", id="one dash is no flag"),
        pytest.param("---a b", ["---a"], "b", id="three dashes are one"),
    ],
)
def test_flags_are_split_off(text: str, flags: list[str], rest: str) -> None:
    given = line(text)

    found, start = split_flags(given, 0, len(given.text), "\\")

    assert texts(found) == flags
    assert given.text[start:] == rest
    for flag in found:
        assert [given.text[offset - 100] for offset in flag.offsets] == list(flag.text)


KINDS = {"one": FlagKind.ONE, "many": FlagKind.MANY, "switch": FlagKind.SWITCH}


def words(*flags: str) -> list[Value]:
    return [Value(flag, range(len(flag))) for flag in flags]


def test_values_of_flags_keep_their_offsets() -> None:
    found = parse_flags(words("--one=a=b", "--many=x", "--many=", "--switch"), KINDS)

    assert {name: texts(values) for name, values in found.items()} == {
        "one": ["a=b"],
        "many": ["x", ""],
        "switch": [""],
    }
    assert list(found["one"][0].offsets) == [6, 7, 8]


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--other=1"], "no flag --other"),
        (["--One=1"], "no flag --One"),
        (["--one"], "--one needs a value"),
        (["--many"], "--many needs a value"),
        (["--one=1", "--one=1"], "--one is given twice"),
        (["--switch", "--switch"], "--switch is given twice"),
        (["--switch="], "true or false"),
        (["--switch=yes"], "true or false"),
    ],
)
def test_wrong_flags_are_errors(flags: list[str], message: str) -> None:
    with pytest.raises(FlagError, match=message):
        parse_flags(words(*flags), KINDS)


@pytest.mark.parametrize(
    "text, strings",
    [
        ('["a", "b"]', ["a", "b"]),
        ("[]", []),
        ('["a"] b', None),
        ("a", None),
        ("", None),
        ("['a']", None),
        ('["a",]', None),
        ("[Infinity]", None),
        ("[" * 1000 + "]" * 1000, None),
        ("[" + "9" * 5000 + "]", None),
    ],
)
def test_the_json_form_is_an_array_of_strings(text: str, strings: list[str] | None) -> None:
    assert json_strings(text) == strings


@pytest.mark.parametrize("text", ["[1]", '["a", null]', "[[]]", "[{}]"])
def test_another_array_is_an_error(text: str) -> None:
    with pytest.raises(NotStringsError):
        json_strings(text)


@pytest.mark.parametrize(
    "text, found",
    [
        ("a", ["a"]),
        ("a,b=c,", ["a", "b=c", ""]),
        (",", ["", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b"', ['a"b']),
        ('""', [""]),
        ('""""', ['"']),
    ],
)
def test_csv_is_split_at_commas_outside_quotes(text: str, found: list[str]) -> None:
    given = Value(text, range(len(text)))

    values = fields(given)

    assert texts(values) == found
    for value in values:
        assert [text[offset] for offset in value.offsets] == list(value.text)


@pytest.mark.parametrize("text", ["", 'a"b', '"a', '"a"b', 'a,"b'])
def test_broken_csv_is_an_error(text: str) -> None:
    with pytest.raises(CsvError):
        fields(Value(text, range(len(text))))


@pytest.mark.parametrize(
    "text, start, end",
    [
        ("a", 0, 1),
        (" \t a \r\v", 3, 4),
        ("\u00a0a\u00a0 \u2003", 2, 3),
        ("\u00e0", 0, 2),
        ("a\u00e0", 0, 3),
        ("   ", 3, 0),
        ("\u3000", 3, 0),
    ],
)
def test_space_is_what_go_calls_space(text: str, start: int, end: int) -> None:
    raw = text.encode().decode(BYTES)

    assert (leading(raw), trimmed_end(raw)) == (start, end)


@pytest.mark.parametrize(
    "text, name",
    [
        ("A_1-", "A_1"),
        ("1a", "1"),
        ("@@", "@"),
        ("0a", "0"),
        ("", ""),
        (".", ""),
        ("\u00fc1\u20ac", "\u00fc1"),
        ("a\u00fcb c", "a\u00fcb"),
        ("\u20ac", ""),
    ],
)
def test_names_of_variables(text: str, name: str) -> None:
    raw = text.encode().decode(BYTES)

    found, end = read_name(raw, 0)

    assert found.encode(BYTES).decode() == name
    assert end == len(found)

"""Expansion: the texts BuildKit makes of words, and where each character came from."""

from __future__ import annotations

import pytest

from digestbot.files.dockerfile.expand import Expander, ExpansionError
from digestbot.files.dockerfile.value import CONDITIONAL, NOWHERE, Value

VARIABLES = {
    "PWD": "/home",
    "SHELL": "bash",
    "NULL": "",
    "V": "3.12.1",
    "TAG": "v3.12",
    "PATH": "a/b/c",
    "ü": "umlaut",
}


def literal(text: str, start: int = 0) -> Value:
    raw = text.encode().decode("latin-1")
    return Value(raw, range(start, start + len(raw)), start + len(raw))


def expander(escape: str = "\\") -> Expander:
    found = Expander(escape)
    for index, (name, text) in enumerate(VARIABLES.items(), start=1):
        found.define(name.encode().decode("latin-1"), literal(text, 1000 * index))
    return found


def expanded(text: str, escape: str = "\\") -> str:
    value = expander(escape).expand(literal(text))
    assert len(value.text) == len(value.offsets)
    return value.text.encode("latin-1").decode()


@pytest.mark.parametrize(
    "word, text",
    [
        # Quotes and escapes
        ("hello", "hello"),
        ("he'll'o", "hello"),
        ("he\\'llo", "he'llo"),
        ("abc\\tdef", "abctdef"),
        ('"abc\\tdef"', "abc\\tdef"),
        ('"abc\\\\tdef"', "abc\\tdef"),
        ("'abc\\tdef'", "abc\\tdef"),
        ("hello\\", "hello"),
        ("hello\\\\", "hello\\"),
        ('"hel\'lo"', "hel'lo"),
        ("'hello\\'", "hello\\"),
        ("\"''\"", "''"),
        ("'\"hello\"'", '"hello"'),
        ("안'녕'하세요", "안녕하세요"),
        ("\ufeffhello", "hello"),
        ("''", ""),
        # Variables
        ("$.", "$."),
        ("$", "$"),
        ("a$", "a$"),
        ("he$1x", "hex"),
        ("he$12x", "hex"),
        ("he$.x", "he$.x"),
        ("he$pwd.", "he."),
        ("he$PWD", "he/home"),
        ("he\\$PWD", "he$PWD"),
        ("he\\\\$PWD", "he\\/home"),
        ('"he\\$PWD"', "he$PWD"),
        ("'$PWD'", "$PWD"),
        ("\"he'$PWD'\"", "he'/home'"),
        ("$PWDx", ""),
        ("$PWD-x", "/home-x"),
        ("$ü.", "umlaut."),
        ("$PWD€", "/home€"),
        ("$@x $* $# $? $- $$ $! $0", "x       "),
        ("he\\${}xx", "he${}xx"),
        ("he${hi}xx", "hexx"),
        ("he${PWD}", "he/home"),
        ("${@}${1}", ""),
        ("${ü}", "umlaut"),
        # Defaults, alternatives, demands
        ("he${XXX:-000}xx", "he000xx"),
        ("he${PWD:-000}xx", "he/homexx"),
        ("he${XXX:-${YYY:-yyy}}xx", "heyyyxx"),
        ("he${XXX:-$PWD:}xx", "he/home:xx"),
        ("he${XXX:-\\${PWD}z}xx", "he${PWDz}xx"),
        ("${XXX:-'a}b'}", "a}b"),
        ('${XXX:-"$PWD"}', "/home"),
        ('"${XXX:-"a b"}"', "a b"),
        ("${NULL:-x}", "x"),
        ("${NULL-x}", ""),
        ("${XXX-x}", "x"),
        ("${XXX:+000}", ""),
        ("${PWD:+000}", "000"),
        ("${NULL:+000}", ""),
        ("${NULL+000}", "000"),
        ("${PWD:+${PWD}:}", "/home:"),
        ("${PWD?}${PWD:?x}${NULL?}", "/home/home"),
        ("${aaa}}", "}"),
        ("${aaa:-bbb {foo}", "bbb {foo"),
        ("${+x}", ""),
        # Prefixes and suffixes
        ("${V#3.}", "12.1"),
        ("${V#*.}", "12.1"),
        ("${V##*.}", "1"),
        ("${V%.*}", "3.12"),
        ("${V%%.*}", "3"),
        ("${TAG#v}", "3.12"),
        ("${TAG#x}", "v3.12"),
        ("${TAG#?}", "3.12"),
        ('${TAG%"2"}', "v3.1"),
        ("${PATH#*/}", "b/c"),
        ("${PATH%%/*}", "a"),
        ("${PATH##*}", ""),
        ("${XXX#a}", ""),
        ("${V#${XXX:-3}}", ".12.1"),
        # Replacements
        ("${PATH/\\//-}", "a-b/c"),
        ("${PATH//\\//-}", "a-b-c"),
        ("${V/./_}", "3_12.1"),
        ("${V//./_}", "3_12_1"),
        ("${V/1*/x}", "3.x"),
        ("${V//x/y}", "3.12.1"),
        ("${V/3/$SHELL}", "bash.12.1"),
        ("${TAG///-}", "-v-3-.-1-2-"),
    ],
)
def test_words_expand_as_in_buildkit(word: str, text: str) -> None:
    assert expanded(word) == text


@pytest.mark.parametrize(
    "word, message",
    [
        ("he'llo", "single quote"),
        ('"hello', "double quote"),
        ('"hello\\"', "double quote"),
        ("${}", "names no variable"),
        ("${{aaa}", "names no variable"),
        ("${:-bbb}", "names no variable"),
        ("${.}", "no operator"),
        ("${ v }", "no operator"),
        ("${XXX:YYY}", "no operator"),
        ("${PWD:=000}", "no operator"),
        ("${PWD:#a}", "no operator"),
        ("${#PWD}", "no operator"),
        ("${PWD", "no closing"),
        ("${", "no closing"),
        ("${PWD:-a", "no closing"),
        ("${PWD/a}", "no closing"),
        ("${V#\\x}", "escapes 'x'"),
        ("${V/\\x/y}", "escapes 'x'"),
        ("${V%\\\\x\\y}", "escapes 'y'"),
    ],
)
def test_broken_words_are_errors(word: str, message: str) -> None:
    with pytest.raises(ExpansionError, match=message) as caught:
        expanded(word)

    assert caught.value.reason == "bad-expansion"


@pytest.mark.parametrize("word", ["${XXX?}", "${XXX:?say which}", "${NULL:?}"])
def test_a_demanded_value_is_a_build_argument(word: str) -> None:
    with pytest.raises(ExpansionError) as caught:
        expanded(word)

    assert caught.value.reason == "build-arg"


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("${a:-" * 100 + "}" * 100, id="nesting"),
        pytest.param("${V#" + "a" * 2000 + "}", id="pattern"),
        pytest.param("${V//./$}", id="a dollar in a replacement"),
        pytest.param("$V" * 200_000, id="length"),
    ],
)
def test_absurd_words_are_too_complex(word: str) -> None:
    with pytest.raises(ExpansionError) as caught:
        expanded(word)

    assert caught.value.reason == "too-complex"


def test_the_escape_may_be_a_backtick() -> None:
    assert expanded('`$PWD\\x "a`"b"', "`") == '$PWD\\x a"b'


@pytest.mark.parametrize(
    "word, offsets",
    [
        pytest.param("abc", [0, 1, 2], id="literal"),
        pytest.param("a'b'\\c", [0, 2, 5], id="quotes and escapes leave holes"),
        pytest.param("x$TAG", [0, 5000, 5001, 5002, 5003, 5004], id="a variable brings its own"),
        pytest.param("${X:-ab}", [5, 6], id="a default"),
        pytest.param("${TAG#v3.}", [5003, 5004], id="a prefix cut off"),
        pytest.param("${TAG%.12}", [5000, 5001], id="a suffix cut off"),
        pytest.param("${TAG/3./XY}", [5000, 9, 10, 5003, 5004], id="a replacement"),
        pytest.param("$TARGETOS", [NOWHERE] * 5, id="what the builder says stands nowhere"),
    ],
)
def test_characters_keep_the_offsets_they_came_from(word: str, offsets: list[int]) -> None:
    value = expander().expand(literal(word))

    assert list(value.offsets) == offsets


@pytest.mark.parametrize(
    "word, tail",
    [
        pytest.param("ab", 2, id="behind the text"),
        pytest.param("'ab'", 3, id="inside quotes"),
        pytest.param("a$V", 3, id="behind a variable that gives a part"),
        pytest.param("a${V}", 5, id="behind its braces"),
        pytest.param("$TAG", 5005, id="behind the text of a variable that gives all"),
        pytest.param("'$TAG'", 5, id="single quotes make a literal"),
        pytest.param('"$TAG"', 5005, id="a variable alone in quotes"),
        pytest.param("$NULL$TAG", 5005, id="an empty one before it"),
        pytest.param("$TAG$NULL", 5005, id="an empty one behind it"),
        pytest.param("${X:-ab}", 7, id="inside a default"),
        pytest.param("a${X:-b}", 7, id="inside a default that gives a part"),
        pytest.param("${X:-$TAG}", 5005, id="a variable in a default"),
        pytest.param("a${V:+b}", 7, id="inside an alternative"),
        pytest.param("a${X:+b}", CONDITIONAL, id="an alternative that is not taken"),
        pytest.param("a${NULL-b}", CONDITIONAL, id="a default that is not taken"),
        pytest.param("a${X:-}", CONDITIONAL, id="an empty default"),
        pytest.param("${X:+b}a", 8, id="a condition before the text"),
        pytest.param("$TAG${X:+b}", CONDITIONAL, id="a condition behind a variable"),
        pytest.param("${TAG#v}", 8, id="behind a cut variable"),
        pytest.param("$TARGETOS", NOWHERE, id="nowhere"),
        pytest.param("a$TARGETOS", 10, id="behind what the builder says"),
    ],
)
def test_the_tail_is_where_text_would_follow_the_whole_value(word: str, tail: int) -> None:
    assert expander().expand(literal(word)).tail == tail


@pytest.mark.parametrize(
    "word, platform, unset",
    [
        ("a$V", set(), set()),
        ("a$X", set(), {"X"}),
        ("a${X}${Y#a}${Z/a/b}", set(), {"X", "Y", "Z"}),
        ("a${X:-b}${X+c}", set(), set()),
        ("a${X:-$Y}", set(), {"Y"}),
        ("a$TARGETARCH", {"TARGETARCH"}, set()),
        ("a${TARGETVARIANT:+-$TARGETVARIANT}", {"TARGETVARIANT"}, set()),
        ("${BUILDOS%x}${X:-$TARGETOS}", {"BUILDOS", "TARGETOS"}, set()),
        ("a${V:-$TARGETOS}", set(), set()),
    ],
)
def test_a_value_knows_what_it_depends_on(word: str, platform: set[str], unset: set[str]) -> None:
    value = expander().expand(literal(word))

    assert set(value.platform) == platform
    assert set(value.unset) == unset


def test_dependencies_travel_through_variables() -> None:
    known = expander()
    known.define("S", known.expand(literal("-$TARGETARCH$X")))

    value = known.expand(literal("py$S"))

    assert value.text == "py-amd64"
    assert set(value.platform) == {"TARGETARCH"}
    assert set(value.unset) == {"X"}


def test_a_forgotten_variable_is_unset() -> None:
    known = expander()
    known.forget("V")
    known.forget("never defined")

    assert known.expand(literal("a$V")).unset == {"V"}

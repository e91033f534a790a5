"""Directives at the top of a file, and the frontend image among them."""

from __future__ import annotations

import pytest

from digestbot.files.dockerfile.directives import escape_of
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.syntax import syntax_of


def source(text: str) -> Source:
    return Source.of(text.encode())


@pytest.mark.parametrize(
    "text, escape",
    [
        pytest.param("FROM a\n", "\\", id="default"),
        pytest.param("# escape=`\n", "`", id="backtick"),
        pytest.param("#escape=\\\n", "\\", id="backslash"),
        pytest.param("  # \tESCAPE \t=\t ` \r\n", "`", id="spaces and case"),
        pytest.param("\ufeff# escape=`\n", "`", id="byte order mark"),
        pytest.param("# syntax=x\n# check=y\n# escape=`\n", "`", id="behind the others"),
        pytest.param("# foo=x\n# escape=`\n", "\\", id="behind an unknown one"),
        pytest.param("#\n# escape=`\n", "\\", id="behind a comment"),
        pytest.param("\n# escape=`\n", "\\", id="behind a blank line"),
        pytest.param("#!x\n# escape=`\n", "\\", id="behind a shebang"),
        pytest.param("# escape=\nFROM a\n", "\\", id="without a value it is a comment"),
    ],
)
def test_the_escape_of_a_file(text: str, escape: str) -> None:
    assert escape_of(source(text)) == escape


@pytest.mark.parametrize("text", ["# escape=x", "# escape=``", "# escape=` # why", "# escape= "])
def test_a_bad_escape_is_refused(text: str) -> None:
    with pytest.raises(RejectedError, match="the escape must be"):
        escape_of(source(text))


@pytest.mark.parametrize(
    "text, image",
    [
        pytest.param("FROM a\n", None, id="none"),
        pytest.param("# syntax=a/b:1\n", "a/b:1", id="directive"),
        pytest.param("#syntax = a/b:1 --opt x\r\n", "a/b:1", id="up to the first space"),
        pytest.param('# syntax="a"\n', '"a"', id="quotes stay"),
        pytest.param("# Syntax=a\n", "a", id="any case"),
        pytest.param("\ufeff# syntax=a\n", "a", id="byte order mark"),
        pytest.param(" # syntax=a\n", None, id="indented is not seen"),
        pytest.param("#!x\n# syntax=a\n", "a", id="shebang"),
        pytest.param("# escape=`\n# syntax=a\n", "a", id="second"),
        pytest.param("# syntax=a\n# syntax=b\n", "a", id="the first of two"),
        pytest.param("# escape=`\n# escape=`\n# syntax=a\n", None, id="not behind a repetition"),
        pytest.param("# x\n# syntax=a\n", None, id="not behind a comment"),
        pytest.param("// syntax=a\n", "a", id="slashes"),
        pytest.param("//check=x\n//syntax=a\n", "a", id="slashes, second"),
        pytest.param("#!x\n// syntax=a\n", "a", id="slashes behind a shebang"),
        pytest.param("# check=x\n// syntax=a\n", None, id="no mixture"),
        pytest.param('{"syntax": "a"}', "a", id="JSON"),
        pytest.param('#!x\n {"b": [{}], "syntax": "a"}\n', "a", id="JSON behind a shebang"),
        pytest.param('{"syntax": "a", "syntax": "b"}', "b", id="JSON, the last of two"),
        pytest.param('{"x": {"syntax": "a"}}', None, id="JSON, only at the top"),
        pytest.param('{"syntax": 1}', None, id="JSON, only a string"),
        pytest.param('{"syntax": "a"} x', None, id="JSON, nothing else"),
        pytest.param('{"syntax": "a", "x": NaN}', None, id="not quite JSON"),
        pytest.param('{"syntax":' + "[" * 100_000, None, id="JSON without end"),
    ],
)
def test_the_frontend_image_of_a_file(text: str, image: str | None) -> None:
    found = syntax_of(source(text))

    assert (found.text if found is not None else None) == image
    if found is not None:
        data = text.encode()
        assert bytes(data[offset] for offset in found.offsets).decode() == found.text


def test_an_escaped_frontend_image_has_no_place() -> None:
    found = syntax_of(source('{"syntax": "a\\/b"}'))

    assert found is not None
    assert found.text == "a/b"
    assert set(found.offsets) == {-1}

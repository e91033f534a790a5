from __future__ import annotations

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.parse import read_document
from tests.config.conftest import Complaints


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(
            "- a\n", "1:1: must be keys with values, such as 'jobs: 8', not a list", id="list"
        ),
        pytest.param(
            "hello\n",
            "1:1: must be keys with values, such as 'jobs: 8', not a single value",
            id="word",
        ),
        pytest.param("exclude:\n\t- a\n", "2:1: a tab stands here; indent with spaces", id="tab"),
        pytest.param(
            "exclude:\n  - **/testdata\n",
            "2:6: a text that begins with '*' must be in quotes",
            id="unquoted-glob",
        ),
        pytest.param(
            "exclude:\n  - *.old\n",
            "2:6: a text that begins with '*' must be in quotes",
            id="looks-like-an-alias",
        ),
        pytest.param(
            "registries:\n  a.io: {}\n b.io: {}\n",
            "3:2: the indentation does not fit the lines above",
            id="indentation",
        ),
        pytest.param(
            "jobs: 1: 2\n", "1:8: is not YAML: mapping values are not allowed here", id="colons"
        ),
        pytest.param(
            "exclude: [a\n",
            "2:1: is not YAML: expected ',' or ']', but got '<stream end>'",
            id="unclosed",
        ),
        pytest.param(
            "jobs: 1\n---\njobs: 2\n",
            "2:1: is not YAML: but found another document",
            id="two-documents",
        ),
        pytest.param(
            "jobs: 1\njobs: 2\n", "2:1: jobs: is written twice; the first is on line 1", id="twice"
        ),
        pytest.param(
            "registries:\n  a.io: {http: true, http: true}\n",
            "2:22: registries.a.io.http: is written twice; the first is on line 2",
            id="twice-inside",
        ),
        pytest.param(
            "registries:\n  [::1]:5000: {}\n",
            "2:4: a host in brackets must be in quotes, such as '[::1]:5000'",
            id="bare-ipv6",
        ),
        pytest.param(
            "[a]: b\n", "1:1: a key must be text, not a list; put it in quotes", id="list-key"
        ),
        pytest.param("1: a\n", "1:1: the key 1 must be text; put it in quotes", id="number-key"),
        pytest.param(
            "registries:\n  a.io: &a {}\n  b.io:\n    <<: *a\n",
            "4:5: registries.b.io: merge keys (<<) are not supported; write the keys out",
            id="merge",
        ),
        pytest.param(
            "jobs: !!python/object/apply:os.system ['true']\n",
            "1:7: jobs: the tag !!python/object/apply:os.system is not supported; "
            "write a plain value",
            id="python-tag",
        ),
        pytest.param(
            "pin: !secret a\n",
            "1:6: pin: the tag !secret is not supported; write a plain value",
            id="own-tag",
        ),
        pytest.param(
            "!x\njobs: 1\n", "1:1: the tag !x is not supported; write a plain value", id="root-tag"
        ),
        pytest.param("exclude: " + "[" * 3000, "1:24: is nested more than 16 deep", id="deep"),
        pytest.param(
            "exclude: &a [*a]\n", "1:10: is nested more than 16 deep", id="alias-of-itself"
        ),
        pytest.param(
            "exclude: [" + "a," * 50_000 + "]\n",
            "1:10: has more than 40000 keys and values, counting each use of an alias",
            id="wide",
        ),
    ],
)
def test_yaml_that_is_no_configuration_is_refused(
    complaints: Complaints, text: str, expected: str
) -> None:
    assert expected in complaints(text)


def test_aliases_that_multiply_are_refused_before_they_do(complaints: Complaints) -> None:
    levels = [f"  - &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]\n" for level in range(1, 10)]

    lines = complaints("exclude:\n  - &l0 [x]\n" + "".join(levels))

    assert len(lines) == 1
    assert lines[0].endswith("has more than 40000 keys and values, counting each use of an alias")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('jobs: "\\UFFFFFFFF"\n', id="no-such-character"),
        pytest.param(f"%YAML {'1' * 5000}.1\n---\njobs: 1\n", id="endless-version"),
    ],
)
def test_what_the_yaml_library_stumbles_over_is_told_as_a_mistake(text: str) -> None:
    with pytest.raises(ConfigError, match=r"\Aa\.yaml: is not YAML: "):
        read_document(text, "a.yaml")


@pytest.mark.parametrize(
    "text, value",
    [
        pytest.param("true", True, id="true"),
        pytest.param("False", False, id="false"),
        pytest.param("yes", "yes", id="yes"),
        pytest.param("off", "off", id="off"),
        pytest.param("12", 12, id="int"),
        pytest.param("1.5", 1.5, id="float"),
        pytest.param("0o17", "0o17", id="octal"),
        pytest.param("017", "017", id="old-octal"),
        pytest.param("1:30", "1:30", id="base-60"),
        pytest.param("0b_", "0b_", id="no-digits"),
        pytest.param("1:1:1.0", "1:1:1.0", id="base-60-float"),
        pytest.param("2027-01-31", "2027-01-31", id="date"),
        pytest.param("2027-13-45", "2027-13-45", id="no-such-date"),
        pytest.param("'12'", "12", id="quoted"),
        pytest.param("!!str 12", "12", id="standard-tag"),
        pytest.param("!!int many", "many", id="wrong-standard-tag"),
        pytest.param("=", "=", id="value-sign"),
    ],
)
def test_a_scalar_is_converted_only_where_it_is_plain(text: str, value: object) -> None:
    document = read_document(f"key: {text}\n", "a.yaml")

    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)


def test_places_are_those_of_the_keys_counted_in_characters() -> None:
    document = read_document("# é\nä: {b: [x, y]}\n", "a.yaml")

    assert document.places == {
        ("ä",): (2, 1),
        ("ä", "b"): (2, 5),
        ("ä", "b", 0): (2, 9),
        ("ä", "b", 1): (2, 12),
    }
    assert document.place_of(("ä", "b", 1, "deeper")) == (2, 12)
    assert document.place_of(("other",)) == (0, 0)

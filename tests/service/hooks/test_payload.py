from __future__ import annotations

import json
from typing import Any

import pytest

from digestbot.service.hooks import payload
from digestbot.service.hooks.delivery import MalformedError


def _nested(levels: int) -> bytes:
    return b'{"a": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def test_an_object_is_read_with_or_without_a_byte_order_mark() -> None:
    body = json.dumps({"name": "é", "n": 1}, ensure_ascii=False).encode()

    assert payload.read_object(body) == {"name": "é", "n": 1}
    assert payload.read_object(b"\xef\xbb\xbf" + body) == {"name": "é", "n": 1}


def test_the_last_of_two_fields_of_one_name_counts() -> None:
    assert payload.read_object(b'{"a": 1, "a": 2}') == {"a": 2}


def test_depth_is_bounded_at_the_same_level_whatever_the_interpreter_allows() -> None:
    payload.read_object(_nested(payload.MAX_DEPTH))

    with pytest.raises(MalformedError, match="64 levels"):
        payload.read_object(_nested(payload.MAX_DEPTH + 1))


def test_size_is_bounded_before_anything_is_parsed() -> None:
    body = b'{"a": ""}'
    largest = body.replace(b'""', b'"' + b"x" * (payload.MAX_BYTES - len(body)) + b'"')
    payload.read_object(largest)

    with pytest.raises(MalformedError, match="bytes"):
        payload.read_object(largest + b" ")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a": NaN}', id="not-a-number"),
        pytest.param(b'{"a": -Infinity}', id="infinity"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="a-huge-number"),
        pytest.param('{"a": "b"}'.encode("utf-16"), id="utf-16"),
        pytest.param('{"a": "b"}'.encode("utf-32-le"), id="utf-32"),
        pytest.param(b'{"a": "\xed\xa0\x80"}', id="a-surrogate-in-bytes"),
        pytest.param(b'{"a": "\x00"}', id="a-raw-nul"),
        pytest.param(b'{"a": "\n"}', id="a-raw-newline"),
        pytest.param(b'{"a": 1} {"a": 2}', id="two-objects"),
        pytest.param(b"{'a': 1}", id="other-quotes"),
    ],
)
def test_what_only_some_parsers_read_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError, match="not JSON"):
        payload.read_object(body)


@pytest.mark.parametrize("body", [b'{"password": "hunter2"', b'{"password": "hunter2\xff"}'])
def test_no_error_holds_a_part_of_the_body(body: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        payload.read_object(body)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


_FIELDS: dict[str, object] = {
    "text": "a",
    "empty": "",
    "null": None,
    "number": 1,
    "true": True,
    "object": {"b": 1},
    "list": [{"b": 1}],
    "texts": ["a", "b"],
    "mixed": ["a", {"b": 1}],
    "none": [],
}


@pytest.mark.parametrize(
    "read, key, found",
    [
        (payload.text, "text", "a"),
        (payload.text, "empty", ""),
        (payload.text_or_empty, "text", "a"),
        (payload.text_or_empty, "null", ""),
        (payload.text_or_empty, "missing", ""),
        (payload.section, "object", {"b": 1}),
        (payload.section_or_empty, "object", {"b": 1}),
        (payload.section_or_empty, "null", {}),
        (payload.section_or_empty, "missing", {}),
        (payload.sections, "list", ({"b": 1},)),
        (payload.sections, "none", ()),
        (payload.texts, "texts", ("a", "b")),
        (payload.texts, "object", ("b",)),
        (payload.texts, "none", ()),
    ],
)
def test_fields_of_the_right_type_are_found(read: Any, key: str, found: Any) -> None:
    assert read(_FIELDS, key) == found


@pytest.mark.parametrize(
    "read, keys",
    [
        (payload.text, ("missing", "null", "number", "true", "object", "list")),
        (payload.text_or_empty, ("number", "true", "object", "list")),
        (payload.section, ("missing", "null", "text", "number", "list")),
        (payload.section_or_empty, ("text", "number", "list", "none")),
        (payload.sections, ("missing", "null", "text", "object", "texts", "mixed")),
        (payload.texts, ("missing", "null", "text", "number", "list", "mixed")),
    ],
)
def test_fields_of_another_type_are_malformed(read: Any, keys: tuple[str, ...]) -> None:
    for key in keys:
        with pytest.raises(MalformedError, match=key):
            read(_FIELDS, key)


@pytest.mark.parametrize("read, item", [(payload.sections, {}), (payload.texts, "a")])
def test_lists_are_bounded(read: Any, item: Any) -> None:
    read({"many": [item] * payload.MAX_ITEMS}, "many")

    with pytest.raises(MalformedError, match="more than 10000"):
        read({"many": [item] * (payload.MAX_ITEMS + 1)}, "many")


@pytest.mark.parametrize("name", ["72d3162e-cc78-11e3-81ab-4c9367dc0958", "1", "x" * 128, "a=/+:"])
def test_a_name_that_can_be_kept_is_kept(name: str) -> None:
    assert payload.known_id(name) == name


@pytest.mark.parametrize("name", ["", " ", "a b", "a\n", "x" * 129, "é", "\ud800", "a\x7f"])
def test_a_name_that_cannot_be_kept_is_none(name: str) -> None:
    assert payload.known_id(name) == ""

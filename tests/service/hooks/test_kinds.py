"""What holds for every source, whoever sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import (
    Delivery,
    ImageHint,
    ListHint,
    MalformedError,
    Reading,
    RepoHint,
)
from digestbot.service.hooks.kinds import SOURCES, Kind
from tests.service.hooks.senders import SECRET, SENDERS, Sender

each_sender = pytest.mark.parametrize(
    "sender", [pytest.param(sender, id=name) for name, sender in SENDERS.items()]
)
each_kind = pytest.mark.parametrize("kind", get_args(Kind))


def test_every_kind_has_a_source_and_a_sender_here() -> None:
    assert set(SOURCES) == set(get_args(Kind)) == {sender.kind for sender in SENDERS.values()}


@each_sender
def test_what_a_source_documents_is_believed_and_read(sender: Sender) -> None:
    delivery = sender.deliver()

    assert sender.believes(delivery)
    assert sender.read() == Reading(sender.hints, sender.id)


@each_sender
def test_the_same_delivery_again_reads_the_same(sender: Sender) -> None:
    assert sender.read() == sender.read()


@each_sender
@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("another", id="another"),
        pytest.param(SECRET[:-1], id="shorter"),
        pytest.param(SECRET + "x", id="longer"),
        pytest.param(SECRET.upper(), id="other-case"),
        pytest.param("", id="empty"),
        pytest.param("ключ", id="not-ascii"),
    ],
)
def test_another_secret_is_not_believed(sender: Sender, secret: str) -> None:
    assert not sender.believes(sender.deliver(secret=secret))


@each_sender
def test_without_any_proof_it_is_not_believed(sender: Sender) -> None:
    assert not sender.believes(Delivery(sender.headers, sender.deliver().body))


@each_sender
@pytest.mark.parametrize("secret", ["", " ", "\n"])
def test_an_empty_secret_authenticates_nobody(sender: Sender, secret: str) -> None:
    assert not sender.believes(sender.deliver(secret=secret), secret)


@each_sender
def test_a_proof_that_was_cut_off_is_not_believed(sender: Sender) -> None:
    proof = sender.prove(sender.deliver().body, SECRET)
    headers = {name: text[:-1] for name, text in proof.headers.items()}

    cut = Delivery(headers, sender.deliver().body, proof.path_secret[:-1])

    assert not sender.believes(cut)


@each_sender
def test_the_secret_is_not_believed_where_it_does_not_belong(sender: Sender) -> None:
    everywhere = {"x-secret": SECRET, "cookie": SECRET, "x-hub-signature": SECRET}

    assert not sender.believes(Delivery(everywhere, f'{{"secret": "{SECRET}"}}'.encode()))


_BROKEN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"payload=%7B%7D", id="a-form"),
    pytest.param(b"{", id="cut-off"),
    pytest.param(b"[]", id="a-list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'"text"', id="a-text"),
    pytest.param(b"17", id="a-number"),
    pytest.param(b"{}", id="nothing-said"),
    pytest.param(b'{"a": NaN}', id="not-a-number"),
    pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="a-huge-number"),
    pytest.param(b'{"a": "\xff\xfe"}', id="not-utf-8"),
    pytest.param('{"a": 1}'.encode("utf-16"), id="utf-16"),
    pytest.param(b'{"a": "\x00"}', id="a-raw-nul"),
    pytest.param(b'{"a": "\xed\xa0\x80"}', id="a-surrogate-in-bytes"),
    pytest.param(b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", id="deep"),
    pytest.param(b"[" * 200_000, id="deeper-than-a-stack"),
    pytest.param(b'{"a":' * 200_000, id="objects-deeper-than-a-stack"),
    pytest.param(b'{"a": "' + b"x" * (5 * 1024 * 1024) + b'"}', id="too-large"),
]


@each_sender
@pytest.mark.parametrize("body", _BROKEN)
def test_a_body_that_no_source_sends_is_malformed(sender: Sender, body: bytes) -> None:
    with pytest.raises(MalformedError):
        sender.read(body)


_NAMES_OF_NOTHING = [
    pytest.param("\ud800", id="lone-surrogate"),
    pytest.param("a\x00b", id="nul"),
    pytest.param("a b", id="space"),
    pytest.param("a\nb", id="newline"),
    pytest.param("../../etc", id="dots"),
    pytest.param("a@sha256:" + "1d" * 32, id="at-digest"),
    pytest.param("a:b", id="two-tags"),
    pytest.param("x" * 5000, id="long"),
    pytest.param("\u0130stanbul", id="not-ascii"),
    pytest.param("/", id="slash"),
]


@each_sender
@pytest.mark.parametrize("name", _NAMES_OF_NOTHING)
def test_names_that_name_nothing_are_malformed_and_not_repeated(sender: Sender, name: str) -> None:
    said = json.dumps(sender.payload)
    for known in ("corp/python", "base/python", "base/Python", "Corp/shop"):
        said = said.replace(json.dumps(known), json.dumps(name))

    with pytest.raises(MalformedError) as caught:
        sender.read(said.encode())

    assert name not in str(caught.value) or len(name) == 1
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@each_sender
def test_whatever_one_field_is_the_rest_is_read_or_malformed(sender: Sender) -> None:
    others: tuple[Any, ...] = (None, True, 0, -1.5, 10**400, "", "\ud800", [], [[]], {}, {"a": 1})

    for path in _paths(sender.payload):
        for other in others:
            _read_or_malformed(sender, _with(sender.payload, path, other))


@each_sender
def test_whatever_field_is_missing_the_rest_is_read_or_malformed(sender: Sender) -> None:
    for path in _paths(sender.payload):
        _read_or_malformed(sender, _without(sender.payload, path))


@each_sender
def test_no_field_makes_it_speak_of_another_registry(sender: Sender) -> None:
    elsewhere = (
        "ghcr.io/corp/python",
        "evil.example:5000/x",
        "https://evil.example/x",
        "evil.example/x:3.12",
        "/evil.example/x",
        "@evil.example",
        "localhost",
    )

    for path in _paths(sender.payload):
        for other in elsewhere:
            _read_or_malformed(sender, _with(sender.payload, path, other))


_HEADERS = (
    "authorization",
    "content-type",
    "ce-type",
    "ce-id",
    "x-github-event",
    "x-github-delivery",
    "x-hub-signature-256",
    "x-jfrog-event-auth",
    "x-nexus-webhook-signature",
    "x-nexus-webhook-delivery",
)


@each_kind
@given(
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "action", "events", "target", "data", "event_data", "repository"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=9,
    ).map(lambda data: json.dumps(data).encode()),
    headers=st.dictionaries(
        st.sampled_from(_HEADERS),
        st.sampled_from(["push", "package", "repository", "application/cloudevents+json"])
        | st.text(st.characters(), max_size=20),
    ),
    path_secret=st.text(st.characters(), max_size=9),
    secret=st.text(st.characters(), max_size=9),
)
def test_whatever_arrives_is_read_or_malformed_and_never_raises_otherwise(
    kind: Kind, body: bytes, headers: dict[str, str], path_secret: str, secret: str
) -> None:
    delivery = Delivery(headers, body, path_secret)

    believed = SOURCES[kind].is_authentic(delivery, Secret(secret))

    assert believed in {True, False}
    try:
        found = SOURCES[kind].read(delivery, "registry.corp")
    except MalformedError:
        return
    assert isinstance(found, Reading)


@given(data=st.data())
def test_a_payload_with_anything_in_any_field_is_read_or_malformed(data: st.DataObject) -> None:
    sender = data.draw(st.sampled_from(list(SENDERS.values())))
    path = data.draw(st.sampled_from(list(_paths(sender.payload))))
    other = data.draw(
        st.text(st.characters(), max_size=30)
        | st.from_regex(r"\A[a-z./:@_-]{1,40}\Z")
        | st.integers()
        | st.lists(st.text(st.characters(), max_size=9), max_size=3)
    )

    _read_or_malformed(sender, _with(sender.payload, path, other))


def _read_or_malformed(sender: Sender, payload: Any) -> None:
    try:
        hints = sender.read(payload).hints
    except MalformedError:
        return
    for hint in hints:
        assert isinstance(hint, ImageHint | RepoHint | ListHint)
        if isinstance(hint, ImageHint):
            assert hint.image.registry == sender.registry


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*at, key)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*at, key))


def _with(payload: Any, path: tuple[Any, ...], other: Any) -> Any:
    copy = json.loads(json.dumps(payload))
    _parent(copy, path)[path[-1]] = other
    return copy


def _without(payload: Any, path: tuple[Any, ...]) -> Any:
    copy = json.loads(json.dumps(payload))
    del _parent(copy, path)[path[-1]]
    return copy


def _parent(payload: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        payload = payload[key]
    return payload

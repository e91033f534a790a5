"""Foreign bytes: whatever they are, an answer or an error of ours."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from digestbot.errors import UsageError
from digestbot.image import Platform
from digestbot.registry.addresses import literal
from digestbot.registry.challenge import choose_login, read_challenges
from digestbot.registry.client import check_digest
from digestbot.registry.docker_config import key_host, read_docker_config
from digestbot.registry.errors import CODES, RegistryError
from digestbot.registry.manifests import MANIFEST_TYPES, read_manifest, select_platform
from digestbot.registry.message import Response
from digestbot.registry.notes import HostNotes
from digestbot.registry.origin import read_origin, resolve_url
from digestbot.registry.recorded import read_answers
from digestbot.registry.refusals import Asked, error_codes, registry_refusal, token_refusal
from digestbot.registry.retry_after import LONGEST_S, read_retry_after
from digestbot.registry.tokens import read_token

NOW = 1_795_219_200.0
URL = "https://r.example/v2/"
KEYS = st.sampled_from(
    [
        "manifests", "config", "mediaType", "schemaVersion", "digest", "platform", "os", "size",
        "architecture", "variant", "annotations", "auths", "credHelpers", "credsStore", "auth",
        "username", "password", "identitytoken", "token", "access_token", "expires_in",
        "issued_at", "errors", "code", "message", "tags", "r.example",
    ]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from([*MANIFEST_TYPES, f"sha256:{'a' * 64}", "linux", "<token>:x"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS | st.text(), inner),
    max_leaves=30,
)
BYTES = JSON.map(lambda data: json.dumps(data).encode()) | st.binary()
CHALLENGE = st.lists(
    st.sampled_from(
        ["Bearer ", "Basic ", "realm=", '"', "\\", ",", " ", "=", "https://a/", "NTLM x==", "é"]
    )
    | st.text(max_size=5)
).map("".join)


@given(CHALLENGE)
def test_challenges(line: str) -> None:
    read_challenges(line)

    with contextlib.suppress(ValueError):
        choose_login([line, line], URL)


@given(st.text(), st.text())
def test_urls(base: str, location: str) -> None:
    literal(location)
    key_host(location)

    for url in (base, location):
        with contextlib.suppress(ValueError):
            read_origin(url)
    with contextlib.suppress(ValueError):
        read_origin(resolve_url(URL, location))


@given(st.text(), BYTES)
def test_waits(header: str, body: bytes) -> None:
    found = read_retry_after(Response(429, (("retry-after", header),), body), NOW)

    assert found is None or 0 <= found <= LONGEST_S


@given(BYTES, st.sampled_from(["", "text/html", *MANIFEST_TYPES]))
def test_manifests(body: bytes, content_type: str) -> None:
    with contextlib.suppress(RegistryError):
        manifest = read_manifest(body, content_type, "r.example")
        select_platform(manifest.images, Platform("linux", "amd64"), "r.example")


@given(BYTES)
def test_docker_configs(text: bytes) -> None:
    with contextlib.suppress(ValueError):
        config = read_docker_config(text)
        config.knows("r.example")
        config.helper("r.example")
        config.login("r.example", "team/app")


@given(BYTES)
def test_tokens(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        token, life = read_token(body, NOW)
        assert token.isascii()
        assert life >= 60


@given(st.integers(100, 599), BYTES, st.sampled_from(["", "text/html", "application/json"]))
def test_refusals(status: int, body: bytes, content_type: str) -> None:
    response = Response(status, (("content-type", content_type),), body)
    asked = Asked("r.example", "me")

    error_codes(response)

    for error in (registry_refusal(response, asked), token_refusal(response, asked)):
        assert error.code in CODES
        assert str(error).isprintable()


@given(st.text(), st.text())
def test_notes(quota: str, warning: str) -> None:
    headers = (("ratelimit-limit", quota), ("ratelimit-remaining", quota), ("warning", warning))

    HostNotes().add(Response(200, headers))


@given(st.binary(), st.text())
def test_digests(body: bytes, promised: str) -> None:
    with contextlib.suppress(RegistryError):
        check_digest(body, promised, "r.example")


@given(BYTES.map(lambda body: body.decode("utf-8", "replace")))
def test_records(text: str) -> None:
    with contextlib.suppress(UsageError):
        read_answers(text)

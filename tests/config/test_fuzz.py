from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from digestbot.config.issues import ConfigError
from digestbot.config.load import LoadedSettings, load_settings
from digestbot.config.models import IgnoreRule, RegistryConfig, Settings
from digestbot.config.origins import effective_rows

KEYS = st.sampled_from(
    [*Settings.model_fields, *RegistryConfig.model_fields, *IgnoreRule.model_fields, "ghcr.io"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(),
    st.sampled_from(["docker.io/", "ghcr.io", "stale", ">=0.1", "2027-01-31", "a" * 2000]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | SCALARS, inner, max_size=4),
    max_leaves=20,
)
# Pieces of YAML that interact: more telling than single characters.
PIECES = r"""a : - ? [ ] { } , & * &a *a ! !! !!str !!python/none | > ' " # % @ ` << = ~ \ --- ...
    %YAML 1.1 %TAG ! null true 0x 1:1 .inf jobs: exclude: registries: ignore: \UFFFFFFFF "\x
    2027-13-45 1e400"""
TOKENS = st.sampled_from(PIECES.split())
BLANKS = st.sampled_from(["", " ", "  ", "\n", "\n  ", "\t", "\r\n", "\x00", "\x85", "\u2028"])


def load(data: bytes) -> LoadedSettings | None:
    """Load it, and print it: neither may raise anything but ConfigError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digestbot.yaml")
        path.write_bytes(data)
        try:
            loaded = load_settings(path)
        except ConfigError as error:
            mistakes = error.issues
        else:
            assert effective_rows(loaded)
            return loaded
    assert mistakes
    assert all(str(mistake).isprintable() for mistake in mistakes)
    return None


@given(st.binary(max_size=200))
@example(b"\xff\xfej\x00")
@example(b"\xef\xbb\xbfjobs: 1")
def test_any_bytes_load_or_are_told_as_mistakes(data: bytes) -> None:
    load(data)


@given(st.text(max_size=200))
@example('jobs: "\\ud800"')
@example('"\\ud800": 1')
@example('exclude: ["\\ud800"]')
@example('registries: {ghcr.io: {ca_file: "\\ud800"}}')
@example('registries: {"\\ud800": {}}')
@example('"jo\\nbs": 1')
def test_any_text_loads_or_is_told_as_mistakes(text: str) -> None:
    load(text.encode())


@given(st.lists(st.tuples(TOKENS, BLANKS), max_size=30))
def test_any_pieces_of_yaml_load_or_are_told_as_mistakes(pieces: list[tuple[str, str]]) -> None:
    load("".join(token + blank for token, blank in pieces).encode())


@given(TREES)
def test_any_yaml_of_known_keys_loads_or_is_told_as_mistakes(tree: object) -> None:
    load(yaml.safe_dump(tree, allow_unicode=True).encode())


@given(st.integers(1, 64), st.booleans(), st.lists(st.sampled_from(["stale", "held"])))
def test_what_is_right_loads_as_it_was_written(jobs: int, pin: bool, fail_on: list[str]) -> None:
    written = {"jobs": jobs, "pin": pin, "fail_on": fail_on}

    loaded = load(yaml.safe_dump(written).encode())

    assert loaded is not None
    assert loaded.settings.model_dump(include=set(written), mode="json") == written

from __future__ import annotations

import re
from pathlib import Path

import digestbot.registry
from digestbot.registry.errors import CODES, RegistryError

SOURCES = sorted(Path(digestbot.registry.__file__).parent.glob("*.py"))
QUOTED = re.compile(r'"([a-z][a-z0-9-]+)"')


def test_every_code_is_used_somewhere() -> None:
    used = {
        word
        for source in SOURCES
        if source.name != "errors.py"
        for word in QUOTED.findall(source.read_text())
    }

    assert set(CODES) <= used


def test_every_code_in_the_source_is_explained() -> None:
    found = {
        code for source in SOURCES for code in re.findall(r'code="([^"]+)"', source.read_text())
    }

    assert found <= set(CODES)


def test_codes_are_explained_in_one_sentence_each() -> None:
    for code, sentence in CODES.items():
        assert re.fullmatch(r"[a-z0-9-]+", code)
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_error_about_an_image_keeps_all_else() -> None:
    error = RegistryError("it is gone", code="not-found", host="r.example", hint="look again")

    about = error.about("r.example/app:1")

    assert str(about) == "r.example/app:1: it is gone"
    assert (about.code, about.host, about.hint) == ("not-found", "r.example", "look again")

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot import globs
from digestbot.globs import matches


@given(st.text("aB/.*?[!]-"), st.text("aB/.*?[!]-"))
def test_it_means_what_fnmatch_means(name: str, glob: str) -> None:
    assert matches(name, glob) == fnmatchcase(name, glob)


def test_no_glob_of_a_long_list_is_compiled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    globs._compiled.cache_clear()
    compiled: list[str] = []

    def note(glob: str) -> str:
        compiled.append(glob)
        return glob

    monkeypatch.setattr(globs, "translate", note)

    for name in ("a", "b", "c"):
        for number in range(1000):
            matches(name, f"x{number}")

    assert len(compiled) == 1000

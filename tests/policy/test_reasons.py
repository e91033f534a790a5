"""Every reason that the code can give stands in the table, and the table holds no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import digestbot
from digestbot.policy.reasons import REASONS
from digestbot.registry.errors import CODES

PACKAGE = Path(digestbot.__file__).parent
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def calls(*names: str) -> Iterator[ast.Call]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in names:
                    yield node


def strings(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def test_slugs_are_slugs_and_sentences_are_sentences() -> None:
    for slug, sentence in (REASONS | CODES).items():
        assert SLUG.fullmatch(slug)
        assert sentence.endswith(".")
    assert not set(REASONS) & set(CODES)


def test_every_skip_gives_a_reason_of_the_table() -> None:
    given = {
        node.args[0].value
        for node in calls("Skip", "ExpansionError")
        if node.args and isinstance(node.args[0], ast.Constant)
    }

    assert given <= set(REASONS)


def test_every_reason_of_the_table_is_given_somewhere() -> None:
    written = {
        text
        for path in PACKAGE.rglob("*.py")
        if path.name != "reasons.py"
        for text in strings(ast.parse(path.read_text()))
    }

    assert set(REASONS) <= written

"""Dockerfiles to mutate: a few that hold much, and the ways to spoil them."""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from tests.files.dockerfile.notation import marked

_PIECES = (
    *("FROM ", "ARG ", "COPY ", "RUN ", "ONBUILD ", "ADD ", "ENV ", "LABEL ", "CMD ", "SHELL "),
    *("HEALTHCHECK ", "VOLUME ", "USER ", "--from=", "--mount=", "--platform=", "--link", "--"),
    *("from=", "type=bind,", "\\\n", "`\n", "\n", "\r\n", "\r", "#", "# ", " AS ", " as b", "@"),
    *('"', "'", "$", "${", "}", ":-", ":+", "?", "##", "%", "/", "//", "*", "<<E", "<<-E"),
    *('<<"E"', "\nE\n", "E", ":3", "py", "=", ",", "[", "]", '["a","b"]', "[1]", "{", "{{"),
    *("\t", "\v", "\f", " ", "  ", "scratch", "0", "# escape=`\n", "# syntax=d/f:1\n", "#!x\n"),
    *("$A", "${A}", "ARG A=1\n", "ARG A\n", "B=", "\\", "`", '\\"', "$TARGETARCH", "NONE", "<"),
    *(
        "\u00a0",
        "\u2003",
        "\u00e9",
        "\ufeff",
        '""',
        "''",
        "a b",
        "FROM a\n",
        "# digestbot: tag=3\n",
    ),
)


def seeds() -> list[str]:
    """The files of all cases, without their marks."""
    cases = (Path(__file__).parent / "cases").glob("*.yaml")
    return [
        marked(case["text"]).data.decode()
        for path in sorted(cases)
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def mutants(count: int, chance: random.Random) -> list[str]:
    """Spoilt files; no NUL, no lone surrogate."""
    pool = [seed for seed in seeds() if "\0" not in seed]
    return [_mutant(chance.choice(pool), pool, chance) for _ in range(count)]


def _mutant(text: str, pool: list[str], chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        at = chance.randint(0, len(text))
        end = min(len(text), at + chance.randint(1, 12))
        other = chance.choice(pool)
        start = chance.randint(0, len(other))
        text = chance.choice(
            (
                text[:at] + chance.choice(_PIECES) + text[at:],
                text[:at] + chance.choice(_PIECES) + text[at:],
                text[:at] + chance.choice(_PIECES) + text[at:],
                text[:at] + text[end:],
                text[:end] + text[at:],
                text[:at] + other[start : start + 60] + text[at:],
            )
        )
    return text

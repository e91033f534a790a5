"""Our lines, flags and words against those of BuildKit's own parser, on thousands of files.

PyPI `dockerfile` wraps the parser of BuildKit 0.12, from before these, which are allowed for:

- `<< WORD` with a blank became a heredoc in Dockerfile 1.16;
- `# check=` became a directive in Dockerfile 1.8;
- `${x#y}`, `${x%y}` and `${x/y/z}` came with Dockerfile 1.7: before, a line with one of them
  and `<<` had no heredocs;
- text behind a JSON array was ignored: `RUN ["a"] b` was in JSON form;
- white space other than blanks and tabs between the `#` and the key of a directive was none:
  it is trimmed as Unicode says since Dockerfile 1.8.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from digestbot.files import dockerfile
from digestbot.files.dockerfile.directives import escape_of
from digestbot.files.dockerfile.instructions import Instruction, read_instructions
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.value import shown
from digestbot.files.dockerfile.words import (
    NotStringsError,
    json_strings,
    quoted_words,
    token_texts,
    tokens,
)
from tests.files.dockerfile.corpus import mutants, seeds

PROGRAM = Path(__file__).parent / "buildkit_parser.py"
COUNT = 3000
NEWER = re.compile(
    r"<<-?[\\`]?\s | <<.*\$\{ | \$\{.*<< | check | \s\[[^\n]*\][^\n]"
    r"| \#[ \t\r\f]*[^\S \t\r\f\n][^\S\n]*(?:escape|syntax)"
    r"| escape\s*=\s*` .* --.* \\",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)


def is_newer(text: str) -> bool:
    """Whether the file holds one of these, on one line or over a continuation."""
    return any(NEWER.search(each) for each in (text, re.sub(r"[\\`][ \t]*\r?\n", "", text)))


def theirs(files: list[str]) -> list[Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        input=json.dumps(files).encode(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    answers = json.loads(done.stdout)
    assert isinstance(answers, list)
    return answers


def ours(text: str) -> list[list[object]] | None:
    source = Source.of(text.encode())
    try:
        found = list(read_instructions(source, escape_of(source), every=True))
    except RejectedError:
        return None
    return [described(each) for each in found]


def described(each: Instruction) -> list[object]:
    trigger = each.trigger if each.keyword == "onbuild" and each.start < each.end else None
    flags = [flag.text for flag in each.flags]
    sub_keyword = keyword(trigger.keyword) if trigger is not None else None
    return [keyword(each.keyword), sub_keyword, each.number, flags, values(trigger or each)]


def keyword(text: str | None) -> str | None:
    """A keyword in lower case; all that hold more than ASCII are the same: unknown."""
    text = text or ""
    return text.lower() if text.isascii() else None


def values(each: Instruction) -> list[str] | None:
    """The arguments of what we look into; None for other instructions."""
    try:
        strings = json_strings(each.arguments)
    except NotStringsError:
        return None
    if each.keyword in {"copy", "add"}:
        found = token_texts(each.arguments) if strings is None else strings
    elif each.keyword == "run":
        found = ([each.arguments] if each.arguments else []) if strings is None else strings
    elif each.keyword == "from":
        found = [token.text for token in tokens(each.line, each.start, each.end)]
    elif each.keyword == "arg":
        found = [w.text for w in quoted_words(each.line, each.start, each.end, each.escape)]
    else:
        return None
    return [shown(value) for value in found]


def simplified(their: list[Any], our: list[list[object]]) -> list[list[object]]:
    """Their answer, with keywords spelt as ours, and without values that we do not look at."""
    return [
        [
            keyword(name),
            None if sub is None else keyword(sub),
            line,
            flags,
            None if our_values is None else words,
        ]
        for (name, sub, line, flags, words), (*_, our_values) in zip(their, our, strict=True)
    ]


def refused(text: str) -> bool:
    found = dockerfile.read("Dockerfile", text.encode())
    return any(each.kind == "file" for each in found)


def agrees(text: str, their: Any) -> bool:
    if their is None:
        return refused(text)
    our = ours(text)
    return our is not None and len(our) == len(their) and simplified(their, our) == our


def new_seed() -> int:
    """Another one for each commit in CI, where a run can be repeated; elsewhere for each run."""
    if "CI" not in os.environ:
        return random.SystemRandom().getrandbits(32)
    command = ["git", "rev-parse", "--short=8", "HEAD"]
    done = subprocess.run(command, cwd=PROGRAM.parent, capture_output=True, text=True, check=True)
    return int(done.stdout, 16)


@pytest.mark.parametrize("seed", [20_261_121, None], ids=["the same files", "new files"])
def test_mutated_files_are_split_as_buildkit_splits_them(seed: int | None) -> None:
    seed = new_seed() if seed is None else seed
    files = [*seeds(), *mutants(COUNT, random.Random(seed))]
    files = [text for text in files if "\0" not in text]

    answers = theirs(files)

    assert len(answers) == len(files) >= COUNT
    differing = [
        text
        for text, their in zip(files, answers, strict=True)
        if not agrees(text, their) and not is_newer(text)
    ]
    assert differing == [], f"seed {seed}: {len(differing)} of {len(files)} differ"


def test_the_allowance_is_narrow() -> None:
    files = mutants(COUNT, random.Random(7))

    allowed = [text for text in files if is_newer(text)]

    assert len(allowed) < len(files) / 5

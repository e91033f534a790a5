"""Run as a program: what BuildKit's own parser, by way of PyPI `dockerfile`, makes of files.

It has a process of its own because it can crash the interpreter. It reads a JSON array of
texts from standard input, and writes one of `[keyword, line, last line, flags, values]` per
instruction, or null for a file that is refused.
"""

from __future__ import annotations

import json
import sys

import dockerfile


def _instructions(text: str) -> list[list[object]] | None:
    try:
        found = dockerfile.parse_string(text)
    except (dockerfile.GoParseError, ValueError):
        return None
    return [
        [each.cmd, each.sub_cmd, each.start_line, list(each.flags), list(each.value)]
        for each in found
    ]


if __name__ == "__main__":
    json.dump([_instructions(text) for text in json.load(sys.stdin)], sys.stdout)

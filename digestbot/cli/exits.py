"""Exit codes, and the one place where errors become one."""

from __future__ import annotations

from enum import IntEnum

from digestbot.errors import DigestbotError, NoInputError, UsageError


class Exit(IntEnum):
    """What the shell is told; `INCOMPLETE` wins over `FINDINGS`."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    NO_INPUT = 4
    INCOMPLETE = 5
    INTERRUPTED = 130


MEANING = {
    Exit.OK: "nothing to do",
    Exit.FINDINGS: "findings, or changes that are not written",
    Exit.USAGE: "the command line or the configuration is wrong",
    Exit.INTERNAL: "an error inside digestbot",
    Exit.NO_INPUT: "nothing to read was found: no file, no state, or nothing in it that is meant",
    Exit.INCOMPLETE: "something failed; what is known is printed",
    Exit.INTERRUPTED: "interrupted",
}


def code_of(error: DigestbotError) -> Exit:
    """The exit code for an error that ended a command."""
    if isinstance(error, UsageError):
        return Exit.USAGE
    if isinstance(error, NoInputError):
        return Exit.NO_INPUT
    return Exit.INCOMPLETE

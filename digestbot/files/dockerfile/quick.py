"""What can be passed over at once behind the first FROM: most of most files.

A pattern per escape character knows blank lines, comments, and instructions that are written
so plainly that they break no rule and name no image. It need not know them all: whatever it
does not match is read with care.
"""

from __future__ import annotations

import re
from functools import cache


@cache
def plain_lines(escape: str) -> re.Pattern[str]:
    """Matches any number of physical lines that matter to nobody, from the start of a line."""
    mark = re.escape(escape)
    skipped = r"[ \t]*+ (?: [#] [^\n]*+ )?+ \r*+ \n"
    continued = rf"{mark} [ \t]*+ \r*+ \n (?: {skipped} )*+"
    # No '<', so that there is no heredoc, and no escape that is doubled or ends a line.
    text = rf"(?: [^\n<{mark}]++ | {mark} (?! {mark} | [ \t]*+ \r*+ \n ) )*+"
    rest = rf"{text} (?: {continued} [ \t]*+ (?= [!-~] ) (?! [#] ) {text} )*+ \n"
    # Arguments start on the line of the keyword, and are neither flags nor JSON.
    first = rf"(?! [\[<{mark}-] ) [!-~]"
    other = rf"(?! [<{mark}] ) [!-~]"
    key = r"[A-Za-z_] [A-Za-z0-9_.-]*+"
    value = rf"""(?: (?! ["'<{mark}] ) [!-~] | " [^"\n{mark}]*+ " | ' [^'\n]*+ ' )*+"""
    # Names of flags are not folded; a mount from nowhere needs no closer look.
    mount = r"(?-i: --mount= ) (?! [A-Za-z0-9_=,./:-]*? from ) [A-Za-z0-9_=,./:-]++"
    return re.compile(
        rf"""(?:
            {skipped}
            | [ \t]*+ (?:
                (?: run | cmd | entrypoint | workdir | user | expose | volume | stopsignal )
                [ \t]++ {first} {rest}
                | run [ \t]++ (?: {mount} [ \t]++ (?: {continued} [ \t]*+ )?+ )++ {first} {rest}
                | (?: copy | add ) [ \t]++ {first} (?: {other} )*+ [ \t]++ {other} {rest}
                | (?: env | label ) [ \t]++ {key} [ \t]++ {first} {rest}
                | (?: env | label )
                (?: [ \t]++ (?: {continued} [ \t]*+ )?+ {key} = {value} )++ [ \t]*+ \r*+ \n
                | arg [ \t]++ {key} (?: = {value} )?+ [ \t]*+ \r*+ \n
            )
        )*+""",
        re.VERBOSE | re.IGNORECASE | re.ASCII,
    )

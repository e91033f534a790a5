"""How a report is to look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """What a report may know about where it will be read; machine formats ignore it.

    `width` is in terminal cells. `verbosity` is 0 as a rule, 1 and up to list what is current
    too and to explain everything, below 0 to leave explanations and advice away. `command` is
    what the user typed to get this report; advice is given in its terms.
    """

    width: int = 80
    color: bool = False
    verbosity: int = 0
    command: str = "digestbot scan"

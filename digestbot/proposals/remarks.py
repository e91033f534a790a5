"""What digestbot says in comments, each once in the life of a pull request, and its checkbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.forge.pull import Pull
from digestbot.forge.steps import Comment

_TICKED = re.compile(r"^[ \t]*[-*] \[[xX]\] <!-- digestbot:rebuild -->", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment; the hidden `marker` in it says that it was made."""

    marker: str
    text: str

    def on(self, pull: Pull) -> Iterator[Comment]:
        """The step that makes it, unless it was made before."""
        if not any(self.marker in comment for comment in pull.comments):
            yield Comment(pull.number, f"{self.marker}\n{self.text}")


HANDS_OFF = Remark(
    "<!-- digestbot:hands-off -->",
    "Somebody else has pushed to this branch, so digestbot leaves it alone from now on. "
    "To have it built anew, without the other commits, tick the *rebuild* box in the "
    "description; or close this pull request and delete its branch.",
)
OBSOLETE = Remark(
    "<!-- digestbot:obsolete -->",
    "Nothing is left to update here: what this pull request proposed is on the base branch by "
    "now, is proposed elsewhere, is no longer what the tag has, or may no longer be proposed. "
    "digestbot closes it.",
)


def is_rebuild_asked(pull: Pull) -> bool:
    """Whether somebody ticked the box in the body that asks for a new branch."""
    return _TICKED.search(pull.body) is not None

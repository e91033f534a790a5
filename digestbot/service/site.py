"""Where the dashboard tells more of what somebody is told of: links from elsewhere to its pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

LONGEST: Final = 200
"""Characters of a name that a page can be asked for."""
# As conditions name what they are about; what was too long has a `…` in it, and no name left.
# An image is told of once for each reason: `image:ghcr.io/acme/app:1 (linux/amd64)/flapping`.
_SUBJECT = re.compile(
    r"(?:(rollout|run|repo|digest):([^\s…]+)"
    r"|(image):([^\s…]+?)(?: \([^\s()…]+\))?/[a-z-]+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Site:
    """The dashboard as people reach it.

    Attributes:
        origin: Scheme and host; empty where nobody knows, and then nothing is linked.
    """

    origin: str = ""

    def about(self, subject: str) -> str:
        """The page about what a piece of news is about; empty where there is none.

        Repos and images are looked for by name: whoever tells of them does not know their ids.
        """
        found = _SUBJECT.fullmatch(subject)
        if not self.origin or found is None:
            return ""
        kind, name = found[1] or found[3], found[2] or found[4]
        return f"{self.origin}{_PATHS[kind](name)}" if len(name) <= LONGEST else ""

    def rollout(self, name: str) -> str:
        """The page of a rollout; empty where there is no dashboard."""
        return self.about(f"rollout:{name}")


NOWHERE: Final = Site()


def _one_of(path: str) -> Callable[[str], str]:
    return lambda name: f"{path}/{quote(name, safe='', errors='replace')}"


def _named(path: str) -> Callable[[str], str]:
    return lambda name: f"{path}?{urlencode({'q': name}, errors='replace')}"


_PATHS: Final[dict[str, Callable[[str], str]]] = {
    "rollout": _one_of("/rollouts"),
    "run": _one_of("/runs"),
    "repo": _named("/repos"),
    "image": _named("/images"),
    "digest": lambda _digest: "/repos?status=denied",
}

"""What changed between two images, by what they say of their source."""

from __future__ import annotations

import re

from digestbot.registry.image_facts import ImageFacts

_PREFIX = "org.opencontainers.image."
_GITHUB = re.compile(
    r"https://github\.com/([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}?)(?:\.git)?"
    r"(?:[#/][\w./:#-]{0,300})?",
    re.ASCII,
)
_SHA = re.compile(r"[0-9a-f]{40}", re.ASCII)


def told(facts: ImageFacts, key: str) -> str:
    """What the image says under `org.opencontainers.image.<key>`; empty where nothing."""
    described = facts.described
    name = _PREFIX + key
    return described.annotations.get(name) or described.labels.get(name) or ""


def compare_link(old: ImageFacts, new: ImageFacts) -> str:
    """GitHub's page of the commits between both; empty unless both name one repo and commits."""
    source = _repo(new)
    first, last = told(old, "revision"), told(new, "revision")
    if not source or _repo(old) != source or first == last:
        return ""
    if not (_SHA.fullmatch(first) and _SHA.fullmatch(last)):
        return ""
    return f"https://github.com/{source}/compare/{first}...{last}"


def _repo(facts: ImageFacts) -> str:
    match = _GITHUB.fullmatch(told(facts, "source"))
    return match[1] if match and match[1].rpartition("/")[2] not in {".", ".."} else ""

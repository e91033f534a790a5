"""Which repo belongs to which wave: by name, and by a hash that a second plan finds again."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from digestbot.globs import matches

CANARY = "canary"


def wave_name(number: int) -> str:
    """What people call a wave: `canary`, `wave 1`, `wave 2`."""
    return f"wave {number}" if number else CANARY


@dataclass(frozen=True, slots=True)
class Member:
    """A repo that may be in a wave; `owner` is whoever looks after it, as caps count."""

    repo: str
    owner: str
    topics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WaveRules:
    """How the repos are divided.

    Attributes:
        canary: Globs on names of repos that come first.
        canary_topic: Repos with this topic come first, too; empty for none.
        canary_count: Otherwise so many come first.
        shares: About what part of all repos is reached with each wave after the canary, rising
            to 1: each repo has its place by a hash, whatever other repos there are.
        most_per_owner: So many repos of one owner in a wave at most; 0 for no limit. What does
            not fit comes one wave later; the last wave takes all.
    """

    canary: tuple[str, ...] = ()
    canary_topic: str = ""
    canary_count: int = 1
    shares: tuple[float, ...] = (0.1, 0.5, 1.0)
    most_per_owner: int = 0

    def __post_init__(self) -> None:
        """Raise `ValueError` where the shares do not rise to 1."""
        rising = all(one < other for one, other in zip(self.shares, self.shares[1:], strict=False))
        if not self.shares or self.shares[-1] != 1 or self.shares[0] <= 0 or not rising:
            raise ValueError("shares rise from above 0 to 1: 0.1, 0.5, 1")


def assign(members: Iterable[Member], rules: WaveRules, key: str) -> list[list[Member]]:
    """The waves, the canary first; those without any repo are left out.

    Args:
        members: The repos, each once.
        rules: How they are divided.
        key: What the hash is mixed with: the same for plans that are to agree, another one for
            another image, so that not always the same repos come first.
    """
    ordered = sorted(members, key=lambda one: (_rank(one.repo, key), one.repo))
    named = [one for one in ordered if _is_named(one, rules)]
    first = named or ordered[: rules.canary_count]
    taken = {one.repo for one in first}
    rest = [one for one in ordered if one.repo not in taken]
    parts: list[list[Member]] = [[] for _ in rules.shares]
    for member in rest:
        parts[bisect_right(rules.shares, _rank(member.repo, key))].append(member)
    waves = [first, *_capped(parts, rules.most_per_owner)]
    return [wave for wave in waves if wave]


def _capped(waves: Sequence[list[Member]], most: int) -> list[list[Member]]:
    if not most:
        return list(waves)
    found: list[list[Member]] = []
    late: list[Member] = []
    for index, wave in enumerate(waves):
        owners: Counter[str] = Counter()
        fits: list[Member] = []
        left: list[Member] = []
        for member in [*late, *wave]:
            owners[member.owner] += 1
            is_last = index == len(waves) - 1
            (fits if is_last or owners[member.owner] <= most else left).append(member)
        found.append(fits)
        late = left
    return found


def _is_named(member: Member, rules: WaveRules) -> bool:
    if rules.canary_topic and rules.canary_topic in member.topics:
        return True
    return any(matches(member.repo, glob) for glob in rules.canary)


def _rank(repo: str, key: str) -> float:
    """A number from 0 to 1 that a repo has whatever others there are."""
    found = hashlib.sha256(f"{key}\0{repo}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(found[:6]) / 256**6

"""One repo of a rollout, updated as any other, but to the digests of the plan and to no others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from digestbot.files.occurrence import Occurrence
from digestbot.forge.repo import Repo
from digestbot.image import Digest
from digestbot.proposals.budget import Budget
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.propose import update_repo
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import CommitSettings
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.rollout.plan import Edit, Move
from digestbot.scan.forge_files import RepoFiles
from digestbot.service.rollouts.gating import Denying

PREFIX: Final = "digestbot-rollout/"
"""Not that of other proposals: those see what a rollout proposes as somebody else's, and leave
a digest to it that it brings."""
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Frozen:
    """Knows the digests that a rollout brings to a repo, and in place of what; asks nobody.

    Attributes:
        pins: What it knows the places by, and what is pinned there; whoever moved on since, to
            whatever it is, is not moved back.
    """

    digests: Mapping[Query, Digest]
    pins: frozenset[tuple[str, Query, Digest]]

    @classmethod
    def forward(cls, moves: Iterable[Move], edits: Iterable[Edit]) -> Frozen:
        """What a plan brings to a repo with these edits."""
        digests = {Query(move.image, move.platform): move.digest for move in moves}
        pins = ((one.path, Query(one.image, one.platform), one.before) for one in edits)
        return cls(digests, frozenset(pins))

    @classmethod
    def back(cls, edits: Collection[Edit]) -> Frozen:
        """What a repo had; where it pinned one image at several digests, the first of them."""
        found: dict[Query, Digest] = {}
        for edit in edits:
            found.setdefault(Query(edit.image, edit.platform), edit.before)
        pins = ((one.path, Query(one.image, one.platform), one.after) for one in edits)
        return cls(found, frozenset(pins))

    def knows(self, query: Query) -> bool:
        """Whether it brings this image."""
        return query in self.digests

    def means(self, occurrence: Occurrence, query: Query) -> bool:
        """Whether it is about this pin: one that it replaces, or that has what it brings."""
        pinned = occurrence.reference.digest if occurrence.reference else None
        if pinned is None or query not in self.digests:
            return False
        return pinned == self.digests[query] or (occurrence.path, query, pinned) in self.pins

    def resolve(self, query: Query) -> Resolution:
        """See `Resolver.resolve`."""
        digest = self.digests.get(query)
        if digest is None:
            raise RegistryError(f"{query} is not in the plan", code="not-recorded", host="")
        return Resolution(query, digest)


def branch_prefix(rollout: str, *, is_back: bool = False) -> str:
    """What the names of its branches begin with; two rollouts never share one."""
    return f"{PREFIX}{rollout}{'-back' if is_back else ''}/"


def branch_of(rollout: str, *, is_back: bool = False) -> str:
    """The one branch that a rollout has in a repo."""
    return f"{branch_prefix(rollout, is_back=is_back)}images"


def bring(
    run: Run,
    repo: Repo,
    frozen: Frozen,
    rollout: str,
    *,
    is_back: bool = False,
    may_merge: bool = True,
) -> RepoOutcome:
    """Have one repo get these digests, as any other update; it may be called again at any time.

    What the repo says of itself holds: that it takes part, its schedule and freezes, who reviews,
    and, where it `may_merge`, that the forge merges by itself. What is denied is not brought.
    """
    prefix = branch_prefix(rollout, is_back=is_back)

    def rules_for(files: RepoFiles) -> Rules:
        rules = run.rules_for(files)
        gate = rules.policy.gate and Denying(rules.policy.gate)
        own = rules.proposals
        return replace(
            rules,
            policy=replace(rules.policy, gate=gate, pin=False, only=frozen.means),
            proposals=replace(
                own,
                group="repo",
                groups={},
                prefix=prefix,
                open_limit=_MANY,
                automerge=own.automerge and may_merge,
                commit=_commit(own.commit) if is_back else own.commit,
                reason=_reason(rollout, is_back=is_back),
            ),
        )

    ours = (branch_of(rollout, is_back=is_back),)
    own = replace(run, resolver=frozen, rules_for=rules_for, budget=Budget())
    return update_repo(own, replace(repo, ours=ours))


def _commit(own: CommitSettings) -> CommitSettings:
    """Nobody shall take the way back for one more update."""
    return replace(own, title=own.title or "Roll back {image} to the digest before")


def _reason(rollout: str, *, is_back: bool) -> str:
    if is_back:
        return f"Rollout `{rollout}` is rolled back, and this repo gets again what it had before"
    return f"Rollout `{rollout}` brings one digest to all repos with this image"

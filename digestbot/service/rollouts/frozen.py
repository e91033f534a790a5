"""One repo of a rollout, updated as any other, but to the digests of the plan and to no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from digestbot.forge.repo import Repo
from digestbot.proposals.budget import Budget
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.propose import update_repo
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import CommitSettings
from digestbot.scan.forge_files import RepoFiles
from digestbot.service.rollouts.gating import Denying
from digestbot.service.rollouts.goals import Frozen

PREFIX: Final = "digestbot-rollout/"
"""Not that of other proposals: those see what a rollout proposes as somebody else's, and leave
a digest to it that it brings."""
_MANY = 1000


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
    may_merge: bool = True,
) -> RepoOutcome:
    """Have one repo get these digests, as any other update; it may be called again at any time.

    What the repo says of itself holds: that it takes part, its schedule and freezes, who reviews,
    and, where it `may_merge`, that the forge merges by itself. What is denied is not brought.
    """
    prefix = branch_prefix(rollout, is_back=frozen.is_back)

    def rules_for(files: RepoFiles) -> Rules:
        rules = run.rules_for(files)
        gate = rules.policy.gate and Denying(rules.policy.gate)
        own = rules.proposals
        return replace(
            rules,
            policy=replace(rules.policy, gate=gate, pin=False, aims=frozen),
            proposals=replace(
                own,
                group="repo",
                groups={},
                prefix=prefix,
                open_limit=_MANY,
                automerge=own.automerge and may_merge,
                commit=_commit(own.commit, frozen),
                reason=_reason(rollout, frozen),
            ),
        )

    ours = (branch_of(rollout, is_back=frozen.is_back),)
    own = replace(run, rules_for=rules_for, budget=Budget())
    return update_repo(own, replace(repo, ours=ours))


def _commit(own: CommitSettings, frozen: Frozen) -> CommitSettings:
    """Nobody shall take the way back for one more update."""
    if not frozen.is_back:
        return own
    before = "tag and digest" if frozen.tags else "digest"
    return replace(own, title=own.title or f"Roll back {{image}} to the {before} before")


def _reason(rollout: str, frozen: Frozen) -> str:
    if frozen.is_back:
        return f"Rollout `{rollout}` is rolled back, and this repo gets again what it had before"
    if frozen.tags:
        tags = ", ".join(f"`{tag}`" for tag in frozen.tags)
        return f"Rollout `{rollout}` moves all repos with this image to the tag {tags}"
    return f"Rollout `{rollout}` brings one digest to all repos with this image"

"""Repos that got the digest of a rollout, and pin an older one again: noticed, not mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from digestbot.image import Digest
from digestbot.rollout.plan import Plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.logs import Event, get_log
from digestbot.service.rollouts.work import Work
from digestbot.store import pins
from digestbot.store.pins import Pin

WENT_BACK: Final = "it went back to "
_log = get_log(__name__)


def went_back(targets: Iterable[Target]) -> list[Target]:
    """Those that were merged, and went back since."""
    return [
        one for one in targets if one.state is TargetState.MERGED and one.why.startswith(WENT_BACK)
    ]


def note_backsliding(work: Work) -> None:
    """See which repos pin again what the rollout replaced, as they were looked at last."""
    merged = {one.repo: one for one in work.targets.values() if one.state is TargetState.MERGED}
    with work.ways.database.reading() as connection:
        found = pins.of_repos(connection, list(merged), work.rollout.plan.moves)
    whys = _whys(work.rollout.plan, merged, found)
    for name in whys.keys() - {one.repo for one in went_back(merged.values())}:
        _log.warning(Event.ROLLOUT_BACKSLID, rollout=work.rollout.id, repo=name, message=whys[name])
    # Who goes back, and who went back and is there again.
    changed = whys.keys() | {one.repo for one in went_back(merged.values())}
    work.note(replace(merged[name], why=whys.get(name, "")) for name in changed)


def _whys(plan: Plan, merged: Mapping[str, Target], found: Iterable[Pin]) -> dict[str, str]:
    before, left = set(), set()
    for target in plan.targets:
        for edit in target.edits:
            if edit.to is None:
                before.add((target.repo, edit.path, str(edit.before)))
            else:
                # Both tags may have the same digest.
                left.add((target.repo, edit.path, edit.image))
    since = {name: one.ended_at or plan.made_at for name, one in merged.items()}
    whys: dict[str, str] = {}
    for pin in found:
        has_tag = (pin.repo, pin.path, pin.image) in left
        has_digest = (pin.repo, pin.path, pin.digest) in before
        # What was found before it was merged is what it had.
        if pin.found_at > since[pin.repo] and (has_tag or has_digest):
            tag = f"{pin.image.tag}@" if has_tag else ""
            short = Digest.parse(pin.digest).short
            whys[pin.repo] = f"{WENT_BACK}{tag}{short} ({pin.path}:{pin.line})"
    return whys

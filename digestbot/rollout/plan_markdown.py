"""A plan as Markdown, for a change request.

What repos and registries wrote is shown, never rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from digestbot.policy.holding import moment_text
from digestbot.report.markdown import code, prose
from digestbot.report.style import Style
from digestbot.report.summary import plural
from digestbot.rollout.plan import Move, Planned
from digestbot.rollout.plan_words import (
    Shown,
    Wave,
    about,
    at_least,
    left_out,
    looked_after,
    name_of,
    pinned_now,
    reach,
    rules_of,
    waves_of,
)

# A change request takes as much as GitHub does, and nobody reads more.
_REPOS_SHOWN = 200
_EDITS_SHOWN = 5
_PINNED_SHOWN = 5
_LEFT_OUT_SHOWN = 50


def render(shown: Shown, _style: Style, /) -> str:
    """The plan."""
    plan = shown.plan
    parts = [f"## Rollout {code(shown.id)}\n", _made(shown)]
    parts += [_move(shown, move) for move in plan.moves]
    parts += [_waves(waves_of(plan)), _reach(shown), _list("Rules", map(prose, rules_of(plan)))]
    parts += [_left_out(shown), _problems(shown), _targets(shown)]
    if plan.targets:
        parts.append(f"Start it: {code(shown.start)}\n")
    return "\n".join(part for part in parts if part)


def _made(shown: Shown) -> str:
    by = f" by {prose(shown.plan.by)}" if shown.plan.by else ""
    chosen = code(shown.plan.selection.image)
    return f"Planned at {moment_text(shown.plan.made_at)}{by}, for {chosen}.\n"


def _move(shown: Shown, move: Move) -> str:
    found = pinned_now(shown.plan, move)
    told = [
        f"{code(digest.partition(':')[2][:7])} in {plural(repos, 'repo')}"
        for digest, repos in found[:_PINNED_SHOWN]
    ]
    more = len(found) - _PINNED_SHOWN
    told += [f"{more:,} more"] if more > 0 else []
    lines = [f"Digest: {code(str(move.digest))}"]
    lines += [prose(text) for text in filter(None, (about(move),))]
    lines += [f"Pinned now: {', '.join(told)}"]
    lines += [f"**Note:** {prose(remark)}" for remark in move.remarks]
    items = "".join(f"- {line}\n" for line in lines)
    return f"### {code(name_of(move))}\n\n{items}"


def _waves(waves: Iterable[Wave]) -> str:
    rows = "".join(
        f"| {wave.name} | {len(wave.targets):,} "
        f"| {sum(len(target.edits) for target in wave.targets):,} "
        f"| {code(wave.targets[0].repo)} |\n"
        for wave in waves
    )
    head = "| Wave | Repos | Edits | For example |\n| --- | ---: | ---: | --- |\n"
    return f"### Waves\n\n{head}{rows}" if rows else ""


def _reach(shown: Shown) -> str:
    large = f"**Note:** {prose(shown.large.message)}" if shown.large else ""
    told = (reach(shown.plan), looked_after(shown.plan), at_least(shown.plan))
    lines = [*map(prose, told), large]
    return _list("Reach", filter(None, lines)) if shown.plan.targets else ""


def _list(title: str, lines: Iterable[str]) -> str:
    return f"### {title}\n\n" + "".join(f"- {line}\n" for line in lines)


def _left_out(shown: Shown) -> str:
    reasons = left_out(shown.plan)
    if not reasons:
        return ""
    return _list("Left out", (_names(repos, reason) for reason, repos in reasons.items()))


def _names(repos: Iterable[str], reason: str) -> str:
    everything = list(repos)
    some = everything[:_LEFT_OUT_SHOWN]
    more = f" and {len(everything) - len(some):,} more" if len(some) < len(everything) else ""
    return f"{', '.join(map(code, some))}{more}: {prose(reason)}"


def _problems(shown: Shown) -> str:
    if not shown.problems:
        return ""
    items = (
        f"{code(one.subject)} {prose(one.code)}: {prose(one.message)}" for one in shown.problems
    )
    return _list("Incomplete", items)


def _targets(shown: Shown) -> str:
    if not shown.plan.targets:
        return ""
    targets = shown.plan.targets[:_REPOS_SHOWN]
    names = {id(target): wave.name for wave in waves_of(shown.plan) for target in wave.targets}
    rows = "".join(f"| {code(one.repo)} | {names[id(one)]} | {_edits(one)} |\n" for one in targets)
    left = len(shown.plan.targets) - len(targets)
    more = f"\n… and {plural(left, 'repo')} more\n" if left else ""
    head = "| Repo | Wave | Edits |\n| --- | --- | --- |\n"
    return f"<details><summary>All repos</summary>\n\n{head}{rows}{more}\n</details>\n"


def _edits(target: Planned) -> str:
    return "<br>".join(_lines(target))


def _lines(target: Planned) -> Iterator[str]:
    for edit in target.edits[:_EDITS_SHOWN]:
        where = code(f"{edit.path}:{edit.line}")
        old, new = edit.before.short, edit.after.short
        if edit.to is not None:
            old, new = f"{edit.image.tag}@{old}", f"{edit.to.tag}@{new}"
        yield f"{where} {code(old)} → {code(new)}"
    if len(target.edits) > _EDITS_SHOWN:
        yield f"… and {len(target.edits) - _EDITS_SHOWN:,} more"

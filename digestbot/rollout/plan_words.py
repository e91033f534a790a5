"""What a plan comes to, in words that its text and its markdown share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from digestbot.policy.holding import moment_text
from digestbot.report.summary import plural
from digestbot.rollout.objections import Objection
from digestbot.rollout.plan import Move, Plan, Planned
from digestbot.rollout.plan_document import edits_of
from digestbot.rollout.waves import wave_name
from digestbot.scan.result import Problem

HUB = "docker.io/library/"
_UNITS = (("day", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))
_MOST_UNITS = 2
_PLATFORMS_SHOWN = 12
_OWNERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan that somebody is to look at.

    Attributes:
        id: What it is called.
        large: That it reaches far, and has to be started so.
        words: What else the command line has that starts it.
        problems: Images about which there was no answer.
    """

    plan: Plan
    id: str
    large: Objection | None = None
    problems: Sequence[Problem] = ()
    words: str = ""

    @property
    def start(self) -> str:
        """The command line that starts it."""
        flags = " --large --reason 'WHY'" if self.large else ""
        return f"digestbot rollout start {self.id}{self.words}{flags}"


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave, by name, with its repos."""

    name: str
    targets: Sequence[Planned]


def waves_of(plan: Plan) -> list[Wave]:
    """Its waves, in order."""
    by_wave: dict[int, list[Planned]] = {}
    for target in plan.targets:
        by_wave.setdefault(target.wave, []).append(target)
    return [Wave(wave_name(number), found) for number, found in sorted(by_wave.items())]


def name_of(move: Move) -> str:
    """`alpine:3.20 → 3.22`, and for which platform, where it is for one."""
    name = move.name.removeprefix(HUB)
    return f"{name} ({move.platform})" if move.platform else name


def about(move: Move) -> str:
    """When it was built, and what it runs on."""
    built = f"built {moment_text(move.created)}" if move.created else ""
    more = len(move.platforms) - _PLATFORMS_SHOWN
    names = [*move.platforms[:_PLATFORMS_SHOWN], *([f"{more:,} more"] if more > 0 else [])]
    runs = f"for {', '.join(names)}" if names else ""
    return ", ".join(filter(None, (built, runs)))


def pinned_now(plan: Plan, move: Move) -> list[tuple[str, int]]:
    """What is pinned of an image now, and in how many repos, the most used first."""
    found: Counter[str] = Counter()
    for target in plan.targets:
        found.update(
            {
                str(edit.before)
                for edit in target.edits
                if (edit.image, edit.platform) == (move.image, move.platform)
            }
        )
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


def reach(plan: Plan) -> str:
    """How far it reaches: `412 of 3,000 repos (13.7 %), 450 edits`."""
    repos = f"{len(plan.targets):,} of {plural(plan.fleet, 'repo')}"
    return f"{repos} ({plan.share:.1%}), {plural(edits_of(plan), 'edit')}"


def looked_after(plan: Plan) -> str:
    """To whom caps count its repos, those with the most first; empty where nobody is known."""
    found = Counter(target.owner for target in plan.targets)
    if not any(target.owners for target in plan.targets):
        return ""
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{owner} ({repos:,})" for owner, repos in ranked[:_OWNERS_SHOWN]]
    more = len(ranked) - _OWNERS_SHOWN
    return f"by owner: {', '.join([*told, *([f'{more:,} more'] if more > 0 else [])])}"


def at_least(plan: Plan) -> str:
    """How long it takes at least, and why."""
    soaks = 0 if plan.rules.is_critical else plan.waves - 1
    waiting = f", with {plural(soaks, 'wait')} of {span(plan.rules.gate.soak)}" if soaks else ""
    return f"it takes {span(plan.at_least)} at least{waiting}"


def rules_of(plan: Plan) -> Iterator[str]:
    """How it is gone about, a sentence each."""
    rules = plan.rules
    gate, pace = rules.gate, rules.pace
    soak = "nothing soaks, as it is critical" if rules.is_critical else f"soak {span(gate.soak)}"
    yield f"between waves: {soak}; {gate.passed:.0%} merged or green; {gate.failed:.0%} may fail"
    if gate.needs_approval:
        yield "somebody approves what comes after each wave"
    if gate.probe:
        yield "an address of yours is asked after each wave"
    if rules.waves.most_per_owner:
        yield f"{plural(rules.waves.most_per_owner, 'repo')} of one owner in a wave at most"
    yield f"{pace.per_hour:,} writes an hour and {pace.pending:,} pull requests in CI at most"
    yield from _deadlines(plan)
    yield f"who goes back is noticed for {span(rules.watch)}"


def left_out(plan: Plan) -> Mapping[str, Sequence[str]]:
    """The repos that are not asked, by reason."""
    found: dict[str, list[str]] = {}
    for repo, reason in sorted(plan.left_out.items()):
        found.setdefault(reason, []).append(repo)
    return found


def span(length: timedelta) -> str:
    """`1 h 30 min`, `7 days`; up to two units, rounded up to minutes."""
    rest = -(-length // _UNITS[-1][1]) * _UNITS[-1][1]
    parts = []
    for unit, size in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(plural(number, unit) if unit == "day" else f"{number} {unit}")
    return " ".join(parts[:_MOST_UNITS]) or "no time"


def _deadlines(plan: Plan) -> Iterator[str]:
    deadlines = plan.rules.deadlines
    steps = (
        ("is commented on", deadlines.comment),
        ("is up for review by the owners", deadlines.reviewers),
        ("is merged, past what it waits for", deadlines.merge),
    )
    told = [f"{what} after {span(after)}" for what, after in steps if after is not None]
    if told:
        yield f"what stays open {'; '.join(told)}"

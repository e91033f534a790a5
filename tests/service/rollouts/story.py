"""A rollout's whole story over the test GitHub, told as it happens, on the clock of that GitHub.

    python -m tests.service.rollouts.story [REPOS]

A canary, three waves, one of which breaks and halts it; its repos are mended or left out, and it
goes on. All is merged; then all of it is rolled back, and that is merged, too. CI and people are
simulated; the forge is spoken to over HTTP, and keeps its limits.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from digestbot.forge.github.settings import GitHubSettings
from digestbot.rollout.gates import Evidence
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import (
    OPEN,
    Target,
    TargetState,
    failing_checks,
    grouped,
    time_to_merge,
)
from digestbot.secret import Secret
from digestbot.service.rollouts.driver import LOOK_S, Ways
from tests.github.log import Request
from tests.service.rollouts.town import Town, town
from tests.service.rollouts.wheel import step, ways_over

BREAKING_WAVE = 2
MOST_STEPS = 5000
_DAY_S = 24 * 3600


@dataclass
class Story:
    """A rollout at work; `say` is given each sentence of what happens."""

    town: Town
    ways: Ways
    say: Callable[[str], object] = print
    began: float = field(default_factory=time.monotonic)
    steps: int = 0
    written: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.town.github.clock.now()
        clock = self.town.github.clock

        def note(write: object) -> None:
            if getattr(write, "moment", "") == "after":
                self.written.append(clock.now())

        self.town.github.on_write = note

    def tell(self, text: str) -> None:
        hours = timedelta(seconds=round(self.town.github.clock.now() - self.started))
        self.say(f"[{hours!s:>15}] {text}")

    def until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Steps, a minute apart, while CI and people do their work, until something is so."""
        for _ in range(MOST_STEPS):
            step(self.ways, self.town.name)
            self.steps += 1
            self.town.live()
            if is_so():
                return
            self.town.github.clock.advance(LOOK_S)
        raise AssertionError(f"waited in vain for {what}: {self.summary()}")

    def summary(self, *, is_back: bool = False) -> str:
        """How many repos are where."""
        found = grouped(list(self.town.targets(is_back=is_back).values()))
        return ", ".join(f"{times} {state}" for state, times in found.items() if times)

    def most_within(self, seconds: float) -> int:
        """The most writes in any span of so many seconds."""
        found, span = 0, deque[float]()
        for moment in self.written:
            span.append(moment)
            while span[0] <= moment - seconds:
                span.popleft()
            found = max(found, len(span))
        return found


def tell(story: Story) -> None:
    """All of it."""
    world = story.town
    _tell_plan(story)
    _roll_out(story)
    _merge_all(story)
    _tell_requests(story, "to bring it to all")
    _roll_back(story)
    _tell_requests(story, "to roll all of it back")
    minute, hour = story.most_within(60), story.most_within(3600)
    story.tell(f"never more than {minute} writes in a minute, {hour} in an hour")
    assert minute <= 80
    assert hour <= 500
    assert world.rollout().is_settled
    took = time.monotonic() - story.began
    story.tell(f"{story.steps} steps, {len(world.rollout().events)} events; {took:.0f} s of ours")


def _tell_plan(story: Story) -> None:
    plan = story.town.plan
    sizes = ", ".join(str(len(story.town.wave(number))) for number in range(plan.waves))
    moved = plan.moves[0]
    story.tell(
        f"rollout {story.town.name}: {moved.image} to {moved.digest.short} in {len(plan.targets)} "
        f"repos, {plan.share:.0%} of {plan.fleet}; waves of {sizes}; at least {plan.at_least}"
    )
    odd = len(story.town.without_ci), len(story.town.red_before)
    story.tell(f"{odd[0]} repos have no CI, in {odd[1]} a check fails before anything is done")


def _roll_out(story: Story) -> None:
    world = story.town
    breaking = world.wave(BREAKING_WAVE)
    world.broken = {
        name: ("build", "test") if index % 4 == 0 else ("build",)
        for index, name in enumerate(breaking)
        if index % 3 and name not in world.without_ci
    }
    story.tell(f"the digest breaks {len(world.broken)} of the {len(breaking)} repos of wave 2")
    world.tell(Verb.START)
    story.tell("ann starts it")
    for wave in range(1, BREAKING_WAVE + 1):
        _until_wave(story, wave)
    story.until("the halt", lambda: world.state is State.HALTED)
    _tell_halt(story)
    _mend(story)
    for wave in range(BREAKING_WAVE + 1, world.plan.waves):
        _until_wave(story, wave)
    story.until("the end of the last wave", lambda: world.state is State.WATCHING)
    story.tell(f"all waves are through: {story.summary()}")


def _until_wave(story: Story, wave: int) -> None:
    story.until(f"wave {wave}", lambda: story.town.rollout().standing.wave >= wave)
    count = _last_evidence(story).count
    story.tell(
        f"wave {wave} begins; of {count.counted} repos until then {count.merged} are merged, "
        f"{count.green} green, {count.failed} fail, of {count.unknown} nothing is known"
    )


def _last_evidence(story: Story) -> Evidence:
    """What a gate judged by last."""
    found = [one.evidence for one in story.town.rollout().events if one.evidence is not None]
    return found[-1]


def _tell_halt(story: Story) -> None:
    world = story.town
    story.tell(f"it halts: {world.rollout().events[-1].reason}; {story.summary()}")
    for name, repos in failing_checks(world.targets().values()):
        story.tell(f"    {name} fails in {len(repos)} repos: {_few(repos)}")
    opened = _opened(story)
    story.until("two hours", _after(story, 2 * 3600))
    assert world.state is State.HALTED
    assert _opened(story) == opened, "a halted rollout opened something"
    story.tell(f"two hours later no more pull request is open than {opened}")


def _mend(story: Story) -> None:
    world = story.town
    red = [name for name, one in world.targets().items() if one.state is TargetState.RED]
    left, mended = red[:2], [name for name in world.broken if name not in red[:2]]
    world.mend(*mended)
    for name in left:
        world.tell(Verb.SKIP, name, "its owners look into it")
    story.tell(f"{len(mended)} repos are mended, {_few(left)} are left out")
    world.tell(Verb.RESUME, reason="the cause is found")
    story.tell("ann resumes it")


def _merge_all(story: Story) -> None:
    world = story.town

    def is_all_merged() -> bool:
        return not any(one.state in OPEN for one in world.targets().values())

    story.until("everybody to merge", is_all_merged)
    targets = list(world.targets().values())
    story.tell(f"people have merged what they would: {story.summary()}")
    story.tell(f"time to merge: {_spans(targets)}")
    _check_brought(world)
    world.github.clock.advance(_DAY_S)
    story.until("a day of watching", lambda: world.state is State.CLOSED)
    story.tell("after its time of watching it closes itself")


def _check_brought(world: Town) -> None:
    for name, target in world.targets().items():
        is_merged = target.state is TargetState.MERGED
        pins = world.pins
        assert world.pinned(name) == (pins.after(name) if is_merged else pins.before(name))
        assert len(world.pulls(name)) == 1, name


def _roll_back(story: Story) -> None:
    world = story.town
    merged = [name for name, one in world.targets().items() if one.state is TargetState.MERGED]
    world.tell(Verb.ROLLBACK, reason="it breaks at night")
    story.tell("ann has all of it rolled back")

    def is_all_back() -> bool:
        told = world.targets(is_back=True).values()
        return len(told) == len(merged) and all(one.state is TargetState.MERGED for one in told)

    story.until("the last offer", lambda: world.state is State.ROLLED_BACK)
    story.tell(f"each of {len(merged)} repos is offered what it had")
    story.until("everybody to merge that", is_all_back)
    story.tell(f"people have merged it: {story.summary(is_back=True)}")
    story.tell(f"time to merge: {_spans(world.targets(is_back=True).values())}")
    for name in world.repos:
        assert world.pinned(name) == world.pins.before(name), name
        assert len(world.pulls(name, is_back=True)) == int(name in merged), name
        assert not world.github.pulls(name, "open"), name
    story.tell(f"all {len(world.repos)} repos are back at their own digests, byte by byte")


def _opened(story: Story) -> int:
    return sum(len(story.town.github.pulls(name)) for name in story.town.repos)


def _after(story: Story, seconds: float) -> Callable[[], bool]:
    end = story.town.github.clock.now() + seconds
    return lambda: story.town.github.clock.now() >= end


def _spans(targets: Iterable[Target]) -> str:
    found = list(targets)
    p50, p90 = (time_to_merge(found, share) for share in (0.5, 0.9))
    return f"half within {_whole(p50)}, nine of ten within {_whole(p90)}"


def _whole(span: timedelta | None) -> timedelta | None:
    return span and timedelta(seconds=round(span.total_seconds()))


def _few(names: Iterable[str], most: int = 3) -> str:
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def _tell_requests(story: Story, what: str) -> None:
    github, repos = story.town.github, len(story.town.repos)
    asked = Counter(_kind(one) for one in github.requests)
    refused = sum(one.status >= 400 for one in github.requests)
    total, writes = sum(asked.values()), len(github.writes)
    story.tell(
        f"{total} requests {what}, {writes} of them writes: {total / repos:.1f} and "
        f"{writes / repos:.1f} a repo; {refused} refused"
    )
    for kind, times in asked.most_common():
        story.tell(f"    {times:6} {kind}")
    github.restart_log()


def _kind(request: Request) -> str:
    return f"{request.method if request.is_write else 'read'} {request.operation}"


def run(repos: int, folder: Path, say: Callable[[str], object] = print) -> None:
    """The story over so many repos."""
    with town(folder / "state", repos) as world:
        world.set_odd()
        url, token = world.github.url, world.github.token().value
        settings = GitHubSettings(api_url=url, token=Secret(token))
        clock = world.github.clock.as_clock()
        with ways_over(world.database, settings, clock, folder / "cache") as ways:
            tell(Story(world, ways, say))


def main() -> None:
    repos = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as folder:
        run(repos, Path(folder), lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()

"""What people do with a rollout that breaks some of its repos, and what it all comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import OPEN, TargetState
from tests.github.state import Pull
from tests.service.rollouts.town import Town

BREAKING_WAVE = 2


@dataclass
class People:
    """Start it, mend what halts it, have all of it rolled back, and merge; `act` at any time.

    Attributes:
        may_resume: Whether they are so far when it is halted.
        may_go_back: Whether they want to, once all is merged.
        may_end: Whether the last ones merge what rolls back.
    """

    town: Town
    may_resume: Callable[[], bool] = lambda: True
    may_go_back: Callable[[], bool] = lambda: True
    may_end: Callable[[], bool] = lambda: True
    left: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Break some repos of a wave, and start it."""
        world = self.town
        broken = [name for name in world.wave(BREAKING_WAVE) if name not in world.without_ci]
        world.broken = dict.fromkeys(broken[:5], ("build",))
        self.left = broken[:2]
        world.tell(Verb.START)

    def act(self) -> None:
        """What they do now."""
        world, state = self.town, self.town.state
        if state is not State.ROLLED_BACK or self.may_end():
            world.live()
        if state is State.HALTED and self.may_resume() and self._are_red():
            world.mend(*(set(world.broken) - set(self.left)))
            for name in self.left:
                world.tell(Verb.SKIP, name)
            world.tell(Verb.RESUME)
        elif state is State.WATCHING and self.may_go_back() and not self._is_any_open():
            world.tell(Verb.ROLLBACK)

    @property
    def is_over(self) -> bool:
        return self.town.state is State.ROLLED_BACK and self.town.rollout().is_settled

    def _are_red(self) -> bool:
        found = self.town.targets()
        return all(found[name].state is TargetState.RED for name in self.left)

    def _is_any_open(self) -> bool:
        return any(one.state in OPEN for one in self.town.targets().values())


def came_to(world: Town) -> dict[str, object]:
    """All that a rollout left behind in each repo, less names and times."""
    here, back = world.targets(), world.targets(is_back=True)
    return {
        name: (
            here[name].state,
            back[name].state if name in back else None,
            world.pinned(name),
            sorted(_told(pull, world) for pull in world.github.pulls(name)),
            _branches(world, name),
            len(world.github.issues(name)),
        )
        for name in world.repos
    }


def _branches(world: Town, name: str) -> list[str]:
    """Those that are left, less what was merged: who finds such a one by chance deletes it."""
    merged = {pull.head_ref for pull in world.github.pulls(name) if pull.merged_at is not None}
    return sorted(set(world.github.branches(name)) - merged)


def _told(pull: Pull, world: Town) -> tuple[object, ...]:
    events = Counter(event.kind for event in pull.events)
    return (
        pull.head_ref.replace(world.name, "ID"),
        pull.title,
        pull.state,
        pull.merged_at is not None,
        [label.name for label in pull.labels],
        [comment.body for comment in pull.comments],
        sorted(events.items()),
    )

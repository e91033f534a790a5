"""A rollout's world on the test GitHub: repos with CI, people who merge, and a state.

CI takes a while for each pull request, and people take longer; both act when `live` is called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digestbot.image import Digest
from digestbot.rollout.gates import GateRules
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.plan import Move, Plan, RolloutRules, make_plan
from digestbot.rollout.progress import Target
from digestbot.rollout.selection import Place, Selection
from digestbot.rollout.waves import WaveRules
from digestbot.service.rollouts.frozen import branch_of
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import rollouts
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.rollouts import Rollout
from tests.github.server import GitHubServer
from tests.github.state import Check, Pull
from tests.proposals.builders import digest
from tests.service.rollouts.arena import IMAGE, tag

NEW = digest("new")
GREEN = "SUCCESS"
RULES = RolloutRules(
    waves=WaveRules(canary_count=2, shares=(0.2, 0.6, 1.0)),
    gate=GateRules(soak=timedelta(minutes=30), passed=0.8, failed=0.1),
    pace=PaceRules(),
    watch=timedelta(days=1),
)


@dataclass(frozen=True)
class Pins:
    """An image, the digests that repos pin it at, in turn, and the one that they are to get.

    `to` is the tag that they get with it; empty for the same.
    """

    image: str = IMAGE
    olds: tuple[Digest, ...] = tuple(digest(f"old {number}") for number in range(3))
    new: Digest = NEW
    to: str = ""

    def before(self, name: str) -> str:
        """The Dockerfile that a repo has before the rollout."""
        return self._dockerfile(name, self.image, self.old(name))

    def after(self, name: str) -> str:
        """The one that the rollout brings it."""
        return self._dockerfile(name, self.to or self.image, self.new)

    def old(self, name: str) -> Digest:
        return self.olds[number_of(name) % len(self.olds)]

    def _dockerfile(self, name: str, image: str, pinned: Digest) -> str:
        return f"# {number_of(name)}\nFROM {image}@{pinned}\n"


@dataclass
class Town:
    """Repos that pin an image at digests of their own, a plan that brings all of them another.

    Attributes:
        broken: The names of checks that fail, by repo; all others are green.
        ci_takes: How long checks run, in seconds.
        merge_after: People merge a pull request so many seconds after it is green, at least and
            at most; None: they do not.
        without_ci: Repos that have none.
        red_before: Repos in which the check `lint` fails, whatever is proposed.
    """

    github: GitHubServer
    database: Database
    plan: Plan
    name: str
    pins: Pins
    broken: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ci_takes: float = 600.0
    merge_after: tuple[float, float] | None = (300.0, 7200.0)
    without_ci: frozenset[str] = frozenset()
    red_before: frozenset[str] = frozenset()
    _green: dict[str, float] = field(default_factory=dict)

    @property
    def repos(self) -> list[str]:
        return [target.repo for target in self.plan.targets]

    def wave(self, number: int) -> list[str]:
        return [target.repo for target in self.plan.targets if target.wave == number]

    def live(self) -> None:
        """CI ends what it has begun long enough ago; people merge what is green long enough."""
        now = self.github.clock.now()
        for name in self.repos:
            for pull in self.github.pulls(name, "open"):
                self._run_ci(name, pull, now)
                self._merge(name, pull, now)

    def _run_ci(self, name: str, pull: Pull, now: float) -> None:
        for check in self._said(name, pull):
            if check.conclusion is None and now - check.at >= self.ci_takes:
                is_broken = check.name in self.broken.get(name, ())
                self.github.add_check(
                    name, pull.head, check.name, "FAILURE" if is_broken else GREEN
                )

    def _said(self, name: str, pull: Pull) -> list[Check]:
        return self.github.repo(name).newest_checks(pull.head)

    def _merge(self, name: str, pull: Pull, now: float) -> None:
        said = self.github.repo(name).conclusion(pull.head)
        failing = {one.name for one in self._said(name, pull) if one.conclusion == "failure"}
        is_old = failing == {"lint"} and name in self.red_before
        is_fine = said == GREEN or is_old or (said is None and name in self.without_ci)
        # They find them by their label.
        if self.merge_after is None or not is_fine or not pull.labels:
            return
        least, most = self.merge_after
        since = self._green.setdefault(pull.head, now)
        if now - since >= least + _share(pull.head) * (most - least):
            self.github.review(name, pull.number, "APPROVED", by="ann")
            self.github.merge_pull(name, pull.number, by="ann")

    def set_odd(self) -> None:
        """Some repos have no CI, and in some it is red whatever is proposed."""
        numbered = {name: number_of(name) for name in self.repos}
        self.without_ci = frozenset(name for name, one in numbered.items() if one % 13 == 5)
        self.red_before = frozenset(name for name, one in numbered.items() if one % 17 == 3)
        for name in self.without_ci:
            self.github.ci(name, {})
        for name in self.red_before:
            red = {"lint": "FAILURE"}
            self.github.ci(name, {"build": None, **red}, {"build": GREEN, **red})

    def mend(self, *names: str) -> None:
        """The checks of these repos would be green from now on, and are run again."""
        for name in names:
            for check in self.broken.pop(name, ()):
                for pull in self.github.pulls(name, "open"):
                    self.github.add_check(name, pull.head, check, GREEN)

    def tell(self, verb: Verb, repo: str = "", reason: str = "") -> Rollout:
        return tell(self.database, self.name, Told(verb, "ann", reason, repo), self.now())

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.github.clock.now(), UTC)

    def rollout(self) -> Rollout:
        with self.database.reading() as connection:
            found = rollouts.get(connection, self.name)
        assert found is not None
        return found

    @property
    def state(self) -> State:
        return self.rollout().standing.state

    def targets(self, *, is_back: bool = False) -> dict[str, Target]:
        with self.database.reading() as connection:
            found = rollouts.targets(connection, self.name, is_back=is_back)
        return {target.repo: target for target in found}

    def pulls(self, name: str, *, is_back: bool = False) -> list[Pull]:
        """The pull requests that the rollout opened, or those of its way back, in one repo."""
        branch = branch_of(self.name, is_back=is_back)
        return [pull for pull in self.github.pulls(name) if pull.head_ref == branch]

    def pinned(self, name: str) -> str:
        """What the default branch has now."""
        return self.github.files(name)["Dockerfile"].decode()


def _share(text: str) -> float:
    """A number from 0 to 1 that this text always has."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 256**6


def number_of(name: str) -> int:
    return int(name.removeprefix("acme/app"))


def plan_for(names: list[str], now: datetime, rules: RolloutRules, pins: Pins) -> Plan:
    image = tag(pins.image)
    places = [Place(name, "Dockerfile", 2, image, pins.old(name)) for name in names]
    to = tag(pins.to) if pins.to else None
    moves, fleet = [Move(image, pins.new, to=to)], 4 * len(names)
    selection = Selection(str(image))
    return make_plan(places, moves, selection, rules, fleet=fleet, now=now, by="ann")


@contextmanager
def town(
    folder: Path,
    repos: int = 24,
    rules: RolloutRules = RULES,
    *,
    github: GitHubServer | None = None,
    pins: Pins | None = None,
    waves: Sequence[int] = (),
) -> Iterator[Town]:
    """So many repos with a CI, and a rollout that is planned for them.

    With `waves`, of these sizes: where the image has another name each time, as its registry has
    another port, they would be others each time, too.
    """
    pins = pins or Pins()
    with github or GitHubServer() as server:
        names = [f"acme/app{number:04}" for number in range(repos)]
        for name in names:
            server.add_repo(name, {"Dockerfile": pins.before(name)})
            server.ci(name, {"build": None, "test": None})
        database = Database.open(Location(folder=folder))
        try:
            now = datetime.fromtimestamp(server.clock.now(), UTC)
            plan = plan_for(names, now, rules, pins)
            if waves:
                numbers = [number for number, size in enumerate(waves) for _ in range(size)]
                named = sorted(plan.targets, key=lambda one: one.repo)
                pairs = zip(named, numbers, strict=True)
                plan = replace(plan, targets=tuple(replace(one, wave=wave) for one, wave in pairs))
            with database.begin() as connection:
                name = rollouts.create(connection, plan)
            yield Town(server, database, plan, name, pins)
        finally:
            database.close()

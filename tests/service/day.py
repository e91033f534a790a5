"""A day in the life of a service: tags move, registries fail, people work; all by one seed.

The repos, the registry and the time are those of `world`; `Day` has things happen to them,
`checks` what must never happen, and what must be so in the end.
"""

from __future__ import annotations

import heapq
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TypeAlias

from digestbot.forge.errors import DeferredError, ForgeError, RefusedError, UnsettledError
from digestbot.forge.pull import Mergeable, Pull, PullState
from digestbot.forge.seal import is_ours
from digestbot.service.jobs import Job, Work
from digestbot.service.scheduler import Scheduler, Timetable
from tests.proposals.builders import digest
from tests.proposals.memory import Fault, MemoryRepo
from tests.service.unruly import Forge, Registry
from tests.service.virtual_engine import VirtualEngine
from tests.service.world import ServiceWorld

MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()
IMAGES = [f"{name}:{tag}" for name in ("python", "debian", "node", "acme/base") for tag in (1, 2)]
DENIED = "denied"
CODES = ("unavailable", "rate-limited", "not-found-or-no-access", "timeout", "tls")
_FROM = re.compile(rb"^FROM (\S+)@(\S+)$", re.MULTILINE)

Pins: TypeAlias = list[tuple[str, str]]
Event: TypeAlias = Callable[[], object]


def pins_of(data: bytes) -> Pins:
    """The images that a Dockerfile pins, each with its digest, in order."""
    return [(image.decode(), pin.decode()) for image, pin in _FROM.findall(data)]


def dockerfile(revision: object, pins: Pins) -> bytes:
    """A Dockerfile with these pins, and a line in which its revisions differ."""
    lines = [f"FROM {image}@{pin}" for image, pin in pins]
    return "\n".join([f"# revision {revision}", "", *lines, ""]).encode()


@dataclass
class Day:
    """Has things happen; `minute` is one minute of it."""

    world: ServiceWorld
    forge: Forge
    registry: Registry
    chance: random.Random
    digests: dict[str, list[str]] = field(default_factory=dict)
    failures: list[BaseException] = field(default_factory=list)
    away: dict[str, MemoryRepo] = field(default_factory=dict)
    foreign: set[tuple[str, int]] = field(default_factory=set)
    is_calm: bool = False
    _numbers: Iterator[int] = field(default_factory=count)
    _later: list[tuple[datetime, int, Event]] = field(default_factory=list)
    _engine: VirtualEngine = field(init=False)

    def begin(self, repos: int) -> None:
        """Tags, repos that pin them, and a service that watches both."""
        for image in IMAGES:
            self.move_tag(image)
        self.registry.tags[IMAGES[0]] = DENIED
        for _ in range(repos):
            self.add_repo()
        self.start_service()

    def start_service(self) -> None:
        def open_engine(work: Mapping[str, Work]) -> VirtualEngine:
            self._engine = VirtualEngine(work, clock=self.world.clock, on_error=self._failed)
            return self._engine

        times = Timetable(("*/15 * * * *",), run_on_start=self.chance.random() < 0.5)
        clock = self.world.clock.as_clock()
        scheduler = Scheduler(
            self.world.database, times, lambda *_asked: self.world.cycle(), open_engine, clock
        )
        scheduler.open()
        scheduler.start()

    def minute(self) -> None:
        """Let a minute pass; unless it is calm, this and that happens in it."""
        now = self.world.now() + MINUTE
        self._engine.run_until(now)
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        if not self.is_calm:
            for likelihood, event in self._events():
                if self.chance.random() < likelihood:
                    event()

    def calm_down(self) -> None:
        """Whatever is under way comes to its end, and nothing new begins."""
        self.is_calm = True
        while self._later:
            heapq.heappop(self._later)[2]()
        self.registry.failing.clear()
        self.forge.trouble = self.forge.fault = None
        for name in list(self.away):
            self.come_back(name)
        for image in IMAGES:
            if self.registry.tags.get(image, DENIED) == DENIED:
                self.move_tag(image)
        for repo in self.forge.rooms.values():
            self._settle(repo)

    def _settle(self, repo: MemoryRepo) -> None:
        """Nobody's own work stands in digestbot's way any more."""
        repo.left_out = None
        for pull in repo.open_pulls():
            if not is_ours(repo.branch(pull.branch)):
                self.ask_for_rebuild(repo, pull)
        for name, number in self.foreign:
            if name == repo.name and repo.seen(number).state is PullState.OPEN:
                repo.close(number)

    # -- what happens

    def _events(self) -> list[tuple[float, Event]]:
        return [
            (0.03, lambda: self.tag_event(self.chance.choice(IMAGES))),
            (0.01, self.registry_fails),
            (0.15, lambda: self.people_event(self._any_repo())),
            (0.01, self.fleet_event),
            (0.05, self.forge_fails_once),
            (0.005, self.forge_fails_for_a_while),
            (0.003, self.restart),
        ]

    def after(self, least: int, most: int, event: Event) -> None:
        """Have something happen that many minutes from now."""
        at = self.world.now() + self.chance.randint(least, most) * MINUTE
        heapq.heappush(self._later, (at, next(self._numbers), event))

    def restart(self) -> None:
        self._engine.stop(0)
        self.start_service()

    def forge_fails_once(self) -> None:
        errors = [
            UnsettledError("502", code="unsettled"),
            DeferredError("500 writes an hour", code="rate-limited"),
            ForgeError("503", code="unavailable"),
            RefusedError("422", code="refused"),
        ]
        error = self.chance.choice(errors)
        is_after = not isinstance(error, RefusedError) and self.chance.random() < 0.5
        self.forge.fault = Fault(self.chance.randint(0, 3), error, is_after)

    def forge_fails_for_a_while(self) -> None:
        code = self.chance.choice(["internal-error", "unavailable", "rate-limited"])
        kind = DeferredError if code == "rate-limited" else ForgeError
        self.forge.trouble = kind(f"GitHub says {code}", code=code)
        self.after(5, 45, self._forge_works_again)

    def _forge_works_again(self) -> None:
        self.forge.trouble = None

    # -- tags

    def tag_event(self, image: str) -> None:
        pick = self.chance.random()
        if pick < 0.5:
            self.move_tag(image)
        elif pick < 0.7:
            for number in range(self.chance.randint(2, 6)):
                self.after(5 + 10 * number, 15 + 10 * number, lambda: self.flap_tag(image))
        elif pick < 0.8:
            self.registry.tags.pop(image, None)
            self.after(10, 250, lambda: self.find_tag(image))
        elif pick < 0.9:
            self.registry.tags[image] = DENIED
        else:
            self.registry.tags[image] = self.chance.choice(self.digests[image])

    def move_tag(self, image: str) -> None:
        name = f"{image}#{next(self._numbers)}"
        self.digests.setdefault(image, []).append(name)
        self.registry.tags[image] = name

    def flap_tag(self, image: str) -> None:
        known, current = self.digests[image][-2:], self.registry.tags.get(image)
        self.registry.tags[image] = known[0] if current == known[-1] else known[-1]

    def find_tag(self, image: str) -> None:
        """A tag that vanished is there again, with what it had or with something else."""
        if image not in self.registry.tags:
            self.registry.tags[image] = self.digests[image][-1]
            if self.chance.random() < 0.5:
                self.move_tag(image)

    def registry_fails(self) -> None:
        host = self.chance.choice(IMAGES).partition(":")[0]
        for image in IMAGES:
            if image.startswith(host):
                self.registry.failing[image] = self.chance.choice(CODES)
                self.after(5, 120, partial(self.registry.failing.pop, image, None))

    # -- repos come and go

    def fleet_event(self) -> None:
        repo, pick = self._any_repo(), self.chance.random()
        if pick < 0.3:
            self.add_repo()
        elif pick < 0.6:
            repo.left_out = ("archived", "it is archived")
            self.after(20, 300, lambda: setattr(repo, "left_out", None))
        elif pick < 0.9:
            self.away[repo.name] = self.forge.rooms.pop(repo.name)
            self.after(20, 300, lambda: self.come_back(repo.name))
        else:
            repo.rename_base("trunk" if repo.default_branch == "main" else "main")

    def come_back(self, name: str) -> None:
        if name in self.away:
            self.forge.rooms[name] = self.away.pop(name)

    def add_repo(self) -> None:
        name = f"acme/app-{next(self._numbers)}"
        images = self.chance.sample(IMAGES, self.chance.randint(1, 3))
        paths = ["Dockerfile", "web/Dockerfile"][: self.chance.randint(1, 2)]
        files = {
            path: dockerfile(0, [(one, self.any_digest(one)) for one in images]) for path in paths
        }
        self.forge.rooms[name] = MemoryRepo.of(files, name)

    def any_digest(self, image: str) -> str:
        """What somebody may pin: mostly what the tag has or had, now and then something else."""
        pick, current = self.chance.random(), self.registry.tags.get(image)
        if pick < 0.6 and current is not None:
            return str(digest(current))
        if pick < 0.9:
            return str(digest(self.chance.choice(self.digests[image])))
        return str(digest(DENIED if pick < 0.95 else f"built by hand {next(self._numbers)}"))

    def _any_repo(self) -> MemoryRepo:
        return self.chance.choice(list(self.forge.rooms.values()))

    # -- people

    def people_event(self, repo: MemoryRepo) -> None:
        """Somebody does something in a repo."""
        if repo.left_out:
            return
        with suppress(KeyError):
            self.chance.choice(
                [
                    self.edit,
                    self.bump,
                    self.bump,
                    self.add_or_remove,
                    self.propose,
                    self.on_pull,
                    self.on_pull,
                    self.on_pull,
                    self.on_pull,
                    self.reopen,
                ]
            )(repo)

    def edit(self, repo: MemoryRepo) -> None:
        """A change that has nothing to do with images."""
        path = self.chance.choice(list(repo.files()))
        pins = pins_of(repo.files()[path])
        repo.push({path: dockerfile(next(self._numbers), pins)})

    def bump(self, repo: MemoryRepo, branch: str | None = None) -> None:
        path = self.chance.choice(list(repo.files(branch)))
        pins = pins_of(repo.files(branch)[path])
        place = self.chance.randrange(len(pins))
        pins[place] = (pins[place][0], self.any_digest(pins[place][0]))
        repo.push({path: dockerfile(next(self._numbers), pins)}, branch)

    def add_or_remove(self, repo: MemoryRepo) -> None:
        path = self.chance.choice(list(repo.files()))
        pins = pins_of(repo.files()[path])
        new = [one for one in IMAGES if one not in dict(pins)]
        if len(pins) > 1 and self.chance.random() < 0.5:
            pins.pop()
        elif new:
            image = self.chance.choice(new)
            pins.append((image, self.any_digest(image)))
        repo.push({path: dockerfile(next(self._numbers), pins)})

    def propose(self, repo: MemoryRepo) -> None:
        """Somebody updates everything in a pull request of their own."""
        files = {
            path: dockerfile(
                next(self._numbers),
                [
                    (one, str(digest(self.registry.tags.get(one, DENIED))))
                    for one, _ in pins_of(data)
                ],
            )
            for path, data in repo.files().items()
        }
        number = repo.open(f"by-hand-{next(self._numbers)}", files)
        self.foreign.add((repo.name, number))
        self.after(20, 400, lambda: self.end(repo, number))

    def on_pull(self, repo: MemoryRepo) -> None:
        pulls = repo.open_pulls()
        if not pulls:
            return
        pull, pick = self.chance.choice(pulls), self.chance.random()
        if pick < 0.4:
            self.end(repo, pull.number)
        elif pick < 0.6:
            repo.close(pull.number)
        elif pick < 0.7:
            repo.change(pull.number, lambda one: replace(one, comments=(*one.comments, "why?")))
        elif pick < 0.85:
            self.ask_for_rebuild(repo, pull)
        elif pick < 0.95:
            self.bump(repo, pull.branch)
        else:
            repo.delete(pull.branch)

    def end(self, repo: MemoryRepo, number: int) -> None:
        """Merge it if that can be; close it otherwise."""
        pull = repo.seen(number)
        if pull.state is not PullState.OPEN or repo.left_out:
            return
        if pull.mergeable is Mergeable.YES and pull.base == repo.default_branch:
            repo.merge(number)
        else:
            repo.close(number)

    def ask_for_rebuild(self, repo: MemoryRepo, pull: Pull) -> None:
        repo.change(pull.number, lambda one: replace(one, body=one.body.replace("[ ]", "[x]")))

    def reopen(self, repo: MemoryRepo) -> None:
        taken = {pull.branch for pull in repo.open_pulls()}
        closed = [
            pull
            for pull in repo.pulls.values()
            if pull.state is PullState.CLOSED
            and pull.branch in repo.branches.keys() - taken
            and pull.base == repo.default_branch
        ]
        if closed:
            number = self.chance.choice(closed).number
            repo.change(number, lambda one: replace(one, state=PullState.OPEN))

    def _failed(self, _job: Job, error: BaseException) -> None:
        self.failures.append(error)

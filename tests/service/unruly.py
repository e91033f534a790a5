"""A registry that remembers what it said, and a forge that fails when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.pull import Survey
from digestbot.forge.repo import Entry, LeftOut, Repo
from digestbot.forge.steps import Step
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from tests.github.clock import VirtualClock
from tests.proposals.memory import MemoryForge, MemoryRepo
from tests.service.world import TestRegistry


@dataclass
class Registry(TestRegistry):
    """Remembers every answer: when, and which digest; None where it refused."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    answers: dict[str, list[tuple[datetime, str | None]]] = field(default_factory=dict)

    def resolve(self, query: Query) -> Resolution:
        told = self.answers.setdefault(str(query), [])
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        try:
            found = super().resolve(query)
        except RegistryError:
            told.append((now, None))
            raise
        told.append((now, str(found.digest)))
        return found


@dataclass
class Forge(MemoryForge):
    """Fails when it is told to; somebody may be quicker at any step, and somebody looks on.

    Attributes:
        trouble: What whoever lists or reads the repos is told, if anything.
        on_step: Called before each step, with the repo it is for.
    """

    trouble: ForgeError | None = None
    on_step: Callable[[MemoryRepo, Step], object] = lambda _repo, _step: None

    def repos(self) -> Iterator[Repo | LeftOut]:
        for number, repo in enumerate(super().repos()):
            if number:
                self._complain("internal-error")
            yield repo

    def entries(self, repo: Repo) -> Sequence[Entry]:
        self._complain("unavailable")
        return super().entries(repo)

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        self._complain("rate-limited")
        return super().survey(repo, branches)

    def perform(self, repo: Repo, step: Step) -> None:
        if repo.name not in self.rooms:
            raise RefusedError(f"{repo.name} is gone", code="not-found")
        self.on_step(self.rooms[repo.name], step)
        super().perform(repo, step)

    def _complain(self, code: str) -> None:
        if self.trouble is not None and self.trouble.code == code:
            raise self.trouble

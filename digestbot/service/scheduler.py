"""When cycles begin: by the timetable, and when what is held back may be proposed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from digestbot.clock import Clock
from digestbot.service.jobs import Engine, Job, Stop, Work
from digestbot.service.logs import Event, get_log
from digestbot.service.scope import ASKED, IMAGE, REPO, Scope
from digestbot.service.timetable import missed, next_fire
from digestbot.store import asks, images, repos, schedules
from digestbot.store.database import Database
from digestbot.store.errors import StoreError

CYCLE = Job("cycle", "cycle")
MOST_HINTS, HINTS_WITHIN = 300, timedelta(minutes=10)
"""So many looks at what somebody said moved; beyond, a cycle stands for all. Each asks GitHub or
a registry, and may come of one secret that leaked."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When cycles begin by themselves.

    Attributes:
        cron: Expressions of five fields.
        timezone: The one they are meant in.
        jitter: Up to how much later a cycle begins.
        run_on_start: Whether the service begins with one.
        pause: How long a cycle apart from these times is put off at least: each of them lists
            all repos, and tags move one after the other.
    """

    cron: tuple[str, ...]
    timezone: str = "UTC"
    jitter: timedelta = timedelta()
    run_on_start: bool = True
    pause: timedelta = timedelta(minutes=10)


@dataclass
class Scheduler:
    """Keeps one cycle waiting in the engine at any time.

    Attributes:
        run_cycle: Does one cycle, about everything or within a scope; is told who asked for it.
        open_engine: The engine that does these works.
        watch: Makes of a work one that says when it begins and ends.
    """

    database: Database
    timetable: Timetable
    run_cycle: Callable[[Stop, Scope | None, Sequence[str]], object]
    open_engine: Callable[[Mapping[str, Work]], Engine]
    clock: Clock = field(default_factory=Clock)
    watch: Callable[[Work], Work] = lambda work: work
    _engine: Engine = field(init=False)
    _took: timedelta = field(default=timedelta(), init=False)
    _seen: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)
    _due: datetime = field(default=_NEVER, init=False)
    _looks: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_HINTS), init=False)

    def open(self) -> Engine:
        """The engine, which is to be stopped in the end; nothing is due yet."""
        hint = self.watch(self._hint)
        works = {CYCLE.name: self.watch(self._cycle), IMAGE: hint, REPO: hint}
        works[ASKED.name] = hint
        self._engine = self.open_engine(works)
        return self._engine

    def start(self) -> None:
        """Have cycles begin.

        A run that should have been while nobody was there is made up for, once. So is what
        somebody asked for just before the last process ended.

        Raises:
            StoreError: The state cannot be read or written.
        """
        now = self._now()
        with self.database.reading() as connection:
            last = schedules.last_started(connection, CYCLE.key)
            is_asked = asks.any_waits(connection)
        times = self.timetable
        if times.run_on_start or missed(times.cron, times.timezone, last, now):
            self._plan(now)
        else:
            self._plan_next()
        if is_asked:
            self._engine.submit(ASKED)

    def next_cycle(self) -> datetime | None:
        """When the next one begins, if nothing comes between."""
        now = self._now()
        fire = next_fire(self.timetable.cron, self.timetable.timezone, now)
        wake = self._next_due(now)
        # A tag may move each time it is asked about: whoever pushes it shall not keep all busy.
        pause = max(self.timetable.pause, self._took)
        times = [fire, wake and max(wake, now + pause)]
        return min((time for time in times if time is not None), default=None)

    def check_clock(self) -> None:
        """Plan anew where the clock was set back: what waits would wait for so much longer."""
        now = self._now()
        if now < self._seen:
            self._plan_next()
        self._seen = now

    def _next_due(self, now: datetime) -> datetime | None:
        """When something held back may be proposed; by the timetable alone if nobody can say."""
        try:
            with self.database.reading() as connection:
                return repos.next_due(connection, now)
        except StoreError as error:
            _log.error(Event.STATE_FAILED, problem=str(error))
            return None

    def _cycle(self, job: Job, stop: Stop) -> None:
        began, self._due = self.clock.monotonic(), _NEVER
        try:
            with self.database.begin() as connection:
                schedules.note_started(connection, job.key, self._now())
            self.run_cycle(stop, None, job.by)
        finally:
            self._took = timedelta(seconds=self.clock.monotonic() - began)
            self._plan_next()

    def _hint(self, job: Job, stop: Stop) -> None:
        """A cycle about what somebody said moved; what it holds back is planned for.

        About what nobody here has or follows there is none: senders may tell of all they have,
        and strangers may install a GitHub App that is public. Nor is there where a cycle about
        everything is due: it waits for no burst of hints, and looks at what they are about.
        """
        scope = Scope.of(job)
        if self._now() >= self._due or not self._concerns(scope):
            return
        if not self._may_look():
            self._plan(self._now() + max(HINTS_WITHIN, self._took), job.by)
            return
        try:
            self.run_cycle(stop, scope, job.by)
        finally:
            self._plan_next()

    def _may_look(self) -> bool:
        now = self.clock.monotonic()
        is_full = len(self._looks) == MOST_HINTS
        if is_full and now - self._looks[0] < HINTS_WITHIN.total_seconds():
            return False
        self._looks.append(now)
        return True

    def _concerns(self, scope: Scope) -> bool:
        with self.database.reading() as connection:
            return (
                asks.any_waits(connection)
                or bool(images.queries(connection, scope.images))
                or repos.is_known(connection, scope.repos)
            )

    def _plan_next(self) -> None:
        at = self.next_cycle()
        if at is None:
            _log.warning(Event.MESSAGE, message="no cycle is due any more, as service.cron says")
        else:
            self._plan(at + self.timetable.jitter * self.clock.jitter())

    def _plan(self, at: datetime, by: Sequence[str] = ()) -> None:
        self._due = min(self._due, at)  # as in the engine
        self._engine.submit(CYCLE.asked_by(*by), at)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), UTC)

"""The engine of one process: APScheduler says when, a few threads do it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from digestbot.clock import Clock
from digestbot.service.jobs import Job, Work
from digestbot.service.threads import DaemonPool

OnError = Callable[[Job, BaseException], None]
# Whether a key is free is decided here: the scheduler would drop what it finds to be too many.
_UNBOUNDED = 1_000_000


@dataclass(eq=False, slots=True)
class _Waiting:
    """A job that has not begun, and since when it might."""

    job: Job
    at: datetime


class InProcessEngine:
    """Does jobs in threads of this process, from the moment it is made until it is stopped.

    What waits is lost with the process. Times are those of the system's clock, as that is what
    the scheduler goes by.
    """

    def __init__(
        self, work: Mapping[str, Work], *, workers: int = 4, clock: Clock, on_error: OnError
    ) -> None:
        """Begin.

        Args:
            work: What there is to do, by its name.
            workers: How many jobs are done at a time.
            clock: Says what is due.
            on_error: Told, in a worker's thread, what a work raised.
        """
        self._work = dict(work)
        self._clock = clock
        self._on_error = on_error
        self._stop = threading.Event()
        self._waiting: dict[str, _Waiting] = {}
        self._running: set[str] = set()
        self._changed = threading.Condition()
        self._pool = DaemonPool(workers)
        self._scheduler = _scheduler(self._pool)
        self._scheduler.start()

    def submit(self, job: Job, at: datetime | None = None) -> None:
        """Have a job done: at that time, or as soon as may be; nothing once it is stopped.

        Args:
            job: One that waits under the same key is replaced; who asked for that asked for this.
            at: Any time that knows its zone; the earlier one counts where the key waits already.

        Raises:
            ValueError: There is no such work.
        """
        if job.name not in self._work:
            raise ValueError(f"there is no work named {job.name!r}")
        at = at or self._now()
        with self._changed:
            if self._stop.is_set():
                return
            known = self._waiting.get(job.key)
            if known is not None:
                job = replace(job, by=known.job.asked_by(*job.by).by)
            if known is not None and known.at <= at:
                known.job = job
            else:
                # A new one, as the time of the other may be on its way to a worker already.
                self._waiting[job.key] = _Waiting(job, at)
                self._plan(job.key)

    def idle(self, timeout_s: float) -> bool:
        """Wait until nothing is due or running; whether it came to that in time."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout_s)

    def stop(self, timeout_s: float) -> bool:
        """Begin nothing more, ask what runs to leave off, wait; whether all of it did.

        What did not is left to itself, in a thread that does not keep the process alive.
        """
        with self._changed:
            is_first = not self._stop.is_set()
            self._stop.set()
            self._waiting.clear()
        if is_first:
            self._scheduler.shutdown(wait=False)
        with self._changed:
            has_ended = self._changed.wait_for(lambda: not self._running, timeout_s)
        if has_ended:
            self._pool.join()
        return has_ended

    def _plan(self, key: str) -> None:
        """Have the scheduler begin what waits, unless something of the key runs."""
        if key in self._running:
            return
        waiting = self._waiting[key]
        self._scheduler.add_job(
            self._begin,
            DateTrigger(waiting.at, UTC),
            args=(waiting,),
            id=key,
            replace_existing=True,
        )

    def _begin(self, waiting: _Waiting) -> None:
        key = waiting.job.key
        with self._changed:
            # By now it may be another that waits, or none.
            if self._waiting.get(key) is not waiting:
                return
            del self._waiting[key]
            self._running.add(key)
        try:
            self._do(waiting.job)
        finally:
            self._end(key)

    def _do(self, job: Job) -> None:
        try:
            # A context of its own: what a work binds there is not meant for the next one.
            Context().run(self._work[job.name], job, self._stop)
        except BaseException as error:  # noqa: BLE001 - contained: no work ends the engine
            self._on_error(job, error)

    def _end(self, key: str) -> None:
        with self._changed:
            self._running.discard(key)
            if key in self._waiting:
                self._plan(key)
            if not self._running:
                self._changed.notify_all()

    def _is_idle(self) -> bool:
        now = self._now()
        return not self._running and all(one.at > now for one in self._waiting.values())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall(), UTC)


def _scheduler(pool: DaemonPool) -> BackgroundScheduler:
    """One that begins everything that is due, however late it is."""
    # It tells of each job that it begins; whoever does the job says what is worth saying.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return BackgroundScheduler(
        timezone=UTC,
        executors={"default": _Threads(pool)},
        jobstores={"default": MemoryJobStore()},
        job_defaults={
            "misfire_grace_time": None,
            "coalesce": True,
            "max_instances": _UNBOUNDED,
        },
    )


class _Threads(BasePoolExecutor):  # type: ignore[misc] # APScheduler has no types of its own.
    """APScheduler's workers, with these threads."""

    def __init__(self, pool: DaemonPool) -> None:
        super().__init__(pool)

"""What only threads can get wrong."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.clock import Clock
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.jobs import Job, Stop

LONG_S = 30.0
SOON = timedelta(milliseconds=20)
HOUR = timedelta(hours=1)
Does = Callable[[Job, Stop], None]
NAME: ContextVar[str] = ContextVar("NAME", default="")


@contextmanager
def engine(
    does: Does, *, workers: int = 4, errors: list[str] | None = None
) -> Iterator[InProcessEngine]:
    """An engine with one work, that is stopped in the end."""
    told: list[str] = [] if errors is None else errors
    made = InProcessEngine(
        {"work": does},
        workers=workers,
        clock=Clock(),
        on_error=lambda job, error: told.append(f"{job.key}: {error!r}"),
    )
    try:
        yield made
    finally:
        assert made.stop(LONG_S)
    assert errors is not None or told == []


def job(key: str, text: str = "") -> Job:
    return Job("work", key, {"text": text})


def soon() -> datetime:
    return datetime.now(UTC) + SOON


@dataclass
class Held:
    """Work that goes on until it is let go."""

    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    let_go: threading.Event = field(default_factory=threading.Event)
    texts: list[str] = field(default_factory=list)

    def __call__(self, job: Job, _stop: Stop) -> None:
        self.texts.append(job.arguments["text"])
        self.begun.release()
        assert self.let_go.wait(LONG_S)

    def wait_for(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=LONG_S)


# -- one at a time


def test_what_comes_while_its_key_runs_is_done_once_afterwards() -> None:
    held = Held()
    with engine(held) as made:
        made.submit(job("a", "first"))
        held.wait_for()
        for text in ("second", "third", "fourth"):
            made.submit(job("a", text))

        held.let_go.set()

        assert made.idle(LONG_S)
        assert held.texts == ["first", "fourth"]


def test_what_comes_while_its_key_runs_keeps_the_earliest_time() -> None:
    held = Held()
    with engine(held) as made:
        made.submit(job("a", "first"))
        held.wait_for()
        made.submit(job("a", "later"), datetime.now(UTC) + HOUR)
        made.submit(job("a", "now"))
        made.submit(job("a", "newest"), datetime.now(UTC) + HOUR)

        held.let_go.set()

        assert made.idle(LONG_S)
        assert held.texts == ["first", "newest"]


def test_keys_do_not_wait_for_one_another() -> None:
    held = Held()
    with engine(held, workers=3) as made:
        for key in "abc":
            made.submit(job(key, key))

        held.wait_for(3)  # All at the same time, or this never ends.

        held.let_go.set()
        assert made.idle(LONG_S)
        assert sorted(held.texts) == ["a", "b", "c"]


def handed_over(made: InProcessEngine) -> None:
    """Wait until all that is due is on its way to a worker."""
    while any(one.next_run_time <= datetime.now(UTC) for one in made._scheduler.get_jobs()):
        time.sleep(0.001)


def test_a_time_on_its_way_to_a_busy_worker_is_not_taken_for_a_later_one() -> None:
    let_go, begun, now = threading.Event(), threading.Event(), datetime.now(UTC)
    texts: list[str] = []

    def plans(done: Job, _stop: Stop) -> None:
        texts.append(done.arguments["text"])
        begun.set()
        assert let_go.wait(LONG_S)
        if done.key == "a":
            made.submit(job("a", "in an hour"), datetime.now(UTC) + HOUR)

    with engine(plans, workers=1) as made:
        made.submit(job("busy", "busy"))
        assert begun.wait(LONG_S)
        # Twice on its way to the one worker, as the second is earlier; and done once.
        for text, at in (("first", now), ("second", now - HOUR)):
            made.submit(job("a", text), at)
            handed_over(made)

        let_go.set()

        assert made.idle(LONG_S)
        assert texts == ["busy", "second"]


@dataclass
class Ledger:
    """Counts what is under way, by key, and keeps what was done."""

    under_way: Counter[str] = field(default_factory=Counter)
    done: list[tuple[str, int]] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, job: Job, _stop: Stop) -> None:
        with self.lock:
            self.under_way[job.key] += 1
            if self.under_way[job.key] > 1:
                self.overlaps.append(job.key)
            self.done.append((job.key, int(job.arguments["text"])))
        time.sleep(int(job.arguments["text"]) % 3 / 2000)
        with self.lock:
            self.under_way[job.key] -= 1


SUBMITS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([None, -1, 0, 1, 3, 8]), st.booleans()),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(SUBMITS, st.integers(1, 4))
def test_whatever_is_submitted_never_overlaps_and_is_never_lost(
    submits: list[tuple[str, int | None, bool]], workers: int
) -> None:
    ledger, last = Ledger(), dict[str, int]()
    with engine(ledger, workers=workers) as made:
        for number, (key, after_ms, pauses) in enumerate(submits):
            at = None
            if after_ms is not None:
                at = datetime.now(UTC) + timedelta(milliseconds=after_ms)
            made.submit(job(key, str(number)), at)
            last[key] = number
            if pauses:
                time.sleep(0.0005)
        time.sleep(0.009)  # All of them are due by now.

        assert made.idle(LONG_S)

    assert ledger.overlaps == []
    done = {key: [number for one, number in ledger.done if one == key] for key in last}
    assert {key: numbers[-1] for key, numbers in done.items()} == last
    assert all(numbers == sorted(set(numbers)) for numbers in done.values())
    assert len(ledger.done) <= len(submits)


def test_many_threads_may_submit_at_once() -> None:
    ledger = Ledger()
    with engine(ledger) as made:

        def submit() -> None:
            for number in range(100):
                made.submit(job(f"k{number % 7}", "0"))

        threads = [threading.Thread(target=submit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert made.idle(LONG_S)

    assert ledger.overlaps == []
    assert {key for key, _ in ledger.done} == {f"k{number}" for number in range(7)}


# -- time


def test_what_is_due_soon_is_done_by_itself() -> None:
    held = Held()
    held.let_go.set()
    with engine(held) as made:
        made.submit(job("a", "soon"), soon())

        held.wait_for()

        assert held.texts == ["soon"]


def test_an_earlier_time_brings_forward_what_waits() -> None:
    held = Held()
    held.let_go.set()
    with engine(held) as made:
        made.submit(job("a", "first"), datetime.now(UTC) + HOUR)
        made.submit(job("a", "second"), soon())

        held.wait_for()

        assert held.texts == ["second"]


def test_idle_says_so_when_it_takes_too_long() -> None:
    held = Held()
    with engine(held) as made:
        made.submit(job("a"))
        held.wait_for()

        assert not made.idle(0.01)

        held.let_go.set()
        assert made.idle(LONG_S)


def test_thousands_may_wait_and_each_is_done() -> None:
    ledger = Ledger()
    with engine(ledger) as made:
        for number in range(5000):
            made.submit(job(str(number), "0"), datetime.now(UTC) + HOUR)
        assert made.idle(LONG_S)
        assert ledger.done == []

        for number in range(0, 5000, 5):
            made.submit(job(str(number), "0"))

        assert made.idle(LONG_S)
        assert {int(key) for key, _ in ledger.done} == set(range(0, 5000, 5))


# -- the end


def test_what_runs_is_asked_to_leave_off_and_waited_for() -> None:
    left_off, begun = threading.Event(), threading.Event()

    def patient(_job: Job, stop: Stop) -> None:
        begun.set()
        while not stop.is_set():
            time.sleep(0.001)
        left_off.set()

    with engine(patient) as made:
        made.submit(job("a"))
        assert begun.wait(LONG_S)

        assert made.stop(LONG_S)

        assert left_off.is_set()


def test_what_does_not_leave_off_is_not_waited_for_longer_than_said() -> None:
    held = Held()
    with engine(held, workers=1) as made:
        made.submit(job("a", "stubborn"))
        held.wait_for()
        made.submit(job("b", "never begun"))
        made.submit(job("a", "nor this"))
        handed_over(made)

        assert not made.stop(0.02)

        held.let_go.set()
        assert made.stop(LONG_S)
        assert made.idle(0)
        assert held.texts == ["stubborn"]


def test_a_job_that_submits_while_the_engine_ends_is_not_held_up() -> None:
    begun = threading.Event()

    def again(done: Job, stop: Stop) -> None:
        begun.set()
        while not stop.is_set():
            time.sleep(0.001)
        made.submit(done)
        made.submit(job("b"))

    with engine(again) as made:
        made.submit(job("a"))
        assert begun.wait(LONG_S)

        assert made.stop(LONG_S)
        assert made.idle(0)


def test_hundreds_of_starts_and_stops_leave_nothing_behind() -> None:
    def files() -> int:
        folder = Path("/proc/self/fd")
        return len(list(folder.iterdir())) if folder.is_dir() else 0

    ledger, threads, open_files = Ledger(), threading.active_count(), files()

    for _ in range(200):
        with engine(ledger, workers=2) as made:
            made.submit(job("a", "0"))
            made.submit(job("b", "0"), datetime.now(UTC) + HOUR)
            assert made.idle(LONG_S)

    assert len(ledger.done) == 200
    assert threading.active_count() == threads
    assert files() == open_files


STUBBORN = """
import threading
from digestbot.clock import Clock
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.jobs import Job

begun = threading.Event()
def hang(job, stop):
    begun.set()
    threading.Event().wait()

engine = InProcessEngine({"hang": hang}, clock=Clock(), on_error=print)
engine.submit(Job("hang", "a"))
begun.wait()
print("ended" if engine.stop(0.05) else "given up")
"""


def test_work_that_hangs_does_not_keep_the_process() -> None:
    found = subprocess.run(
        [sys.executable, "-c", STUBBORN], capture_output=True, text=True, timeout=60, check=False
    )

    assert (found.returncode, found.stdout, found.stderr) == (0, "given up\n", "")


# -- what goes wrong


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_is_raised_ends_that_job_alone(error: BaseException) -> None:
    errors: list[str] = []

    def raises(done: Job, _stop: Stop) -> None:
        if done.key == "broken":
            raise error

    with engine(raises, workers=1, errors=errors) as made:
        for key in ("broken", "a", "broken"):
            made.submit(job(key))
            assert made.idle(LONG_S)

    assert errors == [f"broken: {error!r}"] * 2


def test_nothing_is_logged_about_jobs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    held = Held()
    held.let_go.set()

    with engine(held) as made:
        made.submit(job("a"))
        made.submit(job("a"), datetime.now(UTC) + HOUR)
        assert made.idle(LONG_S)

    assert [record.getMessage() for record in caplog.records] == []


def test_what_a_job_binds_is_not_there_for_the_next() -> None:
    found: list[str] = []

    def binds(done: Job, _stop: Stop) -> None:
        found.append(NAME.get())
        NAME.set(done.key)

    with engine(binds, workers=1) as made:
        for key in "ab":
            made.submit(job(key))
            assert made.idle(LONG_S)

    assert found == ["", ""]

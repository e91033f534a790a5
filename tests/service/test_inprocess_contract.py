"""What any engine promises, of the real one and of the one on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from digestbot.clock import Clock
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.jobs import Engine, Job, Stop, Work
from tests.github.clock import VirtualClock
from tests.service.virtual_engine import VirtualEngine

LONG_S = 30.0
HOUR = timedelta(hours=1)
OnError = Callable[[Job, BaseException], None]
Make = Callable[[Mapping[str, Work], OnError], "Idling"]


class Idling(Engine, Protocol):
    def idle(self, timeout_s: float) -> bool: ...


@dataclass
class Bench:
    """An engine, and what it did."""

    make: Make
    done: list[Job] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    then: Callable[[Job], None] = lambda _job: None
    engine: Idling = field(init=False)

    def __post_init__(self) -> None:
        self.engine = self.make({"note": self._note, "fail": self._fail}, self._failed)

    def submit(
        self,
        key: str,
        text: str = "",
        *by: str,
        name: str = "note",
        after: timedelta | None = None,
    ) -> None:
        at = None if after is None else datetime.now(UTC) + after
        self.engine.submit(Job(name, key, {"text": text}, by), at)

    @property
    def texts(self) -> list[str]:
        """What was done so far, once nothing is due any more."""
        assert self.engine.idle(LONG_S)
        return [job.arguments["text"] for job in self.done]

    def _note(self, job: Job, stop: Stop) -> None:
        assert not stop.is_set()
        self.done.append(job)
        self.then(job)

    def _fail(self, job: Job, _stop: Stop) -> None:
        raise RuntimeError(job.key)

    def _failed(self, job: Job, error: BaseException) -> None:
        self.errors.append((job.name, str(error)))


def real(work: Mapping[str, Work], on_error: OnError) -> Idling:
    return InProcessEngine(work, workers=1, clock=Clock(), on_error=on_error)


def virtual(work: Mapping[str, Work], on_error: OnError) -> Idling:
    return VirtualEngine(work, clock=VirtualClock(), on_error=on_error)


@pytest.fixture(params=[real, virtual])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    yield bench
    assert bench.engine.stop(LONG_S)


def test_a_job_is_done_with_its_arguments(bench: Bench) -> None:
    bench.submit("a", "hello")

    assert bench.texts == ["hello"]
    assert bench.done == [Job("note", "a", {"text": "hello"})]


def test_nothing_submitted_is_nothing_done(bench: Bench) -> None:
    assert bench.texts == []


def test_what_is_not_due_waits(bench: Bench) -> None:
    bench.submit("a", "later", after=HOUR)

    assert bench.texts == []


def test_what_was_due_long_ago_is_done(bench: Bench) -> None:
    bench.submit("a", "late", after=-400 * 24 * HOUR)

    assert bench.texts == ["late"]


def test_of_one_key_the_earliest_time_and_the_newest_arguments_count(bench: Bench) -> None:
    bench.submit("a", "first", after=HOUR)
    bench.submit("a", "second")

    assert bench.texts == ["second"]


def test_a_later_time_does_not_put_off_what_waits(bench: Bench) -> None:
    def again(job: Job) -> None:
        if job.key == "gate":
            bench.submit("a", "first")
            bench.submit("a", "second", after=HOUR)

    bench.then = again
    bench.submit("gate", "gate")

    assert bench.texts == ["gate", "second"]


def test_many_of_one_key_are_one(bench: Bench) -> None:
    for number in range(100):
        bench.submit("a", str(number), after=HOUR)
    bench.submit("a", "now")

    assert bench.texts == ["now"]


def test_all_who_asked_for_what_waits_under_a_key_are_told(bench: Bench) -> None:
    bench.submit("a", "later", "ann (scan now)", after=2 * HOUR)
    bench.submit("a", "sooner", "webhook harbor", after=HOUR)
    bench.submit("a", "now", "ann (scan now)")
    bench.submit("b", "now", "bob (scan now)")

    assert bench.texts == ["now", "now"]
    told = {job.key: job.by for job in bench.done}
    assert told == {"a": ("ann (scan now)", "webhook harbor"), "b": ("bob (scan now)",)}


def test_the_timetable_takes_nobodys_wish_away(bench: Bench) -> None:
    def again(job: Job) -> None:
        if job.key == "gate":
            bench.submit("a", "asked", "ann (scan now)")
            bench.submit("a", "planned", after=HOUR)

    bench.then = again
    bench.submit("gate", "gate")

    assert bench.texts == ["gate", "planned"]
    assert bench.done[-1].by == ("ann (scan now)",)


def test_who_asked_is_forgotten_once_it_is_done(bench: Bench) -> None:
    bench.submit("a", "one", "ann (scan now)")
    assert bench.texts == ["one"]

    bench.submit("a", "two")

    assert bench.texts == ["one", "two"]
    assert bench.done[-1].by == ()


def test_other_keys_are_others(bench: Bench) -> None:
    bench.submit("a", "one")
    bench.submit("b", "two")

    assert sorted(bench.texts) == ["one", "two"]


def test_a_job_may_submit_another_of_its_own_key(bench: Bench) -> None:
    def again(job: Job) -> None:
        if len(bench.done) < 5:
            bench.submit("a", f"{len(bench.done)}")

    bench.then = again
    bench.submit("a", "0")

    assert bench.texts == ["0", "1", "2", "3", "4"]


def test_what_a_job_submits_of_its_own_key_runs_once_afterwards(bench: Bench) -> None:
    def thrice(job: Job) -> None:
        if job.arguments["text"] == "first":
            for text in "xyz":
                bench.submit("a", text)

    bench.then = thrice
    bench.submit("a", "first")

    assert bench.texts == ["first", "z"]


def test_a_job_may_plan_its_next_run(bench: Bench) -> None:
    bench.then = lambda _job: bench.submit("a", "next", after=HOUR)
    bench.submit("a", "first")

    assert bench.texts == ["first"]

    bench.then = lambda _job: None
    bench.submit("a", "at once")

    assert bench.texts == ["first", "at once"]


def test_a_job_may_submit_others(bench: Bench) -> None:
    def others(job: Job) -> None:
        if job.key == "a":
            bench.submit("b", "b")
            bench.submit("c", "c")

    bench.then = others
    bench.submit("a", "a")

    assert sorted(bench.texts) == ["a", "b", "c"]


def test_work_that_raises_is_told_and_the_next_is_done(bench: Bench) -> None:
    bench.submit("broken", name="fail")
    bench.submit("a", "after")

    assert bench.texts == ["after"]
    assert bench.errors == [("fail", "broken")]


def test_a_key_whose_work_raised_may_run_again(bench: Bench) -> None:
    bench.submit("a", name="fail")
    assert bench.texts == []

    bench.submit("a", "again")

    assert bench.texts == ["again"]


def test_work_that_nobody_knows_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no work named 'tidy'"):
        bench.submit("a", name="tidy")


def test_after_the_end_nothing_is_begun(bench: Bench) -> None:
    bench.submit("a", "waits", after=HOUR)
    assert bench.engine.stop(LONG_S)

    bench.submit("a", "too late")

    assert bench.texts == []


def test_it_may_be_stopped_twice(bench: Bench) -> None:
    assert bench.engine.stop(LONG_S)
    assert bench.engine.stop(LONG_S)


# -- and what only virtual time shows


def test_on_a_virtual_clock_a_day_of_hours_passes_in_order() -> None:
    clock, found = VirtualClock(0.0), []

    def hourly(job: Job, _stop: Stop) -> None:
        found.append((clock.now(), job.key))
        engine.submit(job, engine.now() + HOUR)

    engine = VirtualEngine({"hourly": hourly}, clock=clock, on_error=lambda *_: None)
    engine.submit(Job("hourly", "a"))
    engine.submit(Job("hourly", "b"))

    engine.run_until(datetime.fromtimestamp(24 * 3600 - 1, UTC))

    assert found == [(hour * 3600.0, key) for hour in range(24) for key in "ab"]
    assert [job.key for _, job in engine.waiting] == ["a", "b"]
    assert clock.now() == 24 * 3600 - 1

"""From hints to jobs, on a clock that stands still and with the real engine."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digestbot.clock import Clock
from digestbot.image import ImageTag
from digestbot.service.hooks.debounce import (
    CYCLE_PAUSE_S,
    DELAY_S,
    MOST_WAITING,
    PAUSE_S,
    Debounce,
)
from digestbot.service.hooks.delivery import Hint, ImageHint, ListHint, RepoHint
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.jobs import Job, Stop, Work
from tests.github.clock import VirtualClock
from tests.service.virtual_engine import VirtualEngine

START = 1_000_000.0


def image(tag: str = "3.12") -> ImageHint:
    return ImageHint(ImageTag("harbor.corp", "base/python", tag))


class World:
    """An engine on a clock that stands still, and what it was told to do."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.clock = VirtualClock(START)
        self.done: list[tuple[float, str]] = []
        self.debounce = Debounce(self.clock.as_clock(), most=most)
        self.cycle_takes_s = 0.0
        kinds = ("image", "repo", "cycle")
        works: dict[str, Work] = dict.fromkeys(kinds, self.debounce.watched(self._do))
        self.engine = VirtualEngine(works, clock=self.clock, on_error=self._fail)

    @property
    def planned(self) -> list[tuple[float, Job]]:
        """What waits, and in how many seconds from the start."""
        return [(at.timestamp() - START, job) for at, job in self.engine.waiting]

    def hear(self, hint: Hint) -> None:
        self.debounce.take(self.engine, hint)

    def run_until(self, second: float) -> list[tuple[float, str]]:
        self.engine.run_until(datetime.fromtimestamp(START + second, UTC))
        return self.done

    def _do(self, job: Job, _stop: Stop) -> None:
        self.done.append((self.clock.now() - START, job.key))
        if job.name == "cycle":
            self.clock.advance(self.cycle_takes_s)

    def _fail(self, job: Job, error: BaseException) -> None:
        raise AssertionError(job) from error


@pytest.mark.parametrize(
    "hint, job",
    [
        pytest.param(
            image(),
            Job(
                "image",
                "image:harbor.corp/base/python:3.12",
                {"image": "harbor.corp/base/python:3.12"},
            ),
            id="image",
        ),
        pytest.param(
            RepoHint("acme/app"), Job("repo", "repo:acme/app", {"repo": "acme/app"}), id="repo"
        ),
        pytest.param(ListHint(), Job("cycle", "cycle"), id="list"),
    ],
)
def test_each_hint_becomes_a_job_a_little_later(hint: Hint, job: Job) -> None:
    world = World()

    world.hear(hint)

    assert world.planned == [(DELAY_S, job)]


def test_the_job_says_whose_hints_it_is_about() -> None:
    world = World(most=1)

    for by in ("webhook a", "webhook b", "webhook a"):
        world.debounce.take(world.engine, image(), by)
    world.debounce.take(world.engine, image("3.13"), "webhook c")

    assert {job.key: job.by for _, job in world.engine.waiting} == {
        f"image:{image().image}": ("webhook a", "webhook b"),
        "cycle": ("webhook c",),
    }


def test_it_says_for_how_long_what_a_hint_is_about_is_not_looked_at() -> None:
    world = World(most=1)

    def take(hint: Hint) -> float:
        return world.debounce.take(world.engine, hint)

    first = take(image())
    world.run_until(2)
    again, beyond, listed = take(image()), take(image("3.13")), take(ListHint())
    world.run_until(DELAY_S)

    assert (first, again, beyond, listed) == (DELAY_S, DELAY_S - 2, 0, 0)
    assert take(image()) == PAUSE_S


def test_more_of_the_same_meanwhile_is_the_same_job() -> None:
    world = World()

    for second in range(5):
        world.run_until(second)
        world.hear(image())

    assert world.run_until(1000) == [(DELAY_S, "image:harbor.corp/base/python:3.12")]


def test_other_tags_are_other_jobs() -> None:
    world = World()

    for tag in ("3.12", "3.13", "3.12"):
        world.hear(image(tag))

    assert [key for _, key in world.run_until(10)] == [
        "image:harbor.corp/base/python:3.12",
        "image:harbor.corp/base/python:3.13",
    ]


def test_a_hint_after_the_job_began_is_looked_at_but_not_at_once() -> None:
    world = World()
    world.hear(image())
    world.run_until(DELAY_S)

    for second in (6, 7, 8):
        world.run_until(second)
        world.hear(image())

    assert [at for at, _ in world.run_until(1000)] == [DELAY_S, DELAY_S + PAUSE_S]


def test_a_hint_long_after_is_as_fast_as_the_first() -> None:
    world = World()
    world.hear(image())
    world.run_until(100)

    world.hear(image())

    assert [at for at, _ in world.run_until(1000)] == [DELAY_S, 100 + DELAY_S]


def test_a_burst_without_end_has_a_steady_pace() -> None:
    world = World()

    for second in range(60):
        world.run_until(second)
        world.hear(image())

    assert [at for at, _ in world.run_until(1000)] == [5, 20, 35, 50, 65]


def test_10000_deliveries_in_a_burst_are_one_job_for_each_image() -> None:
    world = World()

    for number in range(10_000):
        world.hear(image(f"t{number % 100}"))

    done = world.run_until(1000)
    assert Counter(key for _, key in done) == {
        f"image:harbor.corp/base/python:t{number}": 1 for number in range(100)
    }
    assert world.debounce.waiting == 0


def test_beyond_so_many_one_cycle_stands_for_all() -> None:
    world = World(most=3)

    for number in range(50):
        world.hear(image(f"t{number}"))
    world.hear(RepoHint("acme/app"))
    world.hear(image("t0"))

    assert world.debounce.waiting == 3
    assert [key.rpartition(":")[2] for _, key in world.run_until(30)] == ["t0", "t1", "t2", "cycle"]


def test_there_is_room_again_once_they_began() -> None:
    world = World(most=3)
    for number in range(3):
        world.hear(image(f"t{number}"))
    world.run_until(10)

    world.hear(image("t3"))

    assert [job.name for _, job in world.planned] == ["image"]


def test_by_default_a_thousand_wait() -> None:
    world = World()

    for number in range(MOST_WAITING + 500):
        world.hear(image(f"t{number}"))

    assert Counter(job.name for _, job in world.planned) == {"image": MOST_WAITING, "cycle": 1}


def test_cycles_because_of_hints_are_rare() -> None:
    world = World()

    for second in range(100):
        world.run_until(second)
        world.hear(ListHint())

    assert [at for at, _ in world.run_until(10_000)] == [DELAY_S, DELAY_S + CYCLE_PAUSE_S]


def test_where_a_cycle_takes_long_hints_take_up_half_of_the_time_at_most() -> None:
    world = World()
    world.cycle_takes_s = 3000

    for second in range(0, 20_000, 10):
        world.run_until(max(second, world.clock.now() - START))
        world.hear(ListHint())

    assert [at for at, _ in world.done] == [5, 6005, 12005, 18005]


def test_a_hint_is_not_lost_where_the_cycle_came_earlier_than_planned() -> None:
    world = World()
    world.hear(ListHint())
    world.run_until(10)
    world.hear(ListHint())
    world.engine.submit(Job("cycle", "cycle"))
    world.run_until(20)

    world.hear(ListHint())

    assert [at for at, _ in world.run_until(10_000)] == [DELAY_S, 10, DELAY_S + CYCLE_PAUSE_S]


def test_a_work_that_says_nothing_of_its_beginning_loses_no_hint() -> None:
    clock, done = VirtualClock(START), list[str]()
    works: dict[str, Work] = {"image": lambda job, _stop: done.append(job.key)}
    engine = VirtualEngine(works, clock=clock, on_error=lambda _job, _error: None)
    debounce = Debounce(clock.as_clock())

    for second in (0, 60, 120):
        engine.run_until(datetime.fromtimestamp(START + second, UTC))
        debounce.take(engine, image())
    engine.run_until(datetime.fromtimestamp(START + 1000, UTC))

    assert len(done) == 3


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from(["a", "b", "c", "d"])), min_size=1, max_size=40
    ),
    st.integers(1, 4),
)
def test_after_every_hint_something_looks_at_it(hints: list[tuple[float, str]], most: int) -> None:
    world, now, heard = World(most), 0.0, list[tuple[float, str]]()
    for passes, tag in hints:
        now += passes
        world.run_until(now)
        world.hear(image(tag))
        heard.append((now, tag))

    done = world.run_until(now + 2 * CYCLE_PAUSE_S)

    for at, tag in heard:
        assert any(key in {f"image:{image(tag).image}", "cycle"} for when, key in done if when > at)
    for tag in "abcd":
        times = [at for at, key in done if key == f"image:{image(tag).image}"]
        assert all(later - earlier >= PAUSE_S - 0.001 for earlier, later in pairwise(times))


@contextmanager
def real_engine(works: dict[str, Work]) -> Iterator[InProcessEngine]:
    errors: list[str] = []
    engine = InProcessEngine(
        works,
        workers=4,
        clock=Clock(),
        on_error=lambda job, error: errors.append(f"{job.key}: {error!r}"),
    )
    try:
        yield engine
    finally:
        assert engine.stop(30)
    assert errors == []


def test_the_real_engine_does_one_job_for_each_image_of_a_burst_from_many_threads() -> None:
    done: Counter[str] = Counter()
    lock, is_over = threading.Lock(), threading.Event()

    def do(job: Job, _stop: Stop) -> None:
        with lock:
            done[job.key] += 1
            if len(done) == 50:
                is_over.set()

    # Longer than so many hints take here, and no longer.
    debounce = Debounce(delay_s=3)
    with real_engine({"image": debounce.watched(do)}) as engine:

        def hear() -> None:
            for number in range(1250):
                debounce.take(engine, image(f"t{number % 50}"))

        threads = [threading.Thread(target=hear) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert is_over.wait(60)
        assert engine.idle(30)

    assert done == {f"image:harbor.corp/base/python:t{number}": 1 for number in range(50)}
    assert debounce.waiting == 0


def test_a_hint_while_the_job_runs_is_looked_at_after_it() -> None:
    begun, goes_on = threading.Event(), threading.Event()
    done: list[str] = []

    def do(job: Job, _stop: Stop) -> None:
        begun.set()
        assert goes_on.wait(30)
        done.append(job.key)

    world_clock = VirtualClock(is_running=True)
    debounce = Debounce(Clock(monotonic=world_clock.now), delay_s=0)
    with real_engine({"image": debounce.watched(do)}) as engine:
        debounce.take(engine, image())
        assert begun.wait(30)
        # By now the pause is over.
        world_clock.advance(PAUSE_S)
        debounce.take(engine, image())
        begun.clear()
        goes_on.set()

        assert begun.wait(30)
        assert engine.idle(30)

    assert len(done) == 2


def test_times_are_those_of_the_wall_also_where_the_other_clock_is_another() -> None:
    times: list[datetime | None] = []

    class Spy:
        def submit(self, job: Job, at: datetime | None = None) -> None:
            times.append(at)

        def stop(self, timeout_s: float) -> bool:
            return True

    debounce = Debounce(Clock(monotonic=lambda: 7.0, wall=lambda: START))

    debounce.take(Spy(), image())

    assert times == [datetime.fromtimestamp(START, UTC) + timedelta(seconds=DELAY_S)]

"""Each distinct question is asked once, and errors stay with their question."""

from __future__ import annotations

import threading
from collections import Counter
from contextvars import ContextVar

import pytest

from digestbot.image import Digest, ImageTag
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution
from digestbot.scan.lookups import Answer, look_up

DIGEST = Digest.of(b"x")


def query(name: str) -> Query:
    return Query(ImageTag("reg.example", name, "1"))


class Scripted:
    """Answers every question, but fails for the repositories named `bad…`."""

    def __init__(self) -> None:
        self.asked: Counter[Query] = Counter()
        self.lock = threading.Lock()

    def resolve(self, query: Query) -> Resolution:
        with self.lock:
            self.asked[query] += 1
        if query.image.repository.startswith("bad"):
            raise RegistryError("no", code="denied", host="reg.example")
        if query.image.repository == "bug":
            raise ZeroDivisionError
        return Resolution(query, DIGEST)


@pytest.mark.parametrize("jobs", [1, 3, 16])
def test_each_distinct_question_is_asked_once(jobs: int) -> None:
    resolver = Scripted()
    queries = [query(f"app{number % 5}") for number in range(50)]

    answers = look_up(queries, resolver, jobs=jobs)

    assert set(answers) == set(queries)
    assert set(resolver.asked.values()) == {1}


def test_an_error_is_the_answer_to_its_own_question_only() -> None:
    answers = look_up([query("good"), query("bad")], Scripted(), jobs=2)

    assert isinstance(answers[query("good")], Resolution)
    assert isinstance(answers[query("bad")], RegistryError)


def test_a_bug_is_the_answer_to_its_own_question_and_said() -> None:
    answers = look_up([query("bug"), query("good")], Scripted(), jobs=2)

    answer = answers[query("bug")]
    assert isinstance(answer, RegistryError)
    assert (answer.code, answer.host) == ("internal", "reg.example")
    assert "ZeroDivisionError" in str(answer)
    assert isinstance(answers[query("good")], Resolution)


def test_the_caller_is_told_of_each_answer_in_its_own_thread() -> None:
    seen: list[tuple[Query, threading.Thread]] = []

    def note(asked: Query, _answer: Answer) -> None:
        seen.append((asked, threading.current_thread()))

    look_up([query("a"), query("b")], Scripted(), jobs=2, on_answer=note)

    assert {asked for asked, _ in seen} == {query("a"), query("b")}
    assert {thread for _, thread in seen} == {threading.current_thread()}


def test_nothing_to_ask_starts_no_thread() -> None:
    before = threading.active_count()

    assert look_up([], Scripted(), jobs=8) == {}
    assert threading.active_count() == before


def test_lookups_run_side_by_side() -> None:
    barrier = threading.Barrier(4, timeout=10)

    class Together:
        def resolve(self, query: Query) -> Resolution:
            barrier.wait()
            return Resolution(query, DIGEST)

    answers = look_up([query(str(number)) for number in range(4)], Together(), jobs=4)

    assert len(answers) == 4


def test_the_lookups_know_what_is_bound_where_they_are_asked_for() -> None:
    run: ContextVar[str] = ContextVar("run", default="")
    found: list[str] = []

    class Noting:
        def resolve(self, query: Query) -> Resolution:
            found.append(run.get())
            run.set(str(query))
            return Resolution(query, DIGEST)

    run.set("r1")
    look_up([query(str(number)) for number in range(10)], Noting(), jobs=2)

    assert found == ["r1"] * 10
    assert run.get() == "r1"

"""Who wants to know is told of each answer of a registry, and can do no harm."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from digestbot.registry.errors import RegistryError
from digestbot.registry.resolver import RegistryResolver
from tests.registries.fake import Answer, FakeRegistry
from tests.registries.tokens import TokenAuth
from tests.registry.asking import FakeTime, make_query


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        self.left: list[tuple[str, str, float]] = []
        self._lock = threading.Lock()

    def answered(self, host: str, code: str) -> None:
        with self._lock:
            self.answers[host, code] += 1

    def noted(self, host: str, resource: str, left: float) -> None:
        self.left.append((host, resource, left))

    def resolver(self) -> RegistryResolver:
        return RegistryResolver(clock=FakeTime().clock, on_answer=self.answered, on_left=self.noted)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_an_answer_is_told_by_registry_and_status(fake: FakeRegistry, listener: Listener) -> None:
    fake.local.add("app", "1")

    with listener.resolver() as resolver:
        resolver.resolve(make_query(f"{fake.host}/app:1"))

    assert listener.answers == {(fake.host, "200"): 1}


def test_each_try_counts(fake: FakeRegistry, listener: Listener) -> None:
    fake.local.add("app", "1")
    fake.local.script(Answer.error(503), Answer(raw=b""))

    with listener.resolver() as resolver:
        resolver.resolve(make_query(f"{fake.host}/app:1"))

    assert listener.answers == {
        (fake.host, "503"): 1,
        (fake.host, "unavailable"): 1,
        (fake.host, "200"): 1,
    }


def test_what_its_token_server_answers_is_told_of_the_registry(
    fake: FakeRegistry, listener: Listener
) -> None:
    fake.local.add("app", "1")
    TokenAuth(fake.local, fake.local)

    with listener.resolver() as resolver:
        resolver.resolve(make_query(f"{fake.host}/app:1"))

    assert listener.answers == {(fake.host, "401"): 1, (fake.host, "200"): 2}


def test_what_is_left_is_told_where_the_registry_says_so(
    fake: FakeRegistry, listener: Listener
) -> None:
    headers = (("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "17;w=21600"))
    fake.local.always(Answer(404, headers))

    with listener.resolver() as resolver, pytest.raises(RegistryError):
        resolver.resolve(make_query(f"{fake.host}/app:1"))

    assert set(listener.left) == {(fake.host, "pulls", 17)}


def test_answers_to_many_threads_are_all_told(fake: FakeRegistry, listener: Listener) -> None:
    names = [f"{fake.host}/app:{number}" for number in range(40)]
    for number in range(40):
        fake.local.add("app", str(number))

    with listener.resolver() as resolver, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: resolver.resolve(make_query(name)), names))

    assert listener.answers == {(fake.host, "200"): 40}


def test_a_listener_that_fails_costs_nobody_an_answer(fake: FakeRegistry) -> None:
    digest = fake.local.add("app", "1")

    def fail(_host: str, _code: str) -> None:
        raise RuntimeError("no")

    with RegistryResolver(clock=FakeTime().clock, on_answer=fail) as resolver:
        found = resolver.resolve(make_query(f"{fake.host}/app:1"))

    assert found.digest == digest

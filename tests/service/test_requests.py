"""What one run asks of others."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from digestbot.service.counting import MOST_HOSTS as MOST_COUNTED
from digestbot.service.counting import OTHER
from digestbot.service.requests import MOST_HOSTS, RequestRecorder, each
from digestbot.store.runs import Requests


def test_answers_are_counted_by_host_and_code() -> None:
    recorder = RequestRecorder()

    for code in ("200", "200", "timeout"):
        recorder.registry("ghcr.io", code)
    recorder.forge("api.github.com", "200")
    recorder.left("api.github.com", "core", 4711)
    recorder.left("api.github.com", "core", 4710)

    assert recorder.requests() == Requests(
        {"ghcr.io": {"200": 2, "timeout": 1}},
        {"api.github.com": {"200": 1}},
        {"api.github.com": {"core": 4710}},
    )


def test_another_run_begins_with_nothing() -> None:
    recorder = RequestRecorder()
    recorder.registry("ghcr.io", "200")
    recorder.forge("api.github.com", "200")
    recorder.left("ghcr.io", "pulls", 3)

    recorder.begin()

    assert recorder.requests() == Requests()


def test_those_that_were_asked_most_are_kept_apart() -> None:
    recorder = RequestRecorder()
    hosts = [f"host{number:02}.example" for number in range(MOST_HOSTS + 10)]
    for number, host in enumerate(hosts):
        for _ in range(number + 1):
            recorder.registry(host, "200")

    found = recorder.requests().registries

    assert set(found) == {*hosts[10:], OTHER}
    assert found[OTHER] == {"200": sum(range(1, 11))}


def test_a_repo_that_invents_hosts_fills_nothing() -> None:
    recorder = RequestRecorder()
    many = 3 * MOST_COUNTED
    for number in range(many):
        recorder.registry(f"host{number}.example", "dns")
        recorder.left(f"host{number}.example", "pulls", 1)

    found = recorder.requests()

    assert len(found.registries) == MOST_HOSTS + 1
    assert sum(codes["dns"] for codes in found.registries.values()) == many
    assert len(found.left) == MOST_HOSTS


def test_what_everybody_uses_is_counted_after_all_those() -> None:
    recorder = RequestRecorder()
    for number in range(3 * MOST_COUNTED):
        recorder.registry(f"host{number}.example", "dns")

    recorder.registry("docker.io", "200")
    recorder.registry("docker.io", "200")

    assert recorder.requests().registries["docker.io"] == {"200": 2}


def test_many_threads_may_tell_it() -> None:
    recorder = RequestRecorder()

    def tell() -> None:
        for _ in range(500):
            recorder.registry("ghcr.io", "200")

    threads = [Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert recorder.requests().registries == {"ghcr.io": {"200": 2000}}


def test_each_who_listens_is_told() -> None:
    first: list[str] = []
    second: list[str] = []

    each(first.append, None, second.append)("x")

    assert first == second == ["x"]


def test_nobody_need_listen() -> None:
    tell: Callable[[str], None] = each(None)

    tell("x")

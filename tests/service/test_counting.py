"""Counts by host: all of them, from any thread, and never without end."""

from __future__ import annotations

import threading

import pytest

from digestbot.service.counting import MOST_HOSTS, OTHER, Answers, HostNames, Remaining


def test_answers_are_counted_by_host_and_code() -> None:
    answers = Answers()

    for host, code in [("ghcr.io", "200"), ("ghcr.io", "200"), ("ghcr.io", "timeout")]:
        answers(host, code)

    assert answers.counts() == {("ghcr.io", "200"): 2, ("ghcr.io", "timeout"): 1}


def test_what_was_given_away_is_not_changed_any_more() -> None:
    answers = Answers()
    answers("ghcr.io", "200")
    before = answers.counts()

    answers("ghcr.io", "200")

    assert before == {("ghcr.io", "200"): 1}


@pytest.mark.parametrize(
    "code, counted",
    [
        ("200", "200"),
        ("429", "429"),
        ("299", "2xx"),
        ("799", "7xx"),
        ("unavailable", "unavailable"),
    ],
)
def test_a_status_that_nobody_knows_is_counted_by_its_class(code: str, counted: str) -> None:
    answers = Answers()

    answers("ghcr.io", code)

    assert answers.counts() == {("ghcr.io", counted): 1}


def test_no_file_crowds_out_the_registries_of_everybody() -> None:
    names = HostNames(["harbor.example.com"])

    for number in range(MOST_HOSTS + 1):
        names.name(f"r{number}.evil.example")

    found = {names.name(host) for host in ("docker.io", "ghcr.io", "harbor.example.com")}
    assert found == {"docker.io", "ghcr.io", "harbor.example.com"}
    assert names.name("r9999.evil.example") == OTHER


def test_a_name_as_long_as_a_page_is_no_series_of_its_own() -> None:
    assert HostNames().name("x." * 5000 + "example") == OTHER


def test_hosts_beyond_a_number_are_counted_together() -> None:
    answers = Answers()

    for number in range(10 * MOST_HOSTS):
        answers(f"r{number}.example.com", "200")

    counts = answers.counts()
    assert len(counts) == MOST_HOSTS + 1
    assert counts["other", "200"] == 9 * MOST_HOSTS
    assert counts["r0.example.com", "200"] == 1


def test_hosts_that_are_known_are_never_crowded_out() -> None:
    names = HostNames(known={"ghcr.io"}, most=1)

    assert [names.name(host) for host in ("a", "b", "ghcr.io", "a")] == [
        "a",
        "other",
        "ghcr.io",
        "a",
    ]


def test_no_answer_is_lost_between_threads() -> None:
    answers = Answers(HostNames(most=3))
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        for number in range(500):
            answers(f"host{number % 5}", "200")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(answers.counts().values()) == 4000
    assert len(answers.counts()) == 4


def test_what_is_left_is_what_was_said_last() -> None:
    remaining = Remaining()

    remaining("api.github.com", "rest", 4999)
    remaining("api.github.com", "graphql", 17)
    remaining("api.github.com", "rest", 4998)

    assert remaining.left() == {("api.github.com", "rest"): 4998, ("api.github.com", "graphql"): 17}


def test_what_is_left_of_hosts_without_a_name_says_nothing() -> None:
    remaining = Remaining(HostNames(most=0))

    remaining("r1.example.com", "pulls", 1)

    assert remaining.left() == {}

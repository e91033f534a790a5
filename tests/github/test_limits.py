from __future__ import annotations

import threading

import pytest

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer

ISSUE = {"title": "x"}


def write(ask: Asking) -> int:
    return ask("POST", "/repos/acme/app/issues/1/labels", {"labels": ["a"]}).status_code


@pytest.fixture(autouse=True)
def issue(github: GitHubServer) -> None:
    github.life.open_issue(github.repo("acme/app"), github.user("ann"), "x", None)


def test_the_hour_is_counted_in_headers(github: GitHubServer, ask: Asking) -> None:
    github.limits.primary = 2

    first, second, third = (ask("GET", "/repos/acme/app") for _ in range(3))

    assert first.headers["X-RateLimit-Limit"] == "2"
    assert [one.headers["X-RateLimit-Remaining"] for one in (first, second)] == ["1", "0"]
    assert third.status_code == 403
    assert third.json()["message"].startswith("API rate limit exceeded")
    assert third.headers["X-RateLimit-Remaining"] == "0"


def test_after_the_hour_all_is_well_again(github: GitHubServer, ask: Asking) -> None:
    github.limits.primary = 1
    refused = [ask("GET", "/user") for _ in range(2)][1]

    wait = int(refused.headers["X-RateLimit-Reset"]) - github.clock.now()
    github.clock.advance(wait)

    assert ask("GET", "/user").status_code == 200


def test_graphql_says_so_with_200(github: GitHubServer, ask: Asking) -> None:
    github.limits.graphql_primary = 1
    answers = [ask.graphql("{ viewer { login } }") for _ in range(2)]

    assert "errors" not in answers[0]
    assert answers[1]["errors"][0]["type"] == "RATE_LIMITED"


def test_eighty_writes_a_minute(github: GitHubServer, ask: Asking) -> None:
    codes = [write(ask) for _ in range(81)]
    refused = ask("POST", "/repos/acme/app/issues", ISSUE)
    read = ask("GET", "/repos/acme/app")
    github.clock.advance(int(refused.headers["Retry-After"]))

    assert codes == [200] * 80 + [403]
    assert "secondary rate limit" in refused.json()["message"]
    assert read.status_code == 200
    assert write(ask) == 200


def test_a_limit_may_be_429(github: GitHubServer, ask: Asking) -> None:
    github.limits.status, github.limits.primary = 429, 1

    codes = [ask("GET", "/user").status_code for _ in range(2)]

    assert codes == [200, 429]


def test_five_hundred_writes_an_hour(github: GitHubServer, ask: Asking) -> None:
    codes = []
    for _ in range(10):
        codes += [write(ask) for _ in range(50)]
        github.clock.advance(61)

    assert codes == [200] * 500
    assert write(ask) == 403


def test_nine_hundred_points_a_minute(github: GitHubServer, ask: Asking) -> None:
    github.limits.points_per_minute = 12

    codes = [write(ask), write(ask)] + [ask("GET", "/user").status_code for _ in range(3)]

    assert codes == [200, 200, 200, 200, 403]


def test_a_hundred_at_the_same_time(github: GitHubServer) -> None:
    github.limits.concurrent = 2
    ready, token = threading.Barrier(3), github.token()
    github.faults.add(lambda: None)
    codes: list[int] = []

    def wait_inside(_write: object) -> None:
        ready.wait(timeout=20)

    def run() -> None:
        with asking(github, token) as ask:
            codes.append(write(ask))

    github.on_write = wait_inside
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    while github.limits.most_under_way < 2:
        threading.Event().wait(0.01)
    with asking(github, token) as ask:
        refused = ask("GET", "/user")
    for _ in range(2):
        ready.wait(timeout=20)
    for thread in threads:
        thread.join()

    assert refused.status_code == 403
    assert codes == [200, 200]


def test_tokens_of_one_account_share_and_others_do_not(github: GitHubServer) -> None:
    github.limits.primary = 1

    codes = []
    for token in (github.token("a"), github.token("a"), github.token("b")):
        with asking(github, token) as ask:
            codes.append(ask("GET", "/user").status_code)

    assert codes == [200, 403, 200]


def test_an_enterprise_server_has_no_limits(github: GitHubServer, ask: Asking) -> None:
    github.limits.is_enforced = False

    codes = {write(ask) for _ in range(100)}

    assert codes == {200}
    assert ask("GET", "/rate_limit").json()["message"] == "Rate limiting is not enabled."
    assert "X-RateLimit-Limit" not in ask("GET", "/user").headers


def test_sleeping_on_its_clock_takes_no_time(github: GitHubServer) -> None:
    clock = github.clock.as_clock()
    before = clock.wall()

    clock.sleep(3600)

    assert clock.wall() == before + 3600 == github.clock.now()

"""What goes wrong is told to programs as the contract says, and to people as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from digestbot.store.errors import StoreError
from digestbot.web.answers import Fault
from digestbot.web.routes import Dashboard
from digestbot.web.throttle import MOST_EACH
from tests.service.state import state
from tests.web.asking import TOKENS
from tests.web.fleets import service_on
from tests.web.visits import bearer

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
SAME_SITE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
READER, OPERATOR = bearer(TOKENS["reader"]), bearer(TOKENS["operator"])
WRONG = bearer("wrong")


@dataclass(frozen=True)
class Asked:
    """What goes wrong when it is asked for."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: OPERATOR)
    data: Mapping[str, str] | None = None
    files: Mapping[str, bytes] | None = None

    def of(self, client: TestClient) -> Any:
        return client.request(
            self.method, self.path, headers=self.headers, data=self.data, files=self.files
        )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with (
        state(tmp_path) as database,
        TestClient(
            service_on(database), follow_redirects=False, raise_server_exceptions=False
        ) as client,
    ):
        yield client


def expect_fault(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    told = answer.json()
    assert set(told) == {"schema", "version", "error"}
    assert told["schema"] == "digestbot/dashboard/v1"
    fault = TypeAdapter(Fault).validate_python(told["error"])
    assert fault.code == code
    assert fault.message
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "asked, status, code",
    [
        pytest.param(Asked("/repos?page=x"), 400, "asked-wrong", id="asked wrong"),
        pytest.param(Asked("/repos", headers=WRONG), 401, "sign-in", id="wrong token"),
        pytest.param(Asked("/login", "PUT", WRONG), 405, "method", id="wrong token, to sign in"),
        pytest.param(Asked("/actions/scan", "POST", WRONG), 401, "sign-in", id="wrong token, acts"),
        pytest.param(Asked("/exports/repos.csv", headers=WRONG), 401, "sign-in", id="export"),
        pytest.param(Asked("/repos.json", headers=BROWSER), 401, "sign-in", id="twin for nobody"),
        pytest.param(Asked("/actions/scan", "POST", READER), 403, "forbidden", id="reader acts"),
        pytest.param(Asked("/nothing"), 404, "not-found", id="no such page"),
        pytest.param(Asked("/nothing.json"), 404, "not-found", id="no such twin"),
        pytest.param(Asked("/static/nothing.css"), 404, "not-found", id="no such file"),
        pytest.param(Asked("/repos/99"), 404, "not-found", id="no such repo"),
        pytest.param(
            Asked("/actions/retry", "POST", data={"repo": "acme/no"}), 404, "unknown-repo", id="act"
        ),
        pytest.param(Asked("/repos", "DELETE"), 405, "method", id="not so"),
        pytest.param(Asked("/actions/scan"), 405, "method", id="looks at an action"),
        pytest.param(
            Asked("/actions/scan", "POST", data={"reason": "x" * 20_000}), 413, "refused", id="size"
        ),
        pytest.param(Asked("/actions/scan", "POST", files={"a": b"b"}), 415, "refused", id="kind"),
        pytest.param(
            Asked("/login", "POST", OPERATOR | SAME_SITE, data={"token": "x"}),
            403,
            "sign-in",
            id="signs in in vain",
        ),
    ],
)
def test_programs_hear_faults_of_the_contract(
    client: TestClient, asked: Asked, status: int, code: str
) -> None:
    expect_fault(asked.of(client), status, code)


def test_programs_that_guess_hear_one_too(client: TestClient) -> None:
    for _ in range(MOST_EACH):
        client.get("/repos", headers=WRONG)

    expect_fault(client.get("/repos", headers=WRONG), 429, "too-many-tries")


def of_state(*_: object) -> NoReturn:
    raise StoreError("the state does not answer")


def of_ours(*_: object) -> NoReturn:
    raise RuntimeError("canary")


@pytest.mark.parametrize(
    "fails, status, code",
    [
        pytest.param(of_state, 503, "state-unreachable", id="state"),
        pytest.param(of_ours, 500, "internal", id="ours"),
    ],
)
def test_what_the_service_cannot_do_is_a_fault_and_a_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, fails: Any, status: int, code: str
) -> None:
    client.post("/login", data={"token": TOKENS["reader"]}, headers=SAME_SITE)
    monkeypatch.setattr(Dashboard, "look", fails)

    program = client.get("/repos", headers=READER)
    twin = client.get("/repos.json", headers=BROWSER)
    page = client.get("/repos", headers=BROWSER)

    expect_fault(program, status, code)
    expect_fault(twin, status, code)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "To the overview" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "canary" not in program.text + twin.text + page.text


@pytest.mark.parametrize(
    "path, status",
    [
        pytest.param("/repos?page=x", 400, id="asked wrong"),
        pytest.param("/nothing", 404, id="no such page"),
        pytest.param("/actions/scan", 405, id="looks at an action"),
    ],
)
def test_people_hear_pages(client: TestClient, path: str, status: int) -> None:
    client.post("/login", data={"token": TOKENS["reader"]}, headers=SAME_SITE)

    page = client.get(path, headers=BROWSER)

    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "To the overview" in page.text


def test_people_who_are_not_signed_in_are_led_there(client: TestClient) -> None:
    answer = client.get("/repos", headers=BROWSER)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/repos")

"""Forms that ask for something: who may, what they may say, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from httpx2 import Response
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from digestbot.image import ImageTag
from digestbot.rollout.machine import BY_PEOPLE, Verb
from digestbot.service.asking import (
    AskRefusedError,
    Ignore,
    Propose,
    Refusal,
    Retry,
    Scan,
    Taken,
    Unignore,
)
from digestbot.service.rollouts.asking import AnyAsk, TellRollout
from digestbot.web.access import NOBODY, Role, Visitor
from digestbot.web.actions import SAID, action_routes

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PYTHON = ImageTag("docker.io", "library/python", "3")
ANN = Visitor("ann", Role.OPERATOR, "session")
JSON = {"accept": "application/json"}


@dataclass
class Desk:
    """Who asks, what was asked, and why it is refused."""

    who: Visitor = ANN
    refusal: Refusal | None = None
    asked: list[AnyAsk] = field(default_factory=list)

    def visitor(self, _request: Request) -> Visitor:
        return self.who

    def check_csrf(self, _visitor: Visitor, given: str) -> bool:
        return given == "meant"

    def take(self, ask: AnyAsk, who: str, how: str = "") -> Taken:
        if self.refusal is not None:
            raise AskRefusedError(self.refusal)
        self.asked.append(ask)
        return Taken(ask.what, ask.subject, who, NOON)

    def post(self, name: str, headers: dict[str, str] | None = None, **form: str) -> Response:
        app = Starlette(routes=action_routes(self, self))
        with TestClient(app, follow_redirects=False) as client:
            data = {"csrf": "meant", **form}
            return client.post(f"/actions/{name}", data=data, headers=headers)


@pytest.mark.parametrize(
    "name, form, ask",
    [
        pytest.param("scan", {}, Scan(), id="everything"),
        pytest.param("scan", {"image": "python:3"}, Scan(PYTHON), id="image"),
        pytest.param("scan", {"repo": "acme/app"}, Scan(repo="acme/app"), id="repo"),
        pytest.param("retry", {"image": str(PYTHON)}, Retry(PYTHON), id="retry"),
        pytest.param("propose", {"repo": "acme/app"}, Propose("acme/app"), id="propose"),
        pytest.param(
            "ignore",
            {"image": str(PYTHON), "until": "2026-12-01", "reason": " loud "},
            Ignore(PYTHON, date(2026, 12, 1), "loud"),
            id="ignore",
        ),
        pytest.param("unignore", {"ignore": "7"}, Unignore(7), id="unignore"),
        pytest.param(
            "rollout",
            {"rollout": "abc", "verb": "skip", "repo": "acme/app", "reason": " it\r\n is  old "},
            TellRollout("abc", Verb.SKIP, "acme/app", "it is old"),
            id="rollout",
        ),
        pytest.param(
            "rollout",
            {"rollout": "abc", "verb": "approve", "wave": "2"},
            TellRollout("abc", Verb.APPROVE, wave=2),
            id="a wave",
        ),
        pytest.param(
            "rollout",
            {"rollout": "abc", "verb": "rollback", "reason": "bad", "without_check": "true"},
            TellRollout("abc", Verb.ROLLBACK, reason="bad", without_check=True),
            id="without a check",
        ),
        *(
            pytest.param(
                "rollout", {"rollout": "abc", "verb": verb}, TellRollout("abc", verb), id=verb
            )
            for verb in BY_PEOPLE
        ),
    ],
)
def test_a_form_says_what_is_asked(name: str, form: dict[str, str], ask: AnyAsk) -> None:
    desk = Desk()

    answer = desk.post(name, None, **form)

    assert desk.asked == [ask]
    assert answer.status_code == 303
    assert answer.headers["location"].removeprefix("/?said=") in SAID


@pytest.mark.parametrize(
    "name, form, code",
    [
        ("propose", {}, "bad-name"),
        ("rollout", {"rollout": "abc", "verb": "approve", "wave": "-1"}, "bad-name"),
        ("rollout", {"rollout": "abc", "verb": "approve", "wave": "1e9"}, "bad-name"),
        ("retry", {}, "bad-name"),
        ("scan", {"image": "python:3", "repo": "acme/app"}, "bad-name"),
        ("scan", {"image": "python"}, "bad-name"),
        ("scan", {"image": "python:3@sha256:" + "a" * 64}, "bad-name"),
        ("scan", {"repo": "a\nb"}, "bad-name"),
        ("ignore", {"image": "python:3", "until": "2026-W50-1"}, "bad-day"),
        ("unignore", {"ignore": "9" * 30}, "unknown-ignore"),
        ("rollout", {"rollout": "abc"}, "bad-name"),
        ("rollout", {"rollout": "abc", "verb": "halt"}, "bad-name"),
        ("rollout", {"rollout": "abc", "verb": "advance"}, "bad-name"),
        ("rollout", {"rollout": "a\nb", "verb": "pause"}, "bad-name"),
        ("rollout", {"rollout": "abc", "verb": "rollback", "without_check": "1"}, "bad-name"),
    ],
)
def test_what_cannot_be_meant_is_said(name: str, form: dict[str, str], code: str) -> None:
    desk = Desk()

    answer = desk.post(name, None, **form)

    assert answer.headers["location"] == f"/?said={code}"
    assert desk.asked == []
    assert code in SAID


@pytest.mark.parametrize(
    "there, back",
    [
        ("/repos?q=a&said=ignored", "/repos?q=a&said=scan-asked"),
        ("//evil.example", "/?said=scan-asked"),
        ("https://evil.example", "/?said=scan-asked"),
    ],
)
def test_one_comes_back_to_a_page_of_the_dashboard_alone(there: str, back: str) -> None:
    assert Desk().post("scan", next=there).headers["location"] == back


@pytest.mark.parametrize(
    "who, csrf, status",
    [
        (NOBODY, "meant", 401),
        (Visitor("bob", Role.READER, "session"), "meant", 403),
        (ANN, "guessed", 403),
    ],
)
def test_who_may_not_ask_is_turned_away(who: Visitor, csrf: str, status: int) -> None:
    desk = Desk(who)

    assert desk.post("scan", csrf=csrf).status_code == status
    assert desk.asked == []


def test_a_program_is_told_what_was_asked() -> None:
    answer = Desk(Visitor("bot", Role.OPERATOR, "token")).post("scan", repo="acme/app")

    assert answer.status_code == 202
    told = answer.json()
    assert told["schema"] == "digestbot/dashboard/v1"
    assert told["asked"] == {
        "what": "scan",
        "on": "acme/app",
        "who": "bot",
        "at": "2026-11-21T12:00:00Z",
    }


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_program_is_told_why_not(refusal: Refusal) -> None:
    answer = Desk(refusal=refusal).post("scan", JSON)

    assert answer.status_code in {400, 404, 409, 429}
    assert answer.json()["error"]["code"] == refusal.value
    assert answer.json()["error"]["message"] == SAID[refusal]


LOST = Refusal.NOT_PULLABLE
BACK = {"rollout": "abc", "verb": "rollback", "reason": " a\r\n & b "}


def test_what_cannot_be_pulled_is_shown_where_it_can_be_said_all_the_same() -> None:
    answer = Desk(refusal=LOST).post("rollout", None, next="/rollouts/abc", **BACK)

    assert answer.status_code == 303
    page = "/rollouts/abc/rollback?reason=a+%26+b&said=not-pullable"
    assert answer.headers["location"] == page


def test_a_program_is_told_where_it_is_said_what_cannot_be_pulled() -> None:
    answer = Desk(refusal=LOST).post("rollout", JSON, **BACK)

    assert answer.status_code == 409
    hint = "/rollouts/abc/rollback.json says which; without_check=true goes back all the same"
    assert answer.json()["error"]["hint"] == hint


def test_nothing_is_asked_by_looking() -> None:
    desk = Desk()
    with TestClient(Starlette(routes=action_routes(desk, desk))) as client:
        assert client.get("/actions/scan").status_code == 405
        assert client.post("/actions/scan", files={"a": b"b"}).status_code == 415
        assert client.post("/actions/scan", data={"reason": "x" * 20_000}).status_code == 413

    assert desk.asked == []

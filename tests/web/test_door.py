"""Who knocks at the door of the whole dashboard with a token that is nobody's."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from digestbot.config.load import LoadedSettings
from digestbot.config.models import Settings
from digestbot.service.endpoint import make_app
from digestbot.store.database import Database
from digestbot.web.access import access_of
from digestbot.web.routes import Dashboard, dashboard_routes
from digestbot.web.throttle import MOST_EACH, MOST_OVERALL, WINDOW_S
from tests.service.state import NOW, state
from tests.web.visits import (
    ANN_TOKEN,
    ENVIRON,
    OWN,
    PROXY_ADDRESS,
    STRANGER,
    USERS,
    Answer,
    Ask,
    Time,
    bearer,
)

CONFIG = {
    "users": USERS,
    "proxy": {"addresses": ["10.0.0.0/8"]},
    "public_badges": ["acme/*"],
}


@dataclass
class Site:
    """The whole dashboard on an empty state."""

    database: Database
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        loaded = LoadedSettings(Settings.model_validate({"dashboard": CONFIG}))
        access = access_of(loaded.settings.dashboard, ENVIRON, "0.0.0.0", self.time.clock)
        dashboard = Dashboard(self.database, loaded, access, lambda: (), NOW, clock=self.time.clock)
        routes = dashboard_routes(dashboard)
        self.app = make_app(lambda: (), lambda _accept: (b"", "text/plain"), routes)

    def ask(
        self,
        token: str,
        path: str = "/about.json",
        client: str = STRANGER,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return Ask(path, headers=bearer(token) | dict(headers or {}), client=client).sent_to(
            self.app
        )

    def guess(self, times: int = 1, client: str = STRANGER, path: str = "/about.json") -> list[int]:
        return [self.ask(f"wrong-{one}", path, client).status for one in range(times)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with state(tmp_path) as database:
        yield Site(database)


def test_who_sends_wrong_tokens_too_often_waits(site: Site) -> None:
    statuses = site.guess(MOST_EACH + 1)
    late = site.ask("wrong")

    assert statuses == [401] * MOST_EACH + [429]
    assert (late.status, late.headers["retry-after"]) == (429, "60")
    assert "www-authenticate" not in late.headers


def test_the_right_token_passes_from_wherever_others_guess(site: Site) -> None:
    site.guess(3 * MOST_EACH)

    assert site.ask(ANN_TOKEN).status == 200
    assert site.ask("wrong").status == 429


def test_the_right_token_passes_however_many_guess(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digestbot.web.throttle.MOST_OVERALL", 20)
    for number in range(30):
        site.guess(client=f"198.51.100.{number}")

    assert site.guess(client="203.0.113.1") == [429]
    assert site.ask(ANN_TOKEN, client="203.0.113.1").status == 200
    assert MOST_OVERALL > 20


def test_after_a_minute_they_may_try_again(site: Site) -> None:
    site.guess(MOST_EACH + 1)

    site.time.now += WINDOW_S

    assert site.guess(MOST_EACH + 1) == [401] * MOST_EACH + [429]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/login", id="page to sign in"),
        pytest.param("/static/app.css", id="style"),
        pytest.param("/badges/fleet.svg", id="public badge"),
        pytest.param("/nothing", id="nothing"),
    ],
)
def test_no_path_lets_them_guess_on(site: Site, path: str) -> None:
    site.guess(MOST_EACH, path=path)

    assert site.guess(path="/about.json") == [429]
    assert site.guess(path=path) == [429]


def test_who_comes_without_a_token_is_answered_as_ever(site: Site) -> None:
    site.guess(3 * MOST_EACH)

    answers = [Ask(path).sent_to(site.app).status for path in ("/login", "/about", "/about.json")]

    assert answers == [200, 303, 401]


def test_wrong_tokens_of_a_program_keep_nobody_from_signing_in(site: Site) -> None:
    site.guess(3 * MOST_EACH)

    signed_in = Ask("/login", "POST", OWN, form={"token": ANN_TOKEN}).sent_to(site.app)

    assert signed_in.status == 303


def test_an_ipv6_network_is_one_who_guesses(site: Site) -> None:
    for number in range(MOST_EACH):
        site.guess(client=f"2001:db8::{number:x}")

    assert site.guess(client="2001:db8::ffff") == [429]
    assert site.guess(client="2001:db8:0:1::1") == [401]


def test_behind_a_proxy_each_client_is_its_own(site: Site) -> None:
    def by_proxy(whom: str) -> int:
        told = {"X-Forwarded-For": whom}
        return site.ask("wrong", client=PROXY_ADDRESS, headers=told).status

    of_one = [by_proxy(f"{number}.9.9.9, 203.0.113.1") for number in range(MOST_EACH + 1)]

    assert of_one[-1] == 429
    assert by_proxy("203.0.113.2") == 401


def test_the_log_says_from_where_and_does_not_fill(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    site.guess(3 * MOST_EACH)

    told = [one.msg for one in caplog.records if one.name.startswith("digestbot.web")]
    assert told == [{"event": "bearer.refused", "address": STRANGER}] * MOST_EACH

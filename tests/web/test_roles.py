"""Every route of the service, asked by everybody in every way: who sees what, and who may act.

The routes come from the application itself. One that `RULES` does not know fails the tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.routing import BaseRoute, Mount, Route

from digestbot.cli import dashboard
from digestbot.cli.serving import Serving
from digestbot.config.load import load_settings
from digestbot.service.endpoint import make_app
from digestbot.service.figures import read_figures
from digestbot.service.hooks.debounce import Debounce
from digestbot.service.hooks.opening import hook_routes
from digestbot.service.metrics import Metrics
from digestbot.store import acts
from digestbot.store.database import Database
from digestbot.web.pages import PAGES
from tests.service.state import NOW, state
from tests.web.asking import STILL
from tests.web.fleets import Jobs, small
from tests.web.places import paths_on
from tests.web.visits import (
    ANN_TOKEN,
    BOB_TOKEN,
    HOST,
    PROXY,
    PROXY_ADDRESS,
    STRANGER,
    Answer,
    Ask,
    bearer,
)


class Rule(Enum):
    """Who may ask, and what for."""

    OPEN = "whoever asks is answered"
    SECRET = "whoever posts with its secret"
    DOOR = "whoever comes, to sign in, and whoever leaves"
    LOOK = "whoever may look may look"
    ACT = "whoever may act may post"


RULES = {
    "/healthz": Rule.OPEN,
    "/readyz": Rule.OPEN,
    "/metrics": Rule.OPEN,
    "/hooks/{name}": Rule.SECRET,
    "/hooks/{name}/{secret:path}": Rule.SECRET,
    "/static": Rule.OPEN,
    "/login": Rule.DOOR,
    "/logout": Rule.DOOR,
    "/": Rule.LOOK,
    "/overview.json": Rule.LOOK,
    "/images": Rule.LOOK,
    "/images.json": Rule.LOOK,
    "/images/{id:int}": Rule.LOOK,
    "/images/{id:int}.json": Rule.LOOK,
    "/repos": Rule.LOOK,
    "/repos.json": Rule.LOOK,
    "/repos/{id:int}": Rule.LOOK,
    "/repos/{id:int}.json": Rule.LOOK,
    "/runs": Rule.LOOK,
    "/runs.json": Rule.LOOK,
    "/runs/{id}": Rule.LOOK,
    "/runs/{id}.json": Rule.LOOK,
    "/rollouts": Rule.LOOK,
    "/rollouts.json": Rule.LOOK,
    "/rollouts/{id}": Rule.LOOK,
    "/rollouts/{id}.json": Rule.LOOK,
    "/rollouts/{id}/{verb}": Rule.LOOK,
    "/rollouts/{id}/{verb}.json": Rule.LOOK,
    "/settings": Rule.LOOK,
    "/settings.json": Rule.LOOK,
    "/about": Rule.LOOK,
    "/about.json": Rule.LOOK,
    "/openapi.json": Rule.LOOK,
    "/badges/fleet.svg": Rule.LOOK,
    "/badges/repos/{name:path}.svg": Rule.LOOK,
    "/exports/images.csv": Rule.LOOK,
    "/exports/repos.csv": Rule.LOOK,
    "/exports/findings.csv": Rule.LOOK,
    "/exports/proposals.csv": Rule.LOOK,
    "/exports/runs.csv": Rule.LOOK,
    "/actions/scan": Rule.ACT,
    "/actions/propose": Rule.ACT,
    "/actions/ignore": Rule.ACT,
    "/actions/unignore": Rule.ACT,
    "/actions/retry": Rule.ACT,
    "/actions/rollout": Rule.ACT,
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "FOO")
SAFE = ("GET", "HEAD")
FORM = {
    "image": "docker.io/library/nginx:1.27",
    "until": "2026-12-01",
    "reason": "later",
    "ignore": "1",
}
"""What is enough for each action; what one does not need it disregards."""
ONE_NAME = {"/actions/propose": {"repo": "acme/shop"}}

CANARY = "canary-" + "c" * 20
SECRETS = {
    name: f"{CANARY}-{name.lower()}"
    for name in ("HARBOR_PASSWORD", "NOTIFY_TOKEN", "HOOK_SECRET", "GITHUB_TOKEN", "AWS_SECRET_KEY")
}
FILE = """\
targets: [github:acme]
state: {folder: state}
registries:
  harbor.corp: {username: robot, password_env: HARBOR_PASSWORD}
  quay.corp: {username: robot, password_file: kept}
notify:
  - {name: chat, kind: webhook, url: "https://chat.corp/CANARY?key=CANARY", token_env: NOTIFY_TOKEN}
hooks:
  - {name: harbor, kind: harbor, registry: harbor.corp, secret_env: HOOK_SECRET}
service: {listen: "HOST:8080"}
dashboard:
"""
USERS = """\
  users:
    - {name: ann, role: operator, token_env: ANN}
    - {name: bob, token_file: bob}
"""


@dataclass(frozen=True)
class Who:
    """Somebody, and how it is known who they are."""

    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = STRANGER
    host: str = HOST

    def ask(self, service: Service, path: str, method: str = "GET", **more: Any) -> Answer:
        """The answer to a request of theirs; browsers say what they ask for out of the site."""
        own = {"Origin": f"http://{self.host}"} if method not in SAFE else {}
        headers = own | dict(self.headers) | dict(more.pop("headers", {}))
        ask = Ask(path, method, headers, client=self.client, host=self.host, **more)
        return ask.sent_to(service.app)


@dataclass
class Service:
    """The whole service, as `digestbot serve` puts it together."""

    app: Any
    database: Database
    jobs: Jobs

    @cached_property
    def routes(self) -> dict[str, BaseRoute]:
        """All of them, by path; what stands behind the dashboard's door, too."""
        return dict(_routes_in(self.app.routes))

    @cached_property
    def addresses(self) -> dict[str, str]:
        """For each route an address at which something is there."""
        known = {
            PAGES[name].path: path
            for name, path in paths_on(self.database).items()
            if name in PAGES
        }
        known |= {
            PAGES[name].twin: f"{known[page.path]}.json"
            for name, page in PAGES.items()
            if "{" in page.path and page.path in known
        }
        known |= {
            "/badges/repos/{name:path}.svg": "/badges/repos/acme/shop.svg",
            "/hooks/{name}": "/hooks/harbor",
            "/hooks/{name}/{secret:path}": f"/hooks/harbor/{CANARY}-wrong",
            "/static": "/static/app.css",
        }
        return {path: known.get(path, path) for path in self.routes}

    def ruled(self, *rules: Rule) -> list[str]:
        """The paths of the routes of these rules."""
        return [path for path in self.routes if RULES[path] in rules]

    def sign_in(self, token: str) -> Who:
        """Somebody who typed their token, and has a cookie since."""
        answer = Who().ask(self, "/login", "POST", form={"token": token})
        return Who({"Cookie": answer.cookie})

    def csrf(self, who: Who) -> str:
        """What the forms say that are shown to somebody."""
        address = self.addresses["/repos/{id:int}"]
        found = re.search(r'name="csrf" value="(\w+)"', who.ask(self, address).body.decode())
        return found[1] if found else ""

    def form(self, path: str) -> dict[str, str]:
        """What is enough for an action."""
        if path == "/actions/rollout":
            name = self.addresses["/rollouts/{id}"].rpartition("/")[2]
            return {"rollout": name, "verb": "promote"}
        return ONE_NAME.get(path, FORM)

    @property
    def acts(self) -> list[tuple[str, str, str, str]]:
        with self.database.reading() as connection:
            rows = acts.newest(connection)
        return [(row.who, row.how, row.what, row.result) for row in rows]


def _routes_in(routes: list[BaseRoute]) -> Iterator[tuple[str, BaseRoute]]:
    for one in routes:
        inner = one.app.routes if isinstance(one, Mount) and hasattr(one.app, "routes") else None
        if inner is not None:
            assert isinstance(one, Mount)
            assert one.path == ""
            yield from _routes_in(inner)
        else:
            assert isinstance(one, Route | Mount)
            yield one.path, one


def _open(folder: Path, config: str, host: str = "0.0.0.0") -> Iterator[Service]:
    file = folder / "digestbot.yaml"
    file.write_text(FILE.replace("CANARY", CANARY).replace("HOST", host) + config)
    (folder / "bob").write_text(BOB_TOKEN)
    (folder / "kept").write_text(f"{CANARY}-kept")
    environ = SECRETS | {"ANN": ANN_TOKEN}
    with state(folder / "state") as database, pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        small(database)
        loaded, jobs = load_settings(file, {}), Jobs()
        metrics = Metrics(lambda: read_figures(database), STILL)
        served = SimpleNamespace(
            settings=loaded.settings,
            loaded=loaded,
            database=database,
            brief_resolver=None,  # nobody has a rollout go back here
            clock=STILL,
        )
        hooks = hook_routes(loaded.settings, environ, Debounce(STILL), jobs, metrics, STILL)
        pages = dashboard.routes_of(cast("Serving", served), environ, host, lambda: (), NOW, jobs)
        app = make_app(lambda: (), metrics.exposition, [*hooks, *pages])
        yield Service(app, database, jobs)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    proxy = f"  proxy: {json.dumps(PROXY)}\n"
    yield from _open(tmp_path_factory.mktemp("service"), USERS + proxy)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Nothing is configured, and it is listened on this machine alone."""
    yield from _open(tmp_path_factory.mktemp("near"), "  enabled: true\n", "127.0.0.1")


def readers(service: Service) -> dict[str, Who]:
    return {
        "session": service.sign_in(BOB_TOKEN),
        "bearer": Who(bearer(BOB_TOKEN)),
        "proxy": Who({"X-Forwarded-User": "bob"}, PROXY_ADDRESS),
    }


def operators(service: Service) -> dict[str, Who]:
    return {
        "session": service.sign_in(ANN_TOKEN),
        "bearer": Who(bearer(ANN_TOKEN)),
        "proxy": Who({"X-Forwarded-User": "ann"}, PROXY_ADDRESS),
    }


def nobodies(service: Service) -> dict[str, Who]:
    stale = service.sign_in(ANN_TOKEN).headers["Cookie"]
    return {
        "nothing": Who(),
        "wrong token": Who(bearer("wrong-" + "w" * 30)),
        "name of a token": Who(bearer("ann")),
        "header of no proxy": Who({"X-Forwarded-User": "ann"}),
        "unknown to the proxy": Who({"X-Forwarded-User": "eve"}, PROXY_ADDRESS),
        "no name from the proxy": Who(client=PROXY_ADDRESS),
        "cookie of another": Who({"Cookie": stale.replace("ann", "bob")}),
        "on this machine": Who(client="127.0.0.1", host="localhost"),
    }


def test_every_route_has_a_rule(service: Service, near: Service) -> None:
    assert set(service.routes) - set(RULES) == set()
    assert set(near.routes) == set(service.routes)
    assert len(service.routes) > 30


@pytest.mark.parametrize("method", METHODS)
def test_nobody_sees_or_does_anything(service: Service, method: str) -> None:
    before = service.acts

    for how, who in nobodies(service).items():
        for path in service.ruled(Rule.LOOK, Rule.ACT):
            form = {**FORM, "csrf": ""} if method == "POST" else None
            answer = who.ask(service, service.addresses[path], method, form=form)
            case = (how, method, path, answer.status)
            if method in SAFE and answer.status == 303:
                assert answer.headers["location"].startswith("/login"), case
                assert answer.body == b"", case
            else:
                assert answer.status in _turned_away(who), case
                assert {"www-authenticate", "retry-after"} & {*answer.headers}, case
            assert b"acme" not in answer.body, case
            assert b"nginx" not in answer.body, case

    assert service.acts == before
    assert service.jobs.submitted == []


@pytest.mark.parametrize("method", METHODS)
def test_a_reader_looks_at_everything_and_changes_nothing(service: Service, method: str) -> None:
    for how, who in readers(service).items():
        for path in service.ruled(Rule.LOOK, Rule.ACT):
            form = {**FORM, "csrf": service.csrf(who)} if method == "POST" else None
            answer = who.ask(service, service.addresses[path], method, form=form)
            case = (how, method, path, answer.status)
            if method not in SAFE:
                assert answer.status == 403, case
            else:
                assert answer.status == (405 if RULES[path] is Rule.ACT else 200), case

    assert service.jobs.submitted == []


@pytest.mark.parametrize("method", METHODS)
def test_whoever_is_on_this_machine_is_a_reader_where_nothing_is_configured(
    near: Service, method: str
) -> None:
    who = Who(client="127.0.0.1", host="localhost:8080")
    for path in near.ruled(Rule.LOOK, Rule.ACT):
        answer = who.ask(near, near.addresses[path], method)
        expected = 403 if method not in SAFE else 405 if RULES[path] is Rule.ACT else 200
        assert (method, path, answer.status) == (method, path, expected)
    for stranger in (Who(client="127.0.0.1"), Who(bearer(ANN_TOKEN), "127.0.0.1", "localhost")):
        for path in near.ruled(Rule.LOOK, Rule.ACT):
            answer = stranger.ask(near, near.addresses[path], method)
            assert answer.status in _turned_away(stranger), path

    assert near.jobs.submitted == []


def _turned_away(who: Who) -> set[int]:
    """What those hear who may not; with a wrong token they soon have to wait."""
    return {401, 429} if "Authorization" in who.headers else {401}


@pytest.mark.parametrize("method", [one for one in METHODS if one not in (*SAFE, "POST")])
def test_an_operator_does_nothing_by_another_method(service: Service, method: str) -> None:
    for who in operators(service).values():
        for path in service.ruled(Rule.LOOK, Rule.ACT):
            answer = who.ask(service, service.addresses[path], method)

            assert (path, answer.status) == (path, 405)
            assert set(answer.headers["allow"].split(", ")) <= {"GET", "HEAD", "POST"}
    assert service.jobs.submitted == []


@pytest.mark.parametrize("how", ["session", "bearer", "proxy"])
def test_an_operator_acts_by_posting_and_is_known_by_name(tmp_path: Path, how: str) -> None:
    for service in _open(tmp_path, USERS + f"  proxy: {json.dumps(PROXY)}\n"):
        who = operators(service)[how]
        # No other can say it.
        csrf = service.csrf(who) if how != "bearer" else ""
        for path in service.ruled(Rule.ACT):
            answer = who.ask(service, path, "POST", form=service.form(path) | {"csrf": csrf})
            code = answer.headers.get("location", "").partition("said=")[2]
            assert answer.status == (202 if how == "bearer" else 303), (path, answer.body)
            assert how == "bearer" or code in {
                "scan-asked",
                "propose-asked",
                "retry-asked",
                "ignored",
                "unignored",
                "rollout-promote",
            }, (path, code)

        expected = "token" if how == "bearer" else how
        assert {act[:2] for act in service.acts} == {("ann", expected)}
        assert {act[3] for act in service.acts} == {"asked"}
        assert len(service.acts) == len(service.ruled(Rule.ACT))
        assert service.jobs.submitted


@pytest.mark.parametrize("how", ["session", "proxy"])
def test_what_a_page_elsewhere_has_a_browser_post_is_refused(service: Service, how: str) -> None:
    who, other = operators(service)[how], readers(service)[how]
    csrf = service.csrf(who)
    tokens = {
        "missing": None,
        "empty": "",
        "of a reader": service.csrf(other),
        "of another session": service.csrf(service.sign_in(ANN_TOKEN)) + "0",
    }
    elsewhere = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ]
    assert csrf
    for path in service.ruled(Rule.ACT):
        form = service.form(path)
        for name, token in tokens.items():
            told = form if token is None else form | {"csrf": token}
            answer = who.ask(service, path, "POST", form=told)
            assert (path, name, answer.status) == (path, name, 403)
        for headers in elsewhere:
            answer = who.ask(service, path, "POST", form=form | {"csrf": csrf}, headers=headers)
            assert (path, headers, answer.status) == (path, headers, 403)
            assert "location" not in answer.headers
    assert service.acts == []
    assert service.jobs.submitted == []


def test_no_answer_of_any_route_has_a_secret(service: Service, near: Service) -> None:
    local = Who(client="127.0.0.1", host="localhost:8080")
    everybody = [
        *((service, who) for who in nobodies(service).values()),
        *((service, who) for who in readers(service).values()),
        *((service, who) for who in operators(service).values()),
        (near, local),
    ]
    cookies = [
        who.headers["Cookie"].partition("=")[2] for one, who in everybody if "Cookie" in who.headers
    ]
    secrets = [CANARY, ANN_TOKEN, BOB_TOKEN, *cookies]
    for asked, who in everybody:
        for path, address in asked.addresses.items():
            for query in ("", f"?q={CANARY[:6]}&written=true&said=ignored&next=/about"):
                for more in ({}, {"Accept": "application/json"}):
                    for method in ("GET", "POST"):
                        body = b"x" if method == "POST" else b""
                        answer = who.ask(
                            asked, f"{address}{query}", method, headers=more, body=body
                        )
                        told = answer.body.decode() + repr(dict(answer.headers))
                        if "?q=" in query or "{secret" in path:
                            # What one asked oneself is no secret of others.
                            told = told.replace(CANARY[:6], "")
                        found = [one for one in secrets if one in told]
                        assert found == [], (path, method, who)


@pytest.mark.parametrize("method", METHODS)
def test_what_everybody_may_ask_changes_nothing(service: Service, method: str) -> None:
    for path in service.ruled(Rule.OPEN, Rule.SECRET, Rule.DOOR):
        answer = Who().ask(service, service.addresses[path], method)
        assert answer.status in _of_everybody(RULES[path], method), (path, method)
        assert "set-cookie" not in answer.headers
    assert service.jobs.submitted == []


def _of_everybody(rule: Rule, method: str) -> set[int]:
    """What strangers hear; what is asked by another method comes to the dashboard's door."""
    if rule is Rule.OPEN:
        return {200} if method in SAFE else {401, 405}
    if rule is Rule.SECRET:
        return {404} if method == "POST" else {303} if method in SAFE else {401}
    return {200, 303, 405} if method in SAFE else {403, 405}


def test_every_answer_of_the_dashboard_has_the_headers_that_keep_it_to_itself(
    service: Service,
) -> None:
    for who in (Who(), operators(service)["bearer"]):
        for path in service.ruled(Rule.LOOK, Rule.ACT, Rule.DOOR):
            answer = who.ask(service, service.addresses[path])
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
            assert "default-src 'none'" in answer.headers["content-security-policy"], path
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            kept = answer.headers["cache-control"]
            assert kept == "no-store" or kept.startswith("private"), path
            assert "access-control-allow-origin" not in answer.headers

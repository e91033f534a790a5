"""The door, as browsers and strangers find it: over connections, with the pages behind it."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from digestbot.config.load import LoadedSettings
from digestbot.config.models import Settings
from digestbot.service.endpoint import make_app, serving
from digestbot.web.access import access_of
from digestbot.web.routes import Dashboard, dashboard_routes
from tests.service.state import NOW, state
from tests.web.visits import ANN_TOKEN, BOB_TOKEN, ENVIRON, USERS, Time

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Served:
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        own = {"Origin": f"http://{self.host}", "Content-Type": FORM} if form is not None else {}
        body = urlencode(form) if form is not None else None
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, own | dict(headers or {}))
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read().decode())

    def raw(self, request: str) -> bytes:
        """What is answered to these very bytes, up to the end of the connection."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=30)) as connection:
            answer = b""
            # Who hangs up before everything is read may take the answer back with that.
            with suppress(ConnectionError):
                connection.sendall(request.replace("\n", "\r\n").encode("latin-1"))
                while part := connection.recv(65536):
                    answer += part
            return answer


@contextmanager
def open_dashboard(folder: Path, **config: Any) -> Generator[Served, None, None]:
    loaded = LoadedSettings(Settings.model_validate({"dashboard": config}))
    clock = Time().clock
    access = access_of(loaded.settings.dashboard, ENVIRON, "127.0.0.1", clock)
    with state(folder) as database:
        dashboard = Dashboard(database, loaded, access, lambda: (), NOW, clock=clock)
        routes = dashboard_routes(dashboard)
        app = make_app(lambda: (), lambda _accept: (b"", "text/plain"), routes)
        with serving(app, "127.0.0.1", 0) as port:
            yield Served(port)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served, None, None]:
    with open_dashboard(tmp_path_factory.mktemp("state"), users=USERS) as dashboard:
        yield dashboard


def test_somebody_comes_signs_in_looks_around_and_leaves(served: Served) -> None:
    turned_away = served.ask("/about?said=x")
    form = served.ask(turned_away.headers["location"])
    there = re.search(r'name="next" value="([^"]*)"', form.text)
    assert there is not None

    signed_in = served.ask("/login", "POST", form={"token": BOB_TOKEN, "next": there[1]})
    cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
    page = served.ask(signed_in.headers["location"], headers=cookie)
    csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert csrf is not None
    signed_out = served.ask("/logout", "POST", cookie, {"csrf": csrf[1]})
    again = served.ask("/about", headers=cookie)

    assert (turned_away.status, turned_away.headers["location"]) == (
        303,
        "/login?next=/about%3Fsaid%3Dx",
    )
    assert (signed_in.status, signed_in.headers["location"]) == (303, "/about?said=x")
    assert page.status == 200
    assert "bob" in page.text
    assert signed_out.status == 303
    assert again.status == 303


def test_the_page_to_sign_in_needs_no_script_and_is_read_aloud(served: Served) -> None:
    form = served.ask("/login")
    failed = served.ask("/login", "POST", form={"token": "<script>canary"})

    for page in (form, failed):
        assert '<label for="token">' in page.text
        assert re.search(r'<input id="token"[^>]*type="password"', page.text)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page.text)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
    assert "canary" not in failed.text
    assert failed.status == 403
    assert re.search(r'id="problem" role="alert">That is nobody&#39;s token\.<', failed.text)
    assert 'aria-describedby="token-help problem"' in failed.text


def test_nobody_reads_or_acts(served: Served) -> None:
    answers = [
        served.ask("/about.json"),
        served.ask("/about.json", headers={"Authorization": "Bearer wrong"}),
        served.ask("/about.json", headers={"X-Forwarded-User": "ann"}),
        served.ask("/about.json", headers={"Cookie": "digestbot=ann.x.y.z"}),
        served.ask("/about.json", headers={"Cookie": "\xff" * 1000}),
    ]

    assert [answer.status for answer in answers] == [401] * 5
    assert len({answer.text for answer in answers}) == 1
    assert served.ask("/actions/scan", "POST", form={}).status in {303, 401}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("Host: a/static/?", id="host-with-an-open-path"),
        pytest.param("Host: a/login#", id="host-with-a-fragment"),
        pytest.param("Host: localhost", id="host-of-this-machine"),
        pytest.param("Host: a\nHost: a", id="two-hosts"),
        pytest.param("Host: a\nCookie: " + "digestbot=x; " * 4000, id="many-cookies"),
        pytest.param("Host: a\nAuthorization: Bearer\xff\x00", id="odd-bytes"),
        pytest.param("Host: a\nX-Forwarded-User: ann\nX-Forwarded-User: ann", id="names"),
    ],
)
def test_odd_requests_are_turned_away(served: Served, lines: str) -> None:
    answer = served.raw(f"GET /about HTTP/1.1\n{lines}\nConnection: close\n\n")

    status = answer.partition(b"\r\n")[0].split(b" ")[1]
    assert status in {b"303", b"400", b"431"}
    assert served.ask("/healthz").status == 200


@pytest.mark.parametrize("header", ["Cookie: digestbot=", "Authorization: Bearer "])
def test_endless_headers_are_not_read_to_their_end(served: Served, header: str) -> None:
    answer = served.raw(f"GET /about HTTP/1.1\nHost: a\n{header}{'x' * 1_000_000}\n\n")

    assert answer.partition(b"\r\n")[0] in {b"", b"HTTP/1.1 400 Bad Request"}
    assert served.ask("/healthz").status == 200


@pytest.mark.parametrize(
    "path", ["/static/../about", "/static/..%2fabout", "//about", "/login/../about", "/login/about"]
)
def test_no_spelling_of_a_path_leads_past_the_door(served: Served, path: str) -> None:
    answer = served.raw(f"GET {path} HTTP/1.1\nHost: a\nConnection: close\n\n")

    assert answer.partition(b"\r\n")[0].split(b" ")[1] in {b"303", b"400", b"401", b"404"}
    assert b"Started" not in answer


def test_a_program_with_a_token_asks_without_a_cookie(served: Served) -> None:
    answer = served.ask("/about.json", headers={"Authorization": f"Bearer {ANN_TOKEN}"})

    assert answer.status == 200
    assert "set-cookie" not in answer.headers


def test_a_name_that_leads_to_this_machine_by_the_dns_of_others_does_not_open_it(
    tmp_path: Path,
) -> None:
    with open_dashboard(tmp_path) as served:
        near = served.ask("/about.json", headers={"Host": f"localhost:{served.port}"})
        rebound = served.ask("/about.json", headers={"Host": f"evil.example:{served.port}"})
        passed_on = served.ask("/about.json", headers={"X-Forwarded-For": "203.0.113.9"})
        acting = served.ask("/actions/scan", "POST", form={})
        login = served.ask("/login")

    assert (near.status, rebound.status, passed_on.status) == (200, 401, 401)
    assert acting.status in {401, 403}
    assert login.status == 404


def test_what_this_service_answers_to_everybody_is_as_it_was(served: Served) -> None:
    assert [served.ask(path).status for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3

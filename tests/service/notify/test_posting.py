from __future__ import annotations

import logging
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from digestbot.service.notify.posting import ANSWER_LIMIT, post
from tests.service.notify.receiver import receiving

SOON = 0.3


def test_the_body_arrives_once_as_json_with_its_headers() -> None:
    with receiving() as receiver:
        answer = post(receiver.url, b'{"a": 1}', {"Authorization": "Bearer x"})

    (received,) = receiver.received
    assert (answer.status, answer.body) == (200, b"ok")
    assert received.json == {"a": 1}
    assert received.path == "/services/canary-in-the-path"
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["Authorization"] == "Bearer x"
    assert received.headers["User-Agent"].startswith("digestbot/")


@pytest.mark.parametrize("status", [201, 302, 307, 404, 429, 500])
def test_a_status_is_told_as_it_is(status: int) -> None:
    with receiving(status) as receiver:
        answer = post(receiver.url, b"{}", {})

    assert (answer.status, answer.failure) == (status, "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with receiving() as other, receiving(status) as receiver:
        receiver.location = other.url
        post(receiver.url, b"{}", {"Authorization": "Bearer canary"})

    assert len(receiver.received) == 1
    assert other.received == []


@pytest.mark.parametrize(
    "behaviour, words",
    [
        pytest.param("hang", "does not answer in time", id="silence"),
        pytest.param("drip", "does not answer in time", id="a byte now and then"),
        pytest.param("close", "cannot be reached, or broke off", id="the connection is closed"),
    ],
)
def test_no_answer_is_a_sentence(behaviour: str, words: str) -> None:
    with receiving(behaviour) as receiver:
        answer = post(receiver.url, b"{}", {}, within=SOON)

    assert (answer.status, answer.failure) == (0, words)
    assert len(receiver.received) == 1


def test_a_refused_connection_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    answer = post(f"http://127.0.0.1:{port}/canary", b"{}", {})

    assert answer.failure == "cannot be reached, or broke off"


def test_plain_http_behind_https_is_a_sentence() -> None:
    with receiving() as receiver:
        answer = post(f"https://127.0.0.1:{receiver.port}/canary", b"{}", {}, within=5)

    assert answer.failure == "cannot be trusted: its certificate does not pass"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_of_the_environment_is_trusted(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    bundle = tmp_path / "ca.pem"
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
    authority.cert_pem.write_to_path(str(bundle))

    with receiving(tls=tls) as receiver:
        url = receiver.url.replace("http:", "https:")
        before = post(url, b"{}", {})
        monkeypatch.setenv(variable, str(bundle))
        after = post(url, b"{}", {})

    assert before.failure == "cannot be trusted: its certificate does not pass"
    assert after.status == 200
    assert len(receiver.received) == 1


def test_a_bundle_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))

    answer = post("https://127.0.0.1:1/canary", b"{}", {})

    assert answer.failure.startswith("has certificates configured that cannot be used")


@pytest.mark.parametrize("url", ["http://[::1/canary", "http:///canary", "http://a b/canary"])
def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    answer = post(url, b"{}", {})

    assert answer.status == 0
    assert "canary" not in answer.failure


def test_a_long_answer_is_not_read_to_its_end() -> None:
    with receiving(200, b"x" * 100_000) as receiver:
        answer = post(receiver.url, b"{}", {})

    assert len(answer.body) == ANSWER_LIMIT


def test_logins_of_the_machine_are_not_sent(nobodys_environment: Path) -> None:
    netrc = nobodys_environment / ".netrc"
    netrc.write_text("machine 127.0.0.1 login ann password canary\n")

    with receiving() as receiver:
        post(receiver.url, b"{}", {})

    assert "Authorization" not in receiver.received[0].headers


def test_loopback_is_not_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        post(receiver.url, b"{}", {})

    assert proxy.received == []
    assert len(receiver.received) == 1


def test_a_proxy_of_the_environment_is_used_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        answer = post("http://hooks.example.test/services/x", b"{}", {})

    assert answer.status == 200
    assert proxy.received[0].path == "http://hooks.example.test/services/x"


def test_an_address_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with receiving(500) as receiver:
        post(receiver.url, b"{}", {"Authorization": "Bearer canary"})

    assert "canary" not in caplog.text

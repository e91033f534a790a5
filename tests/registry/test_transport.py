from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digestbot.registry import connecting
from digestbot.registry.addresses import ANYWHERE, NETWORK, ONLY_LOOPBACK, ONLY_PUBLIC, Kind, Reach
from digestbot.registry.failures import Outlook, TransportError
from digestbot.registry.message import ERROR_LIMIT, Request, Response
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.registry.transport import Transport
from tests.registries.fake import Answer, FakeRegistry

SECONDS = 10.0


def send(request: Request, settings: RegistrySettings | None = None) -> Response:
    transport = Transport(settings or RegistrySettings())
    try:
        return transport.send(request, within=SECONDS)
    finally:
        transport.close()


def failure_of(request: Request, settings: RegistrySettings | None = None) -> TransportError:
    with pytest.raises(TransportError) as caught:
        send(request, settings)
    return caught.value


def get(fake: FakeRegistry, path: str = "/v2/", **more: Any) -> Request:
    more.setdefault("reach", ONLY_LOOPBACK)
    return Request("GET", f"http://{fake.host}{path}", about=fake.host, **more)


@pytest.fixture
def resolve_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is on this machine: what a hostile name server would say."""
    real = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **more: Any) -> Any:
        del host
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


class TestAnswers:
    def test_status_headers_and_body_are_read(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(200, (("X-One", "1"), ("X-One", "2")), b"body"))

        response = send(get(fake))

        assert (response.status, response.body) == (200, b"body")
        assert response.header_lines("x-one") == ("1", "2")
        assert response.header("x-one") == "1"
        assert response.found is Kind.LOOPBACK

    def test_one_connection_serves_many_requests(self, fake: FakeRegistry) -> None:
        fake.local.script(Answer.error(401), Answer.error(404), Answer(200, body=b"x" * 50_000))
        transport = Transport(RegistrySettings())

        for method in ("HEAD", "GET", "GET", "HEAD", "GET"):
            request = Request(method, f"http://{fake.host}/v2/", ONLY_LOOPBACK)
            transport.send(request, within=SECONDS)
        transport.close()

        assert len(fake.local.calls) == 5
        assert fake.connections == 1

    def test_netrc_and_cookies_are_left_alone(
        self, fake: FakeRegistry, nobodys_environment: Path
    ) -> None:
        netrc = nobodys_environment / ".netrc"
        netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
        netrc.chmod(0o600)
        fake.local.script(Answer(200, (("Set-Cookie", "a=b"),)))
        transport = Transport(RegistrySettings())

        for _ in range(2):
            transport.send(get(fake, headers={"Authorization": "Bearer t"}), within=SECONDS)
        transport.close()

        assert [call.authorization for call in fake.local.calls] == ["Bearer t", "Bearer t"]
        assert not any("cookie" in call.headers for call in fake.local.calls)

    def test_form_is_posted(self, fake: FakeRegistry) -> None:
        url = f"http://{fake.host}/token"

        send(Request("POST", url, ONLY_LOOPBACK, {"Content-Type": "text/plain"}, b"a=b"))

        assert fake.local.calls[0].body == b"a=b"


class TestLimits:
    def test_body_over_the_limit_is_refused(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(200, body=b"x" * 1001))

        error = failure_of(get(fake, limit=1000))

        assert error.code == "answer-too-large"
        assert "1000 bytes" in str(error)
        assert error.outlook is Outlook.THIS_ONE

    def test_body_at_the_limit_is_taken(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(200, body=b"x" * 1000))

        assert len(send(get(fake, limit=1000)).body) == 1000

    def test_limit_counts_after_decompression(self, fake: FakeRegistry) -> None:
        bomb = gzip.compress(b"\0" * 50_000_000)
        fake.local.always(Answer(200, (("Content-Encoding", "gzip"),), bomb))

        assert len(bomb) < 100_000
        assert failure_of(get(fake, limit=100_000)).code == "answer-too-large"

    def test_compressed_body_is_decompressed(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(200, (("Content-Encoding", "gzip"),), gzip.compress(b"body")))

        assert send(get(fake)).body == b"body"

    def test_garbled_compression_is_an_error(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(200, (("Content-Encoding", "gzip"),), b"not gzip at all"))

        assert failure_of(get(fake)).code == "unexpected"

    def test_long_error_is_cut(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(404, body=b"x" * 1_000_000))

        assert len(send(get(fake)).body) == ERROR_LIMIT

    def test_endless_chunks_are_cut(self, fake: FakeRegistry) -> None:
        chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        fake.local.always(Answer(raw=head + chunk * 100))

        assert failure_of(get(fake, limit=100_000)).code == "answer-too-large"


class TestBrokenAnswers:
    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="hangs-up"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", id="half-a-body"),
            pytest.param(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="bad-chunk"
            ),
            pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="no-http"),
            pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="no-status"),
            pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", id="many-headers"),
            pytest.param(
                b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000 + b"\r\n\r\n", id="long-header"
            ),
        ],
    )
    def test_broken_answer_may_pass(self, fake: FakeRegistry, raw: bytes) -> None:
        fake.local.always(Answer(raw=raw))

        error = failure_of(get(fake))

        assert error.code == "unavailable"
        assert error.outlook is Outlook.TRANSIENT

    def test_refused_connection_is_hopeless(self) -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{sock.getsockname()[1]}"

        error = failure_of(Request("GET", f"http://{host}/v2/", ONLY_LOOPBACK, about=host))

        assert (error.code, error.outlook) == ("unreachable", Outlook.HOPELESS)
        assert str(error) == f"{host} refuses connections"

    @pytest.mark.parametrize(
        "number, outlook",
        [(socket.EAI_NONAME, Outlook.HOPELESS), (socket.EAI_AGAIN, Outlook.TRANSIENT)],
        ids=["no-such-name", "name-server-busy"],
    )
    def test_host_without_an_address(
        self, monkeypatch: pytest.MonkeyPatch, number: int, outlook: Outlook
    ) -> None:
        def lookup(*_: object, **__: object) -> None:
            raise socket.gaierror(number, "no")

        monkeypatch.setattr(socket, "getaddrinfo", lookup)

        error = failure_of(Request("GET", "https://registry.example/v2/"))

        assert (error.code, error.outlook) == ("unreachable", outlook)

    def test_plain_http_behind_https_is_a_tls_error(self, fake: FakeRegistry) -> None:
        error = failure_of(Request("GET", f"https://{fake.host}/v2/", ONLY_LOOPBACK))

        assert error.code == "tls"
        assert "http: true" in error.hint


class TestTime:
    def test_silence_is_a_timeout(self, fake: FakeRegistry) -> None:
        done = threading.Event()
        fake.local.always(Answer(before=lambda: done.wait(SECONDS)))

        error = failure_of(get(fake), RegistrySettings(read_timeout_s=0.05))
        done.set()

        assert (error.code, error.outlook) == ("timeout", Outlook.TRANSIENT)

    @pytest.mark.parametrize(
        "start",
        [
            pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", id="headers"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", id="body"),
        ],
    )
    def test_dripping_bytes_do_not_extend_the_deadline(
        self, start: bytes, drip: Callable[[bytes], str]
    ) -> None:
        host = drip(start)
        transport = Transport(RegistrySettings())
        request = Request("GET", f"http://{host}/v2/", ONLY_LOOPBACK)

        with pytest.raises(TransportError) as caught:
            transport.send(request, within=0.2)
        transport.close()

        assert caught.value.code == "timeout"

    def test_no_time_left_is_a_timeout(self, fake: FakeRegistry) -> None:
        transport = Transport(RegistrySettings())

        with pytest.raises(TransportError) as caught:
            transport.send(get(fake), within=0.0)

        assert caught.value.code == "timeout"
        assert fake.local.calls == []

    @pytest.fixture
    def drip(self, request: pytest.FixtureRequest) -> Callable[[bytes], str]:
        """A server that sends a beginning, then a byte now and then, for ever."""
        stopped = threading.Event()

        def serve(server: socket.socket, start: bytes) -> None:
            with server, server.accept()[0] as client:
                client.recv(65536)
                client.sendall(start)
                while not stopped.wait(0.01):
                    try:
                        client.sendall(b"x")
                    except OSError:
                        return

        def begin(start: bytes) -> str:
            server = socket.create_server(("127.0.0.1", 0))
            thread = threading.Thread(target=serve, args=(server, start))
            thread.start()
            request.addfinalizer(thread.join)
            request.addfinalizer(stopped.set)
            return f"127.0.0.1:{server.getsockname()[1]}"

        return begin


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_on_the_same_host_keeps_method_and_login(
        self, fake: FakeRegistry, status: int
    ) -> None:
        fake.local.script(Answer.redirect("/v2/other", status))

        response = send(
            Request("HEAD", f"http://{fake.host}/v2/", ONLY_LOOPBACK, {"Authorization": "Bearer t"})
        )

        assert fake.local.asked() == ["HEAD /v2/", "HEAD /v2/other"]
        assert fake.local.calls[1].authorization == "Bearer t"
        assert (response.url, response.hops) == (f"http://{fake.host}/v2/other", 2)

    def test_login_stays_behind_on_another_host(self, world: FakeRegistry) -> None:
        world.site("a.example").always(Answer.redirect("https://b.example/blob?sig=1"))
        headers = {"Authorization": "Basic secret", "Accept": "x/y"}

        response = send(Request("GET", "https://a.example/v2/", headers=headers))

        (call,) = world.site("b.example").calls
        assert "authorization" not in call.headers
        assert call.headers["accept"] == "x/y"
        assert response.url == "https://b.example/blob?sig=1"

    def test_login_stays_behind_on_another_port_and_does_not_come_back(
        self, world: FakeRegistry
    ) -> None:
        world.site("a.example").script(Answer.redirect("https://a.example:8443/"))
        world.site("a.example:8443").always(Answer.redirect("https://a.example/back"))

        send(Request("GET", "https://a.example/v2/", headers={"Authorization": "Basic secret"}))

        assert [call.authorization for call in world.calls()] == ["Basic secret", "", ""]

    @pytest.mark.parametrize(
        "location, said",
        [
            pytest.param("http://a.example/", "without TLS", id="to-http"),
            pytest.param("ftp://a.example/", "ftp", id="other-scheme"),
            pytest.param("https://user:pw@a.example/", "login", id="with-a-login"),
            pytest.param("https://:443/", "host", id="no-host"),
            pytest.param("https://a.example\\@b.example/", "characters", id="backslash"),
            pytest.param("https://a.example:0/", "port", id="port-0"),
            pytest.param("https://a.example/" + "x" * 20_000, "long", id="endless"),
        ],
    )
    def test_redirect_to_nowhere_is_an_error(
        self, world: FakeRegistry, location: str, said: str
    ) -> None:
        world.site("a.example").always(Answer.redirect(location))

        error = failure_of(Request("GET", "https://a.example/v2/"))

        assert error.code == "redirect"
        assert said in str(error)
        assert "pw" not in str(error)

    def test_circle_ends(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.redirect("/v2/"))

        error = failure_of(get(fake))

        assert error.code == "redirect"
        assert len(fake.local.calls) == 6

    def test_redirected_login_is_refused(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.redirect("/elsewhere"))

        error = failure_of(
            Request(
                "POST", f"http://{fake.host}/token", ONLY_LOOPBACK, body=b"refresh_token=secret"
            )
        )

        assert error.code == "redirect"
        assert len(fake.local.calls) == 1

    def test_redirect_without_a_location_is_an_answer(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(304))

        assert send(get(fake)).status == 304

    def test_broken_target_says_nothing_about_the_host(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.redirect("http://127.0.0.1:1/"))

        error = failure_of(get(fake))

        assert (error.code, error.outlook) == ("unreachable", Outlook.THIS_ONE)
        assert str(error).startswith(f"{fake.host} redirects, but 127.0.0.1:1 ")


class TestAddresses:
    @pytest.mark.usefixtures("resolve_to_loopback")
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_name_that_leads_into_this_machine_is_refused_before_a_byte_is_sent(
        self, fake: FakeRegistry, scheme: str
    ) -> None:
        port = fake.host.partition(":")[2]

        error = failure_of(
            Request("GET", f"{scheme}://evil.example:{port}/v2/", about="evil.example")
        )

        assert error.code == "private-address"
        assert "127.0.0.1, a loopback address" in str(error)
        assert "registries:" in error.hint
        assert fake.local.calls == []
        assert "evil.example" not in fake.sites

    @pytest.mark.usefixtures("resolve_to_loopback")
    def test_same_name_is_fine_where_allowed(self, fake: FakeRegistry) -> None:
        port = fake.host.partition(":")[2]

        response = send(Request("GET", f"http://registry.corp:{port}/v2/", NETWORK))

        assert (response.status, response.found) == (200, Kind.LOOPBACK)

    @pytest.mark.usefixtures("resolve_to_loopback")
    def test_connection_allowed_for_one_is_not_used_for_another(self, fake: FakeRegistry) -> None:
        url = f"http://registry.corp:{fake.host.partition(':')[2]}/v2/"
        transport = Transport(RegistrySettings())

        transport.send(Request("GET", url, NETWORK), within=SECONDS)
        with pytest.raises(TransportError) as caught:
            transport.send(Request("GET", url, ONLY_PUBLIC), within=SECONDS)
        transport.close()

        assert caught.value.code == "private-address"

    @pytest.mark.parametrize(
        "host",
        ["10.0.0.1", "169.254.169.254", "[::1]", "127.0.0.1", "2130706433", "0x7f.1", "0.0.0.0"],
    )
    def test_public_registry_never_leads_to_such_an_address(
        self, world: FakeRegistry, host: str
    ) -> None:
        world.site("a.example").always(Answer.redirect(f"https://{host}/latest/meta-data"))

        error = failure_of(Request("GET", "https://a.example/v2/", ANYWHERE, about="a.example"))

        assert error.code == "private-address"
        assert str(error).startswith("a.example redirects, but ")
        assert {call.host for call in world.calls()} == {"a.example"}

    @pytest.mark.usefixtures("resolve_to_loopback")
    def test_reach_only_shrinks_on_the_way(
        self, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port = fake.host.partition(":")[2]
        names = [f"{name}.example:{port}" for name in ("home", "public", "private")]
        fake.site(names[0]).always(Answer.redirect(f"http://{names[1]}/"))
        fake.site(names[1]).always(Answer.redirect(f"http://{names[2]}/"))

        def kind_of(_address: str) -> Kind:
            # The first host is private, the second public, the third private again.
            return Kind.PUBLIC if len(asked()) == 1 else Kind.PRIVATE

        def asked() -> set[str]:
            return {site.host for site in fake.sites.values() if site.calls}

        monkeypatch.setattr(connecting, "classify", kind_of)

        error = failure_of(Request("GET", f"http://{names[0]}/", NETWORK, about="home"))

        assert error.code == "private-address"
        assert asked() == set(names[:2])

    @pytest.mark.parametrize(
        "reach, location, code",
        [
            pytest.param(ONLY_LOOPBACK, "http://10.255.255.1:1/", "private-address", id="private"),
            pytest.param(ONLY_LOOPBACK, "https://1.1.1.1:1/", "private-address", id="public"),
            pytest.param(NETWORK, "http://169.254.169.254/", "private-address", id="metadata"),
            pytest.param(NETWORK, "http://[fe80::1]/", "private-address", id="link-local"),
            pytest.param(ANYWHERE, "http://169.254.169.254/", "private-address", id="configured"),
        ],
    )
    def test_loopback_registry_leads_only_so_far(
        self, fake: FakeRegistry, reach: Reach, location: str, code: str
    ) -> None:
        fake.local.always(Answer.redirect(location))

        assert failure_of(get(fake, reach=reach)).code == code


class TestTrust:
    def test_private_authority_from_the_environment(self, world: FakeRegistry) -> None:
        assert send(Request("GET", "https://a.example/v2/")).status == 200
        assert world.site("a.example").calls[0].scheme == "https"

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_names_of_requests_and_curl_count(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.setenv(name, world.ca_file)

        assert send(Request("GET", "https://a.example/v2/")).status == 200

    def test_unknown_authority_is_refused(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")

        error = failure_of(Request("GET", "https://a.example/v2/"))

        assert (error.code, error.outlook) == ("tls", Outlook.HOPELESS)
        assert "certificate" in str(error)
        assert "registries.a.example.ca_file" in error.hint

    def test_authority_of_a_host_counts_for_that_host_alone(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        settings = RegistrySettings(hosts={"a.example": HostSettings(ca_file=world.ca_file)})

        assert send(Request("GET", "https://a.example/v2/"), settings).status == 200
        assert failure_of(Request("GET", "https://b.example/v2/"), settings).code == "tls"

    def test_settings_of_docker_hub_count_for_its_api(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        settings = RegistrySettings(hosts={"docker.io": HostSettings(ca_file=world.ca_file)})

        assert send(Request("GET", "https://registry-1.docker.io/v2/"), settings).status == 200

    @pytest.mark.parametrize(
        "host",
        [HostSettings(ca_file="/missing.pem"), HostSettings(client_cert="/missing.pem")],
        ids=["ca_file", "client_cert"],
    )
    def test_missing_certificate_file_is_named(
        self, world: FakeRegistry, host: HostSettings
    ) -> None:
        settings = RegistrySettings(hosts={"a.example": host})

        error = failure_of(Request("GET", "https://a.example/v2/"), settings)

        assert error.code == "tls"
        assert "/missing.pem" in error.hint
        assert "a.example" not in world.sites


class TestProxies:
    def test_loopback_is_never_asked_through_a_proxy(
        self, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

        assert send(get(fake)).status == 200

    @pytest.mark.parametrize(
        "no_proxy, url",
        [("invalid", "https://a.invalid/v2/"), ("240.0.0.0/8", "https://240.1.2.3/v2/")],
        ids=["domain", "network"],
    )
    def test_no_proxy_is_honoured(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str
    ) -> None:
        monkeypatch.setenv("NO_PROXY", no_proxy)

        hasty = RegistrySettings(connect_timeout_s=0.05)
        failure_of(Request("GET", url, ANYWHERE | {Kind.RESERVED}), hasty)

        assert list(world.sites) == [world.host]

    def test_plain_http_goes_through_the_proxy_too(self, world: FakeRegistry) -> None:
        assert send(Request("GET", "http://a.example/v2/")).status == 200
        assert world.site("a.example").asked() == ["GET /v2/"]

    def test_proxy_that_is_down_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

        error = failure_of(Request("GET", "https://a.example/v2/"))

        assert error.code == "unreachable"
        assert "HTTPS_PROXY" in error.hint

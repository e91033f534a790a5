from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from digestbot.registry.docker_config import Credential
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.registry.tokens import LONGEST_LIFE_S, read_token
from digestbot.secret import Secret
from tests.registries.fake import Answer, Call, FakeRegistry
from tests.registries.tokens import TokenAuth
from tests.registry.asking import FakeTime, ask, ask_in_vain, error_of, make_query

# 2026-11-21 00:00:00 UTC
NOW = 1_795_219_200.0
LOGIN = HostSettings(username="me", password=Secret("pw"))


class TestReading:
    @pytest.mark.parametrize(
        "answer, life",
        [
            pytest.param({"token": "t", "expires_in": 300}, 300, id="as-written"),
            pytest.param({"access_token": "t", "expires_in": 300}, 300, id="access-token"),
            pytest.param({"token": "t"}, 60, id="default"),
            pytest.param({"token": "t", "expires_in": 5}, 60, id="too-short"),
            pytest.param({"token": "t", "expires_in": -1}, 60, id="negative"),
            pytest.param({"token": "t", "expires_in": "300"}, 60, id="text"),
            pytest.param({"token": "t", "expires_in": 1e300}, LONGEST_LIFE_S, id="for-ever"),
            pytest.param({"token": "t", "expires_in": True}, 60, id="true"),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "2026-11-20T23:59:00Z"},
                240,
                id="issued-before",
            ),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "2026-11-20T23:59:00.123456789Z"},
                240.123456,
                id="nanoseconds",
            ),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "2026-11-20T23:59:00"},
                240,
                id="no-zone",
            ),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "2036-01-01T00:00:00Z"},
                300,
                id="issued-in-the-future",
            ),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "1999-01-01T00:00:00Z"},
                60,
                id="clock-that-is-off",
            ),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "yesterday"}, 300, id="no-time"
            ),
            pytest.param(
                {"token": "t", "expires_in": 300, "issued_at": "0001-01-01T00:00:00+14:00"},
                60,
                id="before-time",
            ),
        ],
    )
    def test_life_is_read(self, answer: dict[str, Any], life: float) -> None:
        value, seconds = read_token(json.dumps(answer).encode(), NOW)

        assert value == "t"
        assert seconds == pytest.approx(life, abs=1e-3)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"<html>", id="html"),
            pytest.param(b"[]", id="list"),
            pytest.param(b"{}", id="nothing"),
            pytest.param(b'{"token": ""}', id="empty-token"),
            pytest.param(b'{"token": 5}', id="number"),
            pytest.param(b'{"token": "a\\r\\nX-Evil: b"}', id="header-in-it"),
            pytest.param(b'{"token": "a b"}', id="space"),
            pytest.param(b'{"token": "\\u00e9"}', id="not-ascii"),
            pytest.param(b"[" * 60_000, id="deep"),
            pytest.param(b'{"token": "t", "expires_in": ' + b"9" * 5000 + b"}", id="long-number"),
        ],
    )
    def test_answer_without_a_token_is_an_error(self, body: bytes) -> None:
        with pytest.raises(ValueError, match="it "):
            read_token(body, NOW)


class TestKeeping:
    def test_token_is_used_until_shortly_before_it_ends(self, fake: FakeRegistry) -> None:
        auth = TokenAuth(fake.local, fake.local, life_s=100)
        for tag in ("1", "2", "3"):
            fake.local.add("team/app", tag)
        time = FakeTime()

        with RegistryResolver(clock=time.clock) as resolver:
            given = []
            for tag, passed in (("1", 0), ("2", 90), ("3", 6)):
                time.now += passed
                resolver.resolve(make_query(f"{fake.host}/team/app:{tag}"))
                given.append(len(auth.given))

        assert given == [1, 1, 2]

    def test_refused_token_is_not_asked_for_twice(self, fake: FakeRegistry) -> None:
        refusal = Answer.error(403, "DENIED")
        auth = TokenAuth(fake.local, fake.local, private=frozenset({"team/app"}), missing=refusal)

        with RegistryResolver() as resolver:
            codes = {error_of(resolver, f"{fake.host}/team/app:{tag}").code for tag in "123"}

        assert codes == {"not-found-or-no-access"}
        assert auth.given == []
        assert len([call for call in fake.local.calls if call.path == "/token"]) == 1

    def test_insufficient_scope_is_widened_once(self, fake: FakeRegistry) -> None:
        digest = fake.local.add("virtual/app", "1")
        auth = TokenAuth(fake.local, fake.local, scope="repository:backing/app:pull")
        auth.challenge = lambda realm, _service, _repository: (
            f'Bearer realm="{realm}",scope="repository:backing/app:pull",error="insufficient_scope"'
        )

        assert ask(f"{fake.host}/virtual/app:1").digest == digest
        assert auth.scopes == ["repository:virtual/app:pull", "repository:backing/app:pull"]

    def test_scope_that_never_suffices_ends(self, fake: FakeRegistry) -> None:
        fake.local.add("team/app", "1")
        auth = TokenAuth(fake.local, fake.local, scope="repository:x:never")
        numbers = iter(range(100))
        auth.challenge = lambda realm, _service, _repository: (
            f'Bearer realm="{realm}",scope="repository:x{next(numbers)}:pull"'
        )

        error = ask_in_vain(f"{fake.host}/team/app:1")

        assert error.code == "not-found-or-no-access"
        assert len(auth.given) == 2


class TestIdentityTokens:
    def make_settings(self, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
        auths = {host: {"auth": "MDAwMDo=", "identitytoken": "identity-secret"}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": auths}))

    def test_identity_token_is_posted_in_a_form(
        self, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.make_settings(monkeypatch, fake.host)
        TokenAuth(
            fake.local,
            fake.local,
            key="access_token",
            takes_post=True,
            identity_tokens=frozenset({"identity-secret"}),
        )
        digest = fake.local.add("app", "1")

        assert ask(f"{fake.host}/app:1").digest == digest
        (posted,) = [call for call in fake.local.calls if call.method == "POST"]
        assert b"grant_type=refresh_token" in posted.body
        assert b"scope=repository%3Aapp%3Apull" in posted.body

    @pytest.mark.parametrize("status", [400, 401, 404, 405])
    def test_server_without_post_is_asked_with_get(
        self, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        self.make_settings(monkeypatch, fake.host)
        TokenAuth(fake.local, fake.local, users={"0000": "identity-secret"})
        fake.local.always(Answer.error(status), method="POST")
        digest = fake.local.add("app", "1")

        assert ask(f"{fake.host}/app:1").digest == digest

    def test_registry_token_is_used_as_it_is(
        self, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        auth = TokenAuth(fake.local, fake.local)
        auth.given.append("ready|repository:app:pull|")
        auths = {fake.host: {"registrytoken": "ready|repository:app:pull|"}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": auths}))
        digest = fake.local.add("app", "1")

        assert ask(f"{fake.host}/app:1").digest == digest
        assert "/token" not in {call.path for call in fake.local.calls}

    def test_registry_token_that_cannot_be_sent_is_an_error_that_hides_it(
        self, fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        TokenAuth(fake.local, fake.local)
        auths = {fake.host: {"registrytoken": "hunter2\r\nX-Evil: 1"}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": auths}))

        error = ask_in_vain(f"{fake.host}/app:1")

        assert error.code == "credentials"
        assert "hunter2" not in "".join(traceback.format_exception(error))


class TestRealms:
    @pytest.mark.parametrize(
        "host, server",
        [
            pytest.param("registry.corp.example", "registry.corp.example:8443", id="other-port"),
            pytest.param("registry.corp.example", "auth.corp.example", id="same-domain"),
            pytest.param("registry.gitlab.com", "gitlab.com", id="parent"),
            pytest.param("r.acme.co.uk", "auth.acme.co.uk", id="co.uk"),
        ],
    )
    def test_login_goes_to_the_same_owner(
        self, world: FakeRegistry, host: str, server: str
    ) -> None:
        TokenAuth(world.site(host), world.site(server), users={"me": "pw"})
        digest = world.site(host).add("app", "1")

        assert ask(f"{host}/app:1", RegistrySettings(hosts={host: LOGIN})).digest == digest

    @pytest.mark.parametrize(
        "host, server",
        [
            pytest.param("registry.corp.example", "auth.evil.example", id="other-domain"),
            pytest.param("r.acme.co.uk", "auth.evil.co.uk", id="co.uk"),
            pytest.param("r.acme.com.au", "evil.com.au", id="com.au"),
            pytest.param("registry", "evil", id="single-labels"),
            pytest.param("corp.example", "evilcorp.example", id="suffix-of-a-name"),
            pytest.param("93.184.216.34", "93.184.216.35", id="addresses"),
        ],
    )
    def test_login_goes_nowhere_else_unless_named(
        self, world: FakeRegistry, host: str, server: str
    ) -> None:
        host = f"{host}:5000" if host == "registry" else host
        TokenAuth(world.site(host), world.site(server), users={"me": "pw"})
        digest = world.site(host).add("app", "1")

        error = ask_in_vain(f"{host}/app:1", RegistrySettings(hosts={host: LOGIN}))

        assert error.code == "untrusted-realm"
        assert f"token_hosts: [{server}]" in error.hint
        assert world.site(server).calls == []
        trusting = HostSettings(username="me", password=Secret("pw"), token_hosts=(server,))
        assert ask(f"{host}/app:1", RegistrySettings(hosts={host: trusting})).digest == digest

    def test_anonymous_token_may_come_from_anywhere_public(self, world: FakeRegistry) -> None:
        TokenAuth(world.site("r.example"), world.site("auth.other.example"))
        digest = world.site("r.example").add("app", "1")

        assert ask("r.example/app:1").digest == digest

    def test_realm_without_tls_is_refused(self, world: FakeRegistry) -> None:
        auth = TokenAuth(world.site("r.example"), world.site("r.example"))
        auth.challenge = lambda *_: 'Bearer realm="http://r.example/token"'

        error = ask_in_vain("r.example/app:1")

        assert error.code == "untrusted-realm"
        assert "without TLS" in str(error)

    @pytest.mark.parametrize("realm", ["https://169.254.169.254/t", "https://10.1.2.3/t"])
    def test_realm_in_a_private_network_is_refused(self, world: FakeRegistry, realm: str) -> None:
        auth = TokenAuth(world.site("r.example"), world.site("r.example"))
        auth.challenge = lambda *_: f'Bearer realm="{realm}"'

        assert ask_in_vain("r.example/app:1").code == "private-address"
        assert list(world.sites) == [world.host, "r.example"]

    def test_realm_that_is_no_url_is_an_error(self, world: FakeRegistry) -> None:
        auth = TokenAuth(world.site("r.example"), world.site("r.example"))
        auth.challenge = lambda *_: 'Bearer realm="file:///etc/passwd"'

        error = ask_in_vain("r.example/app:1")

        assert error.code == "challenge"

    def test_redirect_of_a_login_to_another_host_is_without_the_login(
        self, world: FakeRegistry
    ) -> None:
        TokenAuth(world.site("r.example"), world.site("r.example"), users={"me": "pw"})
        world.site("r.example").always(Answer.redirect("https://evil.example/token"), path="/token")

        ask_in_vain("r.example/app:1", RegistrySettings(hosts={"r.example": LOGIN}))

        assert [call.authorization for call in world.site("evil.example").calls] == [""]


class TestServers:
    @pytest.mark.parametrize(
        "answer, code",
        [
            pytest.param(Answer.error(500), "unavailable", id="500"),
            pytest.param(Answer.error(429), "rate-limited", id="429"),
            pytest.param(Answer.error(400), "unexpected", id="400"),
            pytest.param(Answer(200, body=b"<html>"), "unexpected", id="html"),
            pytest.param(Answer(200, body=b"x" * 100_000), "answer-too-large", id="large"),
            pytest.param(Answer(raw=b""), "unavailable", id="hangs-up"),
        ],
    )
    def test_token_server_in_trouble(self, fake: FakeRegistry, answer: Answer, code: str) -> None:
        TokenAuth(fake.local, fake.local)
        fake.local.always(answer, path="/token")

        assert ask_in_vain(f"{fake.host}/team/app:1").code == code

    def test_realm_with_a_query_of_its_own_keeps_it(self, fake: FakeRegistry) -> None:
        auth = TokenAuth(fake.local, fake.local)
        realm = f"{auth.realm}?tenant=1"
        auth.challenge = lambda *_: f'Bearer realm="{realm}",service="s x&y"'
        digest = fake.local.add("team/app", "1")

        assert ask(f"{fake.host}/team/app:1").digest == digest
        (call,) = [call for call in fake.local.calls if call.path == "/token"]
        assert call.query == {
            "tenant": ["1"],
            "service": ["s x&y"],
            "scope": ["repository:team/app:pull"],
            "client_id": ["digestbot"],
        }

    def test_password_that_works_elsewhere_in_the_registry_is_not_wrong(
        self, fake: FakeRegistry
    ) -> None:
        # Some token servers answer 401 for a repository that the login may not see.
        TokenAuth(fake.local, fake.local, users={"me": "pw"})
        fake.local.add("team/app", "1")

        def closed(call: Call) -> Answer | None:
            scope = call.query.get("scope", [""])[0]
            return Answer.error(401, "UNAUTHORIZED") if "other" in scope else None

        fake.local.rules.insert(0, closed)
        settings = RegistrySettings(hosts={fake.host: LOGIN})

        with RegistryResolver(settings) as resolver:
            resolver.resolve(make_query(f"{fake.host}/team/app:1"))
            error = error_of(resolver, f"{fake.host}/team/other:1")
            again = resolver.resolve(make_query(f"{fake.host}/team/app:1"))

        assert error.code == "not-found-or-no-access"
        assert again.query == make_query(f"{fake.host}/team/app:1")

    def test_logins_are_told_apart(self) -> None:
        one, other = Credential("me", Secret("a")), Credential("me", Secret("b"))

        assert one == Credential("me", Secret("a"))
        assert len({one, other, Credential("me", Secret("a"))}) == 2

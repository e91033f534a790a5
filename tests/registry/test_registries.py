"""One scenario or more for each registry there is: what it asks for, how it says no.

The hosts have their real names; a fake answers in their place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.secret import Secret
from tests.registries.fake import Answer, Call, FakeRegistry
from tests.registries.samples import DOCKER_LIST, make_index
from tests.registries.tokens import TokenAuth, basic_auth
from tests.registry.asking import FakeTime, ask, ask_in_vain, error_of, make_query

USER, PASSWORD = "robot$team+reader", "pass:word/ü"


def with_login(host: str, **more: Any) -> RegistrySettings:
    login = HostSettings(username=USER, password=Secret(PASSWORD), **more)
    return RegistrySettings(hosts={host: login})


@dataclass(frozen=True)
class Family:
    """How one registry hands out tokens."""

    name: str
    host: str
    server: str
    path: str
    service: str
    repository: str
    key: str = "token"
    scope: str = ""
    extra: tuple[tuple[str, str], ...] = field(default=())

    @property
    def api(self) -> str:
        return "registry-1.docker.io" if self.host == "docker.io" else self.host


FAMILIES = (
    Family("hub", "docker.io", "auth.docker.io", "/token", "registry.docker.io", "library/python"),
    Family("ghcr", "ghcr.io", "ghcr.io", "/token", "ghcr.io", "acme/app"),
    Family(
        "harbor", "harbor.corp.example", "harbor.corp.example", "/service/token",
        "harbor-registry", "project/app",
    ),
    Family("quay", "quay.io", "quay.io", "/v2/auth", "quay.io", "acme/app"),
    Family(
        "public-ecr", "public.ecr.aws", "public.ecr.aws", "/token/", "public.ecr.aws",
        "docker/library/python", scope="aws",
    ),
    Family(
        "gar", "europe-docker.pkg.dev", "europe-docker.pkg.dev", "/v2/token", "", "acme/repo/app"
    ),
    Family(
        "acr", "acme.azurecr.io", "acme.azurecr.io", "/oauth2/token", "acme.azurecr.io", "app",
        key="access_token",
    ),
    Family(
        "gitlab", "registry.gitlab.com", "gitlab.com", "/jwt/auth", "container_registry",
        "group/project/app",
    ),
    Family("cgr", "cgr.dev", "cgr.dev", "/token", "cgr.dev", "chainguard/python"),
    Family(
        "nexus", "nexus.corp.example:5002", "nexus.corp.example:5002", "/v2/token",
        "https://nexus.corp.example:5002/v2/token", "team/app",
    ),
    Family(
        "forgejo", "codeberg.org", "codeberg.org", "/v2/token", "container_registry",
        "acme/app", scope="*",
    ),
)  # fmt: skip


def start(world: FakeRegistry, family: Family, **more: Any) -> TokenAuth:
    def challenge(realm: str, service: str, repository: str) -> str:
        scope = family.scope or f"repository:{repository}:pull"
        named = f',service="{service}"' if service else ""
        basic = ',Basic realm="Forgejo"' if family.name == "forgejo" else ""
        return f'Bearer realm="{realm}"{named},scope="{scope}"{basic}'

    return TokenAuth(
        world.site(family.api),
        world.site(family.server),
        path=family.path,
        service=family.service,
        key=family.key,
        scope=family.scope,
        challenge=challenge,
        **more,
    )


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
class TestTokens:
    def test_anonymous_pull_takes_one_401_one_token_and_a_head_per_tag(
        self, world: FakeRegistry, family: Family
    ) -> None:
        auth = start(world, family)
        digests = [auth.site.add(family.repository, tag) for tag in ("1", "2", "3")]

        with RegistryResolver() as resolver:
            names = [f"{family.host}/{family.repository}:{tag}" for tag in ("1", "2", "3")]
            answers = [resolver.resolve(make_query(name)) for name in names]

            counts = resolver.counts()[family.host]

        assert [answer.digest for answer in answers] == digests
        assert (counts.heads, counts.gets, counts.tokens) == (4, 0, 1)
        assert auth.scopes == [family.scope or f"repository:{family.repository}:pull"]
        assert {call.scheme for call in world.calls()} == {"https"}

    def test_second_repository_asks_for_its_token_first(
        self, world: FakeRegistry, family: Family
    ) -> None:
        auth = start(world, family)
        auth.site.add(family.repository, "1")
        auth.site.add(f"{family.repository}/other", "1")

        with RegistryResolver() as resolver:
            for name in (family.repository, f"{family.repository}/other"):
                resolver.resolve(make_query(f"{family.host}/{name}:1"))

            counts = resolver.counts()[family.host]

        assert counts.heads == 3
        assert counts.tokens == (1 if family.scope else 2)

    def test_login_goes_to_the_token_server_alone(
        self, world: FakeRegistry, family: Family
    ) -> None:
        auth = start(world, family, users={USER: PASSWORD}, private=frozenset({family.repository}))
        digest = auth.site.add(family.repository, "1")

        answer = ask(f"{family.host}/{family.repository}:1", with_login(family.host))

        sent = [call for call in world.calls() if call.authorization.startswith("Basic")]
        assert answer.digest == digest
        assert [(call.host, call.path) for call in sent] == [(family.server, family.path)]

    def test_wrong_password_is_asked_once(self, world: FakeRegistry, family: Family) -> None:
        auth = start(world, family, users={USER: "another"})
        auth.site.add(family.repository, "1")

        with RegistryResolver(with_login(family.host)) as resolver:
            names = [f"{family.host}/{family.repository}{tag}:{tag}" for tag in ("1", "2", "3")]
            errors = [error_of(resolver, name) for name in names]

        logins = [call for call in auth.server.calls if call.path == family.path]
        assert {error.code for error in errors} == {"unauthorized"}
        assert len(logins) == 1

    def test_missing_tag_is_not_found(self, world: FakeRegistry, family: Family) -> None:
        auth = start(world, family)
        auth.site.add(family.repository, "1")

        error = ask_in_vain(f"{family.host}/{family.repository}:2")

        assert error.code == "not-found"
        gets = [
            call for call in auth.site.asked() if call.startswith("GET /v2/") and "/manif" in call
        ]
        assert len(gets) == (0 if family.name == "hub" else 1)

    def test_revoked_token_is_replaced_once(self, world: FakeRegistry, family: Family) -> None:
        expired = {
            "public-ecr": Answer.error(400),
            "acr": Answer.error(403, "DENIED"),
        }.get(family.name)
        auth = start(world, family, expired=expired)
        digests = [auth.site.add(family.repository, tag) for tag in ("1", "2")]

        with RegistryResolver() as resolver:
            name = f"{family.host}/{family.repository}"
            first = resolver.resolve(make_query(f"{name}:1"))
            auth.revoked.update(auth.given)
            second = resolver.resolve(make_query(f"{name}:2"))

        assert [first.digest, second.digest] == digests
        assert len(auth.given) == 2


class TestDockerHub:
    def test_missing_or_private_repository_is_one_error_without_a_get(
        self, world: FakeRegistry
    ) -> None:
        auth = start(world, FAMILIES[0], private=frozenset({"acme/secret"}))

        error = ask_in_vain("acme/secret:1")

        assert error.code == "not-found-or-no-access"
        assert not [call for call in auth.site.asked() if call.startswith("GET")]

    def test_quota_is_remembered(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[0])
        auth.site.headers = (
            ("ratelimit-limit", "100;w=21600"),
            ("ratelimit-remaining", "20;w=21600"),
        )
        auth.site.add("library/python", "1")

        with RegistryResolver() as resolver:
            resolver.resolve(make_query("python:1"))
            quota = resolver.notes("docker.io").quota

        assert quota
        assert (quota.limit, quota.remaining, quota.window_s) == (100, 20, 21600)

    def test_pull_limit_stops_the_host(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[0])
        auth.site.always(Answer.error(429, "TOOMANYREQUESTS", ("Retry-After", "9000")))

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            first = error_of(resolver, "python:1")
            second = error_of(resolver, "node:1")

        assert first.code == second.code == "rate-limited"
        assert "9000 s" in str(first)
        assert str(second).startswith("docker.io/library/node:1")
        assert len(auth.site.calls) == 1

    def test_login_of_docker_is_found_under_its_old_name(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        auth = start(world, FAMILIES[0], users={"me": "pw"}, private=frozenset({"me/app"}))
        digest = auth.site.add("me/app", "1")
        auths = {"https://index.docker.io/v1/": {"username": "me", "password": "pw"}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": auths}))

        assert ask("me/app:1").digest == digest


class TestGhcr:
    @pytest.mark.parametrize(
        "missing",
        [Answer.error(401, "UNAUTHORIZED"), Answer.error(403, "DENIED")],
        ids=["401", "403"],
    )
    def test_refusal_of_the_token_server_does_not_say_which(
        self, world: FakeRegistry, missing: Answer
    ) -> None:
        auth = start(world, FAMILIES[1], private=frozenset({"acme/secret"}), missing=missing)

        error = ask_in_vain("ghcr.io/acme/secret:1")

        assert error.code == "not-found-or-no-access"
        assert "docker login ghcr.io" in error.hint
        assert len([call for call in auth.site.calls if call.path == "/token"]) == 1

    def test_stale_login_is_denied_and_the_image_read_anonymously(
        self, world: FakeRegistry
    ) -> None:
        auth = start(world, FAMILIES[1])
        auth.server.always(Answer.error(403, "DENIED"), path="/token")

        def anonymous(call: Call) -> Answer | None:
            is_login = "authorization" in call.headers
            return auth._give(call) if call.path == "/token" and not is_login else None

        auth.server.rules.insert(0, anonymous)
        digest = auth.site.add("acme/app", "1")

        assert ask("ghcr.io/acme/app:1", with_login("ghcr.io")).digest == digest

    def test_wait_inside_the_message_is_understood(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[1])
        digest = auth.site.add("acme/app", "1")
        said = b'{"errors":[{"message":"retry-after: 2.5s, allowed: 44000/minute"}]}'
        auth.site.script(Answer(429, body=said), path="/v2/acme")
        time = FakeTime()

        # The answer to HEAD has no body; the table's own wait of one second is used.
        assert ask("ghcr.io/acme/app:1", time=time).digest == digest
        assert time.slept == [1.0]


class TestHarbor:
    def test_missing_project_ends_with_an_empty_challenge(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[2])
        end = Answer.error(401, "UNAUTHORIZED", ("WWW-Authenticate", ""))

        def closed(call: Call) -> Answer | None:
            return end if "authorization" in call.headers and "/v2/" in call.path else None

        auth.site.rules.insert(0, closed)

        error = ask_in_vain("harbor.corp.example/none/app:1")

        assert error.code == "not-found-or-no-access"
        assert len([call for call in auth.site.calls if call.is_manifest]) == 2

    def test_401_with_basic_after_a_token_is_final(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[2], users={USER: PASSWORD})
        end = Answer.error(401, "UNAUTHORIZED", ("WWW-Authenticate", 'Basic realm="harbor"'))
        auth.site.rules.insert(
            0,
            lambda call: end if call.authorization.startswith("Bearer") else None,
        )

        error = ask_in_vain("harbor.corp.example/other/app:1", with_login("harbor.corp.example"))

        assert error.code == "not-found-or-no-access"
        sent = [call.authorization[:6] for call in auth.site.calls]
        assert sent == ["", "Basic ", "Bearer"]

    def test_policy_is_reported_with_what_it_says(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[2])
        said = (
            b'{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image with '
            b'3 vulnerabilities cannot be pulled"}]}'
        )
        auth.site.rules.append(
            lambda call: Answer(412, (("Content-Type", "application/json"),), said)
            if call.is_manifest else None
        )  # fmt: skip

        error = ask_in_vain("harbor.corp.example/project/app:1")

        assert error.code == "policy"
        assert "3 vulnerabilities" in str(error)

    def test_proxy_cache_redirects_within_the_host_and_keeps_the_token(
        self, world: FakeRegistry
    ) -> None:
        auth = start(world, FAMILIES[2])
        digest = auth.site.add("hub/library/python", "3.12")

        def proxy(call: Call) -> Answer | None:
            # Harbor checks the project of a token, not the repository.
            if "authorization" not in call.headers or not call.is_manifest:
                return None
            if call.repository == "hub/python":
                return Answer.redirect("/v2/hub/library/python/manifests/3.12", 301)
            return auth.site.hold(call)

        auth.site.rules.insert(0, proxy)

        answer = ask("harbor.corp.example/hub/python:3.12")

        assert answer.digest == digest
        assert auth.scopes == ["repository:hub/python:pull"]

    def test_mirror_rule_asks_upstream_in_its_place(self, world: FakeRegistry) -> None:
        auth = start(world, FAMILIES[0])
        digest = auth.site.add("library/python", "3.12")
        settings = RegistrySettings(mirrors={"harbor.corp.example/hub/": "docker.io/"})

        answers = [
            ask(f"harbor.corp.example/hub/{name}:3.12", settings)
            for name in ("python", "library/python")
        ]

        assert [answer.digest for answer in answers] == [digest, digest]
        assert {answer.answered_by for answer in answers} == {"docker.io"}
        assert "harbor.corp.example" not in world.sites


class TestBasicRegistries:
    @pytest.mark.parametrize(
        "host, challenge",
        [
            pytest.param(
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                'Basic realm="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",'
                'service="ecr.amazonaws.com"',
                id="ecr",
            ),
            pytest.param("acme.jfrog.io", 'Basic realm="Artifactory Realm"', id="artifactory"),
            pytest.param(
                "nexus.corp.example", 'BASIC realm="Sonatype Nexus Repository Manager"', id="nexus"
            ),
        ],
    )
    def test_basic_login_goes_with_every_question(
        self, world: FakeRegistry, host: str, challenge: str
    ) -> None:
        site = world.site(host)
        basic_auth(site, {USER: PASSWORD}, challenge)
        digests = [site.add("team/app", tag) for tag in ("1", "2")]

        with RegistryResolver(with_login(host)) as resolver:
            names = (f"{host}/team/app:{tag}" for tag in ("1", "2"))
            found = [resolver.resolve(make_query(name)).digest for name in names]

        assert found == digests
        assert site.asked() == [
            "HEAD /v2/team/app/manifests/1",
            "HEAD /v2/team/app/manifests/1",
            "HEAD /v2/team/app/manifests/2",
        ]

    def test_expired_login_of_ecr_is_denied_with_its_reason(self, world: FakeRegistry) -> None:
        host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        site = world.site(host)
        said = (
            b'{"errors":[{"code":"DENIED","message":"Your authorization token has expired. '
            b'Reauthenticate and try again."}]}'
        )
        answer = Answer(403, (("Content-Type", "application/json"),), said)
        site.rules.append(lambda call: answer if "authorization" in call.headers else None)
        basic_auth(site, {}, 'Basic realm="https://x/",service="ecr.amazonaws.com"')

        error = ask_in_vain(f"{host}/team/app:1", with_login(host))

        assert error.code == "denied"
        assert "has expired" in str(error)


class TestOpenRegistries:
    def test_mcr_answers_without_any_login(self, world: FakeRegistry) -> None:
        site = world.site("mcr.microsoft.com")
        digest = site.add("dotnet/sdk", "9.0", make_index(1, media_type=DOCKER_LIST))

        assert ask("mcr.microsoft.com/dotnet/sdk:9.0").digest == digest
        assert site.asked() == ["HEAD /v2/dotnet/sdk/manifests/9.0"]

    def test_mcr_that_refuses_an_address_is_denied(self, world: FakeRegistry) -> None:
        site = world.site("mcr.microsoft.com")
        site.always(Answer.error(403))

        assert ask_in_vain("mcr.microsoft.com/dotnet/sdk:9.0").code == "denied"

    def test_gcr_without_a_challenge_is_pinged_once(self, world: FakeRegistry) -> None:
        family = Family("gcr", "gcr.io", "gcr.io", "/v2/token", "gcr.io", "acme/app")
        auth = start(world, family)
        digests = [auth.site.add(name, "1") for name in ("acme/app", "acme/other")]
        auth.site.rules.insert(
            0,
            lambda call: Answer.error(401, "UNAUTHORIZED")
            if call.is_manifest and "authorization" not in call.headers else None,
        )  # fmt: skip

        with RegistryResolver() as resolver:
            names = ("acme/app", "acme/other")
            found = [resolver.resolve(make_query(f"gcr.io/{name}:1")).digest for name in names]

        assert found == digests
        assert auth.site.asked().count("GET /v2/") == 1

    def test_registry_k8s_io_leads_to_another_host(self, world: FakeRegistry) -> None:
        front, back = world.site("registry.k8s.io"), world.site("us-west2-docker.pkg.dev")
        digest = back.add("k8s/images/pause", "3.9")
        front.always(
            Answer.redirect("https://us-west2-docker.pkg.dev/v2/k8s/images/pause/manifests/3.9")
        )

        assert ask("registry.k8s.io/pause:3.9").digest == digest

    def test_target_of_a_redirect_may_want_a_token_of_its_own(self, world: FakeRegistry) -> None:
        family = Family(
            "gar", "eu-docker.pkg.dev", "eu-docker.pkg.dev", "/v2/token", "", "k8s/pause"
        )
        auth = start(world, family)
        digest = auth.site.add("k8s/pause", "3.9")
        front = world.site("registry.k8s.io")
        front.always(Answer.redirect("https://eu-docker.pkg.dev/v2/k8s/pause/manifests/3.9"))

        answer = ask("registry.k8s.io/pause:3.9", with_login("registry.k8s.io"))

        assert answer.digest == digest
        assert not [call for call in world.calls() if "Basic" in call.authorization]


class TestRegistriesWithoutADigestHeader:
    @pytest.mark.parametrize(
        "header", ["", "sha256:xyz", "md5:" + "0" * 32], ids=["none", "bad", "md5"]
    )
    def test_manifest_is_fetched_and_hashed_and_head_not_tried_again(
        self, world: FakeRegistry, header: str
    ) -> None:
        site = world.site("registry.redhat.io")
        samples = [make_index(build) for build in (1, 2)]
        for tag, sample in zip(("1", "2"), samples, strict=True):
            site.add("ubi9", tag, sample)

        def headless(call: Call) -> Answer | None:
            full = site.hold(call)
            kept = [
                (name, value) for name, value in full.headers if name != "Docker-Content-Digest"
            ]
            named = [("Docker-Content-Digest", header)] if header else []
            return Answer(full.status, (*kept, *named), full.body)

        site.rules.append(headless)

        with RegistryResolver() as resolver:
            found = [
                resolver.resolve(make_query(f"registry.redhat.io/ubi9:{tag}")).digest
                for tag in ("1", "2")
            ]

        assert found == [sample.digest for sample in samples]
        assert site.asked() == [
            "HEAD /v2/ubi9/manifests/1",
            "GET /v2/ubi9/manifests/1",
            "GET /v2/ubi9/manifests/2",
        ]

    @pytest.mark.parametrize("status", [400, 404, 405, 501])
    def test_registry_that_knows_no_head_is_asked_with_get(
        self, world: FakeRegistry, status: int
    ) -> None:
        site = world.site("old.registry.example")
        digest = site.add("app", "1")
        site.always(Answer.error(status), method="HEAD")

        assert ask("old.registry.example/app:1").digest == digest

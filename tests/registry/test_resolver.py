from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from digestbot.image import Digest
from digestbot.registry.resolution import Resolution
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.secret import Secret
from tests.registries.fake import Answer, Call, FakeRegistry
from tests.registries.samples import OCI_INDEX, make_image, make_index
from tests.registries.tokens import TokenAuth, basic_auth
from tests.registry.asking import ask, ask_in_vain, error_of, make_query

SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
WRONG = str(Digest.of(b"something else"))


class TestOneQuestion:
    def test_many_threads_with_one_question_ask_once(self, fake: FakeRegistry) -> None:
        digest = fake.local.add("app", "1")
        query = make_query(f"{fake.host}/app:1")

        with RegistryResolver() as resolver, ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(resolver.resolve, [query] * 64))

        assert {answer.digest for answer in answers} == {digest}
        assert fake.local.asked() == ["HEAD /v2/app/manifests/1"]

    def test_names_that_mean_the_same_ask_once(self, world: FakeRegistry) -> None:
        site = world.site("registry-1.docker.io")
        site.add("library/python", "3")
        settings = RegistrySettings(mirrors={"harbor.corp/hub/": "docker.io/"})

        with RegistryResolver(settings) as resolver:
            for name in (
                "python:3",
                "harbor.corp/hub/python:3",
                "harbor.corp/hub/library/python:3",
            ):
                answer = resolver.resolve(make_query(name))
                assert answer.query == make_query(name)

        assert site.asked() == ["HEAD /v2/library/python/manifests/3"]

    def test_errors_are_remembered_too_and_name_each_image(self, fake: FakeRegistry) -> None:
        fake.local.add("app", "1")
        settings = RegistrySettings(mirrors={"a.example/": f"{fake.host}/"})

        with RegistryResolver(settings) as resolver:
            first = error_of(resolver, f"{fake.host}/app:2")
            second = error_of(resolver, "a.example/app:2")

        assert str(first).startswith(f"{fake.host}/app:2: ")
        assert str(second).startswith("a.example/app:2: ")
        assert len(fake.local.calls) == 2

    def test_cold_start_of_many_threads_is_one_401(self, fake: FakeRegistry) -> None:
        auth = TokenAuth(fake.local, fake.local)
        queries = []
        for n in range(16):
            fake.local.add(f"app{n}", "1")
            queries.append(make_query(f"{fake.host}/app{n}:1"))

        with RegistryResolver() as resolver, ThreadPoolExecutor(16) as pool:
            list(pool.map(resolver.resolve, queries))

        plain = [c for c in fake.local.calls if c.is_manifest and not c.authorization]
        assert len(plain) == 1
        assert len(auth.given) == 16

    def test_platforms_share_the_head_and_the_index(self, fake: FakeRegistry) -> None:
        index = make_index(1, "linux/amd64", "linux/arm64")
        fake.local.add("app", "1", index)

        with RegistryResolver() as resolver:
            name = f"{fake.host}/app:1"
            plain = resolver.resolve(make_query(name))
            arm = resolver.resolve(make_query(name, "linux/arm64"))
            missing = error_of(resolver, name, "linux/s390x")

        assert plain.digest == index.digest
        assert arm.digest == index.children[1].digest
        assert missing.code == "platform-missing"
        assert fake.local.asked() == [
            "HEAD /v2/app/manifests/1",
            f"GET /v2/app/manifests/{index.digest}",
        ]


class TestTrust:
    def test_body_that_is_not_what_the_header_says_is_an_error(self, fake: FakeRegistry) -> None:
        sample = make_index()
        headers = (("Content-Type", OCI_INDEX), ("Docker-Content-Digest", WRONG))
        fake.local.always(Answer(405), method="HEAD")
        fake.local.always(Answer(200, headers, sample.body), method="GET")

        error = ask_in_vain(f"{fake.host}/app:1")

        assert error.code == "digest-mismatch"
        assert sample.digest.short in str(error)

    def test_index_that_is_not_what_was_asked_for_is_an_error(self, fake: FakeRegistry) -> None:
        fake.local.add("app", "1")
        other = make_index("other")
        fake.local.always(
            Answer(200, (("Content-Type", OCI_INDEX),), other.body), path="manifests/sha256:"
        )

        error = ask_in_vain(f"{fake.host}/app:1", platform="linux/amd64")

        assert error.code == "digest-mismatch"

    def test_config_that_is_not_what_was_asked_for_is_an_error(self, fake: FakeRegistry) -> None:
        fake.local.add("app", "1", make_image())
        fake.local.always(Answer(200, body=b"{}"), path="/blobs/")

        error = ask_in_vain(f"{fake.host}/app:1", platform="linux/amd64")

        assert error.code == "digest-mismatch"

    def test_config_comes_through_a_redirect(self, world: FakeRegistry) -> None:
        image = make_image(1, "linux/arm64")
        site, storage = world.site("r.example"), world.site("storage.example")
        digest = site.add("app", "1", image)
        site.always(Answer.redirect("https://storage.example/blob?sig=x"), path="/blobs/")
        storage.always(Answer(200, body=image.blobs[0]))

        assert ask("r.example/app:1", platform="linux/arm64").digest == digest

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    def test_schema1_is_refused(self, fake: FakeRegistry, method: str) -> None:
        headers = (("Content-Type", SCHEMA1), ("Docker-Content-Digest", WRONG))
        fake.local.always(Answer(405))
        fake.local.always(Answer(200, headers, b'{"schemaVersion": 1}'), method=method)

        assert ask_in_vain(f"{fake.host}/app:1").code == "schema1"

    def test_web_page_is_no_registry(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(200, (("Content-Type", "text/html"),), b"<html>log in"))

        error = ask_in_vain(f"{fake.host}/app:1")

        assert error.code == "not-a-registry"
        assert "proxy" in error.hint

    def test_web_page_that_says_404_is_no_registry(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(404, (("Content-Type", "text/html; charset=utf-8"),), b"<html>"))

        assert ask_in_vain(f"{fake.host}/app:1").code == "not-a-registry"

    def test_digest_of_a_web_page_is_not_taken(self, fake: FakeRegistry) -> None:
        headers = (("Content-Type", "text/html"), ("Docker-Content-Digest", WRONG))
        fake.local.always(Answer(200, headers, b"<html>"))

        assert ask_in_vain(f"{fake.host}/app:1").code == "not-a-registry"

    def test_manifest_of_any_size_is_not_taken(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(405), method="HEAD")
        fake.local.always(Answer(200, body=b" " * (8 * 1024 * 1024 + 1)), method="GET")

        assert ask_in_vain(f"{fake.host}/app:1").code == "answer-too-large"

    def test_sha512_of_a_registry_is_taken_as_it_is(self, fake: FakeRegistry) -> None:
        digest = Digest.of(make_index().body, "sha512")
        headers = (("Content-Type", OCI_INDEX), ("Docker-Content-Digest", str(digest)))
        fake.local.always(Answer(200, headers))

        assert ask(f"{fake.host}/app:1").digest == digest


class TestRefusals:
    @pytest.mark.parametrize(
        "answer, code",
        [
            pytest.param(Answer.error(404, "MANIFEST_UNKNOWN"), "not-found", id="no-tag"),
            pytest.param(Answer.error(404, "NAME_UNKNOWN"), "not-found", id="no-repository"),
            pytest.param(Answer.error(404), "not-found", id="empty-404"),
            pytest.param(Answer(404, body=b"404 page not found"), "not-found", id="text-404"),
            pytest.param(Answer.error(403, "DENIED"), "denied", id="denied"),
            pytest.param(Answer.error(412, "X"), "policy", id="policy"),
            pytest.param(Answer.error(410), "unexpected", id="gone"),
            pytest.param(Answer(304), "unexpected", id="not-modified"),
            pytest.param(Answer(204), "unexpected", id="no-content"),
            pytest.param(Answer.error(401), "login-required", id="401-without-challenge"),
        ],
    )
    def test_refusal_is_named(self, fake: FakeRegistry, answer: Answer, code: str) -> None:
        fake.local.always(answer)

        assert ask_in_vain(f"{fake.host}/app:1").code == code

    def test_message_of_the_registry_is_shown_on_one_line(self, fake: FakeRegistry) -> None:
        said = (
            b'{"errors":[{"code":"DENIED","message":"no\\u001b[31m\\n\\rway' + b"x" * 900 + b'"}]}'
        )
        fake.local.always(Answer(403, (("Content-Type", "application/json"),), said))

        error = ask_in_vain(f"{fake.host}/app:1")

        assert "'no [31m  way" in str(error)
        assert str(error).isprintable()
        assert len(str(error)) < 400

    def test_login_that_may_not_is_named(self, fake: FakeRegistry) -> None:
        basic_auth(fake.local, {}, "Basic")
        fake.local.rules.insert(
            0, lambda call: Answer.error(403, "DENIED") if call.authorization else None
        )

        host = HostSettings(username="robot$x", password=Secret("pw"))

        error = ask_in_vain(f"{fake.host}/app:1", RegistrySettings(hosts={fake.host: host}))

        assert error.code == "denied"
        assert "'robot$x'" in str(error)

    def test_registry_that_wants_a_login_only_for_some_images(self, fake: FakeRegistry) -> None:
        auth = TokenAuth(fake.local, fake.local)
        fake.local.add("open", "1")
        digest = fake.local.add("closed", "1")

        def is_open(call: Call) -> Answer | None:
            return fake.local.hold(call) if "/open/" in call.path else None

        fake.local.rules.insert(0, is_open)

        with RegistryResolver() as resolver:
            resolver.resolve(make_query(f"{fake.host}/open:1"))
            answer = resolver.resolve(make_query(f"{fake.host}/closed:1"))

        assert answer.digest == digest
        assert len(auth.given) == 1


class TestPlaces:
    def test_impossible_port_is_an_error(self) -> None:
        assert ask_in_vain("r.example:99999/app:1").code == "unreachable"

    @pytest.mark.parametrize(
        "settings, is_allowed",
        [
            pytest.param(RegistrySettings(), False, id="unknown"),
            pytest.param(RegistrySettings(allow_private=True), True, id="all"),
            pytest.param(
                RegistrySettings(hosts={"10.255.255.1:1": HostSettings()}), True, id="named"
            ),
            pytest.param(
                RegistrySettings(mirrors={"docker.io/": "10.255.255.1:1/hub/"}), True, id="mirror"
            ),
        ],
    )
    def test_private_address_needs_a_word_of_permission(
        self, world: FakeRegistry, settings: RegistrySettings, is_allowed: bool
    ) -> None:
        world.site("10.255.255.1:1").add("app", "1")

        if is_allowed:
            assert ask("10.255.255.1:1/app:1", settings).answered_by == "10.255.255.1:1"
        else:
            error = ask_in_vain("10.255.255.1:1/app:1", settings)
            assert error.code == "private-address"
            assert "allow_private" in error.hint

    def test_stored_login_is_permission(
        self, world: FakeRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.site("10.255.255.1:1").add("app", "1")
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", '{"auths": {"10.255.255.1:1": {}}}')

        assert ask("10.255.255.1:1/app:1").answered_by == "10.255.255.1:1"

    @pytest.mark.parametrize("address", ["169.254.169.254:80", "[fe80::1]:80"])
    def test_link_local_needs_the_host_itself_to_be_named(
        self, world: FakeRegistry, address: str
    ) -> None:
        world.site(address).add("app", "1")
        allowed = RegistrySettings(allow_private=True)
        named = RegistrySettings(hosts={address: HostSettings()})

        assert ask_in_vain(f"{address}/app:1", allowed).code == "private-address"
        assert ask(f"{address}/app:1", named).answered_by == address

    def test_http_is_spoken_where_configured(self, world: FakeRegistry) -> None:
        world.site("r.example").add("app", "1")
        settings = RegistrySettings(hosts={"r.example": HostSettings(http=True)})

        ask("r.example/app:1", settings)

        assert {call.scheme for call in world.site("r.example").calls} == {"http"}

    def test_https_is_never_given_up(self, world: FakeRegistry) -> None:
        world.site("r.example").add("app", "1")

        ask("r.example/app:1")

        assert {call.scheme for call in world.site("r.example").calls} == {"https"}


def test_asking_for_the_records_loads_no_http_library() -> None:
    code = (
        "import sys, digestbot.registry.resolution, digestbot.registry.settings, "
        "digestbot.registry.recorded, digestbot.registry.errors; "
        "sys.exit('requests' in sys.modules or 'urllib3' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_image_that_hangs_first_does_not_sink_the_others(fake: FakeRegistry) -> None:
    released = threading.Event()
    fake.local.add("team/slow", "1")
    for number in range(6):
        fake.local.add(f"team/fine{number}", "1")

    def hang(call: Call) -> Answer | None:
        if "/slow/" in call.path:
            released.wait(20)
        return None

    fake.local.rules.append(hang)
    queries = [make_query(f"{fake.host}/team/slow:1")]
    queries += [make_query(f"{fake.host}/team/fine{number}:1") for number in range(6)]
    answered: list[Resolution] = []
    settings = RegistrySettings(docker_config=False, timeout_s=30)

    with RegistryResolver(settings) as resolver:
        first = threading.Thread(target=lambda: answered.append(resolver.resolve(queries[0])))
        first.start()
        while not fake.local.calls:
            time.sleep(0.01)
        fine = [resolver.resolve(query) for query in queries[1:]]
        before = list(answered)
        released.set()
        first.join()

    assert len(fine) == 6
    assert (len(before), len(answered)) == (0, 1)

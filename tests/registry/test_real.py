"""Against Debian's docker-registry: its own access log says what it was asked."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from digestbot import __version__
from digestbot.image import Digest
from digestbot.registry.resolution import Query, Resolution
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.secret import Secret
from tests.registries.real import (
    PASSWORD,
    USERNAME,
    RealRegistry,
    htpasswd_registry,
    mirror_registry,
    open_registry,
    tls_registry,
    token_registry,
)
from tests.registries.samples import make_image, make_index
from tests.registry.asking import ask, ask_in_vain, error_of, make_query


def resolve_all(resolver: RegistryResolver, queries: list[Query]) -> list[Resolution]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(resolver.resolve, queries))


def push_many(registry: RealRegistry) -> dict[str, Digest]:
    """Four repositories with five tags each."""
    pushed = {}
    for repository in ("team/a", "team/b", "team/c", "d"):
        for tag in ("1", "2", "3", "4", "5"):
            pushed[f"{registry.host}/{repository}:{tag}"] = registry.push(repository, tag)
    registry.start_log()
    return pushed


def heads(pushed: dict[str, Digest], host: str) -> Counter[str]:
    paths = (name.removeprefix(f"{host}/").rpartition(":") for name in pushed)
    return Counter(f"HEAD /v2/{name}/manifests/{tag} 200" for name, _, tag in paths)


def test_open_registry_sees_one_head_per_tag_and_nothing_else(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry, RegistryResolver() as resolver:
        pushed = push_many(registry)
        queries = [make_query(name) for name in pushed] * 3

        answers = resolve_all(resolver, queries)

        assert {str(a.query): a.digest for a in answers} == pushed
        assert Counter(registry.calls()) == heads(pushed, registry.host)
        assert registry.agents() == {
            f"digestbot/{__version__} (+https://github.com/digestbot/digestbot)"
        }


def test_token_registry_sees_one_401_and_one_token_per_scope(tmp_path: Path) -> None:
    with token_registry(tmp_path) as registry, RegistryResolver() as resolver:
        assert registry.tokens
        pushed = push_many(registry)

        answers = resolve_all(resolver, [make_query(name) for name in pushed])

        calls = Counter(registry.calls())
        unauthorized = [call for call in calls if call.endswith(" 401")]
        assert {str(a.query): a.digest for a in answers} == pushed
        assert len(unauthorized) == 1
        assert calls - Counter(unauthorized) == heads(pushed, registry.host)
        assert Counter(registry.tokens.scopes) == Counter(
            f"repository:{name}:pull" for name in ("team/a", "team/b", "team/c", "d")
        )
        counts = resolver.counts()[registry.host]
        assert (counts.heads, counts.gets, counts.tokens) == (len(pushed) + 1, 0, 4)


def test_token_server_gets_the_configured_login(tmp_path: Path) -> None:
    with token_registry(tmp_path, users={USERNAME: PASSWORD}) as registry:
        digest = registry.push("team/app", "1")
        host = HostSettings(username=USERNAME, password=Secret(PASSWORD))

        with RegistryResolver(RegistrySettings(hosts={registry.host: host})) as resolver:
            answer = resolver.resolve(make_query(f"{registry.host}/team/app:1"))

        assert answer.digest == digest


def test_wrong_password_is_asked_once_from_sixteen_threads(tmp_path: Path) -> None:
    with token_registry(tmp_path, users={USERNAME: PASSWORD}) as registry:
        assert registry.tokens
        host = HostSettings(username=USERNAME, password=Secret("wrong"))
        queries = [make_query(f"{registry.host}/team/app{n}:1") for n in range(16)]

        with (
            RegistryResolver(RegistrySettings(hosts={registry.host: host})) as resolver,
            ThreadPoolExecutor(16) as pool,
        ):
            futures = [pool.submit(resolver.resolve, query) for query in queries]
            errors = [future.exception() for future in futures]

        assert {getattr(error, "code", "") for error in errors} == {"unauthorized"}
        assert len(registry.tokens.refused) == 1


def test_htpasswd_registry_takes_the_login_of_a_robot(tmp_path: Path) -> None:
    with htpasswd_registry(tmp_path) as registry:
        pushed = push_many(registry)
        host = HostSettings(username=USERNAME, password=Secret(PASSWORD))

        with RegistryResolver(RegistrySettings(hosts={registry.host: host})) as resolver:
            answers = resolve_all(resolver, [make_query(name) for name in pushed])

        calls = Counter(registry.calls())
        unauthorized = [call for call in calls if call.endswith(" 401")]
        assert {str(a.query): a.digest for a in answers} == pushed
        assert len(unauthorized) == 1
        assert calls - Counter(unauthorized) == heads(pushed, registry.host)


def test_htpasswd_registry_sees_a_wrong_password_once(tmp_path: Path) -> None:
    with htpasswd_registry(tmp_path) as registry:
        pushed = push_many(registry)
        host = HostSettings(username=USERNAME, password=Secret("wrong"))

        with (
            RegistryResolver(RegistrySettings(hosts={registry.host: host})) as resolver,
            ThreadPoolExecutor(16) as pool,
        ):
            futures = [pool.submit(resolver.resolve, make_query(name)) for name in pushed]
            errors = [future.exception() for future in futures]

        assert {getattr(error, "code", "") for error in errors} == {"unauthorized"}
        # One plain question, and one with the wrong password.
        assert len(registry.calls()) == 2


def test_htpasswd_registry_without_a_login_says_so(tmp_path: Path) -> None:
    with htpasswd_registry(tmp_path) as registry, RegistryResolver() as resolver:
        error = error_of(resolver, f"{registry.host}/team/app:1")

    assert error.code == "login-required"
    assert "docker login" in error.hint


def test_private_authority_is_trusted_where_configured(tmp_path: Path) -> None:
    with tls_registry(tmp_path) as registry:
        digest = registry.push("team/app", "1")
        host = HostSettings(ca_file=registry.ca_file)

        with RegistryResolver(RegistrySettings(hosts={registry.host: host})) as resolver:
            answer = resolver.resolve(make_query(f"{registry.host}/team/app:1"))

    assert answer.digest == digest


def test_client_certificate_is_shown_where_configured(tmp_path: Path) -> None:
    with tls_registry(tmp_path, wants_client=True) as registry:
        digest = registry.push("team/app", "1")
        without = HostSettings(ca_file=registry.ca_file)
        shown = HostSettings(ca_file=registry.ca_file, client_cert=registry.client_cert)
        name = f"{registry.host}/team/app:1"

        answer = ask(name, RegistrySettings(hosts={registry.host: shown}))
        error = ask_in_vain(name, RegistrySettings(hosts={registry.host: without}))

    assert answer.digest == digest
    assert error.code == "tls"


def test_unknown_authority_is_a_tls_error_that_names_the_setting(tmp_path: Path) -> None:
    with tls_registry(tmp_path) as registry:
        other = tmp_path / "other"
        with tls_registry(other) as stranger:
            host = HostSettings(ca_file=stranger.ca_file)
            settings = RegistrySettings(hosts={registry.host: host})

            with RegistryResolver(settings) as resolver:
                error = error_of(resolver, f"{registry.host}/team/app:1")

    assert error.code == "tls"
    assert f"registries.{registry.host}.ca_file" in error.hint


def test_mirror_rule_asks_the_cache_and_keeps_the_name(tmp_path: Path) -> None:
    with open_registry(tmp_path / "origin") as origin:
        digest = origin.push("library/python", "3.12")
        with mirror_registry(tmp_path / "cache", origin) as cache:
            settings = RegistrySettings(mirrors={"docker.io/": f"{cache.host}/"})

            with RegistryResolver(settings) as resolver:
                answer = resolver.resolve(make_query("python:3.12"))

            assert cache.calls() == ["HEAD /v2/library/python/manifests/3.12 200"]

    assert answer.digest == digest
    assert answer.answered_by == cache.host
    assert str(answer.query.image) == "docker.io/library/python:3.12"


def test_platform_of_an_index_takes_one_get_by_digest(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry, RegistryResolver() as resolver:
        index = make_index(1, "linux/amd64", "linux/arm/v7", "linux/arm64")
        registry.push("team/app", "1", index)
        registry.start_log()
        name = f"{registry.host}/team/app:1"

        found = [
            resolver.resolve(make_query(name, platform)).digest
            for platform in ("linux/arm", "linux/arm64/v8", "linux/amd64", "")
        ]

        assert found == [
            index.children[1].digest,
            index.children[2].digest,
            index.children[0].digest,
            index.digest,
        ]
        assert registry.calls() == [
            "HEAD /v2/team/app/manifests/1 200",
            f"GET /v2/team/app/manifests/{index.digest} 200",
        ]


def test_platform_of_a_single_image_is_read_from_its_config(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry, RegistryResolver() as resolver:
        digest = registry.push("team/app", "1", make_image(1, "linux/arm64"))
        name = f"{registry.host}/team/app:1"

        answer = resolver.resolve(make_query(name, "linux/arm64"))
        error = error_of(resolver, name, "linux/amd64")

    assert answer.digest == digest
    assert error.code == "platform-missing"
    assert "linux/arm64" in error.hint


def test_missing_tag_is_explained_by_one_get(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry, RegistryResolver() as resolver:
        registry.push("team/app", "1")
        registry.start_log()

        error = error_of(resolver, f"{registry.host}/team/app:2")

        assert error.code == "not-found"
        assert str(error).startswith(f"{registry.host}/team/app:2: ")
        assert registry.calls() == [
            "HEAD /v2/team/app/manifests/2 404",
            "GET /v2/team/app/manifests/2 404",
        ]

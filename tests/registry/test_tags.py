from __future__ import annotations

import json
from pathlib import Path

import pytest

from digestbot.registry import tags
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.tags import list_tags
from tests.registries.fake import Answer, Call, FakeRegistry
from tests.registries.real import token_registry
from tests.registries.tokens import TokenAuth


def tags_of(host: str, repository: str = "app") -> tuple[str, ...]:
    with RegistryResolver() as resolver:
        return list_tags(resolver.client(host), repository, resolver.deadline())


def page(*names: object, link: str = "") -> Answer:
    headers = (("Link", link),) if link else ()
    return Answer(200, headers, json.dumps({"name": "app", "tags": list(names)}).encode())


def test_tags_are_listed(fake: FakeRegistry) -> None:
    for tag in ("1", "2"):
        fake.local.add("app", tag)

    assert tags_of(fake.host) == ("1", "2")
    assert fake.local.calls[0].query == {"n": ["1000"]}


def test_tags_of_a_repository_that_wants_a_token(fake: FakeRegistry) -> None:
    auth = TokenAuth(fake.local, fake.local)
    auth.site.add("team/app", "1")
    auth.scope = "repository:team/app:pull"

    assert tags_of(fake.host, "team/app") == ("1",)


@pytest.mark.parametrize(
    "link",
    [
        pytest.param('</v2/app/tags/list?last=2&n=1000>; rel="next"', id="relative"),
        pytest.param('<?last=2>; rel="next"', id="query-alone"),
        pytest.param("</v2/app/tags/list?last=2>; rel=next", id="unquoted"),
        pytest.param('</wrong/path/tags/list?last=2>; rel="next"', id="artifactory"),
        pytest.param('<http://HOST/v2/app/tags/list?last=2>; rel="next"', id="absolute"),
    ],
)
def test_pages_are_followed(fake: FakeRegistry, link: str) -> None:
    first = page("1", "2", link=link.replace("HOST", fake.host))
    fake.local.script(first, page("3", "2"), path="/tags/list")

    assert tags_of(fake.host) == ("1", "2", "3")
    assert fake.local.calls[1].path == "/v2/app/tags/list"
    assert fake.local.calls[1].query["last"] == ["2"]


@pytest.mark.parametrize(
    "link",
    [
        '<https://evil.example/v2/app/tags/list?last=2>; rel="next"',
        '<http://169.254.169.254/?last=2>; rel="next"',
        '<ftp://x/>; rel="next"',
    ],
)
def test_page_elsewhere_is_an_error(fake: FakeRegistry, link: str) -> None:
    fake.local.script(page("1", link=link))

    with pytest.raises(RegistryError) as caught:
        tags_of(fake.host)

    assert caught.value.code == "unexpected"
    assert len(fake.local.calls) == 1


def test_circle_of_pages_is_an_error(fake: FakeRegistry) -> None:
    fake.local.always(page("1", link='</v2/app/tags/list?last=1>; rel="next"'))

    with pytest.raises(RegistryError, match="without end"):
        tags_of(fake.host)

    assert len(fake.local.calls) == 2


def test_endless_pages_are_an_error(fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MAX_PAGES", 5)

    def next_page(call: Call) -> Answer:
        last = int(call.query.get("last", ["0"])[0])
        return page(str(last), link=f'</v2/app/tags/list?last={last + 1}>; rel="next"')

    fake.local.rules.append(next_page)

    with pytest.raises(RegistryError, match="more than 5 pages"):
        tags_of(fake.host)


def test_too_many_tags_are_an_error(fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MAX_TAGS", 2)
    fake.local.script(page("1", "2", "3"))

    with pytest.raises(RegistryError) as caught:
        tags_of(fake.host)

    assert caught.value.code == "answer-too-large"


@pytest.mark.parametrize(
    "body, found",
    [
        pytest.param(b'{"tags": null}', (), id="null"),
        pytest.param(b"{}", (), id="nothing"),
        pytest.param(b'{"tags": []}', (), id="empty"),
        pytest.param(b'{"tags": ["1", null, 5, "sha256:abc", "../x", "2"]}', ("1", "2"), id="odd"),
    ],
)
def test_odd_lists_are_read(fake: FakeRegistry, body: bytes, found: tuple[str, ...]) -> None:
    fake.local.script(Answer(200, body=body))

    assert tags_of(fake.host) == found


@pytest.mark.parametrize(
    "answer, code",
    [
        (Answer(200, body=b"<html>"), "bad-manifest"),
        (Answer(200, body=b'{"tags": "1"}'), "bad-manifest"),
        (Answer.error(404, "NAME_UNKNOWN"), "not-found"),
        (Answer.error(405, "UNSUPPORTED"), "unexpected"),
    ],
    ids=["html", "text", "404", "405"],
)
def test_no_list_is_an_error(fake: FakeRegistry, answer: Answer, code: str) -> None:
    fake.local.always(answer)

    with pytest.raises(RegistryError) as caught:
        tags_of(fake.host)

    assert caught.value.code == code


def test_real_registry_lists_its_tags_under_one_token(tmp_path: Path) -> None:
    with token_registry(tmp_path) as registry:
        for tag in ("1", "2", "3"):
            registry.push("team/app", tag)

        assert set(tags_of(registry.host, "team/app")) == {"1", "2", "3"}

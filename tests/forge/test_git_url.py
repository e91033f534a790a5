"""Which URLs git may be given."""

from __future__ import annotations

import pytest

from digestbot.forge.errors import RefusedError
from digestbot.forge.git_url import GitUrl


@pytest.mark.parametrize(
    "text, protocol, origin",
    [
        ("https://example.com/a.git", "https", "https://example.com"),
        ("https://example.com:8443/a/b", "https", "https://example.com:8443"),
        ("http://127.0.0.1:80/a", "http", "http://127.0.0.1:80"),
        ("http://[::1]:8080/a", "http", "http://[::1]:8080"),
        ("ssh://git@example.com/a.git", "ssh", "ssh://example.com"),
        ("ssh://example.com:2222/a.git", "ssh", "ssh://example.com:2222"),
        ("git@example.com:acme/app.git", "ssh", "ssh://example.com"),
    ],
)
def test_a_url_says_how_and_where(text: str, protocol: str, origin: str) -> None:
    assert GitUrl.parse(text) == GitUrl(text, protocol, origin)


@pytest.mark.parametrize(
    "text, code",
    [
        ("-oProxyCommand=x", "bad-url"),
        ("--upload-pack=x", "bad-url"),
        ("ext::sh -c x", "bad-url"),
        ("ext::x", "bad-url"),
        ("fd::7", "bad-url"),
        ("ssh://-oProxyCommand=x/a", "bad-url"),
        ("ssh://-x@example.com/a", "password-in-url"),
        ("git@-oProxyCommand=x:a", "bad-url"),
        ("git@example.com:-x", "bad-url"),
        ("https://example.com", "bad-url"),
        ("https:///a", "bad-url"),
        ("https://example.com/a\nb", "bad-url"),
        ("https://example.com/a b", "bad-url"),
        ("https://exam%70le.com/a", "bad-url"),
        ("https://example.com/a?x=1", "bad-url"),
        ("https://example.com:port/a", "bad-url"),
        ("https://[::1/a", "bad-url"),
        ("git://example.com/a", "bad-url"),
        ("file:///etc", "bad-url"),
        ("/etc", "bad-url"),
        ("", "bad-url"),
        ("https://me:pw@example.com/a", "password-in-url"),
        ("https://token@example.com/a", "password-in-url"),
        ("ssh://git:pw@example.com/a", "password-in-url"),
        ("http://example.com/a", "not-encrypted"),
    ],
)
def test_other_urls_are_refused_and_passwords_not_repeated(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        GitUrl.parse(text)

    assert caught.value.code == code
    assert caught.value.hint
    assert "pw" not in str(caught.value)


def test_a_folder_is_a_url_when_that_is_allowed() -> None:
    assert GitUrl.parse("file:///srv/a.git", allow_file=True).protocol == "file"

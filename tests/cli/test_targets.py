"""TARGET words: what each means, and one clear error for what means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.cli.targets import GitHubTarget, GitTarget, LocalTarget, Target, parse_target
from digestbot.errors import UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder `app` in it."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(".", LocalTarget("."), id="here"),
        pytest.param("app", LocalTarget("app"), id="folder"),
        pytest.param("app/", LocalTarget("app/"), id="as-typed"),
        pytest.param("github:acme/app", GitHubTarget("acme", "app"), id="repo"),
        pytest.param("github:acme/app.git", GitHubTarget("acme", "app"), id="repo-as-cloned"),
        pytest.param("github:acme/.github", GitHubTarget("acme", ".github"), id="dotted-repo"),
        pytest.param("github:acme", GitHubTarget("acme"), id="owner"),
        pytest.param("github:ann_acme", GitHubTarget("ann_acme"), id="managed-user"),
        *(
            pytest.param(url, GitTarget(url), id=url)
            for url in (
                "https://git.example.com/acme/app.git",
                "https://git.example.com:8443/app",
                "http://127.0.0.1:8080/app.git",
                "ssh://git@git.example.com:2222/acme/app.git",
                "git@git.example.com:acme/app.git",
            )
        ),
    ],
)
def test_a_word_means_a_target(text: str, expected: Target) -> None:
    assert parse_target(text) == expected
    assert str(expected) == text.removesuffix(".git") or isinstance(expected, GitTarget)


@pytest.mark.parametrize(
    "target, name",
    [(GitHubTarget("acme"), "acme"), (GitHubTarget("acme", "app"), "acme/app")],
    ids=["owner", "repo"],
)
def test_a_github_target_is_called_as_there(target: GitHubTarget, name: str) -> None:
    assert target.name == name


@pytest.mark.parametrize(
    "text, words, hint",
    [
        ("github:", "names no repo on GitHub", "github:owner/repo"),
        ("github:acme/", "names no repo on GitHub", "github:owner/repo"),
        ("github:acme/app/web", "names no repo on GitHub", "github:owner/repo"),
        ("github:acme/..", "names no repo on GitHub", "github:owner/repo"),
        ("github:-x/app", "names no repo on GitHub", "github:owner/repo"),
        ("github:acme/app?x", "names no repo on GitHub", "github:owner/repo"),
        ("github:acmé/app", "names no repo on GitHub", "github:owner/repo"),
        ("http://git.example.com/app", "not encrypted", "https://"),
        ("file:///srv/app.git", "no https or ssh URL", "https://"),
        ("ext::sh -c true", "no such file or folder", "a folder"),
        ("ext://x/y", "no https or ssh URL", "https://"),
        ("https://git.example.com", "names no git repository", "https://"),
        ("ssh://-oProxyCommand=x/app", "names no git repository", "https://"),
        ("https://git.example.com/a\nb", "no URL of a git repository", "https://"),
        ("https://[::1/app", "cannot be read", "https://"),
        ("git@host:-oProxyCommand=x", "no https or ssh URL", "https://"),
        ("-x@host:app", "no URL of a git repository", "https://"),
        ("", "no such file or folder", "a folder"),
        ("acme/app", "no such file or folder: acme/app", "write github:acme/app"),
        ("no/such/path", "no such file or folder: no/such/path", "check the spelling"),
    ],
)
def test_what_means_nothing_is_one_clear_error(text: str, words: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(text)

    assert words in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "url", ["https://ann:canary@git.example.com/app", "https://canary@git.example.com/app"]
)
def test_a_url_with_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(url)

    assert "canary" not in f"{caught.value}{caught.value.hint}"

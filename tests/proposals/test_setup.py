from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.models import Settings
from digestbot.config.proposing import GitHubConfig
from digestbot.forge.github.settings import WINDOWS
from digestbot.proposals.settings import CommitSettings, ProposalSettings, Rebase
from digestbot.proposals.setup import github_settings, proposal_settings

NO_ENVIRONMENT: dict[str, str] = {}


def test_without_configuration_proposals_are_as_by_default() -> None:
    assert proposal_settings(Settings()) == ProposalSettings()


def test_every_key_arrives() -> None:
    settings = Settings.model_validate(
        {
            "group": "image",
            "groups": {"base": ["docker.io/library/debian"]},
            "labels": ["deps"],
            "reviewers": ["acme/platform"],
            "assignees": ["ann"],
            "draft": True,
            "automerge": True,
            "automerge_without_checks": True,
            "rebase": "behind",
            "commit": {"title": "{count}", "conventional": "chore", "signoff": "A <a@b.c>"},
            "limits": {"open_per_repo": 3},
            "enabled": False,
        }
    )

    assert proposal_settings(settings) == ProposalSettings(
        enabled=False,
        group="image",
        groups={"base": ("docker.io/library/debian",)},
        labels=("deps",),
        reviewers=("acme/platform",),
        assignees=("ann",),
        draft=True,
        automerge=True,
        automerge_without_checks=True,
        rebase=Rebase.BEHIND,
        commit=CommitSettings("{count}", "chore", "A <a@b.c>"),
        open_limit=3,
    )


@pytest.mark.parametrize(
    "environ, token",
    [
        pytest.param({"GITHUB_TOKEN": "one", "GH_TOKEN": "two"}, "one", id="both"),
        pytest.param({"GH_TOKEN": "two"}, "two", id="gh"),
        pytest.param({"GITHUB_TOKEN": "", "GH_TOKEN": "two"}, "two", id="empty"),
        pytest.param({}, "", id="none"),
    ],
)
def test_the_token_is_in_the_environment(environ: dict[str, str], token: str) -> None:
    assert github_settings(GitHubConfig(), environ).token.reveal() == token


def test_a_named_variable_counts_alone() -> None:
    config = GitHubConfig(token_env="BOT")
    environ = {"BOT": "mine", "GITHUB_TOKEN": "other"}

    assert github_settings(config, environ).token.reveal() == "mine"
    with pytest.raises(ConfigError, match="BOT is not set"):
        github_settings(config, {"GITHUB_TOKEN": "other"})


def test_a_token_in_a_file_is_read_when_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "token"
    settings = github_settings(GitHubConfig(token_file=path), NO_ENVIRONMENT)

    path.write_text("secret\n")

    assert settings.token.reveal() == "secret"


@pytest.mark.parametrize(
    "data, said",
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"x" * 70_000, "larger than 64 KiB", id="large"),
        pytest.param("geheím".encode(), "not ASCII", id="not ascii"),
    ],
)
def test_a_token_file_that_holds_none_is_named_and_not_repeated(
    tmp_path: Path, data: bytes | None, said: str
) -> None:
    path = tmp_path / "token"
    if data is not None:
        path.write_bytes(data)
    settings = github_settings(GitHubConfig(token_file=path), NO_ENVIRONMENT)

    with pytest.raises(ConfigError, match=said) as caught:
        settings.token.reveal()

    assert str(path) in str(caught.value)
    assert "geheím" not in repr(caught.value)


def test_an_app_has_its_id_and_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    config = GitHubConfig(app_id="12", app_key_file=path, url="https://ghe.example/api/v3")

    settings = github_settings(config, {"GITHUB_TOKEN": "other"}, max_wait_s=5)

    assert (settings.app_id, settings.max_wait_s) == ("12", 5)
    assert settings.private_key.reveal().startswith("-----BEGIN")
    assert settings.token.reveal() == ""
    assert settings.web_url == "https://ghe.example"


def test_limits_can_be_switched_off() -> None:
    off = github_settings(GitHubConfig(rate_limits=False), NO_ENVIRONMENT)
    on = github_settings(GitHubConfig(), NO_ENVIRONMENT)

    assert (off.windows, on.windows) == ((), WINDOWS)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is not an address"):
        GitHubConfig(url="ftp://x")

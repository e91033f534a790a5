"""From the configuration to what proposals and forges need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from digestbot.config.issues import ConfigError, Issue
from digestbot.config.models import Settings
from digestbot.config.proposing import GitHubConfig
from digestbot.forge.github.settings import WINDOWS, GitHubSettings
from digestbot.proposals.settings import CommitSettings, ProposalSettings, Rebase
from digestbot.secret import Secret

MAX_BYTES = 64 * 1024
VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")


def proposal_settings(settings: Settings) -> ProposalSettings:
    """What proposals look like."""
    commit = settings.commit
    return ProposalSettings(
        enabled=settings.enabled,
        group=settings.group,
        groups=settings.groups,
        labels=settings.labels,
        reviewers=settings.reviewers,
        assignees=settings.assignees,
        draft=settings.draft,
        automerge=settings.automerge,
        automerge_without_checks=settings.automerge_without_checks,
        rebase=Rebase(settings.rebase),
        commit=CommitSettings(commit.title or "", commit.conventional or "", commit.signoff or ""),
        open_limit=settings.limits.open_per_repo,
    )


def github_settings(
    config: GitHubConfig, environ: Mapping[str, str], *, max_wait_s: float = 30.0
) -> GitHubSettings:
    """Which GitHub, and as whom; secrets are read when GitHub is first asked.

    Raises:
        UsageError: The address of the API is none.
    """
    windows = WINDOWS if config.rate_limits else ()
    if config.app_id is not None and config.app_key_file is not None:
        key = _secret_in(config.app_key_file, "github.app_key_file")
        return GitHubSettings(
            config.url,
            app_id=config.app_id,
            private_key=key,
            max_wait_s=max_wait_s,
            windows=windows,
        )
    return GitHubSettings(
        config.url, _token(config, environ), max_wait_s=max_wait_s, windows=windows
    )


def _token(config: GitHubConfig, environ: Mapping[str, str]) -> Secret:
    if config.token_file is not None:
        return _secret_in(config.token_file, "github.token_file")
    if config.token_env is not None:
        if not environ.get(config.token_env):
            message = f"the environment variable {config.token_env} is not set, or empty"
            raise ConfigError([Issue("github.token_env", message)])
        return Secret(environ[config.token_env])
    return Secret(next((environ[name] for name in VARIABLES if environ.get(name)), ""))


def _secret_in(path: Path, key: str) -> Secret:
    def read() -> str:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            text = data.decode("ascii").strip()
        except OSError as error:
            raise ConfigError([Issue(key, f"{path} cannot be read: {error.strerror}")]) from error
        except UnicodeDecodeError:
            # Without the cause: it would carry the bytes of the secret.
            raise ConfigError([Issue(key, f"{path} is not ASCII text")]) from None
        if not text or len(data) > MAX_BYTES:
            raise ConfigError([Issue(key, f"{path} is empty, or larger than 64 KiB")])
        return text

    return Secret(read)

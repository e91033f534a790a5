"""What to do at each kind of sender, so that it posts to its hook; no secret is among it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from digestbot.config.hooks import HookConfig
from digestbot.service.hooks.contract import HookGuide
from digestbot.service.hooks.hook import IN_PATH
from digestbot.service.hooks.kinds import Kind

PLACEHOLDER = "<secret>"


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps at a sender, and what is pasted there, if anything is."""

    steps: tuple[str, ...]
    snippet: str = ""


_Write = Callable[[str, HookConfig], Guide]


def guide_of(config: HookConfig, base: str) -> HookGuide:
    """What to do for this hook, where the service is reached at this address; empty if unknown."""
    behind = f"/{PLACEHOLDER}" if config.kind in IN_PATH else ""
    url = f"{base.rstrip('/')}/hooks/{config.name}{behind}"
    guide = GUIDES[config.kind](url, config)
    return HookGuide(
        name=config.name,
        kind=config.kind,
        registry=config.registry,
        url=url,
        secret_env=config.secret_env,
        secret_file=str(config.secret_file) if config.secret_file is not None else None,
        steps=list(guide.steps),
        snippet=guide.snippet or None,
    )


def _harbor(url: str, _config: HookConfig) -> Guide:
    return Guide(
        (
            "In Harbor, open the project, then Webhooks, New Webhook.",
            "Notify Type: http. Payload Format: Default or CloudEvents.",
            "Event Type: tick Artifact pushed, and nothing else.",
            f"Endpoint URL: {url}",
            f"Auth Header: {PLACEHOLDER}",
        )
    )


def _dockerhub(url: str, _config: HookConfig) -> Guide:
    return Guide(
        (
            "On Docker Hub, open the repository, then Webhooks.",
            f"New webhook: any name; Webhook URL: {url}",
            "Do so for each repository whose tags are followed.",
        )
    )


def _quay(url: str, _config: HookConfig) -> Guide:
    return Guide(
        (
            "In Quay, open the repository, then Settings, Events and Notifications.",
            "Create Notification: Push to Repository; Webhook POST.",
            f"Webhook URL: {url}",
            "Do so for each repository whose tags are followed.",
        )
    )


def _on_github(url: str, where: str, events: str) -> tuple[str, ...]:
    return (
        where,
        f"Payload URL: {url}",
        "Content type: application/json",
        f"Secret: {PLACEHOLDER}",
        f"Let me select individual events: tick {events}; untick all others.",
    )


def _ghcr(url: str, _config: HookConfig) -> Guide:
    where = "On GitHub, open the organization's (or the repo's) Settings, Webhooks, Add webhook."
    return Guide(_on_github(url, where, "Packages and Registry packages"))


def _github(url: str, _config: HookConfig) -> Guide:
    where = (
        "On GitHub, open the organization's Settings, Webhooks, Add webhook; or the Webhook of "
        "your GitHub App, which is told of installations as well."
    )
    return Guide(
        _on_github(url, where, "Pushes, Pull requests, Check suites and Repositories"),
    )


def _distribution(url: str, _config: HookConfig) -> Guide:
    return Guide(
        ("Put this into the registry's config.yml, and start it again.",),
        "notifications:\n"
        "  endpoints:\n"
        "    - name: digestbot\n"
        f"      url: {url}\n"
        "      headers:\n"
        f'        Authorization: ["{PLACEHOLDER}"]\n'
        "      timeout: 5s\n"
        "      threshold: 5\n"
        "      backoff: 10s\n"
        "      ignore:\n"
        "        mediatypes: [application/octet-stream]\n"
        "        actions: [pull]\n",
    )


def _acr(url: str, config: HookConfig) -> Guide:
    registry = (config.registry or "").partition(".")[0]
    return Guide(
        ("Run this, or fill in the same in the portal: the registry, Webhooks, Add.",),
        f"az acr webhook create --registry {registry} --name digestbot \\\n"
        f"  --actions push --uri {url} \\\n"
        f"  --headers 'Authorization={PLACEHOLDER}'\n",
    )


def _jfrog(url: str, _config: HookConfig) -> Guide:
    return Guide(
        (
            "In JFrog, open Administration, General, Webhooks, New Webhook.",
            f"URL: {url}",
            "Events: Docker, Tag was pushed and Tag was promoted; choose the repositories.",
            f"Secret token: {PLACEHOLDER}",
        )
    )


def _nexus(url: str, _config: HookConfig) -> Guide:
    return Guide(
        (
            "In Nexus, open Settings, System, Capabilities, Create capability.",
            "Type: Webhook: Repository. Repository: the Docker one. Event Types: component.",
            f"URL: {url}",
            f"Secret Key: {PLACEHOLDER}",
        )
    )


GUIDES: Final[dict[Kind, _Write]] = {
    "harbor": _harbor,
    "dockerhub": _dockerhub,
    "ghcr": _ghcr,
    "quay": _quay,
    "distribution": _distribution,
    "acr": _acr,
    "jfrog": _jfrog,
    "nexus": _nexus,
    "github": _github,
}

"""Who answers a scan's questions, as the configuration says."""

from __future__ import annotations

from collections.abc import Mapping

from digestbot.config.models import RegistryConfig, Settings
from digestbot.config.secrets import read_password
from digestbot.registry.secret import Secret
from digestbot.registry.settings import HostSettings, RegistrySettings


def registry_settings(settings: Settings, environ: Mapping[str, str]) -> RegistrySettings:
    """The configuration in the words of the registry room.

    Passwords are read when their host first asks for them, not before.
    """
    return RegistrySettings(
        hosts={
            host: _host_settings(host, config, environ)
            for host, config in settings.registries.items()
        },
        mirrors=settings.mirrors,
        timeout_s=settings.timeout,
        allow_private=settings.allow_private,
    )


def _host_settings(host: str, config: RegistryConfig, environ: Mapping[str, str]) -> HostSettings:
    def password() -> str:
        secret = read_password(host, config, environ)
        return secret.get_secret_value() if secret is not None else ""

    return HostSettings(
        username=config.username or "",
        password=Secret(password) if config.username is not None else None,
        ca_file=str(config.ca_file or ""),
        client_cert=str(config.client_cert or ""),
        client_key=str(config.client_key or ""),
        http=config.http,
        token_hosts=config.token_hosts,
        concurrency=config.concurrency,
    )

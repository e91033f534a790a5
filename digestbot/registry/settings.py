"""What a caller may configure about asking registries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from digestbot.secret import Secret

DEFAULT_CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class HostSettings:
    """How one registry is asked. That it is named at all permits it a private address."""

    username: str = ""
    password: Secret | None = None
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    http: bool = False
    token_hosts: tuple[str, ...] = ()
    concurrency: int = DEFAULT_CONCURRENCY


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """How registries are asked.

    Attributes:
        hosts: Settings per registry, by its name in image references (`docker.io`).
        mirrors: Which prefix of a name is asked for which other: `harbor.corp/hub/` → `docker.io/`.
        timeout_s: Seconds that one whole lookup may take, with waits and retries.
        connect_timeout_s: Seconds for one connection.
        read_timeout_s: Seconds of silence before an answer counts as lost.
        retries: How often a question is asked again after a failure that may pass.
        allow_private: Every registry may be on a private network address.
        docker_config: The logins that docker and podman keep are used.
    """

    hosts: Mapping[str, HostSettings] = field(default_factory=dict)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 20.0
    retries: int = 2
    allow_private: bool = False
    docker_config: bool = True

    def host(self, registry: str) -> HostSettings:
        """The settings of this registry, or the defaults."""
        return self.hosts.get(registry, _DEFAULT_HOST)


_DEFAULT_HOST = HostSettings()

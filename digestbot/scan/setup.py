"""From the configuration to what a scan needs: its policy, and how registries are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.policy.holding import HoldRules
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.scan.engine import Policy
from digestbot.secret import Secret

if TYPE_CHECKING:
    # Importing the models takes longer than most scans, and most runs have no configuration.
    from digestbot.config.models import RegistryConfig, Settings
    from digestbot.config.serving import StateConfig


@dataclass(frozen=True, slots=True)
class Setup:
    """How to scan; without arguments, as when nothing is configured.

    `exclude` are globs on paths, `fail_on` the statuses that make a run fail, `hold` is what is
    held back, and `state` where the history of digests is; None where there is none.
    """

    policy: Policy = field(default_factory=Policy)
    registries: RegistrySettings = field(default_factory=RegistrySettings)
    exclude: tuple[str, ...] = ()
    fail_on: frozenset[Status] = frozenset({Status.STALE})
    hold: HoldRules = field(default_factory=HoldRules)
    state: StateConfig | None = None


def make_setup(settings: Settings, environ: Mapping[str, str]) -> Setup:
    """The setup that the configuration asks for.

    Passwords are read when their host first asks for them, not before.
    """
    registries = RegistrySettings(
        hosts={
            host: _host_settings(host, config, environ)
            for host, config in settings.registries.items()
        },
        mirrors=settings.mirrors,
        timeout_s=settings.timeout,
        allow_private=settings.allow_private,
    )
    policy = Policy(pin=settings.pin, ignore=settings.ignore, jobs=settings.jobs)
    return Setup(
        policy,
        registries,
        settings.exclude,
        frozenset(map(Status, settings.fail_on)),
        gate_rules(settings),
        settings.state,
    )


def gate_rules(settings: Settings) -> HoldRules:
    """What the configuration says is held back."""
    hold = settings.hold
    return HoldRules(
        settle=hold.settle,
        min_age=hold.min_age,
        lost_platforms=hold.lost_platforms,
        same_images=hold.same_images,
        deny=frozenset(map(Digest.parse, settings.deny)),
    )


def _host_settings(host: str, config: RegistryConfig, environ: Mapping[str, str]) -> HostSettings:
    def password() -> str:
        from digestbot.config.secrets import read_password  # noqa: PLC0415 - as above

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

"""The kinds of notifiers, and those of a configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from digestbot.config.issues import ConfigError, Issue
from digestbot.config.serving import NotifyConfig
from digestbot.service.notify.address import address_of, token_of
from digestbot.service.notify.by_apprise import AppriseNotifier
from digestbot.service.notify.message import Notifier
from digestbot.service.notify.slack import SlackNotifier
from digestbot.service.notify.webhook import WebhookNotifier

Kind = Literal["slack", "webhook", "apprise"]
_Make = Callable[[NotifyConfig, Mapping[str, str]], Notifier]


def _slack(config: NotifyConfig, environ: Mapping[str, str]) -> Notifier:
    return SlackNotifier(config.name, address_of(config, environ))


def _webhook(config: NotifyConfig, environ: Mapping[str, str]) -> Notifier:
    return WebhookNotifier(config.name, address_of(config, environ), token_of(config, environ))


def _apprise(config: NotifyConfig, environ: Mapping[str, str]) -> Notifier:
    return AppriseNotifier(config.name, address_of(config, environ))


KINDS: Final[dict[Kind, _Make]] = {"slack": _slack, "webhook": _webhook, "apprise": _apprise}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell, and of which events."""

    notifier: Notifier
    events: frozenset[str]


def recipients(
    configs: Sequence[NotifyConfig], environ: Mapping[str, str]
) -> tuple[Recipient, ...]:
    """Those of a configuration, in its order; addresses are read when something is sent.

    Raises:
        UsageError: Two have the same name, or a kind needs a package that is not installed.
    """
    names = Counter(config.name for config in configs)
    for name, count in names.items():
        if count > 1:
            # What somebody was told is remembered by name.
            raise ConfigError([Issue("notify", f"{count} notifiers are called {name}")])
    return tuple(
        Recipient(KINDS[config.kind](config, environ), frozenset(config.events))
        for config in configs
    )

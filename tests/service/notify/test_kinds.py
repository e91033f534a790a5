from __future__ import annotations

from typing import get_args

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.serving import NotifyConfig
from digestbot.service.notify.by_apprise import AppriseNotifier
from digestbot.service.notify.kinds import KINDS, recipients
from digestbot.service.notify.slack import SlackNotifier
from digestbot.service.notify.webhook import WebhookNotifier


def config(name: str, kind: str, **keys: object) -> NotifyConfig:
    return NotifyConfig.model_validate({"name": name, "kind": kind, "url_env": "HOOK", **keys})


def test_each_kind_of_the_configuration_has_its_notifier() -> None:
    kinds = get_args(NotifyConfig.model_fields["kind"].annotation)

    made = recipients([config(kind, kind) for kind in kinds], {})

    assert set(KINDS) == set(kinds)
    assert {one.notifier.name: type(one.notifier) for one in made} == {
        "slack": SlackNotifier,
        "webhook": WebhookNotifier,
        "apprise": AppriseNotifier,
    }


def test_who_is_told_of_what_is_kept() -> None:
    (one,) = recipients([config("ops", "slack", events=["denied", "cycle"])], {})

    assert one.events == {"denied", "cycle"}


def test_addresses_are_not_read_before_something_is_sent() -> None:
    assert len(recipients([config("ops", "webhook", token_env="NOT_SET")], {})) == 1


def test_names_are_unique() -> None:
    with pytest.raises(ConfigError, match="2 notifiers are called ops"):
        recipients([config("ops", "slack"), config("ops", "webhook")], {})

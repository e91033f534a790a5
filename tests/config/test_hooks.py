from __future__ import annotations

from typing import get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from digestbot.config.hooks import HookConfig
from digestbot.config.issues import ConfigError
from digestbot.config.load import load_settings
from digestbot.config.parse import read_document
from digestbot.config.schema import settings_schema
from digestbot.service.hooks.kinds import Kind
from tests.config.conftest import Write


def errors(text: str) -> list[str]:
    data = read_document(text, "a.yaml").data
    return [error.message for error in Draft202012Validator(settings_schema()).iter_errors(data)]


def test_each_kind_of_sender_can_be_configured() -> None:
    assert get_args(HookConfig.model_fields["kind"].annotation) == get_args(Kind)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_kind_names_its_registry_and_a_forge_none(kind: Kind) -> None:
    own = {} if kind == "github" else {"registry": "harbor.corp"}
    other = {"registry": "harbor.corp"} if kind == "github" else {}
    keys = {"name": "ops", "kind": kind, "secret_env": "HOOK"}

    assert HookConfig.model_validate(keys | own).kind == kind
    with pytest.raises(ValidationError, match="registry"):
        HookConfig.model_validate(keys | other)


def test_hooks_are_read(write: Write) -> None:
    path = write(
        "hooks:\n"
        "- {name: ops, kind: harbor, registry: harbor.corp, secret_env: HOOK}\n"
        "- {name: hub, kind: github, secret_file: hub}\n"
    )

    first, second = load_settings(path).settings.hooks

    assert (first.name, first.registry, first.secret_env) == ("ops", "harbor.corp", "HOOK")
    assert str(second.secret_file).endswith("/hub")
    assert errors(path.read_text()) == []


@pytest.mark.parametrize(
    "hook, words",
    [
        pytest.param("kind: github, secret_env: A", "hooks[0].name: is missing", id="no-name"),
        pytest.param("name: a, secret_env: A", "hooks[0].kind: is missing", id="no-kind"),
        pytest.param("name: a, kind: harbour, secret_env: A", "did you mean 'harbor'", id="kind"),
        pytest.param("name: A b, kind: github, secret_env: A", "hooks[0].name", id="name"),
        pytest.param("name: a, kind: github", "needs secret_env or secret_file", id="no-secret"),
        pytest.param(
            "name: a, kind: github, secret_env: A, secret_file: b", "and not both", id="both"
        ),
        pytest.param(
            "name: a, kind: quay, secret_env: A", "needs the registry that quay", id="no-registry"
        ),
        pytest.param(
            "name: a, kind: github, secret_env: A, registry: ghcr.io",
            "has a registry, which github is not",
            id="registry",
        ),
        pytest.param(
            "name: a, kind: quay, secret_env: A, registry: 'https://quay.io'",
            "is not a host",
            id="url",
        ),
        pytest.param(
            "name: a, kind: github, secret: canary",
            "no secret is written here; use secret_env or secret_file",
            id="plain",
        ),
    ],
)
def test_what_is_wrong_is_said(write: Write, hook: str, words: str) -> None:
    text = f"hooks: [{{{hook}}}]\n"

    with pytest.raises(ConfigError) as caught:
        load_settings(write(text))

    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
    if "https" not in hook:
        assert errors(text)


def test_names_are_unique(write: Write) -> None:
    hook = "{name: a, kind: github, secret_env: A}"

    with pytest.raises(ConfigError, match="has 2 hooks that are called a"):
        load_settings(write(f"hooks: [{hook}, {hook}]\n"))

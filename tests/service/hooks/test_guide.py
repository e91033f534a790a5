"""What is said to paste where, for each kind of sender."""

from __future__ import annotations

import shlex
from typing import get_args

import pytest
import yaml

from digestbot.config.hooks import HookConfig
from digestbot.service.hooks.guide import GUIDES, guide_of
from digestbot.service.hooks.kinds import Kind

BASE = "https://digestbot.example.com"
each = pytest.mark.parametrize("kind", get_args(Kind))


def config(kind: Kind) -> HookConfig:
    of = {} if kind == "github" else {"registry": "corp.example.com"}
    keys = {"name": "ops", "kind": kind, "secret_env": "HOOK_SECRET"}
    return HookConfig.model_validate(keys | of)


def test_each_kind_has_a_guide() -> None:
    assert set(GUIDES) == set(get_args(Kind))


@each
def test_each_guide_says_where_the_address_and_the_secret_go(kind: Kind) -> None:
    guide = guide_of(config(kind), BASE)

    told = "\n".join([*guide.steps, guide.snippet or ""])
    assert guide.url.startswith(f"{BASE}/hooks/ops")
    assert guide.url in told
    assert "<secret>" in told
    assert guide.secret_env == "HOOK_SECRET"
    assert guide.steps


@each
def test_the_secret_stands_in_the_address_where_there_is_no_other_place(kind: Kind) -> None:
    guide = guide_of(config(kind), BASE)

    assert guide.url.endswith("/<secret>") == (kind in {"dockerhub", "quay"})


@pytest.mark.parametrize("base", [BASE, f"{BASE}/", f"{BASE}/below/"])
def test_the_address_may_end_with_a_slash_or_be_below_another(base: str) -> None:
    assert guide_of(config("harbor"), base).url == f"{base.rstrip('/')}/hooks/ops"


def test_without_an_address_there_is_the_path() -> None:
    assert guide_of(config("quay"), "").url == "/hooks/ops/<secret>"


def test_what_distribution_is_given_is_its_configuration() -> None:
    snippet = guide_of(config("distribution"), BASE).snippet

    (endpoint,) = yaml.safe_load(snippet or "")["notifications"]["endpoints"]
    assert endpoint["url"] == f"{BASE}/hooks/ops"
    assert endpoint["headers"] == {"Authorization": ["<secret>"]}
    assert endpoint["ignore"]["actions"] == ["pull"]


def test_what_azure_is_given_is_a_command() -> None:
    words = shlex.split(guide_of(config("acr"), BASE).snippet or "")

    assert words[:4] == ["az", "acr", "webhook", "create"]
    assert words[words.index("--registry") + 1] == "corp"
    assert words[words.index("--uri") + 1] == f"{BASE}/hooks/ops"
    assert words[-1] == "Authorization=<secret>"

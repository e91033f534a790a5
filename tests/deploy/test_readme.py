from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from digestbot.config.load import load_settings
from digestbot.service.series import SERIES
from tests.deploy.files import EXAMPLES, MANIFESTS, README, ROOT, UNITS

TEXT = README.read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## As a service") : TEXT.index("## Registries")]


def blocks(kind: str) -> list[str]:
    tokens = MarkdownIt().parse(SECTION)
    return [token.content for token in tokens if token.type == "fence" and token.info == kind]


def alerts() -> list[Any]:
    (group,) = next(yaml.safe_load(text)["groups"] for text in blocks("yaml") if "groups" in text)
    rules: list[Any] = group["rules"]
    return rules


def test_the_smallest_configuration_is_one(tmp_path: Path) -> None:
    path = tmp_path / "digestbot.yaml"
    path.write_text(blocks("yaml")[0])

    settings = load_settings(path).settings

    assert settings.model_fields_set == {"targets", "state"}
    assert settings.service.listen == "127.0.0.1:8080"
    assert settings.service.cron == ("*/30 * * * *",)
    assert settings.hold.settle.total_seconds() == 3 * 3600


def test_what_the_section_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)]*)\)", SECTION)

    assert all((ROOT / link).exists() for link in links)
    named = {path.name for path in (*UNITS, *EXAMPLES)} & {link.split("/")[-1] for link in links}
    assert named >= {path.name for path in UNITS}
    assert named >= {"service.yaml", "service-postgresql.yaml", "cronjob.yaml"}
    assert MANIFESTS


def test_the_alerts_ask_for_metrics_that_there_are() -> None:
    known = {series.name for series in SERIES}

    asked = {name for rule in alerts() for name in re.findall(r"digestbot_\w+", rule["expr"])}

    assert asked
    assert asked <= known


@pytest.mark.parametrize("key", ["service", "schedule", "freeze", "hold", "deny", "notify"])
def test_the_keys_that_the_section_names_are_keys(key: str) -> None:
    assert f"`{key}" in SECTION
    assert key in load_settings(ROOT / "config" / "service.yaml").settings.model_fields_set

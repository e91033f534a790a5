from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli.contracts import CONTRACTS, contracts


@pytest.mark.parametrize("make", CONTRACTS, ids=lambda make: make.__name__)
def test_each_schema_is_one(make: object) -> None:
    assert callable(make)

    Draft202012Validator.check_schema(make())


def test_each_contract_has_its_heading() -> None:
    headings = re.findall(r"^### (.+)$", contracts(), re.MULTILINE)

    assert headings == [
        "digestbot/scan/v1",
        "digestbot/update/v1",
        "digestbot/status/v1",
        "digestbot/notice/v1",
        "digestbot/hooks/v1",
        "digestbot/rollout-plan/v1",
        "digestbot/rollouts/v1",
        "digestbot/rollout/v1",
    ]


@pytest.mark.parametrize("make", CONTRACTS, ids=lambda make: make.__name__)
def test_each_key_of_each_record_stands_in_the_reference(make: object) -> None:
    assert callable(make)
    schema, page = make(), contracts()

    for name, record in schema["$defs"].items():
        for key in record.get("properties", {}):
            assert re.search(rf"^`{name}`: .*?^\| `{key}` \|", page, re.MULTILINE | re.DOTALL)


def test_tables_are_whole() -> None:
    rows = [line for line in contracts().splitlines() if line.startswith("|")]

    assert {line.count("|") for line in rows} == {4}

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from digestbot.report.json_v1 import as_json
from digestbot.rollout.contract import plan_id, read, written
from digestbot.rollout.plan import Plan
from digestbot.rollout.plan_document import document, document_schema
from tests.rollout.shown import PROBLEM, hostile, small
from tests.rollout.test_plan import plan_of


def told(plan: Plan) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(as_json(document(plan, (PROBLEM,))))
    return data


@pytest.mark.parametrize("make", [small, hostile, plan_of])
def test_it_is_what_its_schema_says(make: object) -> None:
    assert callable(make)

    Draft202012Validator(document_schema()).validate(told(make()))


def test_its_schema_is_one() -> None:
    Draft202012Validator.check_schema(document_schema())


def test_it_is_the_plan_with_its_id_and_what_it_comes_to() -> None:
    data = told(small())

    assert data["schema"] == "digestbot/rollout-plan/v1"
    assert data["id"] == plan_id(small())
    assert (data["waves"], data["edits"], data["share"]) == (3, 5, 0.05)
    assert data["at_least_s"] == 2 * 60 * 60 + 25
    assert data["errors"][0]["code"] == "denied"
    assert {key: data[key] for key in json.loads(written(small()))} == json.loads(written(small()))


def test_the_plan_can_be_read_back_from_it() -> None:
    assert read(as_json(document(small()))) == small()

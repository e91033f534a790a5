from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from digestbot.web.openapi import document, document_text
from digestbot.web.pages import PAGES
from digestbot.web.tables import EXPORTS
from tests.service.state import state
from tests.web.asking import app_on, asking
from tests.web.fleets import service_on

FORM = "application/x-www-form-urlencoded"
ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "config" / "dashboard.openapi.json"
WRITE = "run: python -m digestbot.web.openapi > config/dashboard.openapi.json"
DOCUMENT = document()
OPERATIONS = {
    f"{method} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


def test_the_document_is_one_by_the_specification() -> None:
    validate(DOCUMENT)


def test_the_committed_document_is_what_the_pages_say() -> None:
    assert COMMITTED.read_text() == document_text(), WRITE


def test_every_page_and_every_export_is_in_it() -> None:
    twins = {re.sub(r":\w+}", "}", page.twin) for page in PAGES.values()}

    assert twins | {export.path for export in EXPORTS.values()} < DOCUMENT["paths"].keys()


def test_every_route_that_answers_programs_is_in_it(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        served = set(_paths(app_on(database)))

    told = {path.replace("{owner}/{repo}", "{name}") for path in DOCUMENT["paths"]}
    asked = {path for path in served if path.endswith((".json", ".csv", ".svg"))}
    assert asked == told - {path for path in told if path.startswith("/actions/")}


def test_every_action_is_in_it_with_the_fields_of_its_form(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        served = {path for path in _paths(service_on(database)) if path.startswith("/actions/")}

    told = {path for path in DOCUMENT["paths"] if path.startswith("/actions/")}
    assert served == told
    for path in told:
        form = DOCUMENT["paths"][path]["post"]["requestBody"]["content"][FORM]["schema"]
        assert {"csrf", "next"} < form["properties"].keys()
        assert set(form.get("required", [])) <= form["properties"].keys()


def _paths(app: Any) -> list[str]:
    found: list[str] = []
    for route in app.routes:
        inner = getattr(route, "app", None)
        found += [re.sub(r":\w+}", "}", route.path)] if hasattr(route, "endpoint") else []
        found += _paths(inner) if getattr(inner, "routes", None) else []
    return found


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_says_what_it_is_for_and_how_it_fails(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert "401" in operation["responses"]
    assert name.startswith("get ") or "403" in operation["responses"]
    assert all(one["schema"] for one in operation.get("parameters", []))


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(names) == len(set(names))


def test_readers_get_the_document_and_nobody_else(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        with asking(database) as client:
            answer = client.get("/openapi.json")
        with asking(database, "nobody") as client:
            refused = client.get("/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(document_text())
    assert refused.status_code == 401

"""Every operation of the OpenAPI document is asked anything, and must answer as it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from digestbot.store import rollouts, run_rows
from digestbot.store.database import Database
from digestbot.store.run_rows import RunFilter
from digestbot.web.openapi import document
from digestbot.web.throttle import MOST_EACH
from tests.service.state import state
from tests.web.asking import TOKENS, app_on
from tests.web.fleets import service_on, small
from tests.web.visits import bearer

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOCUMENT = document()
PATHS = [path for path, item in DOCUMENT["paths"].items() if "get" in item]
ACTIONS = [path for path, item in DOCUMENT["paths"].items() if "post" in item]
FILTERED = [
    path
    for path in PATHS
    if {one["in"] for one in DOCUMENT["paths"][path]["get"].get("parameters", [])} == {"query"}
]
BOUNDED = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with state(tmp_path_factory.mktemp("state")) as database:
        small(database)
        yield database


def operation_of(app: Any, path: str, method: str = "GET") -> Any:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.app = app
    return schema[path][method]


def there(database: Database, path: str) -> list[dict[str, Any]]:
    """What may stand in the path so that something is there."""
    if path.startswith("/runs/"):
        with database.reading() as connection:
            found = run_rows.page(connection, RunFilter(), limit=5)
        return [{"id": one.id} for one in found]
    if path.startswith("/rollouts/"):
        with database.reading() as connection:
            ids = [one.id for one in rollouts.latest(connection)]
        verbs = ("start", "abort", "rollback") if "{verb}" in path else ("",)
        return [{"id": one, **({"verb": verb} if verb else {})} for one in ids for verb in verbs]
    if "{owner}" in path:
        return [{"owner": "acme", "repo": "shop"}]
    return [{"id": number} for number in (1, 2, 3, 9)] if "{id}" in path else [{}]


def is_for_programs(_context: Any, answer: Any, case: Any) -> None:
    """A fault is one of the contract for whoever sends a token; an unknown repo has a badge."""
    sent = answer.request.headers.get("Authorization", "")
    if answer.status_code >= 400 and sent.startswith("Bearer") and "{owner}" not in case.path:
        assert answer.headers["content-type"] == ["application/json"], case


def ask_all(cases: st.SearchStrategy[Any], role: str) -> set[int]:
    """The statuses of all answers, each of which was checked."""
    headers = {} if role == "nobody" else bearer(TOKENS.get(role, "wrong"))
    statuses: set[int] = set()

    @BOUNDED
    @given(case=cases)
    def ask(case: Any) -> None:
        answer = case.call(headers=headers, allow_redirects=False)
        case.validate_response(answer, checks=[*CHECKS, is_for_programs])
        statuses.add(answer.status_code)

    ask()
    return statuses


@pytest.mark.parametrize("path", PATHS)
def test_what_is_there_is_told_as_it_is_documented(fleet: Database, path: str) -> None:
    operation = operation_of(app_on(fleet), path)
    known = st.sampled_from(there(fleet, path))

    statuses = ask_all(
        known.flatmap(lambda part: operation.as_strategy(path_parameters=part)), "reader"
    )

    assert 200 in statuses
    assert statuses <= {200, 400}


@pytest.mark.parametrize("path", PATHS)
def test_whatever_may_be_asked_is_answered_as_it_is_documented(fleet: Database, path: str) -> None:
    operation = operation_of(app_on(fleet), path)

    assert ask_all(operation.as_strategy(), "reader") <= {200, 400, 404}


@pytest.mark.parametrize("path", FILTERED)
def test_what_cannot_be_asked_is_refused_as_it_is_documented(fleet: Database, path: str) -> None:
    operation = operation_of(app_on(fleet), path)

    # It leaves out the token, too, now and then.
    assert ask_all(operation.as_strategy(GenerationMode.NEGATIVE), "reader") <= {200, 400, 401, 303}


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_told_anything(fleet: Database, path: str) -> None:
    operation = operation_of(app_on(fleet), path)

    assert ask_all(operation.as_strategy(), "nobody") <= {303, 401}


@pytest.mark.parametrize("path", PATHS)
def test_who_sends_a_wrong_token_is_led_nowhere_and_soon_waits(fleet: Database, path: str) -> None:
    operation = operation_of(app_on(fleet), path)
    cases = operation.as_strategy(path_parameters=there(fleet, path)[0])

    first = ask_all(cases, "guesser")
    for _ in range(MOST_EACH):
        operation.Case(path_parameters=there(fleet, path)[0]).call(headers=bearer("wrong"))
    then = ask_all(cases, "guesser")

    assert first == {401}
    assert then == {429}


@pytest.mark.parametrize(
    "role, expected",
    [
        pytest.param("guesser", {401}, id="guesser"),
        pytest.param("operator", {202, 400, 404, 409, 429}, id="operator"),
        pytest.param("reader", {403}, id="reader"),
        pytest.param("nobody", {303, 401}, id="nobody"),
    ],
)
@pytest.mark.parametrize("path", ACTIONS)
def test_whatever_is_asked_of_the_service_is_answered_as_it_is_documented(
    tmp_path: Path, path: str, role: str, expected: set[int]
) -> None:
    with state(tmp_path) as database:
        operation = operation_of(service_on(database), path, "POST")

        assert ask_all(operation.as_strategy(), role) <= expected


@pytest.mark.parametrize(
    "name, form",
    [
        pytest.param("scan", {}, id="scan of everything"),
        pytest.param("scan", {"repo": "acme/shop"}, id="scan of a repo"),
        pytest.param("propose", {"repo": "acme/shop"}, id="propose"),
        pytest.param("retry", {"repo": "acme/shop"}, id="retry"),
        pytest.param(
            "ignore",
            {"image": "docker.io/library/nginx:1.27", "until": "2026-12-01", "reason": "later"},
            id="ignore",
        ),
    ],
)
def test_what_is_taken_is_told_as_it_is_documented(
    tmp_path: Path, name: str, form: dict[str, str]
) -> None:
    with state(tmp_path) as database:
        small(database)
        operation = operation_of(service_on(database), f"/actions/{name}", "POST")
        case = operation.Case(body=form, media_type="application/x-www-form-urlencoded")

        answer = case.call(headers=bearer(TOKENS["operator"]))
        case.validate_response(answer, checks=CHECKS)

    assert answer.status_code == 202

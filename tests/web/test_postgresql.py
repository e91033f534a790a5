"""What an address may say, where the state lies in PostgreSQL: it takes less than SQLite does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from starlette.testclient import TestClient

from digestbot.store.database import Database
from digestbot.web.tables import EXPORTS
from tests.store.postgres import running
from tests.web.asking import TOKENS
from tests.web.fleets import service_on, small

SEARCHED = ["/images", "/repos", "/settings", *(export.path for export in EXPORTS.values())]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with running() as server, closing(Database.open(server.make())) as database:
        small(database)
        headers = {"authorization": f"Bearer {TOKENS['operator']}"}
        with TestClient(service_on(database), headers=headers, follow_redirects=False) as client:
            yield client


@pytest.mark.parametrize("path", SEARCHED)
def test_any_text_can_be_searched_for(client: TestClient, path: str) -> None:
    texts = [
        "%25",
        "_",
        "%5C",
        "%5C%25_" * 30,
        "%ED%A0%80",
        "%FF",
        "%F0%9F%98%80",
        "%C4%B0",
        "%27--",
    ]

    answers = [client.get(f"{path}?q={text}") for text in texts]

    assert {answer.status_code for answer in answers} == {200}
    if path != EXPORTS["runs"].path:
        assert client.get(f"{path}?q=%00").status_code == 400


@pytest.mark.parametrize(
    "path, status",
    [
        ("/runs/%00", 400),
        ("/runs/none", 404),
        ("/repos?image=%00", 400),
        ("/badges/repos/acme/%00.svg", 404),
        ("/badges/repos/%FF.svg", 404),
        ("/images/2147483647", 404),
        ("/images?page=100000", 200),
        ("/repos?page=100000", 200),
        ("/runs?page=100000", 200),
    ],
)
def test_odd_addresses_are_none_or_empty(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_what_is_no_text_is_no_name_either(client: TestClient) -> None:
    forms = ["repo=a%00", "repo=%FF", "repo=%ED%A0%80", "image=a%3A%00", "repo=%C4%B0"]
    kind = {"content-type": "application/x-www-form-urlencoded"}

    statuses = [
        client.post("/actions/scan", content=form, headers=kind).status_code for form in forms
    ]

    assert statuses == [400, 400, 400, 400, 404]

"""What the page of a repo offers is what the service takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from digestbot.store import ignores
from digestbot.store.database import Database
from tests.service.state import NOW, state
from tests.web.asking import TOKENS
from tests.web.fleets import Jobs, service_on, small
from tests.web.markup import Element, parse

SHOP, ML, EDGE, HOSTILE, PLAIN = 1, 6, 7, 8, 9


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        small(database)
        yield database


@dataclass(frozen=True)
class Operator:
    """Somebody who is signed in with a browser."""

    client: TestClient
    jobs: Jobs

    def look(self, number: int) -> Element:
        return parse(self.client.get(f"/repos/{number}").text)

    def send(self, form: Element, **typed: str) -> Element:
        """Fill a form in, send it, and go where that leads."""
        fields = {one["name"]: one.get("value") or "" for one in form.all("input")}
        fields |= {one["name"]: one.all("option")[0].text for one in form.all("select")}
        assert set(typed) <= set(fields)
        answer: Response = self.client.post(form["action"], data={**fields, **typed})
        assert answer.status_code == 200
        return parse(answer.text)

    @property
    def subjects(self) -> list[tuple[str, object]]:
        return [(job.name, next(iter(job.arguments.values()), "")) for job in self.jobs.submitted]


@pytest.fixture
def operator(database: Database) -> Iterator[Operator]:
    jobs = Jobs()
    app = service_on(database, jobs)
    headers = {"origin": "http://testserver"}
    with TestClient(app, headers=headers) as client:
        client.post("/login", data={"token": TOKENS["operator"], "next": "/"})
        yield Operator(client, jobs)


def form_for(page: Element, action: str) -> Element:
    return page.all("form", action=f"/actions/{action}")[0]


@pytest.mark.parametrize(
    "number, name",
    [
        pytest.param(SHOP, "acme/shop", id="a repo"),
        pytest.param(HOSTILE, 'acme/<script>alert(1)</script>"quoted"', id="a name to harm"),
        pytest.param(PLAIN, "https://git.example.com/tools/mirror.git", id="an address"),
    ],
)
@pytest.mark.parametrize("action", ["scan", "propose"])
def test_a_repo_is_looked_at_and_proposed_to_by_its_very_name(
    operator: Operator, number: int, name: str, action: str
) -> None:
    page = operator.send(form_for(operator.look(number), action))

    assert operator.subjects == [("repo", name)]
    assert page.one("p", role="status").text
    assert page.one("h1").text == name


def test_what_somebody_asked_for_is_said_to_come(operator: Operator) -> None:
    page = operator.send(form_for(operator.look(SHOP), "scan"))

    assert "in the next cycle: somebody asked for it" in page.one("dl", class_="facts").text


def test_a_repo_with_errors_is_tried_again(operator: Operator) -> None:
    operator.send(form_for(operator.look(PLAIN), "retry"))

    assert operator.subjects == [("repo", "https://git.example.com/tools/mirror.git")]


def test_a_lookup_that_failed_is_tried_again_by_its_image(operator: Operator) -> None:
    page = operator.look(ML)

    operator.send(form_for(page, "retry"))

    assert operator.subjects == [("image", "quay.io/prometheus/prometheus:v3")]
    assert "acme/ml" not in [
        one["value"] for one in form_for(page, "retry").all("input", type="hidden")
    ]


def test_an_image_is_ignored_in_a_repo_and_taken_back(
    operator: Operator, database: Database
) -> None:
    form = form_for(operator.look(EDGE), "ignore")

    page = operator.send(form, until="2026-12-24", reason="they <b>know</b>")

    with database.reading() as connection:
        (kept,) = ignores.holding(connection, NOW.date(), repo="acme/edge")
    assert (kept.image, kept.repo) == (
        "gcr.io/distroless/static-debian12:nonroot",
        "acme/edge",
    )
    assert kept.until.isoformat() == "2026-12-24"
    assert "they <b>know</b>" in page.one("table", **{"aria-labelledby": "ignores"}).text

    page = operator.send(form_for(page, "unignore"))

    assert page.all("table", **{"aria-labelledby": "ignores"}) == []
    with database.reading() as connection:
        assert ignores.holding(connection, NOW.date()) == []


def test_every_image_on_offer_can_be_ignored(operator: Operator) -> None:
    form = form_for(operator.look(EDGE), "ignore")
    offered = [one.text for one in form.one("select", name="image").all("option")]

    for image in offered:
        page = operator.send(form, image=image, until="2026-12-24", reason="x")

    told = page.one("table", **{"aria-labelledby": "ignores"})
    assert sorted(row.all("th")[0].text for row in told.one("tbody").all("tr")) == offered
    assert "registry.corp.example:5000/platform/java:21" in offered


def test_a_day_that_is_over_is_refused_where_it_was_asked(operator: Operator) -> None:
    form = form_for(operator.look(SHOP), "ignore")

    page = operator.send(form, until="2026-11-20", reason="x")

    assert page.one("h1").text == "acme/shop"
    assert page.one("p", role="status").text
    assert page.all("table", **{"aria-labelledby": "ignores"}) == []

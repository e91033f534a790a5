from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from digestbot.config.load import LoadedSettings, Override, load_settings
from digestbot.store.database import Database
from digestbot.web.page import Look
from digestbot.web.pages import PAGES, settings
from digestbot.web.pages.settings import SettingsQuestion, SettingsRow, SettingsView
from digestbot.web.tables import EXPORTS
from tests.service.state import NOW, state
from tests.web.asking import ENVIRON, TOKENS, asking

CANARY = "canary-" + "c" * 20
EVERYWHERE = [
    *(path for page in PAGES.values() for path in (page.path, page.twin) if "{" not in path),
    *(export.path for export in EXPORTS.values()),
    "/settings?written=true",
    "/settings?q=canary",
    "/openapi.json",
    "/badges/fleet.svg",
    "/runs/none.json",
    "/metrics",
    "/readyz",
]
FILE = f"""\
targets: [github:acme]
state:
  folder: state
registries:
  harbor.corp:
    username: robot
    password_env: HARBOR_PASSWORD
notify:
  - name: hook
    kind: webhook
    url: https://chat.example.com/hooks/{CANARY}/{CANARY}?key={CANARY}
    token_env: HOOK_TOKEN
  - name: plain
    kind: webhook
    url: https://chat.example.com
ignore:
  - image: docker.io/library/debian
    reason: "<script>alert(1)</script> see https://ann:{CANARY}@wiki.corp/page?token={CANARY}"
dashboard:
  users:
    - name: reader
      role: reader
      token_env: READER_TOKEN
    - name: operator
      role: operator
      token_file: operator.token
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path / "state") as database:
        yield database


def load(folder: Path, text: str = FILE, **options: Any) -> LoadedSettings:
    path = folder / "digestbot.yaml"
    path.write_text(text)
    (folder / "operator.token").write_text(TOKENS["operator"])
    overrides = {key: Override(value, f"--{key}") for key, value in options.items()}
    return load_settings(path, overrides)


def view_of(database: Database, loaded: LoadedSettings, **asked: Any) -> SettingsView:
    look = Look(database, loaded, (), NOW - timedelta(hours=1), NOW)
    return settings.read(look, SettingsQuestion(**asked))


def rows_of(view: SettingsView) -> dict[str, SettingsRow]:
    return {row.key: row for section in view.sections for row in section.rows}


def test_each_value_is_told_with_where_it_comes_from(database: Database, tmp_path: Path) -> None:
    rows = rows_of(view_of(database, load(tmp_path, jobs=4)))

    assert rows["targets"] == SettingsRow(
        "targets", ["github:acme"], f"{tmp_path}/digestbot.yaml:1", is_default=False
    )
    assert rows["jobs"] == SettingsRow("jobs", 4, "--jobs", is_default=False)
    assert rows["hold.settle"] == SettingsRow("hold.settle", "3h", "default", is_default=True)
    assert rows["registries.harbor.corp.password_env"].value == "HARBOR_PASSWORD"


def test_settings_are_grouped_as_the_file_is(database: Database, tmp_path: Path) -> None:
    view = view_of(database, load(tmp_path))

    names = [section.name for section in view.sections]
    assert names[0] == "general"
    assert len(names) == len(set(names))
    assert {"registries", "notify", "service", "dashboard"} <= set(names)
    assert all(section.about.endswith(".") for section in view.sections)
    assert all(
        row.key.startswith(section.name)
        for section in view.sections
        if section.name != "general"
        for row in section.rows
    )


@pytest.mark.parametrize(
    "asked, expected",
    [
        pytest.param({"q": "HARBOR"}, {"registries.harbor.corp.username"}, id="key"),
        pytest.param({"q": "github:acme"}, {"targets"}, id="value"),
        pytest.param({"q": "digestbot.yaml:6"}, {"registries.harbor.corp.username"}, id="origin"),
        pytest.param({"written": True}, {"targets", "notify[1].name"}, id="written"),
        pytest.param({"q": "no such thing"}, set(), id="nothing"),
        pytest.param({"page": 99}, set(), id="behind the last page"),
    ],
)
def test_what_is_asked_for_is_shown(
    database: Database, tmp_path: Path, asked: dict[str, Any], expected: set[str]
) -> None:
    view = view_of(database, load(tmp_path), **asked)

    found = rows_of(view)
    assert expected <= found.keys()
    assert bool(found) is bool(expected)
    assert asked.keys() != {"written"} or not any(row.is_default for row in found.values())


def test_a_large_configuration_has_many_pages(database: Database, tmp_path: Path) -> None:
    rules = "".join(f"  - image: docker.io/library/image-{number}\n" for number in range(250))
    loaded = load(tmp_path, f"ignore:\n{rules}")

    first, second = (
        view_of(database, loaded, q="docker.io/library/image-", page=page) for page in (1, 2)
    )

    assert first.total == second.total == 250
    assert len(rows_of(first)) == len(rows_of(second)) == settings.ROWS
    assert rows_of(first).keys().isdisjoint(rows_of(second))


def test_addresses_lose_what_lets_somebody_in(database: Database, tmp_path: Path) -> None:
    rows = rows_of(view_of(database, load(tmp_path)))

    assert rows["notify[0].url"].value == "https://chat.example.com/***?***"
    assert rows["notify[1].url"].value == "https://chat.example.com"
    assert rows["github.url"].value == "https://api.github.com"
    assert CANARY not in str(rows["ignore[0].reason"].value)


@pytest.mark.parametrize(
    "value, expected",
    [
        pytest.param("postgresql://bot:x@db/d?sslkey=y", "postgresql://***@db/d?***", id="state"),
        pytest.param("http://[::1", "***", id="no address"),
        pytest.param("ghp_" + "a" * 36, "ghp_***", id="token where a name should be"),
        pytest.param(["https://a:b@c/"], ["https://***@c/"], id="in a list"),
        pytest.param({"a": "https://a:b@c/"}, {"a": "https://***@c/"}, id="in a mapping"),
        pytest.param(True, True, id="no text"),
    ],
)
def test_values_are_masked_wherever_they_stand(value: Any, expected: Any) -> None:
    assert settings._harmless("state.url", value) == expected


def test_nothing_that_is_masked_can_be_searched_for(database: Database, tmp_path: Path) -> None:
    assert view_of(database, load(tmp_path), q=CANARY[:8]).total == 0


@pytest.mark.parametrize("role", ["reader", "operator"])
def test_no_route_shows_a_secret(
    database: Database, tmp_path: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"HARBOR_PASSWORD": f"{CANARY}-1", "HOOK_TOKEN": f"{CANARY}-2"}
    for name, value in (secrets | ENVIRON).items():
        monkeypatch.setenv(name, value)
    loaded = load(tmp_path)

    with asking(database, role, loaded) as client:
        pages = [client.get(path) for path in EVERYWHERE]

    assert {page.status_code for page in pages} == {200, 404}
    for page in pages:
        assert CANARY not in page.text
        assert not any(token in page.text for token in TOKENS.values())


def test_the_page_shows_what_its_twin_tells(database: Database, tmp_path: Path) -> None:
    loaded = load(tmp_path)

    with asking(database, loaded=loaded) as client:
        html = client.get("/settings?written=true").text
        told = client.get("/settings.json?written=true").json()["data"]

    view = TypeAdapter(SettingsView).validate_python(told)
    assert view == view_of(database, loaded, written=True)
    assert all(key in html for key in rows_of(view))
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    "query, field",
    [
        pytest.param("page=0", "page", id="page"),
        pytest.param("page=many", "page", id="no number"),
        pytest.param("written=perhaps", "written", id="no yes or no"),
        pytest.param(f"q={'x' * 201}", "q", id="too long"),
    ],
)
def test_what_cannot_be_asked_is_named(database: Database, query: str, field: str) -> None:
    with asking(database) as client:
        answer = client.get(f"/settings.json?{query}")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{field}: ")


def test_what_nobody_knows_is_no_question_and_heads_are_answered(database: Database) -> None:
    with asking(database) as client:
        answer = client.get("/settings.json?colour=blue&q=")
        head = client.head("/settings")

    assert answer.status_code == head.status_code == 200
    assert head.text == ""


def test_nobody_sees_the_settings(database: Database) -> None:
    with asking(database, "nobody") as client:
        assert client.get("/settings.json").status_code == 401
        assert client.get("/settings").status_code == 303

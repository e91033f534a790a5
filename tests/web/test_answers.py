from __future__ import annotations

import pytest

from digestbot.web.answers import wants_json
from tests.web.visits import ANN_TOKEN, Ask, bearer

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.1,*/*;q=0.8"}


@pytest.mark.parametrize(
    "ask, expected",
    [
        pytest.param(Ask("/repos"), False, id="page"),
        pytest.param(Ask("/repos", headers=BROWSER), False, id="browser"),
        pytest.param(Ask("/repos", headers={"Accept": "*/*"}), False, id="anything"),
        pytest.param(Ask("/repos?next=a.json"), False, id="twin elsewhere"),
        pytest.param(Ask("/repos", headers={"Authorization": "Basic YQ=="}), False, id="password"),
        pytest.param(Ask("/repos", headers={"Authorization": "Bearers x"}), False, id="like it"),
        pytest.param(
            Ask("/repos", headers=BROWSER | bearer("wrong")), False, id="proxy's token in a browser"
        ),
        pytest.param(Ask("/repos.json"), True, id="twin"),
        pytest.param(Ask("/repos.json", headers=BROWSER), True, id="twin in a browser"),
        pytest.param(Ask("/repos", headers={"Accept": "application/json"}), True, id="says so"),
        pytest.param(Ask("/repos", headers=bearer(ANN_TOKEN)), True, id="token"),
        pytest.param(Ask("/repos", headers=bearer("wrong")), True, id="wrong token"),
        pytest.param(Ask("/repos", headers={"Authorization": "bEARER"}), True, id="empty token"),
        pytest.param(
            Ask(more=(("Authorization", "Basic a"), ("Authorization", "Bearer b"))), True, id="two"
        ),
    ],
)
def test_programs_are_known_by_how_they_ask(ask: Ask, expected: bool) -> None:
    assert wants_json(ask.request) is expected

"""Links in notifications lead to pages that know what they are about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from digestbot.service.site import Site
from digestbot.store import rollouts
from digestbot.store.database import Database
from tests.service.state import state
from tests.web.asking import asking
from tests.web.fleets import small

ORIGIN = "http://testserver"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with state(tmp_path_factory.mktemp("state")) as database:
        small(database)
        yield database


@pytest.mark.parametrize(
    "subject, shown",
    [
        pytest.param("repo:acme/shop", ">acme/shop</a>", id="repo"),
        pytest.param(
            "image:docker.io/library/nginx:1.27/flapping",
            ">docker.io/library/nginx:1.27</a>",
            id="image",
        ),
        pytest.param("digest:sha256:00", "Repos", id="denied"),
    ],
)
def test_a_link_by_name_shows_what_it_names(fleet: Database, subject: str, shown: str) -> None:
    with asking(fleet) as client:
        answer = client.get(Site(ORIGIN).about(subject))

    assert answer.status_code == 200
    assert shown in answer.text


def test_a_link_to_a_rollout_is_its_page(fleet: Database) -> None:
    with fleet.reading() as connection:
        names = [one.id for one in rollouts.latest(connection)]
    with asking(fleet) as client:
        answers = [client.get(Site(ORIGIN).rollout(name)) for name in names]

    assert {answer.status_code for answer in answers} == {200}
    assert all(name in answer.text for name, answer in zip(names, answers, strict=True))

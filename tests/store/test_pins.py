from __future__ import annotations

from digestbot.image import Digest
from digestbot.policy.finding import Status
from digestbot.rollout.plan import Move
from digestbot.store import pins
from digestbot.store.database import Database
from digestbot.store.pins import Pin
from tests.service.rollouts.arena import tag
from tests.service.state import NEW, NOW, OLD, add_findings, add_repos, finding


def test_the_pins_of_these_images_in_these_repos(database: Database) -> None:
    with database.begin() as connection:
        ids = add_repos(connection, "acme/a", "acme/b", "acme/c")
        add_findings(
            connection,
            ids["acme/a"],
            finding("alpine:3.22", Status.STALE, line=1),
            finding("debian:12", line=2),
        )
        add_findings(connection, ids["acme/b"], finding("alpine:3.23", digest=NEW, line=4))
        add_findings(connection, ids["acme/c"], finding("alpine:3.22"))
        move = Move(tag("alpine:3.22"), NEW, to=tag("alpine:3.23"))

        found = pins.of_repos(connection, ["acme/a", "acme/b"], [move])

    assert found == [
        Pin("acme/a", "Dockerfile", 1, tag("alpine:3.22"), str(OLD), NOW),
        Pin("acme/b", "Dockerfile", 4, tag("alpine:3.23"), str(NEW), NOW),
    ]


def test_however_many_repos_there_are(database: Database) -> None:
    names = [f"acme/app{number:04}" for number in range(1100)]
    with database.begin() as connection:
        ids = add_repos(connection, *names)
        for name in (names[0], names[-1]):
            add_findings(connection, ids[name], finding("alpine:3.22"))

        found = pins.of_repos(connection, names, [Move(tag("alpine:3.22"), NEW)])

    assert [pin.repo for pin in found] == [names[0], names[-1]]


def test_of_no_repo_there_are_none(database: Database) -> None:
    with database.reading() as connection:
        move = Move(tag("alpine:3.22"), Digest("sha256", "c" * 64))

        assert pins.of_repos(connection, [], [move]) == []

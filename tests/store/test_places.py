from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, text, update

from digestbot.forge.repo import Repo
from digestbot.image import Digest, ImageReference, Platform
from digestbot.policy.finding import Finding, Status
from digestbot.registry.resolution import Query
from digestbot.rollout.selection import Place, Selection
from digestbot.store import places, repos
from digestbot.store.tables import REPOS
from tests.service.state import (
    DAY,
    HEAD,
    NEW,
    NOW,
    OLD,
    TREE,
    add_digest,
    add_findings,
    add_repos,
    finding,
    listed,
    query,
)
from tests.store.statements import counted, planned

PYTHON = query().image
ARM = Platform("linux", "arm64")


def everything(connection: Connection, glob: str = "*") -> list[Place]:
    return list(places.places(connection, images(connection, glob)))


def images(connection: Connection, glob: str = "*") -> dict[int, Query]:
    return places.followed(connection, Selection(glob).names)


def stale(path: str = "Dockerfile", digest: Digest = OLD) -> Finding:
    return finding(status=Status.STALE, digest=digest, path=path)


def test_a_pin_is_told_with_where_it_is_and_what_it_follows(connection: Connection) -> None:
    number = add_repos(connection, "acme/app")["acme/app"]
    add_findings(connection, number, finding(path="a/Dockerfile", line=7))

    written = f"python:3.12@{OLD}"
    assert everything(connection) == [
        Place("acme/app", "a/Dockerfile", 7, PYTHON, OLD, column=1, written=written)
    ]


def test_a_pin_is_behind_since_another_digest_was_first_seen(connection: Connection) -> None:
    for days, digest in ((9, OLD), (2, NEW)):
        add_digest(connection, "python:3.12", digest, NOW - days * DAY)
    number = add_repos(connection, "acme/app")["acme/app"]
    add_findings(connection, number, stale(), finding(digest=NEW, path="b"))

    found = {place.path: place.behind_since for place in everything(connection)}

    assert found == {"Dockerfile": NOW - 2 * DAY, "b": None}


def test_what_follows_no_tag_and_what_pins_nothing_is_no_place(connection: Connection) -> None:
    number = add_repos(connection, "acme/app")["acme/app"]
    bare = finding(status=Status.UNPINNED)
    reference = ImageReference.parse("python:3.12")
    unpinned = replace(
        bare, occurrence=replace(bare.occurrence, reference=reference), new_digest=NEW
    )
    add_findings(connection, number, finding(status=Status.SKIPPED), unpinned)

    assert everything(connection) == []
    assert images(connection) == {}


def test_a_pin_that_could_not_be_looked_up_is_one_all_the_same(connection: Connection) -> None:
    number = add_repos(connection, "acme/app")["acme/app"]
    add_findings(connection, number, finding(status=Status.FAILED))

    assert [place.repo for place in everything(connection)] == ["acme/app"]


@pytest.mark.parametrize(
    "glob, tags",
    [
        pytest.param("docker.io/library/python", ["3.11", "3.12"], id="all-tags"),
        pytest.param("docker.io/library/python:3.12", ["3.12"], id="one-tag"),
        pytest.param("docker.io/library/python:3.1*", ["3.11", "3.12"], id="glob-on-tags"),
        pytest.param("ghcr.io/*", ["1"], id="a-registry"),
        pytest.param("python", [], id="no-full-name"),
        pytest.param("docker.io/library/pytho", [], id="a-beginning"),
    ],
)
def test_images_are_chosen_by_their_full_names(
    connection: Connection, glob: str, tags: list[str]
) -> None:
    number = add_repos(connection, "acme/app")["acme/app"]
    add_findings(
        connection,
        number,
        *(finding(name) for name in ("python:3.11", "python:3.12", "ghcr.io/acme/tool:1")),
    )

    assert sorted(one.image.tag for one in images(connection, glob).values()) == tags
    assert sorted(place.image.tag for place in everything(connection, glob)) == tags


def test_each_platform_of_a_tag_is_an_image_of_its_own(connection: Connection) -> None:
    number = add_repos(connection, "acme/app")["acme/app"]
    plain = finding()
    steering = replace(plain.occurrence.steering, platform=ARM)
    steered = replace(plain, occurrence=replace(plain.occurrence, path="b", steering=steering))
    add_findings(connection, number, plain, steered)

    assert {place.path: place.platform for place in everything(connection)} == {
        "Dockerfile": None,
        "b": ARM,
    }


def test_repos_that_are_left_out_or_gone_have_no_places(connection: Connection) -> None:
    numbers = add_repos(connection, "acme/a", "acme/b", "acme/c")
    for number in numbers.values():
        add_findings(connection, number, finding())
    left = (REPOS.c.name == "acme/a", {"left_out": "archived"})
    gone = (REPOS.c.name == "acme/b", {"gone_at": NOW})
    for where, values in (left, gone):
        connection.execute(update(REPOS).where(where).values(**values))

    assert [place.repo for place in everything(connection)] == ["acme/c"]
    assert places.fleet(connection) == 1


def test_a_repo_that_two_targets_have_is_told_once(connection: Connection) -> None:
    first = add_repos(connection, "acme/app")["acme/app"]
    repos.note_listed(connection, "github:acme/app", "r", [listed("acme/app")], NOW)
    (second,) = repos.due(connection, target="github:acme/app", rules="1", now=NOW)
    for number in (first, second.id):
        add_findings(connection, number, finding())

    assert [place.repo for place in everything(connection)] == ["acme/app"]
    assert places.fleet(connection) == 1


def test_topics_are_those_of_the_repo_and_none_where_they_are_not_known(
    connection: Connection,
) -> None:
    tagged = Repo("acme/a", "main", HEAD, TREE, topics=("docker", "web"))
    repos.note_listed(connection, "t", "r", [tagged, listed("acme/b")], NOW)
    connection.execute(update(REPOS).where(REPOS.c.name == "acme/b").values(topics=None))
    for due in repos.due(connection, target="t", rules="1", now=NOW):
        add_findings(connection, due.id, finding())

    found = {place.repo: place.topics for place in everything(connection)}

    assert found == {"acme/a": {"docker", "web"}, "acme/b": frozenset()}


def test_owners_are_those_of_the_file(connection: Connection) -> None:
    number = add_repos(connection, "acme/app")["acme/app"]
    owned = replace(finding(path="a"), owners=("@acme/web", "ann@example.org"))
    add_findings(connection, number, owned, finding(path="b"))

    found = {place.path: place.owners for place in everything(connection)}

    assert found == {"a": ("@acme/web", "ann@example.org"), "b": ()}


def test_nothing_is_missed_between_pages(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_PAGE_OF", places._PAGE_OF.limit(2))
    number = add_repos(connection, "acme/app")["acme/app"]
    add_findings(connection, number, *(finding(path=str(line)) for line in range(5)))

    with counted(connection) as seen:
        found = everything(connection)

    assert [place.path for place in found] == ["0", "1", "2", "3", "4"]
    assert sum("(findings.repo_id, findings.id) > " in statement for statement in seen) == 4


def test_pages_are_found_by_the_image(connection: Connection) -> None:
    others = add_repos(connection, *(f"acme/app{number:03}" for number in range(100)))
    for number in others.values():
        add_findings(connection, number, *(finding(f"debian:{one}") for one in range(5)))
    add_findings(connection, others["acme/app050"], finding())
    connection.execute(text("ANALYZE"))
    [chosen] = images(connection, "*/python")

    with planned(connection) as steps:
        list(places._rows(connection, chosen))

    # Which of those that know the image is for the database to say.
    assert any("ix_findings" in step and "image_id" in step for step in steps), steps

from __future__ import annotations

from sqlalchemy import Connection

from digestbot.proposals.outcome import Outcome
from digestbot.store import attention, conditions, proposals, repos
from digestbot.store.attention import DeniedDigest
from digestbot.store.conditions import Condition
from tests.service.state import (
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    TARGET,
    add_findings,
    add_proposal,
    add_repos,
    finding,
    held,
    listed,
)


def test_held_images_are_summed_up_by_image_and_reason(connection: Connection) -> None:
    ids = add_repos(connection, "acme/app", "acme/web")
    add_findings(
        connection,
        ids["acme/app"],
        held("redis:7", "settling", NOW + DAY),
        held("redis:7", "settling", NOW + HOUR, line=9),
        held("redis:7", "too-new", NOW + HOUR),
        finding("node:22"),
    )
    add_findings(connection, ids["acme/web"], held("redis:7", "settling", NOW + 2 * DAY))

    found = attention.held_images(connection)

    image = "docker.io/library/redis:7"
    assert [(one.image, one.reason, one.places, one.repos, one.until) for one in found] == [
        (image, "settling", 3, 2, NOW + HOUR),
        (image, "too-new", 1, 1, NOW + HOUR),
    ]
    assert found[0].message == "redis:7 is held: settling"
    assert attention.count_held(connection) == 2


def test_held_images_are_in_the_order_in_which_they_matter(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/app").values()
    add_findings(
        connection,
        number,
        held("a:1", "same-images"),
        held("b:1", "settling", NOW + DAY),
        held("c:1", "settling", NOW + HOUR),
        held("d:1", "platform-lost"),
    )

    found = attention.held_images(connection, first=["platform-lost"], limit=3)

    assert [one.image[-3:] for one in found] == ["d:1", "c:1", "b:1"]


def test_held_images_of_some_reasons_only(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/app").values()
    add_findings(connection, number, held("a:1", "settling", NOW), held("b:1", "single-now"))

    found = attention.held_images(connection, reasons=["single-now", "flapping"])

    assert [one.reason for one in found] == ["single-now"]
    assert attention.count_held(connection, ["single-now", "flapping"]) == 1


def test_denied_digests_are_counted_the_most_used_first(connection: Connection) -> None:
    ids = add_repos(connection, "acme/app", "acme/web")
    add_findings(connection, ids["acme/app"], finding(digest=OLD), finding(digest=NEW))
    add_findings(connection, ids["acme/web"], finding(digest=NEW), finding(digest=NEW, line=9))

    found = attention.denied_digests(connection, [str(OLD), str(NEW), f"sha256:{'c' * 64}"])

    assert found == [DeniedDigest(str(NEW), 3, 2), DeniedDigest(str(OLD), 1, 1)]
    assert attention.denied_digests(connection, []) == []


def test_repos_that_are_left_out_by_now_do_not_count(connection: Connection) -> None:
    (number,) = add_repos(connection, "acme/app").values()
    add_findings(connection, number, held("a:1", "settling", NOW))

    add_repos(connection, left_out=["acme/app"])

    assert attention.held_images(connection) == []
    assert attention.count_held(connection) == 0
    assert attention.denied_digests(connection, [str(OLD)]) == []


def test_open_proposals_are_counted_as_they_are_listed(connection: Connection) -> None:
    ids = add_repos(connection, "acme/app", "acme/web", "acme/gone")
    add_proposal(connection, ids["acme/app"], "acme/app")
    add_proposal(connection, ids["acme/web"], "acme/web", Outcome.MERGED)
    add_proposal(connection, ids["acme/gone"], "acme/gone")

    repos.note_listed(connection, TARGET, "next", [listed("acme/app"), listed("acme/web")], NOW)
    repos.note_gone(connection, TARGET, "next", NOW)

    assert attention.count_open(connection) == len(proposals.open_ones(connection)) == 1


def test_only_what_holds_is_told_as_holding(connection: Connection) -> None:
    first = Condition("repo:acme/app", "repos", "invalid-config", "line 3", "mend it")
    second = Condition("repo:acme/web", "repos", "invalid-config", "line 4")
    conditions.note(connection, [first, second], NOW)

    conditions.note(connection, [first], NOW + HOUR)

    assert attention.holding(connection) == [first]

"""What is summed up in SQL is what one would count by hand: on fleets that chance makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from digestbot.policy.finding import Status
from digestbot.store import ages, behind_image, image_list, of_image, overview
from digestbot.store.ages import PinGroup
from digestbot.store.image_list import ImageFilter, Sort, Which
from digestbot.store.proposals import State
from digestbot.store.tables import FINDINGS, IMAGES, PROPOSALS, REPOS, SIGHTINGS
from tests.service.state import DAY, HOUR, NOW

IMAGE_IDS, REPO_IDS, DIGESTS = (1, 2, 3), (1, 2, 3, 4), ("sha256:a", "sha256:b", "sha256:c")
BEHIND = {"stale", "held"}
NAMES = {1: ("docker.io", "b/X"), 2: ("docker.io", "b/a"), 3: ("ghcr.io", "b/a")}
TARGET = 10 * DAY

statuses = st.sampled_from([one.value for one in Status])
digests = st.sampled_from(DIGESTS)
findings = st.fixed_dictionaries(
    {
        "repo_id": st.sampled_from(REPO_IDS),
        "image_id": st.sampled_from([None, *IMAGE_IDS]),
        "digest": st.none() | digests,
        "status": statuses,
        "reason": st.sampled_from(["settling", "too-young"]),
    }
)
# What a tag had, the oldest first, and how many hours ago that began.
histories = st.lists(st.tuples(digests, st.integers(0, 4000)), max_size=5).map(
    lambda seen: sorted(seen, key=lambda one: -one[1])
)
pulls = st.tuples(
    st.sampled_from(REPO_IDS),
    st.sampled_from([one.value for one in State]),
    st.integers(0, 2),
    st.integers(0, 400),
)


@dataclass(frozen=True)
class Fleet:
    """What is in the state; repos are left out, gone, or neither."""

    findings: Sequence[Mapping[str, Any]]
    histories: Mapping[int, Sequence[tuple[str, int]]]
    failing: set[int]
    left_out: set[int]
    gone: set[int]
    pulls: Sequence[tuple[int, str, int, int]]

    def live(self) -> list[Mapping[str, Any]]:
        """The findings that count."""
        return [one for one in self.findings if one["repo_id"] not in self.left_out]

    def following(self, image: int) -> list[Mapping[str, Any]]:
        """Those of them that follow an image."""
        found = (one for one in self.live() if one["image_id"] == image)
        return [one for one in found if one["status"] != "skipped"]

    def late(self, image: int) -> list[Mapping[str, Any]]:
        """Those of them that are behind, with a digest."""
        return [one for one in self.following(image) if one["status"] in BEHIND and one["digest"]]

    def age(self, image: int, digest: str) -> tuple[datetime | None, bool]:
        """Since when such a pin is behind, and whether for longer."""
        seen = self.histories[image]
        places = [place for place, (one, _) in enumerate(seen) if one == digest]
        later = seen[places[-1] + 1 :] if places else seen
        return (NOW - later[0][1] * HOUR if later else None), not places

    def write(self, connection: Connection) -> None:
        """Put it into an empty state."""
        for number, (registry, repository) in NAMES.items():
            names = {"registry": registry, "repository": repository, "tag": "T", "platform": ""}
            since = NOW if number in self.failing else None
            row = {"id": number, "key": str(number), **names}
            connection.execute(insert(IMAGES).values(**row, failing_since=since))
            for digest, hours in self.histories[number]:
                at = NOW - hours * HOUR
                seen = {"digest": digest, "first_seen": at, "last_seen": at}
                connection.execute(insert(SIGHTINGS).values(image_id=number, **seen))
        for number in REPO_IDS:
            out = "fork" if number in self.left_out else ""
            row = {"left_out": out, "gone_at": NOW if number in self.gone else None}
            connection.execute(insert(REPOS).values(**_repo(number), **row))
        for line, one in enumerate(self.findings):
            connection.execute(insert(FINDINGS).values(**one, **_FINDING, line=line))
        for number, (repo, state, pull, hours) in enumerate(self.pulls):
            row = {"repo_id": repo, "branch": str(number), "state": state, "number": pull}
            told = {"outcome": "x", "seen_at": NOW, "opened_at": NOW - hours * HOUR}
            connection.execute(insert(PROPOSALS).values(**row, **told))


_FINDING = {
    "path": "Dockerfile",
    "column": 1,
    "format": "dockerfile",
    "kind": "from",
    "written": "x",
    "image": "x",
    "message": "x",
    "found_at": NOW,
}

fleets = st.builds(
    Fleet,
    st.lists(findings, max_size=25),
    st.fixed_dictionaries(dict.fromkeys(IMAGE_IDS, histories)),
    st.sets(st.sampled_from(IMAGE_IDS)),
    st.sets(st.sampled_from(REPO_IDS)),
    st.sets(st.sampled_from(REPO_IDS)),
    st.lists(pulls, max_size=8),
)
# A transaction is undone after each: nothing is left of what the one before wrote.
by_chance = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _repo(number: int) -> dict[str, Any]:
    lists: dict[str, list[str]] = {"ours": [], "opened": [], "problems": []}
    flags = {"open_pulls": 0, "allows_auto_merge": False, "deletes_branches": False}
    name = {"id": number, "target": "github:acme", "name": f"acme/{number}"}
    return {**name, **lists, **flags, "listed_run": "r", "listed_at": NOW}


@contextmanager
def written(connection: Connection, fleet: Fleet) -> Iterator[None]:
    with connection.begin_nested() as inner:
        fleet.write(connection)
        yield
        inner.rollback()


def oldest(fleet: Fleet, image: int) -> datetime | None:
    since = (fleet.age(image, one["digest"])[0] for one in fleet.late(image))
    return min((one for one in since if one is not None), default=None)


def repos_of(some: Iterable[Mapping[str, Any]]) -> set[int]:
    return {one["repo_id"] for one in some}


def behind_of(fleet: Fleet, image: int) -> set[int]:
    return repos_of(one for one in fleet.following(image) if one["status"] in BEHIND)


def is_in(fleet: Fleet, image: int, state: Which) -> bool:
    found = {one["status"] for one in fleet.following(image)}
    has: dict[Which, bool] = {
        "": True,
        "failing": image in fleet.failing,
        "behind": bool(found & BEHIND),
        "stale": "stale" in found,
        "held": "held" in found,
        "current": image not in fleet.failing and found == {"current"},
    }
    return has[state]


def listed(fleet: Fleet, asked: ImageFilter, sort: Sort) -> list[int]:
    """The images that are asked for, in order."""
    found = [
        image
        for image, (registry, repository) in NAMES.items()
        if fleet.following(image)
        and asked.q.lower() in f"{registry}/{repository}:T".lower()
        and asked.registry in ("", registry)
        and is_in(fleet, image, asked.state)
    ]
    keys: dict[Sort, Callable[[int], Any]] = {
        "name": lambda _: 0,
        "behind": lambda image: -len(behind_of(fleet, image)),
        "oldest": lambda image: (oldest(fleet, image) is None, oldest(fleet, image) or NOW),
    }
    return sorted(sorted(found, key=NAMES.__getitem__), key=keys[sort])


filters = st.builds(
    ImageFilter,
    st.sampled_from(["", "B/x", "io/b/a:t", "ghcr", "%", "nothing"]),
    st.sampled_from(["", "", "docker.io", "ghcr.io", "quay.io"]),
    st.sampled_from(["", "", "failing", "behind", "stale", "held", "current"]),
)
sorts = st.sampled_from(["behind", "name", "oldest"])


@by_chance
@given(fleet=fleets, asked=filters, sort=sorts, offset=st.integers(0, 3), limit=st.integers(1, 3))
def test_pages_of_images(
    connection: Connection, fleet: Fleet, asked: ImageFilter, sort: Sort, offset: int, limit: int
) -> None:
    with written(connection, fleet):
        found = image_list.page(connection, asked, sort=sort, offset=offset, limit=limit)
        read = image_list.after(connection, asked, offset, limit)

    expected = listed(fleet, asked, sort)
    assert [one.id for one in found.images] == expected[offset : offset + limit]
    assert found.total == len(expected)
    assert [one.id for one in read] == [one for one in sorted(expected) if one > offset][:limit]
    everything = listed(fleet, ImageFilter(), "name")
    assert found.census.total == len(everything)
    assert found.census.registries == tuple(sorted({NAMES[one][0] for one in everything}))
    assert found.census.states == {
        state: sum(is_in(fleet, one, state) for one in everything) for state in found.census.states
    }


@by_chance
@given(fleet=fleets)
def test_images_in_the_list(connection: Connection, fleet: Fleet) -> None:
    with written(connection, fleet):
        found = image_list.page(connection, ImageFilter()).images

    for one in found:
        following, late = fleet.following(one.id), fleet.late(one.id)
        assert one.repos == len(repos_of(following))
        assert one.repos_behind == len(behind_of(fleet, one.id))
        assert one.places == Counter(Status(each["status"]) for each in following)
        assert one.behind_since == oldest(fleet, one.id)
        assert one.is_at_least == any(fleet.age(one.id, each["digest"])[1] for each in late)
        reasons = Counter(each["reason"] for each in following if each["status"] == "held")
        most = max(reasons.values(), default=0)
        assert (one.held.reason if one.held else None) == max(
            (reason for reason, number in reasons.items() if number == most), default=None
        )


@by_chance
@given(fleet=fleets)
def test_ages_of_pins(connection: Connection, fleet: Fleet) -> None:
    with written(connection, fleet):
        groups = ages.groups(connection)
        histogram = ages.histogram(connection, NOW, TARGET)

    counted = Counter((image, one["digest"]) for image in IMAGE_IDS for one in fleet.late(image))
    assert groups == [
        PinGroup(*pinned, places, *fleet.age(*pinned)) for pinned, places in sorted(counted.items())
    ]
    for one in histogram.buckets:
        inside = [group for group in groups if _is_inside(group, one.above, one.below)]
        assert one.places == sum(group.places for group in inside)
        assert one.at_least == sum(group.places for group in inside if group.is_at_least)
    assert histogram.unknown == sum(one.places for one in groups if one.behind_since is None)
    bounds = [one.above for one in histogram.buckets]
    assert TARGET in bounds
    assert all(above < below for above, below in pairwise(bounds))


def _is_inside(group: PinGroup, above: timedelta, below: timedelta | None) -> bool:
    if group.behind_since is None:
        return False
    age = NOW - group.behind_since
    return above <= age and (below is None or age < below)


@by_chance
@given(fleet=fleets, limit=st.integers(1, 3))
def test_one_image(connection: Connection, fleet: Fleet, limit: int) -> None:
    with written(connection, fleet):
        pinned, total = of_image.digests(connection, 1, limit)
        behind = behind_image.repos(connection, 1, (), offset=0, limit=limit)

    pins = [one for one in fleet.following(1) if one["digest"]]
    users = {one: repos_of(pin for pin in pins if pin["digest"] == one) for one in DIGESTS}
    used = sorted((one for one in DIGESTS if users[one]), key=lambda one: (-len(users[one]), one))
    assert total == len(used)
    assert [(one.digest, one.repos) for one in pinned] == [
        (one, len(users[one])) for one in used[:limit]
    ]
    late = fleet.late(1)
    since = {
        repo: [fleet.age(1, one["digest"])[0] for one in late if one["repo_id"] == repo]
        for repo in repos_of(late)
    }
    first = {repo: min(filter(None, some), default=None) for repo, some in since.items()}
    ordered = sorted(first, key=lambda repo: (first[repo] is None, first[repo] or NOW, repo))
    assert [(one.id, one.since, one.places) for one in behind] == [
        (repo, first[repo], len(since[repo])) for repo in ordered[:limit]
    ]


@by_chance
@given(fleet=fleets)
def test_the_overview(connection: Connection, fleet: Fleet) -> None:
    asked = overview.Asked(NOW, 30, TARGET, (), ())
    with written(connection, fleet):
        found = overview.glance(connection, asked)

    assert found.images == len({one["image_id"] for one in fleet.live()} - {None})
    away = fleet.left_out | fleet.gone
    opened = [
        hours * HOUR
        for repo, state, number, hours in fleet.pulls
        if state == "open" and number and repo not in away
    ]
    assert found.open_total == len(opened)
    assert found.waiting_total == sum(span > TARGET for span in opened)
    held = [one for one in fleet.live() if one["status"] == "held" and one["image_id"]]
    assert found.held_total == len({(one["image_id"], one["reason"]) for one in held})

"""An organisation of ten thousand repos after three months, from a seed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from digestbot.image import ImageTag
from digestbot.registry.resolution import Query
from digestbot.scan.result import Problem
from tests.web.rows import DAY, HOUR, Image, Pin, Rows, hex_of

REPOS, IMAGES, RUNS, DAYS = 10_000, 300, 500, 90
_REGISTRIES = ("docker.io", "ghcr.io", "quay.io", "registry.corp.example:5000", "gcr.io")
_PATHS = ("Dockerfile", "worker/Dockerfile", "ci/Dockerfile", "web/Dockerfile", "db/Dockerfile")
_STATES = ("merged", "merged", "merged", "rejected", "closed", "ended")
_MOVES = 200
DENIED = f"sha256:{hex_of(Query(ImageTag(_REGISTRIES[0], 'team0/image000', 'stable')), _MOVES - 4)}"
"""What the tag that most repos follow had three moves ago."""
# What those that hold anything do with how many pins: about 4 each.
_PINS, _WEIGHTS = range(1, 9), (8, 14, 20, 20, 15, 11, 8, 6)


def fill(rows: Rows, repos: int = REPOS, images: int = IMAGES) -> None:
    """Put everything in; which images are pinned follows Zipf's law."""
    chance = random.Random(1)
    fleet = [_image(rows, number, chance) for number in range(images)]
    weights = [1 / (rank + 1) for rank in range(images)]
    for number in range(repos):
        count = chance.choices(_PINS, _WEIGHTS)[0]
        pinned = chance.choices(fleet, weights, k=count)
        pins = [_pin(image, place, rows, chance) for place, image in enumerate(pinned)]
        _repo(rows, number, pins, chance)
    _add_runs(rows, chance)
    for hour in range(DAYS * 24):
        stale = 6_000 + hour * 4
        counts = {"current": 4 * repos - stale, "stale": stale, "held": 300, "failed": 200}
        rows.tally(hour * HOUR, counts | {"unpinned": 900}, 3 * DAY + hour * HOUR / 24)


def _image(rows: Rows, number: int, chance: random.Random) -> Image:
    tag = ImageTag(
        _REGISTRIES[number % len(_REGISTRIES)], f"team{number % 17}/image{number:03}", "stable"
    )
    # Some move twice a day, others once in a while.
    moves = _MOVES if number % 30 == 0 else chance.randint(1, 12)
    moved = [chance.uniform(0.1, DAYS) for _ in range(moves)]
    if number % 50 == 7:
        failing: dict[str, Any] = {
            "failing_since": rows.now - timedelta(hours=chance.randint(1, 400)),
            "failing_host": tag.registry,
            "failing_code": "unreachable",
            "failing_message": f"{tag.registry} cannot be reached",
        }
        return rows.image(tag, moved, **failing)
    return rows.image(tag, moved, platform="linux/arm64" if number % 40 == 3 else "")


def _pin(image: Image, place: int, rows: Rows, chance: random.Random) -> Pin:
    path, line = f"{place // 5 or ''}{_PATHS[place % 5]}", chance.randint(1, 60)
    if image.row["failing_since"] is not None:
        return Pin(image, 0, path, line, "failed", "unreachable", image.row["failing_message"])
    kind = chance.random()
    if kind < 0.02:
        return Pin(image, None, path, line)
    if kind < 0.03:
        return Pin(None, None, path, line, written="scratch", message="scratch is no image")
    back = 0 if kind < 0.75 else chance.randint(1, 4)
    if back and kind < 0.77:
        due = rows.now + timedelta(hours=chance.randint(1, 3))
        return Pin(image, back, path, line, "held", "settling", "held back", until=due)
    if back and image.digest(back) == DENIED:
        return Pin(image, back, path, line, reason="denied-pinned", message="on the deny list")
    return Pin(image, back, path, line)


def _repo(rows: Rows, number: int, pins: list[Pin], chance: random.Random) -> None:
    name = f"acme/team{number % 40:02}-app{number:05}"
    if number % 25 == 11:
        rows.repo(name, left_out="archived", left_out_message="it is archived")
        return
    if number % 200 == 150:
        rows.repo(name, gone_at=rows.now - DAY, settled_at=None)
        return
    problems = [Problem("repo", name, "unreachable", "the clone failed", "try again")]
    stale = [pin.image for pin in pins if pin.image and pin.back and not pin.status]
    more = (
        {"gone_at": rows.now - DAY} if number % 200 == 150 else {"open_pulls": min(len(stale), 2)}
    )
    repo = rows.repo(name, pins, problems=problems if number % 97 == 5 else (), **more)
    for image in {image.id: image for image in stale[:2]}.values():
        rows.proposal(repo, image, "open", "unchanged", chance.uniform(0.1, 60))
    if pins[0].image and pins[0].back == 0 and pins[0].image not in stale:
        state = chance.choice(_STATES)
        outcome = "merged" if state == "ended" else state
        rows.proposal(repo, pins[0].image, state, outcome, chance.uniform(1, DAYS))


def _add_runs(rows: Rows, chance: random.Random) -> None:
    problems = [
        Problem("repo", f"acme/team05-app{number:05}", "unreachable", "the clone failed", "")
        for number in range(5, 9_000, 97)
    ]
    rows.run(timedelta(minutes=2), None, "running", listed=REPOS, lookups=280, updated=31)
    for number in range(1, RUNS):
        counts = {"listed": REPOS, "lookups": IMAGES, "updated": chance.randint(0, 900)}
        found = problems[: chance.randint(0, len(problems))]
        state = "incomplete" if found else "done"
        rows.run(number * HOUR * 4, chance.randint(20, 900), state, found, "cycle", (), **counts)

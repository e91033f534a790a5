"""The figures are what the state says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from digestbot.policy.finding import Status
from digestbot.service.figures import read_figures, read_last_success
from digestbot.service.metrics import Metrics
from digestbot.store.errors import StoreError
from tests.service.world import ServiceWorld, repo_with, service_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServiceWorld]:
    repos = [
        repo_with("python:3", "debian:12", "gone:1", name="acme/app"),
        repo_with("debian:12", name="acme/other"),
    ]
    tags = {"python:3": 0, "debian:12": 0, "gone:1": 0}
    with service_world(tmp_path / "state", *repos, tags=tags) as made:
        yield made


def shown(world: ServiceWorld) -> dict[str, float]:
    """What `/metrics` says where there are no labels."""
    content, _ = Metrics(partial(read_figures, world.database)).exposition()
    families = text_string_to_metric_families(content.decode())
    return {one.name: one.value for family in families for one in family.samples if not one.labels}


def test_before_the_first_cycle_there_is_nothing(world: ServiceWorld) -> None:
    found = read_figures(world.database)

    assert found.fresh_ratio is None
    assert found.last_success is None
    assert found.oldest_stale is None
    assert set(found.repos) == {"live", "left_out", "gone", "with_problems"}
    assert not any([*found.repos.values(), *found.findings.values(), *found.proposals.values()])


def test_after_a_cycle_they_are_what_it_found(world: ServiceWorld) -> None:
    world.cycle()
    world.wait(timedelta(hours=1))
    world.registry.tags["python:3"] = 1
    world.registry.failing["gone:1"] = "not-found-or-no-access"
    world.cycle()

    found = read_figures(world.database)

    assert found.repos["live"] == 2
    assert found.findings == {
        **dict.fromkeys(map(str, Status), 0),
        "current": 2,
        "stale": 1,
        "failed": 1,
    }
    assert found.proposals["open"] == 1
    assert found.fresh_ratio == pytest.approx(2 / 3)
    assert found.images_failing == 1
    assert found.oldest_stale == world.now()
    assert found.last_success == world.now() == read_last_success(world.database)


def test_prometheus_is_told_of_them(world: ServiceWorld) -> None:
    world.cycle()

    found = shown(world)

    assert found["digestbot_pins_fresh_ratio"] == 1
    last = found["digestbot_last_success_timestamp_seconds"]
    assert last == pytest.approx(world.now().timestamp())
    assert found["digestbot_state_errors_total"] == 0


def test_a_state_that_is_broken_is_an_error_of_its_own(world: ServiceWorld) -> None:
    file = world.database.location.file
    assert file is not None
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE runs")
        connection.commit()

    with pytest.raises(StoreError):
        read_figures(world.database)
    with pytest.raises(StoreError):
        read_last_success(world.database)
    assert shown(world)["digestbot_state_errors_total"] == 1
    assert "digestbot_images_failing" not in shown(world)

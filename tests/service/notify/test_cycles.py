"""Whole cycles of the service, and what a webhook hears of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.secret import Secret
from digestbot.service.after import Aftermath
from digestbot.service.notify.delivery import Delivery
from digestbot.service.notify.kinds import Recipient
from digestbot.service.notify.notices import Notices
from digestbot.service.notify.tally import ProposalTally
from digestbot.service.notify.webhook import WebhookNotifier
from tests.service.notify.receiver import Receiver, receiving
from tests.service.world import ServiceWorld, repo_with, service_world

EVERYTHING = frozenset({"lookups", "repos", "held", "denied", "proposals", "cycle"})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServiceWorld]:
    repos = [repo_with("python:3", "redis:7", name=f"acme/r{n}") for n in range(3)]
    tags = {"python:3": 0, "redis:7": 0}
    with service_world(tmp_path, *repos, tags=tags) as made:
        yield made


def cycle(world: ServiceWorld, *receivers: Receiver) -> list[Delivery]:
    tally = ProposalTally()
    world.on_outcome = tally.note
    result = world.cycle()
    recipients = [
        Recipient(WebhookNotifier(f"hook-{n}", Secret(one.url)), EVERYTHING)
        for n, one in enumerate(receivers)
    ]
    clock = world.clock.as_clock()
    notices = Notices(world.database, recipients, clock)
    return list(Aftermath(world.database, notices, clock=clock).follow(result, tally))


def heard(receiver: Receiver) -> list[list[str]]:
    return [
        [f"{item['turn']} {item['subject']}" for item in one.json["items"]]
        for one in receiver.received
    ]


def test_a_quiet_fleet_is_told_to_nobody(world: ServiceWorld) -> None:
    with receiving() as receiver:
        sent = [cycle(world, receiver) for _ in range(3)]

    assert sent == [[], [], []]
    assert receiver.received == []


def test_a_registry_that_fails_for_five_cycles_is_told_once_and_its_recovery_once(
    world: ServiceWorld,
) -> None:
    cycle(world)
    world.registry.failing = {"python:3": "timeout", "redis:7": "timeout"}

    with receiving() as receiver:
        for _ in range(5):
            cycle(world, receiver)
        world.registry.failing = {}
        cycle(world, receiver)
        cycle(world, receiver)

    first, *others = heard(receiver)
    assert "new registry:docker.io/timeout" in first
    assert len(first) <= 2
    (last,) = others
    assert "resolved registry:docker.io/timeout" in last


def test_proposals_of_a_cycle_are_one_line(world: ServiceWorld) -> None:
    cycle(world)
    world.registry.tags["python:3"] = 1

    with receiving() as receiver:
        cycle(world, receiver)
        cycle(world, receiver)

    (received,) = receiver.received
    (item,) = received.json["items"]
    assert (item["turn"], item["event"]) == ("done", "proposals")
    assert item["message"].startswith("proposals: 3 opened (acme/r0")


def test_a_receiver_that_is_down_costs_the_other_and_the_cycle_nothing(
    world: ServiceWorld,
) -> None:
    cycle(world)
    world.registry.failing = {"python:3": "timeout"}

    with receiving(500) as down, receiving() as up:
        sent = [[one.is_ok for one in cycle(world, down, up)] for _ in range(2)]
        down.behaviour = 200
        sent.append([one.is_ok for one in cycle(world, down, up)])

    assert sent == [[False, True], [False], [True]]
    assert heard(down)[-1] == heard(up)[0]

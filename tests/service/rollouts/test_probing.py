from __future__ import annotations

import json
from pathlib import Path

import pytest

from digestbot.rollout.gates import WaveCount
from digestbot.rollout.machine import Verb
from digestbot.secret import Secret
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.posting import Answer
from digestbot.service.rollouts.probing import WebhookProbe, payload
from tests.service.notify.receiver import receiving
from tests.service.rollouts.arena import Arena, arena

COUNT = WaveCount(merged=2, green=1)


def started(world: Arena) -> Arena:
    world.tell(Verb.START)
    return world


@pytest.mark.parametrize(
    "status, says",
    [(200, True), (202, True), (204, True), (302, False), (403, False), (500, False)],
)
def test_two_hundred_and_something_is_a_yes(tmp_path: Path, status: int, says: bool) -> None:
    with arena(tmp_path) as world, receiving(status) as receiver:
        answer = WebhookProbe(Secret(receiver.url))(started(world).rollout(), COUNT)

        assert answer is says
        assert len(receiver.received) == 1


def test_it_is_asked_in_the_words_of_flagger(tmp_path: Path) -> None:
    with arena(tmp_path) as world, receiving(200) as receiver:
        WebhookProbe(Secret(receiver.url))(started(world).rollout(), COUNT)

        (asked,) = receiver.received
        assert asked.headers["Content-Type"] == "application/json"
        assert asked.json["name"] == world.name
        assert asked.json["phase"] == "WaitingPromotion"
        assert asked.json["metadata"]["wave"] == "1"
        assert asked.json["metadata"]["merged"] == "2"
        assert all(isinstance(value, str) for value in asked.json["metadata"].values())


def test_who_does_not_answer_says_nothing(tmp_path: Path) -> None:
    silence = Answer(0, failure="does not answer in time")
    probe = WebhookProbe(Secret("https://gate.example/"), lambda _url, _body: silence)

    with arena(tmp_path) as world:
        assert probe(world.rollout(), COUNT) is None


def test_an_address_that_is_missing_is_silence(tmp_path: Path) -> None:
    def missing() -> str:
        raise NotifyError("rollout.probe_url_env: the environment variable GATE is not set")

    with arena(tmp_path) as world:
        assert WebhookProbe(Secret(missing))(world.rollout(), COUNT) is None


def test_what_is_posted_is_small(tmp_path: Path) -> None:
    with arena(tmp_path, repos=200) as world:
        posted = payload(started(world).rollout(), COUNT)

    assert len(posted) < 2000
    assert json.loads(posted)["namespace"] == "digestbot"

"""What rollouts are driven with, as the configuration says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digestbot.cli.rolling import probe_of
from digestbot.config.rollout import RolloutConfig
from digestbot.rollout.gates import WaveCount
from digestbot.rollout.machine import Verb
from digestbot.rollout.progress import TargetState
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import rollouts
from tests.cli.fleet import Fleet, make_fleet, repo
from tests.proposals.builders import digest
from tests.service.notify.receiver import receiving
from tests.service.rollouts.arena import arena, plan_for

COUNT = WaveCount(green=1)


@pytest.mark.parametrize("way", ["probe_url", "probe_url_env", "probe_url_file"])
def test_the_probe_has_its_address_from_wherever_it_is(tmp_path: Path, way: str) -> None:
    with arena(tmp_path) as world, receiving(200) as receiver:
        (tmp_path / "url").write_text(f"{receiver.url}\n")
        told = {"probe_url": receiver.url, "probe_url_env": "GATE"}
        told["probe_url_file"] = str(tmp_path / "url")
        config = RolloutConfig.model_validate({"probe": True, way: told[way]})

        answer = probe_of(config, {"GATE": receiver.url})(world.rollout(), COUNT)

        assert answer is True
        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "address", ["", "ftp://gate.example/", "not an address"], ids=["none", "ftp", "words"]
)
def test_an_address_that_is_none_is_no_yes(tmp_path: Path, address: str) -> None:
    config = RolloutConfig.model_validate({"probe": True, "probe_url_env": "GATE"})

    with arena(tmp_path) as world:
        assert probe_of(config, {"GATE": address})(world.rollout(), COUNT) is None


def test_without_an_address_nobody_answers(tmp_path: Path) -> None:
    with arena(tmp_path) as world:
        assert probe_of(RolloutConfig(), {})(world.rollout(), COUNT) is None


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    made = make_fleet(tmp_path, monkeypatch, repo())
    made.configure()
    return made


def test_a_run_goes_one_step_on_with_each_rollout(fleet: Fleet) -> None:
    now = datetime.now(UTC)
    fleet.run()
    with fleet.state() as database:
        with database.begin() as connection:
            rollout = rollouts.create(connection, plan_for(["acme/app"], now, new=digest(1)))
        tell(database, rollout, Told(Verb.START, "ann"), now)

    fleet.run()

    with fleet.state() as database, database.reading() as connection:
        (target,) = rollouts.targets(connection, rollout)
    assert (target.state, target.why) == (TargetState.SKIPPED, "it no longer pins the image")

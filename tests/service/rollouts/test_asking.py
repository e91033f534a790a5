from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from digestbot.clock import Clock
from digestbot.config.rollout import RolloutConfig
from digestbot.errors import UsageError
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import TargetState
from digestbot.service.asking import Ask, AskRefusedError, Refusal, Scan, Taken
from digestbot.service.rollouts.asking import RolloutAsks, TellRollout
from digestbot.service.rollouts.checking import Checked
from digestbot.service.rollouts.pullable import Lost
from digestbot.service.rollouts.telling import Told
from digestbot.store import acts, rollouts
from digestbot.store.database import Database
from digestbot.store.rollouts import Rollout
from tests.proposals.builders import digest
from tests.service.rollouts.arena import tag
from tests.service.state import HOUR, NOW, state
from tests.web import rollout_seeds
from tests.web.fleets import small
from tests.web.rollout_seeds import ALPINE, Seed, plan_for, services

STILL = Clock(wall=NOW.timestamp)
LOST = Lost(tag("alpine:3.22"), digest("gone"), "not-found", "it is gone", ("acme/shop",))


@dataclass
class Others:
    """Take all that is not about rollouts."""

    asked: list[Ask] = field(default_factory=list)

    def take(self, ask: Ask, who: str, how: str = "") -> Taken:
        self.asked.append(ask)
        return Taken(ask.what, ask.subject, who, NOW)


@dataclass
class Back:
    """Says the same of every way back."""

    checked: Checked | None = field(default_factory=lambda: Checked(NOW, 1))
    asked: list[str] = field(default_factory=list)

    def check(self, name: str) -> Checked | None:
        self.asked.append(name)
        return self.checked


@dataclass
class Desk:
    database: Database
    name: str = ""
    others: Others = field(default_factory=Others)
    rules: RolloutConfig = field(default_factory=RolloutConfig)
    back: Back = field(default_factory=Back)

    @property
    def asks(self) -> RolloutAsks:
        return RolloutAsks(self.others, self.database, self.back, self.rules, STILL)

    def tell(self, verb: Verb, repo: str = "", reason: str = "", name: str = "") -> Taken:
        return self.asks.take(TellRollout(name or self.name, verb, repo, reason), "ann", "session")

    def refused(self, verb: Verb, repo: str = "", reason: str = "", name: str = "") -> Refusal:
        with pytest.raises(AskRefusedError) as caught:
            self.tell(verb, repo, reason, name)
        return caught.value.refusal

    @property
    def rollout(self) -> Rollout:
        with self.database.reading() as connection:
            found = rollouts.get(connection, self.name)
        assert found is not None
        return found

    @property
    def acts(self) -> list[tuple[str, ...]]:
        with self.database.reading() as connection:
            rows = acts.newest(connection)
        return [(row.who, row.how, row.what, row.subject, row.result) for row in rows]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A rollout is under way."""
    with state(tmp_path) as database:
        yield Desk(database, rollout_seeds.running().write(database))


@pytest.mark.parametrize(
    "verb, reason, expected",
    [
        (Verb.PAUSE, "", State.PAUSED),
        (Verb.PROMOTE, "", State.RUNNING),
        (Verb.APPROVE, "looks well", State.RUNNING),
        (Verb.ABORT, "it is wrong", State.ABORTED),
        (Verb.ROLLBACK, "it is wrong", State.ROLLING_BACK),
    ],
)
def test_what_is_said_happens_and_who_said_it_is_kept(
    desk: Desk, verb: Verb, reason: str, expected: State
) -> None:
    taken = desk.tell(verb, reason=reason)

    assert desk.rollout.standing.state is expected
    event = desk.rollout.events[-1]
    assert (event.verb, event.by, event.reason, event.at) == (verb, "ann", reason, NOW)
    assert taken == Taken(f"rollout-{verb}", desk.name, "ann", NOW)
    assert desk.acts == [("ann", "session", f"rollout-{verb}", desk.name, "asked")]


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.PROMOTE])
def test_a_yes_to_a_wave_is_none_to_another(desk: Desk, verb: Verb) -> None:
    asks = desk.asks
    wave = desk.rollout.standing.wave

    with pytest.raises(AskRefusedError) as caught:
        asks.take(TellRollout(desk.name, verb, wave=wave - 1), "ann", "session")
    assert caught.value.refusal is Refusal.CHANGED
    assert not desk.rollout.standing.is_approved

    asks.take(TellRollout(desk.name, verb, wave=wave), "ann", "session")
    assert desk.rollout.events[-1].verb is verb


def test_to_pause_it_is_heard_whichever_wave_is_under_way(desk: Desk) -> None:
    asks = desk.asks

    asks.take(TellRollout(desk.name, Verb.PAUSE, wave=0), "ann", "session")

    assert desk.rollout.standing.state is State.PAUSED


@pytest.mark.parametrize(
    "checked, refusal",
    [
        pytest.param(Checked(NOW, 3, (LOST,)), Refusal.NOT_PULLABLE, id="lost"),
        pytest.param(None, Refusal.CHECKING, id="being asked"),
    ],
)
def test_it_goes_back_only_where_there_is_something_to_go_back_to(
    desk: Desk, checked: Checked | None, refusal: Refusal
) -> None:
    desk.back.checked = checked
    before = desk.rollout

    assert desk.refused(Verb.ROLLBACK, reason="it is wrong") is refusal
    assert desk.rollout == before
    assert desk.acts[0][-1] == refusal.value


def test_who_goes_back_all_the_same_is_not_asked_about_and_that_is_kept(desk: Desk) -> None:
    desk.back.checked = Checked(NOW, 3, (LOST,))
    ask = TellRollout(desk.name, Verb.ROLLBACK, reason="it is wrong", without_check=True)

    desk.asks.take(ask, "ann", "session")

    assert desk.back.asked == []
    assert desk.rollout.standing.state is State.ROLLING_BACK
    reason = "it is wrong (not asked: whether the digests can be pulled)"
    assert desk.rollout.events[-1].reason == reason


@pytest.mark.parametrize(
    "verb, reason",
    [
        pytest.param(Verb.ABORT, "it is wrong", id="another verb"),
        pytest.param(Verb.ROLLBACK, "", id="no reason"),
    ],
)
def test_nobody_is_asked_for_what_leads_nowhere_back(desk: Desk, verb: Verb, reason: str) -> None:
    ask = TellRollout(desk.name, verb, reason=reason)

    with suppress(AskRefusedError):
        desk.asks.take(ask, "ann", "session")

    assert desk.back.asked == []


def test_a_repo_is_left_out_and_tried_again(desk: Desk) -> None:
    with desk.database.reading() as connection:
        found = rollouts.targets(connection, desk.name)
    repo = next(one.repo for one in found if one.state is TargetState.RED)

    desk.tell(Verb.SKIP, repo)
    assert repo in desk.rollout.standing.skipped
    desk.tell(Verb.RETRY, repo)

    assert desk.rollout.standing.retried == {repo: 1}
    with desk.database.reading() as connection:
        states = {one.repo: one.state for one in rollouts.targets(connection, desk.name)}
    assert states[repo] is TargetState.WAITING
    assert desk.acts[0] == ("ann", "session", "rollout-retry", f"{desk.name} {repo}", "asked")


@pytest.mark.parametrize(
    "verb, told, refusal",
    [
        pytest.param(Verb.RESUME, {}, Refusal.NOT_NOW, id="not in this state"),
        pytest.param(Verb.START, {}, Refusal.NOT_NOW, id="started before"),
        pytest.param(Verb.PAUSE, {"name": "0" * 10}, Refusal.UNKNOWN_ROLLOUT, id="unknown"),
        pytest.param(Verb.PAUSE, {"name": "%"}, Refusal.UNKNOWN_ROLLOUT, id="no name"),
        pytest.param(Verb.SKIP, {}, Refusal.NOT_OF_ROLLOUT, id="no repo"),
        pytest.param(Verb.RETRY, {"repo": "acme/x"}, Refusal.NOT_OF_ROLLOUT, id="another repo"),
        pytest.param(Verb.PAUSE, {"repo": "acme/x"}, Refusal.NOT_OF_ROLLOUT, id="a repo too much"),
        pytest.param(Verb.ABORT, {}, Refusal.BAD_REASON, id="end without a reason"),
        pytest.param(Verb.ROLLBACK, {}, Refusal.BAD_REASON, id="back without a reason"),
        pytest.param(Verb.PAUSE, {"reason": "a\x1bb"}, Refusal.BAD_REASON, id="no line"),
        pytest.param(Verb.PAUSE, {"reason": "a" * 301}, Refusal.BAD_REASON, id="too long"),
    ],
)
def test_what_cannot_be_is_refused_and_that_is_kept(
    desk: Desk, verb: Verb, told: dict[str, str], refusal: Refusal
) -> None:
    before = desk.rollout

    assert desk.refused(verb, **told) is refusal
    assert desk.rollout == before
    assert desk.acts[0][-1] == refusal.value


def test_what_has_the_digest_is_not_tried_again(desk: Desk) -> None:
    repo = next(one.repo for one in desk.rollout.plan.targets if one.wave == 0)

    assert desk.refused(Verb.RETRY, repo) is Refusal.NOT_NOW


def test_only_the_whole_id_is_an_id(desk: Desk) -> None:
    assert desk.refused(Verb.PAUSE, name=desk.name[:6]) is Refusal.UNKNOWN_ROLLOUT


def test_what_changes_in_that_very_moment_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(database: Database, name: str, told: Told, now: datetime) -> Rollout:
        raise UsageError("it changed meanwhile")

    monkeypatch.setattr("digestbot.service.rollouts.asking.tell", too_late)

    assert desk.refused(Verb.PAUSE) is Refusal.CHANGED


def test_whoever_stops_a_rollout_is_never_told_that_it_was_too_often(desk: Desk) -> None:
    for _ in range(15):
        desk.tell(Verb.PAUSE)
        desk.tell(Verb.RESUME)

    assert desk.tell(Verb.ABORT, reason="enough").what == "rollout-abort"


def test_what_is_not_about_rollouts_is_for_others(desk: Desk) -> None:
    desk.asks.take(Scan(repo="acme/shop"), "ann")

    assert desk.others.asked == [Scan(repo="acme/shop")]
    assert desk.acts == []


def test_a_plan_that_is_right_is_started(tmp_path: Path) -> None:
    with state(tmp_path) as database:
        small(database)
        with database.reading() as connection:
            planned = next(one for one in rollouts.latest(connection) if one.state is State.PLANNED)
        desk = Desk(database, planned.id)

        desk.tell(Verb.START, reason="CVE-2026-4711")

        assert desk.rollout.standing.state is State.RUNNING


@pytest.mark.parametrize(
    "seed, rules",
    [
        pytest.param(rollout_seeds.old, RolloutConfig(most_share=1), id="old"),
        pytest.param(
            lambda: Seed(plan_for(ALPINE, services(9), HOUR, number=1)),
            RolloutConfig(most_repos=8),
            id="many",
        ),
        pytest.param(
            lambda: Seed(plan_for(ALPINE, services(9), HOUR, number=1)),
            RolloutConfig(),
            id="of repos that are not so",
        ),
    ],
)
def test_a_plan_against_which_something_speaks_is_not_started(
    tmp_path: Path, seed: object, rules: RolloutConfig
) -> None:
    with state(tmp_path) as database:
        assert callable(seed)
        desk = Desk(database, seed().write(database), rules=rules)

        assert desk.refused(Verb.START, reason="all the same") is Refusal.TOO_FAR
        assert desk.rollout.standing.state is State.PLANNED

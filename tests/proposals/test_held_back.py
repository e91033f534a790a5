"""What is held back: nobody's pull request shrinks for it, and none brings what is denied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import pytest

from digestbot.clock import Clock
from digestbot.forge.steps import ClosePull, Comment, DeleteBranch, EditPull, OpenPull, PushBranch
from digestbot.image import Digest
from digestbot.policy.holding import HoldRules, Sighting
from digestbot.proposals.outcome import Outcome
from digestbot.proposals.propose import update_repo
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.updates import denied_keys, unknown_images, updates_of
from digestbot.registry.recorded import RecordedResolver
from digestbot.registry.resolution import Query
from digestbot.scan.engine import Policy
from digestbot.scan.gate import RegistryGate
from tests.policy.sightings import HOUR, START
from tests.proposals.builders import World, digest, dockerfile, full, world

PYTHON, GO = "python:3", "golang:1"
SETTLE = HoldRules(settle=3 * HOUR)


@dataclass
class Watched:
    """A world over time: tags move, hours pass, and each run remembers what it saw."""

    world: World
    rules: HoldRules = SETTLE
    now: datetime = START
    seen: dict[str, list[Sighting]] = field(default_factory=dict)

    def run(self, *, hours: float = 0, **moved: object) -> list[type]:
        """Hours pass, then tags have moved (`python`, `golang`); the kinds of what is done."""
        self.now += hours * HOUR
        names = {"python": PYTHON, "golang": GO}
        self.world.digests.update({names[key]: build for key, build in moved.items()})
        self._look()
        self.world.gate = RegistryGate(
            self.rules, self._history, None, Clock(wall=self.now.timestamp)
        )
        return [type(step) for step in self.world.run()]

    def deny(self, *builds: object) -> None:
        self.rules = replace(self.rules, deny=frozenset(map(digest, builds)))

    @property
    def files(self) -> bytes:
        """What the one pull request makes of the file."""
        return self.world.held.files(self.world.pull.branch)["Dockerfile"]

    def _look(self) -> None:
        for image, build in self.world.digests.items():
            known = self.seen.setdefault(full(image), [])
            if known and known[-1].digest == digest(build):
                known[-1] = replace(known[-1], last_seen=self.now)
            else:
                known.append(Sighting(digest(build), self.now, self.now))

    def _history(self, query: Query) -> Sequence[Sighting]:
        return tuple(self.seen.get(str(query.image), ()))


def watched(*images: str, rules: HoldRules = SETTLE, at: object = 1) -> Watched:
    """A repo that pins these images at build 0, while their tags have had another for long."""
    made = Watched(world({"Dockerfile": dockerfile(*images)}, dict.fromkeys(images, at)), rules)
    made.run()
    return made


OPENED = [PushBranch, OpenPull]
CHANGED = [PushBranch, EditPull]


def test_nothing_is_proposed_before_a_digest_has_settled() -> None:
    w = watched(PYTHON)

    assert w.run(hours=2) == []
    assert w.run(hours=1) == OPENED
    assert w.files == dockerfile(PYTHON, at=1)


def test_the_settled_digest_stays_proposed_while_the_next_one_settles() -> None:
    w = watched(PYTHON)
    w.run(hours=3)

    assert w.run(hours=1, python=2) == []
    assert w.world.outcome() is Outcome.UNCHANGED
    assert w.run(hours=3) == CHANGED
    assert w.files == dockerfile(PYTHON, at=2)


def test_what_is_held_leaves_a_shared_proposal_as_it_is() -> None:
    w = watched(PYTHON, GO)
    assert w.run(hours=3) == OPENED
    w.seen[full(GO)].clear()

    assert w.run(hours=1, golang=2) == []
    assert w.world.outcome() is Outcome.KEPT


def test_what_is_held_does_not_hold_what_is_proposed_beside_it() -> None:
    w = watched(PYTHON)
    w.run(hours=3)
    w.world.held.push({"web/Dockerfile": dockerfile(GO)})

    assert w.run(hours=1, golang=1) == []
    assert w.run(hours=3, golang=1) == CHANGED


def test_a_tag_that_flaps_costs_nobody_a_pull_request() -> None:
    w = watched(PYTHON, at=0)
    w.run(hours=9)

    done = [w.run(hours=0.5, python=build) for build in (1, 0, 1, 0, 1, 0, 1, 0)]

    assert done == [[]] * 8


def test_a_tag_that_flaps_does_not_close_and_open_again_what_is_proposed() -> None:
    w = watched(PYTHON, at=0)
    w.run(hours=9)
    w.run(python=1)
    assert w.run(hours=3) == OPENED

    done = [w.run(hours=0.5, python=build) for build in (0, 1, 0, 1, 0)]

    assert done == [[]] * 5
    assert w.run(hours=3) == [Comment, ClosePull, DeleteBranch]


@pytest.mark.parametrize("next_build", [2, 1])
def test_a_proposal_does_not_go_on_bringing_a_denied_digest(next_build: int) -> None:
    w = watched(PYTHON)
    w.run(hours=3)
    w.run(hours=1, python=next_build)
    w.deny(1)

    steps = w.run()

    assert ClosePull in steps
    assert w.world.held.open_pulls() == []


def test_a_denied_digest_gives_way_to_the_next_one_in_its_proposal() -> None:
    w = watched(PYTHON)
    w.run(hours=3)
    w.run(python=2)
    w.now += 3 * HOUR
    w.deny(1)

    assert w.run() == CHANGED
    assert w.files == dockerfile(PYTHON, at=2)


def test_a_denied_digest_leaves_even_where_another_image_is_unknown() -> None:
    w = watched(PYTHON, GO)
    w.run(hours=3)
    del w.world.digests[GO]
    w.deny(1)

    w.run(hours=4, python=2)
    steps = w.run(hours=3)

    assert OpenPull in steps
    assert w.files == dockerfile(PYTHON, at=2) + dockerfile(GO, at=0)


def test_a_denied_pin_is_replaced_by_an_older_digest_where_there_is_no_newer_one() -> None:
    w = watched(PYTHON, at="before")
    w.run(hours=3)
    assert ClosePull in w.run(python=0)
    w.deny(0)

    assert w.run(hours=1) == OPENED
    assert w.files == dockerfile(PYTHON, at="before")


def test_what_somebody_said_no_to_is_not_proposed_for_a_denied_pin_either() -> None:
    w = watched(PYTHON, at="before")
    w.run(hours=3)
    w.world.held.close(w.world.pull.number)
    w.run(python=0)
    w.deny(0)

    assert w.run(hours=1) == []
    assert w.world.outcome() is Outcome.REJECTED


def test_an_open_proposal_is_known_by_the_keys_in_its_body() -> None:
    w = watched(PYTHON)
    w.run(hours=3)
    survey = w.world.forge.survey(w.world.held.shown(), ())

    keys = denied_keys(survey, {digest(1)}.__contains__)

    assert keys == {f"{full(PYTHON)}@{digest(1)}"}
    assert denied_keys(survey, {digest(2)}.__contains__) == frozenset()


def test_keys_that_are_none_are_nobodys_digest() -> None:
    def never(_digest: Digest) -> bool:
        raise AssertionError

    w = watched(PYTHON)
    w.run(hours=3)
    number = w.world.pull.number
    w.world.held.change(number, lambda pull: replace(pull, body=pull.body.replace("sha256", "md")))

    assert denied_keys(w.world.forge.survey(w.world.held.shown(), ()), never) == frozenset()


def test_held_images_are_among_those_that_are_not_certain() -> None:
    w = watched(PYTHON, GO)
    result = w.world.scan(w.world.held.shown())

    assert unknown_images(result) == {full(PYTHON), full(GO)}
    assert updates_of(result) == ()


def test_a_whole_run_knows_the_gate_of_its_rules() -> None:
    w = watched(PYTHON)
    w.run(hours=3)
    forge, name = w.world.forge, w.world.held.name
    rules = HoldRules(deny=frozenset({digest(1)}))
    gate = RegistryGate(rules, lambda _query: (), None, Clock())
    run = Run(
        forge,
        RecordedResolver({full(PYTHON): digest(1)}),
        lambda _files: Rules(Policy(gate=gate), w.world.settings),
        lambda _repo, _settings: w.world.writer,
    )

    (repo,) = forge.repos()
    outcome = partial(update_repo, run)(repo)

    assert outcome.name == name
    assert [verdict.outcome for verdict in outcome.verdicts] == [Outcome.CLOSED]
    assert w.world.held.open_pulls() == []


def test_what_a_tag_was_set_back_from_is_not_kept_open() -> None:
    w = watched(PYTHON, at="withdrawn")
    w.run(python=0)
    w.run(hours=3, python="withdrawn")
    assert w.run(hours=3) == OPENED
    w.seen[full(PYTHON)].insert(0, Sighting(digest("older"), START - 9 * HOUR, START - 9 * HOUR))
    w.run(hours=1, python="older")

    assert w.run(hours=3) == [Comment, ClosePull, DeleteBranch]


def test_what_is_held_keeps_no_proposal_open_that_somebody_brought_home_by_hand() -> None:
    w = watched(PYTHON)
    w.run(hours=3)
    w.world.held.push({"Dockerfile": dockerfile(PYTHON, at=1)})

    assert w.run(hours=1, python=2) == [Comment, ClosePull, DeleteBranch]


def test_what_is_held_keeps_a_shared_proposal_of_which_half_is_brought_home() -> None:
    w = watched(PYTHON, GO)
    w.run(hours=3)
    w.world.held.push({"Dockerfile": dockerfile(PYTHON, at=1) + dockerfile(GO)})
    w.seen[full(GO)].clear()

    assert w.run(hours=1, golang=2) == []
    assert w.world.outcome() is Outcome.KEPT

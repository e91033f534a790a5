"""The gate: the rules, held against real registries; whatever they refuse, it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digestbot.clock import Clock
from digestbot.image import Digest
from digestbot.policy.holding import Hold, HoldRules, Sighting, is_older
from digestbot.registry.resolution import Query, Resolution
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import RegistrySettings
from digestbot.scan.gate import RegistryGate
from tests.policy.sightings import (
    DAY,
    HOUR,
    START,
    digest,
    durations,
    histories,
    names,
    rules_of_any_kind,
    seen,
)
from tests.registries.fake import Answer, FakeRegistry
from tests.registries.samples import Sample, make_image, make_index
from tests.registry.asking import make_query

PYTHON = make_query("python:3")
SETTLE = HoldRules(settle=3 * HOUR)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        yield server


def clock_at(moment: datetime) -> Clock:
    return Clock(wall=moment.timestamp)


def gate_of(
    rules: HoldRules,
    *history: Sighting,
    now: datetime | None = None,
    resolver: RegistryResolver | None = None,
) -> RegistryGate:
    """A gate that asks nobody unless told whom, at the time of the last sighting."""
    moment = now or (history[-1].last_seen if history else START)
    return RegistryGate(rules, lambda _query: history, resolver, clock_at(moment))


def weighed(gate: RegistryGate, pinned: object, found: object) -> tuple[str, Digest | None]:
    """The reason of the hold and what to propose, for names of digests."""
    pin = None if pinned is None else digest(pinned)
    offer = gate.weigh(PYTHON, pin, Resolution(PYTHON, digest(found)))
    return (offer.reason, offer.instead) if isinstance(offer, Hold) else ("", offer)


@pytest.mark.parametrize(
    "history, pinned, reason, proposed",
    [
        pytest.param(seen("a 9", "b 4"), "a", "", "b", id="settled"),
        pytest.param(seen("a 9", "b 1"), "a", "settling", None, id="the-pin-is-all-there-is"),
        pytest.param(seen("a 9", "b 1"), "x", "settling", "a", id="an-older-one-meanwhile"),
        pytest.param(seen("a 9", "b 1"), None, "settling", "a", id="a-first-pin"),
        pytest.param(seen("b 1"), "x", "settling", None, id="never-seen-before"),
        pytest.param(seen("a 9", "b 1"), "b", "", "b", id="current-is-current"),
        pytest.param(seen("a 9", "x 9", "b 1"), "x", "settling", None, id="never-backwards"),
        pytest.param(seen("b 9", "x 9", "b 9"), "x", "older", None, id="set-back"),
        pytest.param(
            seen("b 9", "x 9", "c 9", "b 9"), "x", "older", None, id="what-was-taken-back-stays-so"
        ),
        pytest.param(seen("a 9", "b 1", "a 1", "b 1"), "a", "flapping", None, id="flapping"),
        pytest.param(seen("a 9"), "a", "settling", None, id="found-is-newer-than-the-history"),
    ],
)
def test_the_best_offer_that_does_not_go_backwards(
    history: tuple[Sighting, ...], pinned: str | None, reason: str, proposed: str | None
) -> None:
    gate = gate_of(SETTLE, *history)

    offer = weighed(gate, pinned, "b")

    assert offer == (reason, digest(proposed) if proposed else None)


def test_a_pin_that_the_tag_came_back_to_is_not_certain_for_a_while() -> None:
    history = seen("a 9", "b 4", "a 1")
    found = Resolution(PYTHON, digest("a"))

    offer = gate_of(SETTLE, *history).weigh(PYTHON, digest("a"), found)
    later = gate_of(SETTLE, *history, now=START + 16 * HOUR).weigh(PYTHON, digest("a"), found)

    assert isinstance(offer, Hold)
    assert (offer.reason, offer.instead, offer.until) == (
        "flapping",
        digest("a"),
        START + 16 * HOUR,
    )
    assert later == digest("a")


def test_without_history_only_the_deny_list_counts() -> None:
    strict = HoldRules(settle=DAY, min_age=DAY, deny=frozenset({digest("c")}))

    assert weighed(gate_of(strict), "a", "b") == ("", digest("b"))
    assert weighed(gate_of(strict), "a", "c") == ("deny-listed", None)
    assert weighed(gate_of(strict), None, "c") == ("deny-listed", None)


DENIED = HoldRules(settle=3 * HOUR, min_age=5 * DAY, deny=frozenset({digest("bad")}))


@pytest.mark.parametrize(
    "history, reason, proposed",
    [
        pytest.param(seen("bad 9", "b 130"), "", "b", id="old-enough"),
        pytest.param(seen("bad 9", "b 4"), "", "b", id="min-age-is-waived"),
        pytest.param(seen("bad 9", "b 1"), "settling", None, id="settle-is-not"),
        pytest.param(seen("a 130", "bad 9", "b 4"), "too-new", "a", id="what-is-old-enough-first"),
        pytest.param(seen("a 130", "bad 9"), "deny-listed", "a", id="backwards-if-need-be"),
        pytest.param(seen("bad 9"), "deny-listed", None, id="nothing-else-is-known"),
        pytest.param(seen("a 130", "bad 9", "a 1"), "", "a", id="the-tag-was-set-back"),
    ],
)
def test_a_denied_pin_is_replaced_as_soon_as_possible(
    history: tuple[Sighting, ...], reason: str, proposed: str | None
) -> None:
    gate = gate_of(DENIED, *history)
    (found,) = (Resolution(PYTHON, history[-1].digest),)

    offer = gate.weigh(PYTHON, digest("bad"), found)

    said = (offer.reason, offer.instead) if isinstance(offer, Hold) else ("", offer)
    assert said == (reason, digest(proposed) if proposed else None)
    assert gate.denies(digest("bad"))


def test_a_hold_says_until_when() -> None:
    offer = gate_of(SETTLE, *seen("a 9", "b 1")).weigh(
        PYTHON, digest("a"), Resolution(PYTHON, digest("b"))
    )

    assert isinstance(offer, Hold)
    assert offer.until == START + 12 * HOUR


pins = st.none() | names.map(digest)


@given(histories(), rules_of_any_kind, durations, pins)
def test_whatever_happens_nothing_denied_is_proposed_and_nothing_that_goes_backwards(
    history: tuple[Sighting, ...], rules: HoldRules, later: timedelta, pinned: Digest | None
) -> None:
    found = Resolution(PYTHON, history[-1].digest)
    gate = gate_of(rules, *history, now=history[-1].last_seen + later)

    offer = gate.weigh(PYTHON, pinned, found)

    proposed = offer.instead if isinstance(offer, Hold) else offer
    assert gate.weigh(PYTHON, pinned, found) == offer
    if proposed is None or proposed == pinned == found.digest:
        return
    assert not gate.denies(proposed)
    assert proposed != pinned
    assert pinned is None or gate.denies(pinned) or not is_older(history, proposed, pinned)
    assert isinstance(offer, Hold) or offer == found.digest


@given(histories(), rules_of_any_kind, pins)
def test_in_the_end_what_the_tag_has_is_proposed_unless_it_may_not_be(
    history: tuple[Sighting, ...], rules: HoldRules, pinned: Digest | None
) -> None:
    current = history[-1].digest
    gate = gate_of(rules, *history, now=history[-1].last_seen + rules.settle + rules.min_age)

    offer = gate.weigh(PYTHON, pinned, Resolution(PYTHON, current))

    is_back = pinned is not None and is_older(history, current, pinned)
    if gate.denies(current):
        assert isinstance(offer, Hold)
        assert offer.reason == "deny-listed"
    elif is_back and pinned is not None and not gate.denies(pinned):
        assert isinstance(offer, Hold)
        assert offer.reason == "older"
    else:
        assert offer == current


class Place:
    """A repository at a fake registry, with a history of what its tag had."""

    def __init__(self, fake: FakeRegistry, *builds: Sample, hours: float = 9) -> None:
        self.site, self.query = fake.local, make_query(f"{fake.host}/app:1")
        self.history: Sequence[Sighting] = ()
        moment = START
        for build in builds:
            fake.local.add("app", "1", build)
            sighting = Sighting(build.digest, moment, moment + hours * HOUR)
            self.history = (*self.history, sighting)
            moment += hours * HOUR
        self.now = moment

    @contextmanager
    def gate(
        self, rules: HoldRules, *, settings: RegistrySettings | None = None
    ) -> Iterator[RegistryGate]:
        with RegistryResolver(settings) as resolver:
            yield gate_of(rules, *self.history, now=self.now, resolver=resolver)

    def weigh(self, rules: HoldRules, pinned: Sample, **options: RegistrySettings) -> Digest | Hold:
        found = Resolution(self.query, self.history[-1].digest)
        with self.gate(rules, **options) as gate:
            return gate.weigh(self.query, pinned.digest, found)

    def forget(self, sample: Sample) -> None:
        self.site.always(Answer.error(404, "MANIFEST_UNKNOWN"), path=str(sample.digest))


OLD, MID, NEW = make_index("old"), make_index("mid"), make_index("new")
SMALL, SINGLE = make_index("small", "linux/amd64"), make_image("single")
NOTED = make_index("old", annotations={"noted": "again"})


@pytest.mark.parametrize(
    "builds, pinned, reason, proposed",
    [
        pytest.param((OLD, NEW), OLD, "", NEW, id="nothing-unusual"),
        pytest.param((OLD, SMALL), OLD, "platform-lost", None, id="lost"),
        pytest.param((OLD, SINGLE), OLD, "single-now", None, id="single"),
        pytest.param((OLD, NOTED), OLD, "same-images", None, id="same"),
        pytest.param((OLD, MID, SMALL), OLD, "platform-lost", MID, id="the-one-before-helps"),
        pytest.param((OLD, MID, NOTED), OLD, "same-images", None, id="the-one-before-does-not"),
        pytest.param((OLD, SINGLE, SMALL), OLD, "platform-lost", None, id="none-helps"),
    ],
)
def test_manifests_are_compared(
    fake: FakeRegistry,
    builds: tuple[Sample, ...],
    pinned: Sample,
    reason: str,
    proposed: Sample | None,
) -> None:
    place = Place(fake, *builds)

    offer = place.weigh(SETTLE, pinned)

    said = (offer.reason, offer.instead) if isinstance(offer, Hold) else ("", offer)
    assert said == (reason, proposed.digest if proposed else None)


def test_a_pin_that_the_registry_no_longer_has_is_not_compared(fake: FakeRegistry) -> None:
    place = Place(fake, OLD, SMALL)
    place.forget(OLD)

    assert place.weigh(SETTLE, OLD) == SMALL.digest


@pytest.mark.parametrize(
    "answer", [Answer.error(403, "DENIED"), Answer.error(429), Answer(200, (), b"no json")]
)
def test_whatever_a_registry_refuses_is_no_error(fake: FakeRegistry, answer: Answer) -> None:
    place = Place(fake, OLD, MID, NEW)
    fake.local.always(answer, method="GET", path="/manifests/")
    settings = RegistrySettings(timeout_s=1)

    assert place.weigh(SETTLE, OLD, settings=settings) == NEW.digest


def test_a_digest_that_is_gone_gives_way_to_the_one_before(fake: FakeRegistry) -> None:
    place = Place(fake, OLD, MID, NEW, make_index("newest"), hours=4)
    place.forget(NEW)

    offer = place.weigh(HoldRules(settle=4.5 * HOUR - HOUR, min_age=5 * HOUR), OLD)

    assert isinstance(offer, Hold)
    assert (offer.reason, offer.instead) == ("too-new", MID.digest)


def test_a_registry_that_forgets_everything_is_not_asked_for_all_of_it(fake: FakeRegistry) -> None:
    place = Place(fake, *(make_index(number) for number in range(30)), hours=4)
    fake.local.always(Answer.error(404, "MANIFEST_UNKNOWN"), path="/manifests/sha256")

    offer = place.weigh(HoldRules(min_age=5 * HOUR), OLD)

    assert isinstance(offer, Hold)
    assert (offer.reason, offer.instead) == ("too-new", None)
    assert len({call.reference for call in fake.local.calls}) == 10


def test_what_was_denied_is_replaced_by_what_lost_a_platform_but_not_by_its_own_images(
    fake: FakeRegistry,
) -> None:
    rules = HoldRules(deny=frozenset({OLD.digest}))

    assert Place(fake, OLD, SMALL).weigh(rules, OLD) == SMALL.digest
    offer = Place(fake, OLD, NOTED).weigh(rules, OLD)
    assert isinstance(offer, Hold)
    assert (offer.reason, offer.instead) == ("same-images", None)


def test_a_replacement_that_is_old_enough_once_min_age_is_waived_is_held_for_what_it_is(
    fake: FakeRegistry,
) -> None:
    rules = HoldRules(min_age=5 * DAY, deny=frozenset({OLD.digest}))

    offer = Place(fake, OLD, NOTED).weigh(rules, OLD)

    assert isinstance(offer, Hold)
    assert (offer.reason, offer.until) == ("same-images", None)


def test_one_platform_is_not_compared_with_all_of_them(fake: FakeRegistry) -> None:
    place = Place(fake, OLD, SINGLE)
    place.query = make_query(f"{fake.host}/app:1", "linux/amd64")

    assert place.weigh(SETTLE, OLD) == SINGLE.digest
    assert fake.local.asked() == []


def test_what_is_current_costs_no_request(fake: FakeRegistry) -> None:
    place = Place(fake, OLD, NEW)

    assert place.weigh(SETTLE, NEW) == NEW.digest
    assert fake.local.asked() == []


def test_each_manifest_is_fetched_once_and_each_old_digest_asked_for_once(
    fake: FakeRegistry,
) -> None:
    place = Place(fake, OLD, MID, SMALL)
    found = Resolution(place.query, SMALL.digest)
    answers: list[Digest | Hold] = []

    with place.gate(SETTLE) as gate:
        threads = [
            threading.Thread(
                target=lambda: answers.append(gate.weigh(place.query, OLD.digest, found))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    path = "/v2/app/manifests/"
    assert len(set(answers)) == 1
    assert sorted(fake.local.asked()) == sorted(
        [f"GET {path}{one.digest}" for one in (OLD, MID, SMALL)] + [f"HEAD {path}{MID.digest}"]
    )


def test_mirror_rules_say_who_is_asked(fake: FakeRegistry) -> None:
    place = Place(fake, OLD, SMALL)
    place.query = make_query("harbor.example/hub/app:1")
    settings = RegistrySettings(mirrors={"harbor.example/hub/": f"{fake.host}/"})

    offer = place.weigh(SETTLE, OLD, settings=settings)

    assert isinstance(offer, Hold)
    assert offer.reason == "platform-lost"


@pytest.mark.parametrize(
    "history, text",
    [
        pytest.param(seen("a 9", "b 4"), digest("b"), id="the-newest"),
        pytest.param(seen("a 9", "b 1"), digest("a"), id="an-older-one"),
        pytest.param(seen("b 1"), f"hold:settling:{digest('b')}", id="none"),
        pytest.param(
            seen("a 1", "b 1", "a 1", "b 1"), f"hold:flapping:{digest('b')}", id="flapping"
        ),
    ],
)
def test_the_offer_as_a_text(history: tuple[Sighting, ...], text: object) -> None:
    gate = gate_of(SETTLE, *history)

    assert gate.offer_text(PYTHON, Resolution(PYTHON, digest("b"))) == str(text)


def test_the_offer_changes_when_a_digest_has_settled_and_not_before() -> None:
    history = seen("a 9", "b 0")
    texts = [
        gate_of(SETTLE, *history, now=START + 9 * HOUR + timedelta(minutes=10 * step)).offer_text(
            PYTHON, Resolution(PYTHON, digest("b"))
        )
        for step in range(30)
    ]

    assert texts == [str(digest("a"))] * 18 + [str(digest("b"))] * 12


def test_the_history_is_read_once_for_a_question() -> None:
    asked: list[Query] = []

    def history(query: Query) -> Sequence[Sighting]:
        asked.append(query)
        return seen("a 9", "b 1")

    gate = RegistryGate(SETTLE, history, None, clock_at(START + 10 * HOUR))
    for pinned in ("a", "x", "y"):
        weighed(gate, pinned, "b")

    assert asked == [PYTHON]

from __future__ import annotations

import io
import json
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from digestbot.proposals.outcome import Outcome
from digestbot.secret import Secret
from digestbot.service.logs import start_logging, stop_logging
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.kinds import Recipient
from digestbot.service.notify.message import Message, Turn
from digestbot.service.notify.notices import Notices
from digestbot.service.notify.tally import ProposalTally
from digestbot.service.notify.webhook import WebhookNotifier
from digestbot.service.site import Site
from digestbot.store import conditions
from digestbot.store.conditions import Condition
from digestbot.store.database import Database
from tests.github.clock import VirtualClock
from tests.proposals.outcomes import make_outcome, make_verdict
from tests.service.notify.receiver import receiving
from tests.service.state import NOW, state

EVERYTHING = frozenset({"lookups", "repos", "held", "denied", "proposals", "cycle"})
SLOW = Condition("registry:ghcr.io/timeout", "lookups", "timeout", "ghcr.io is slow", "wait")
BROKEN = Condition("repo:acme/app", "repos", "invalid-config", "acme/app: line 3")
DENIED = Condition("digest:sha256:aa", "denied", "in-use", "3 places")


@dataclass
class Listener:
    """Takes messages, or fails as it is told to."""

    name: str = "ops"
    error: Exception | None = None
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message, /) -> None:
        if self.error is not None:
            raise self.error
        self.messages.append(message)

    @property
    def told(self) -> list[list[tuple[Turn, str]]]:
        return [[(one.turn, one.subject) for one in message.news] for message in self.messages]


@dataclass
class Desk:
    """A service's cycles, as far as somebody is told of them."""

    database: Database
    listeners: tuple[Listener, ...]
    events: frozenset[str] = EVERYTHING
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW.timestamp()))
    notices: Notices = field(init=False)

    def __post_init__(self) -> None:
        some = [Recipient(one, self.events) for one in self.listeners]
        self.notices = Notices(self.database, some, self.clock.as_clock())

    def note(self, *holding: Condition) -> None:
        with self.database.begin() as connection:
            conditions.note(connection, holding, NOW)

    def cycle(self, *holding: Condition, tally: ProposalTally | None = None) -> list[bool]:
        self.note(*holding)
        return [one.is_ok for one in self.notices.tell("r1", tally)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with state(tmp_path) as opened:
        yield opened


def tally(*outcomes: Outcome, name: str = "acme/app") -> ProposalTally:
    made = ProposalTally()
    made.note(make_outcome(name, *(make_verdict(one, n) for n, one in enumerate(outcomes, 1))))
    return made


def test_what_holds_for_five_cycles_is_told_once(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))

    sent = [desk.cycle(SLOW) for _ in range(5)]

    assert sent == [[True], [], [], [], []]
    assert listener.told == [[(Turn.NEW, SLOW.subject)]]


def test_news_link_to_the_dashboard_where_it_is_known_how_people_reach_it(
    database: Database,
) -> None:
    told, untold = Listener("told"), Listener("untold")
    desk = Desk(database, (untold,))
    desk.note(SLOW, BROKEN)

    desk.notices.tell("r1")
    recipients = [Recipient(told, EVERYTHING)]
    Notices(database, recipients, site=Site("https://dash.corp")).tell("r1", tally(Outcome.OPENED))

    assert [one.link for one in untold.messages[0].news] == ["", ""]
    assert {one.subject: one.link for one in told.messages[0].news} == {
        SLOW.subject: "",
        BROKEN.subject: "https://dash.corp/repos?q=acme%2Fapp",
        "run:r1": "https://dash.corp/runs/r1",
    }


def test_another_process_tells_nothing_again(database: Database) -> None:
    Desk(database, (Listener(),)).cycle(SLOW)
    listener = Listener()

    Desk(database, (listener,)).cycle(SLOW)

    assert listener.messages == []


def test_what_vanishes_is_told_once_as_resolved(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))
    desk.cycle(SLOW)

    for _ in range(3):
        desk.cycle()

    assert listener.told[1:] == [[(Turn.RESOLVED, SLOW.subject)]]
    (news,) = listener.messages[1].news
    assert (news.state, news.message, news.hint) == ("timeout", "ghcr.io is slow", "")


def test_what_comes_and_goes_before_it_was_told_is_not_told(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))

    desk.note(SLOW)
    desk.note()
    desk.cycle()

    assert listener.messages == []


def test_what_goes_and_comes_back_before_it_was_told_is_not_told(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))
    desk.cycle(SLOW)

    desk.note()
    desk.cycle(SLOW)

    assert len(listener.messages) == 1


def test_another_state_is_a_change_and_another_sentence_is_none(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))
    desk.cycle(BROKEN)

    desk.cycle(Condition(BROKEN.subject, "repos", BROKEN.state, "acme/app: line 4"))
    desk.cycle(Condition(BROKEN.subject, "repos", "no-permission", "403"))

    assert listener.told[1:] == [[(Turn.CHANGED, BROKEN.subject)]]
    assert listener.messages[1].news[0].state == "no-permission"


def test_all_that_changed_in_a_cycle_is_one_message_the_gravest_first(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))
    desk.cycle(BROKEN)

    desk.cycle(SLOW, DENIED, tally=tally(Outcome.OPENED))

    assert listener.told[1] == [
        (Turn.NEW, DENIED.subject),
        (Turn.NEW, SLOW.subject),
        (Turn.RESOLVED, BROKEN.subject),
        (Turn.DONE, "run:r1"),
    ]
    assert listener.messages[1].run == "r1"


def test_a_message_has_the_time_of_the_injected_clock(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))
    desk.clock.advance(3600)

    desk.cycle(SLOW)

    assert (listener.messages[0].at - NOW).total_seconds() == 3600
    assert listener.messages[0].news[0].since == NOW


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(NotifyError("ops is gone"), id="refused"),
        pytest.param(RuntimeError("https://h/canary"), id="a fault of somebody's code"),
    ],
)
def test_what_is_not_delivered_is_tried_again_and_fails_nothing(
    database: Database, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener(error=error)
    desk = Desk(database, (listener,))

    sent = [desk.cycle(SLOW), desk.cycle(SLOW, BROKEN)]
    listener.error = None
    sent.append(desk.cycle(SLOW, BROKEN))

    assert sent == [[False], [False], [True]]
    assert listener.told == [[(Turn.NEW, SLOW.subject), (Turn.NEW, BROKEN.subject)]]
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage().count("notification.failed") for one in warnings] == [1, 1]
    assert "canary" not in caplog.text


def test_what_ends_while_somebody_cannot_be_told_is_never_told(database: Database) -> None:
    listener = Listener(error=NotifyError("down"))
    desk = Desk(database, (listener,))
    desk.cycle(SLOW)

    listener.error = None
    desk.cycle()

    assert listener.messages == []


def test_a_line_of_the_log_names_the_run_and_whoever_was_told(database: Database) -> None:
    stream = io.StringIO()
    start_logging(json=True, verbosity=0, stream=stream)
    try:
        desk = Desk(database, (Listener("up"), Listener("down", NotifyError("down is gone"))))
        desk.cycle(SLOW)
    finally:
        stop_logging()

    lines = {line["notifier"]: line for line in map(json.loads, stream.getvalue().splitlines())}
    assert {line["run_id"] for line in lines.values()} == {"r1"}
    assert lines["up"]["event"] == "notification.sent"
    assert lines["down"]["event"] == "notification.failed"
    assert lines["down"]["problem"] == "down is gone"


def test_one_that_fails_keeps_nothing_from_another(database: Database) -> None:
    down, up = Listener("down", NotifyError("down is gone")), Listener("up")
    desk = Desk(database, (down, up))

    sent = [desk.cycle(SLOW), desk.cycle(SLOW)]
    down.error = None
    sent.append(desk.cycle(SLOW))

    assert sent == [[False, True], [False], [True]]
    assert down.told == up.told == [[(Turn.NEW, SLOW.subject)]]


def test_a_delivery_says_what_became_of_it(database: Database) -> None:
    desk = Desk(database, (Listener(error=NotifyError("ops is gone", hint="make another")),))
    desk.note(SLOW, BROKEN)

    (delivery,) = desk.notices.tell("r1")

    assert (delivery.notifier, delivery.count) == ("ops", 2)
    assert (delivery.failure, delivery.hint) == ("ops is gone", "make another")


def test_only_chosen_events_are_told_and_the_others_do_not_wait(database: Database) -> None:
    listener = Listener()
    Desk(database, (listener,), frozenset({"denied"})).cycle(SLOW, DENIED, tally=tally())

    Desk(database, (listener,), EVERYTHING).cycle(SLOW, DENIED)

    assert listener.told == [[(Turn.NEW, DENIED.subject)]]


def test_a_notifier_that_is_new_learns_what_holds(database: Database) -> None:
    Desk(database, (Listener("old"),)).cycle(SLOW)
    listener = Listener("new")

    Desk(database, (listener,)).cycle(SLOW)

    assert listener.told == [[(Turn.NEW, SLOW.subject)]]


def test_proposals_are_one_line_a_run(database: Database) -> None:
    listener = Listener()
    desk = Desk(database, (listener,))

    desk.cycle(tally=tally(Outcome.OPENED, Outcome.MERGED, Outcome.UNCHANGED))
    desk.cycle(tally=tally(Outcome.UNCHANGED))

    ((news,),) = [message.news for message in listener.messages]
    assert news.message == "proposals: 1 opened, 1 merged (acme/app #1, acme/app #2)"


def test_proposals_of_runs_that_nobody_could_be_told_of_add_up(database: Database) -> None:
    listener = Listener(error=NotifyError("down"))
    desk = Desk(database, (listener,))
    desk.cycle(tally=tally(Outcome.OPENED))
    desk.cycle(tally=tally(Outcome.CLOSED, name="acme/web"))

    listener.error = None
    desk.cycle()
    desk.cycle()

    ((news,),) = [message.news for message in listener.messages]
    assert news.message == "proposals: 1 opened, 1 closed (acme/app #1, acme/web #1)"


def test_an_event_that_is_no_more_does_not_stop_the_others(database: Database) -> None:
    listener = Listener()

    Desk(database, (listener,)).cycle(Condition("x", "weather", "rain", "it rains"), SLOW)

    assert [one.event for one in listener.messages[0].news] == ["cycle", "lookups"]


def test_neither_address_nor_token_gets_into_the_state(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    notifiers = []
    with receiving(500, b"canary") as down, receiving() as up:
        for name, receiver in (("down", down), ("up", up)):
            notifiers.append(WebhookNotifier(name, Secret(receiver.url), Secret("canary-token")))
        recipients = [Recipient(one, EVERYTHING) for one in notifiers]
        with database.begin() as connection:
            conditions.note(connection, [SLOW], NOW)

        deliveries = Notices(database, recipients).tell("r1")

    dump = "\n".join(_dump(tmp_path / "digestbot.db"))
    assert [one.is_ok for one in deliveries] == [False, True]
    assert "ghcr.io is slow" in dump
    assert "canary" not in f"{dump}{caplog.text}{deliveries}{notifiers}"


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()

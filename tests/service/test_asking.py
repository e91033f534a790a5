"""What an operator asks for is done once, in the repos that it is about, and is not lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from digestbot.config.models import Settings
from digestbot.forge.repo import LeftOut
from digestbot.image import ImageReference, ImageTag
from digestbot.policy.finding import Status
from digestbot.policy.holding import HoldRules
from digestbot.service.asking import (
    LONGEST_IGNORE,
    LONGEST_REASON,
    MOST_ALL,
    MOST_OWN,
    MOST_SCANS,
    WITHIN,
    Ask,
    AskRefusedError,
    Asks,
    Ignore,
    Propose,
    Refusal,
    Retry,
    Scan,
    Unignore,
)
from digestbot.service.jobs import Job, Stop, Work
from digestbot.service.scheduler import CYCLE, Scheduler, Timetable
from digestbot.service.scope import ASKED, Scope
from digestbot.store import acts, ignores, repos, run_rows
from digestbot.store.run_rows import RunFilter
from tests.proposals.builders import digest
from tests.service.virtual_engine import VirtualEngine
from tests.service.world import TARGET, ServiceWorld, repo_with, service_world

PYTHON, GO = "python:3", "golang:1"
TODAY = date(2026, 11, 21)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NIGHTLY = Timetable(("0 3 * * *",), run_on_start=False)
SETTLE = HoldRules(settle=3 * HOUR, min_age=6 * HOUR)


def tag(image: str = PYTHON) -> ImageTag:
    found = ImageReference.parse(image).followed
    assert found is not None
    return found


def ignoring(repo: str = "", *, image: str = PYTHON, days: int = 2, reason: str = "loud") -> Ignore:
    return Ignore(tag(image), TODAY + days * DAY, reason, repo)


@dataclass
class Service:
    """A world whose cycles begin each night, and whenever somebody asks."""

    world: ServiceWorld
    errors: list[BaseException] = field(default_factory=list)
    scopes: list[Scope | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """As a process does; what waited in the one before is lost."""
        clock = self.world.clock.as_clock()
        scheduler = Scheduler(self.world.database, NIGHTLY, self._cycle, self._open, clock)
        scheduler.open()
        scheduler.start()
        self.asks = Asks(self.world.database, self.engine, clock)

    def ask(self, ask: Ask, who: str = "ann") -> None:
        self.asks.take(ask, who)

    def refused(self, ask: Ask, who: str = "ann") -> Refusal:
        with pytest.raises(AskRefusedError) as caught:
            self.asks.take(ask, who)
        return caught.value.refusal

    def do(self) -> list[str]:
        """Do what waits for now; the repos that were worked on."""
        self.world.outcomes.clear()
        self.engine.run_until(self.world.now())
        assert self.errors == []
        return self.world.worked_on

    def jobs(self) -> list[Job]:
        """What waits for now."""
        return [job for at, job in self.engine.waiting if at <= self.world.now()]

    def status(self, name: str = "acme/app") -> tuple[Status, str]:
        (found,) = (one for one in self.world.outcomes if one.name == name)
        assert found.result is not None
        return found.result.findings[0].status, found.result.findings[0].message

    def pulls(self, name: str = "acme/app") -> int:
        return len(self.world.forge.rooms[name].open_pulls())

    def results(self) -> list[tuple[str, str, str, str]]:
        with self.world.database.reading() as connection:
            rows = acts.newest(connection)
        return [(row.who, row.what, row.subject, row.result) for row in rows]

    def askers(self) -> list[tuple[str, ...]]:
        """Who asked for each run, the newest first."""
        with self.world.database.reading() as connection:
            found = run_rows.page(connection, RunFilter())
        return [one.asked_by for one in found]

    def _cycle(self, _stop: Stop, scope: Scope | None, by: Sequence[str]) -> None:
        self.scopes.append(scope)
        self.world.cycle(scope, by)

    def _open(self, work: Mapping[str, Work]) -> VirtualEngine:
        self.engine = VirtualEngine(
            work, clock=self.world.clock, on_error=lambda _job, error: self.errors.append(error)
        )
        return self.engine


@contextmanager
def service(folder: Path, *, hold: HoldRules | None = None, **config: object) -> Iterator[Service]:
    """Two repos with Python and one with Go, each behind once `python` and `golang` move."""
    found = [
        repo_with(PYTHON),
        repo_with(PYTHON, name="acme/web"),
        repo_with(GO, name="acme/tool"),
    ]
    with service_world(folder, *found, tags={PYTHON: 0, GO: 0}) as world:
        world.config = Settings.model_validate({"labels": [], **config})
        world.hold = hold or HoldRules()
        world.cycle()
        world.wait(HOUR)
        yield Service(world)


def test_an_ignored_image_is_left_alone_where_it_was_asked_and_nobody_else_is_bothered(
    tmp_path: Path,
) -> None:
    with service(tmp_path) as s:
        s.ask(ignoring("acme/app"))

        assert s.do() == ["acme/app"]
        assert s.status() == (
            Status.SKIPPED,
            "ignored by ann until 2026-11-23: loud",
        )


@pytest.mark.parametrize(
    "ask, words",
    [
        pytest.param(Scan(), "scan now", id="scan of everything"),
        pytest.param(Scan(tag(PYTHON)), "scan now", id="scan of an image"),
        pytest.param(Scan(repo="acme/app"), "scan now", id="scan of a repo"),
        pytest.param(Propose("acme/app"), "propose now", id="propose"),
        pytest.param(Retry(repo="acme/app"), "try again", id="retry"),
        pytest.param(ignoring("acme/app"), "leave alone", id="ignore"),
    ],
)
def test_the_run_says_who_asked_for_what(tmp_path: Path, ask: Ask, words: str) -> None:
    with service(tmp_path) as s:
        s.do()
        before = s.askers()
        s.ask(ask, "ann")
        s.do()

        assert s.askers()[: -len(before)] == [(f"ann ({words})",)]
        assert set(before) == {()}


def test_all_who_asked_for_one_look_are_told(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.do()
        s.ask(Scan(tag(PYTHON)), "ann")
        s.ask(Retry(tag(PYTHON)), "bob")
        s.ask(Scan(tag(PYTHON)), "ann")
        s.do()

        assert s.askers()[0] == ("ann (scan now)", "bob (try again)")


def test_an_image_is_ignored_in_all_repos_that_use_it(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.ask(ignoring())

        assert sorted(s.do()) == ["acme/app", "acme/web"]


@pytest.mark.parametrize("how", ["asked", "configured"])
def test_an_open_pull_request_is_treated_as_a_configured_rule_would(
    tmp_path: Path, how: str
) -> None:
    with service(tmp_path) as s:
        s.world.registry.tags[PYTHON] = 1
        s.world.cycle()
        assert s.pulls() == 1

        if how == "asked":
            s.ask(ignoring())
            s.do()
        else:
            rule = {"image": "docker.io/library/python:3"}
            s.world.config = Settings.model_validate({"labels": [], "ignore": [rule]})
            s.world.rules_key = "2"
            s.world.cycle()

        assert s.pulls() == 0


def test_an_ignore_ends_by_itself_after_its_last_day(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.ask(ignoring(days=1))
        s.do()
        s.world.registry.tags[PYTHON] = 1
        seen = []

        for _ in range(3):
            seen.append(s.pulls())
            s.world.wait(DAY)
            s.world.cycle()

        assert seen == [0, 0, 1]


def test_an_ignore_that_is_taken_back_ends_at_once(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.world.registry.tags[PYTHON] = 1
        s.ask(ignoring("acme/app"))
        s.do()
        with s.world.database.reading() as connection:
            (row,) = ignores.holding(connection, TODAY)

        s.ask(Unignore(row.id))

        assert s.do() == ["acme/app"]
        assert s.pulls() == 1
        assert s.refused(Unignore(row.id)) is Refusal.UNKNOWN_IGNORE


def test_what_is_a_glob_in_a_name_is_taken_as_it_is_written(tmp_path: Path) -> None:
    image = "[::1]:5000/team/base:1"
    with service_world(tmp_path, repo_with(image), tags={image: 0}) as world:
        world.config = Settings.model_validate({"labels": []})
        world.cycle()
        s = Service(world)

        s.ask(ignoring(image=image))
        s.do()

        assert s.status()[0] is Status.SKIPPED


def test_a_repo_is_scanned_although_nothing_moved(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.ask(Scan(repo="ACME/web"))

        assert s.do() == ["acme/web"]
        assert s.do() == []


def test_an_image_is_asked_about_again_and_the_repos_behind_it_are_updated(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.world.registry.tags[PYTHON] = 1

        s.ask(Scan(tag()))

        assert sorted(s.do()) == ["acme/app", "acme/web"]
        assert s.pulls("acme/web") == 1


def test_everything_is_scanned_by_a_cycle(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.ask(Scan())

        assert s.jobs() == [CYCLE]
        s.do()
        assert s.scopes == [None]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(Retry(repo="acme/app"), id="repo"),
        pytest.param(Retry(tag()), id="image"),
    ],
)
def test_what_failed_is_tried_again(tmp_path: Path, ask: Retry) -> None:
    with service(tmp_path) as s:
        s.world.registry.failing[PYTHON] = "denied"
        s.world.cycle()
        s.world.registry.failing.clear()
        s.world.registry.tags[PYTHON] = 1

        s.ask(ask)
        s.do()

        assert s.pulls() == 1


def test_propose_now_does_not_wait_for_a_digest_to_settle(tmp_path: Path) -> None:
    with service(tmp_path, hold=SETTLE) as s:
        s.world.registry.tags[PYTHON] = 1
        s.world.cycle()
        assert s.pulls() == 0

        s.ask(Propose("acme/app"))

        assert s.do() == ["acme/app"]
        assert (s.pulls(), s.pulls("acme/web")) == (1, 0)


def test_the_next_cycles_take_nothing_back_of_what_was_proposed_now(tmp_path: Path) -> None:
    with service(tmp_path, hold=SETTLE) as s:
        s.world.registry.tags[PYTHON] = 1
        s.world.cycle()
        s.ask(Propose("acme/app"))
        s.do()
        (pull,) = s.world.forge.rooms["acme/app"].open_pulls()

        s.world.wait(timedelta(minutes=1))
        s.world.registry.tags[PYTHON] = 2
        s.world.rules_key = "2"
        s.world.cycle()

        assert s.pulls() == 1
        files = s.world.forge.rooms["acme/app"].files(pull.branch)
        assert str(digest(1)).encode() in files["Dockerfile"]


def test_propose_now_does_not_wait_for_the_schedule_this_one_time(tmp_path: Path) -> None:
    schedule = {"cron": ["* 2 * * *"]}
    with service(tmp_path, schedule=schedule) as s:
        s.world.registry.tags |= {PYTHON: 1, GO: 1}
        s.world.cycle()
        assert s.pulls() == 0

        s.ask(Propose("acme/app"))
        s.do()

        assert (s.pulls(), s.pulls("acme/web")) == (1, 0)
        s.world.forge.rooms["acme/app"].push({"web/Dockerfile": b"FROM golang:1\n"})
        s.world.cycle()
        assert s.pulls() == 1


def test_propose_now_waits_for_the_end_of_a_freeze(tmp_path: Path) -> None:
    freeze = [{"start": "2026-11-20", "end": "2026-11-30", "reason": "release"}]
    with service(tmp_path, freeze=freeze) as s:
        s.world.registry.tags[PYTHON] = 1

        s.ask(Propose("acme/app"))
        s.do()

        assert s.pulls() == 0


def test_propose_now_proposes_nothing_that_is_denied(tmp_path: Path) -> None:
    hold = HoldRules(settle=3 * HOUR, deny=frozenset({digest(1)}))
    with service(tmp_path, hold=hold) as s:
        s.world.registry.tags[PYTHON] = 1
        s.world.cycle()

        s.ask(Propose("acme/app"))
        s.do()

        assert s.pulls() == 0
        assert s.status()[0] is Status.HELD


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(Scan(), id="everything"),
        pytest.param(Scan(tag()), id="image"),
        pytest.param(Scan(repo="acme/app"), id="repo"),
        pytest.param(Propose("acme/app"), id="propose"),
        pytest.param(ignoring(), id="ignore"),
    ],
)
def test_the_same_again_while_it_waits_is_one_job(tmp_path: Path, ask: Ask) -> None:
    with service(tmp_path) as s:
        s.ask(ask)
        s.ask(ask)

        assert len(s.jobs()) == 1


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(Scan(repo="acme/app"), id="scan"),
        pytest.param(Propose("acme/app"), id="propose"),
        pytest.param(ignoring("acme/app"), id="ignore"),
    ],
)
def test_what_was_asked_before_the_process_ended_is_done_by_the_next(
    tmp_path: Path, ask: Ask
) -> None:
    with service(tmp_path) as s:
        s.ask(ask)

        s.start()

        assert s.jobs() == [ASKED]
        assert s.do() == ["acme/app"]


def test_what_is_asked_while_a_repo_is_worked_on_is_not_lost(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.ask(Scan(repo="acme/app"))
        s.world.wait(timedelta(seconds=1))
        with s.world.database.reading() as connection:
            (due,) = repos.due(connection, target=TARGET, rules="1:2026-11-21", now=s.world.now())
        s.ask(ignoring("acme/app"))

        with s.world.database.begin() as connection:
            repos.settle(
                connection,
                due.id,
                repo=due.repo,
                rules="1:2026-11-21",
                due_at=None,
                now=s.world.now(),
                asked_at=due.asked_at,
            )

        assert s.do() == ["acme/app"]


@pytest.mark.parametrize(
    "ask, refusal",
    [
        pytest.param(Scan(repo="acme/none"), Refusal.UNKNOWN_REPO, id="scan repo"),
        pytest.param(Scan(tag("ruby:3")), Refusal.UNKNOWN_IMAGE, id="scan image"),
        pytest.param(Retry(tag("python:4")), Refusal.UNKNOWN_IMAGE, id="retry image"),
        pytest.param(Propose("acme/none"), Refusal.UNKNOWN_REPO, id="propose"),
        pytest.param(Propose(""), Refusal.UNKNOWN_REPO, id="propose nothing"),
        pytest.param(Unignore(7), Refusal.UNKNOWN_IGNORE, id="unignore"),
        pytest.param(ignoring(image="ruby:3"), Refusal.UNKNOWN_IMAGE, id="ignore image"),
        pytest.param(ignoring("acme/none"), Refusal.UNKNOWN_REPO, id="ignore repo"),
        pytest.param(ignoring("acme/tool"), Refusal.UNKNOWN_IMAGE, id="ignore elsewhere"),
    ],
)
def test_names_that_nobody_has_are_refused_before_any_job(
    tmp_path: Path, ask: Ask, refusal: Refusal
) -> None:
    with service(tmp_path) as s:
        assert s.refused(ask) is refusal

        assert s.jobs() == []
        assert s.results()[0][3] == refusal.value


def test_a_repo_that_is_left_out_is_said_to_be(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        with s.world.database.begin() as connection:
            out = LeftOut("acme/old", "archived", "it is archived")
            repos.note_listed(connection, TARGET, "r", [out], s.world.now())

        assert s.refused(Scan(repo="acme/old")) is Refusal.LEFT_OUT


@pytest.mark.parametrize(
    "ask, refusal",
    [
        pytest.param(ignoring(days=-1), Refusal.BAD_DAY, id="past"),
        pytest.param(ignoring(days=LONGEST_IGNORE.days + 1), Refusal.BAD_DAY, id="too far"),
        pytest.param(ignoring(reason=" "), Refusal.BAD_REASON, id="no reason"),
        pytest.param(ignoring(reason="a\nb"), Refusal.BAD_REASON, id="two lines"),
        pytest.param(ignoring(reason="x" * (LONGEST_REASON + 1)), Refusal.BAD_REASON, id="long"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, ask: Ask, refusal: Refusal) -> None:
    with service(tmp_path) as s:
        assert s.refused(ask) is refusal


def test_a_person_may_ask_so_often_and_all_together_may_not_ask_much_more(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        ask = Scan(repo="acme/app")
        for number in range(MOST_ALL):
            who = f"person {number // MOST_OWN}"
            s.ask(ask, who)
            if number == MOST_OWN - 1:
                assert s.refused(ask, who) is Refusal.TOO_MANY

        assert s.refused(ask, "somebody else") is Refusal.TOO_MANY
        assert len(s.jobs()) == 1
        s.world.wait(WITHIN)
        s.ask(ask)


def test_everything_is_looked_at_a_few_times_at_most(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        for number in range(MOST_SCANS):
            s.ask(Scan(), f"person {number}")

        assert s.refused(Scan()) is Refusal.TOO_MANY_SCANS
        s.ask(Scan(repo="acme/app"))


def test_who_asked_for_what_is_kept(tmp_path: Path) -> None:
    with service(tmp_path) as s:
        s.ask(Scan())
        s.ask(ignoring("acme/app"), "bob")
        s.ask(Unignore(1))

        assert s.results() == [
            ("ann", "unignore", "#1 docker.io/library/python:3 in acme/app", "asked"),
            ("bob", "ignore", "docker.io/library/python:3 in acme/app until 2026-11-23", "asked"),
            ("ann", "scan", "everything", "asked"),
        ]


def test_a_later_look_does_not_undo_that_something_is_to_be_proposed(tmp_path: Path) -> None:
    with service(tmp_path, schedule={"cron": ["* 2 * * *"]}) as s:
        s.world.registry.tags[PYTHON] = 1

        s.ask(Propose("acme/app"))
        s.world.wait(timedelta(minutes=1))
        s.ask(Scan(repo="acme/app"))
        s.do()

        assert s.pulls() == 1

"""Cycles over a small world: what is worked on, what is asked, what is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from digestbot.forge.errors import DeferredError, ForgeError
from digestbot.forge.repo import Repo
from digestbot.forge.steps import Step
from digestbot.image import ImageReference, ImageTag
from digestbot.policy.finding import Status
from digestbot.policy.holding import HoldRules
from digestbot.proposals.budget import Limits
from digestbot.proposals.run import Rules
from digestbot.proposals.settings import ProposalSettings
from digestbot.registry.resolution import Query, Resolution
from digestbot.service.again import ADOPTED_FOR
from digestbot.service.progress import EVERY_S
from digestbot.service.scope import Scope
from digestbot.store import attention, images, repos, run_rows, runs, tallies
from digestbot.store.runs import Requests, RunState
from tests.proposals.builders import digest, dockerfile, full
from tests.proposals.memory import Fault, MemoryForge, MemoryRepo
from tests.service.world import ServiceWorld, TestRegistry, repo_with, service_world

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServiceWorld]:
    with service_world(tmp_path, repo_with("python:3"), tags={"python:3": 0}) as made:
        yield made


def tag_of(image: str) -> ImageTag:
    tag = ImageReference.parse(image).followed
    assert tag is not None
    return tag


def app(world: ServiceWorld) -> MemoryRepo:
    return world.forge.rooms["acme/app"]


def test_the_first_cycle_reads_everything_and_the_second_nothing(world: ServiceWorld) -> None:
    first = world.cycle()
    worked_on = world.worked_on

    second = world.cycle()

    assert (first.state, second.state) == (RunState.DONE, RunState.DONE)
    assert (worked_on, world.worked_on) == (["acme/app"], [])
    assert world.registry.asked == {full("python:3"): 2}
    assert world.statuses() == {Status.CURRENT: 1}


def test_a_tag_that_moved_gets_its_pull_request_in_the_next_cycle(world: ServiceWorld) -> None:
    world.cycle()
    world.registry.tags["python:3"] = 1

    world.cycle()

    assert len(app(world).open_pulls()) == 1
    assert world.statuses() == {Status.STALE: 1}


def test_only_the_repos_that_use_a_moved_image_are_worked_on(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name="acme/a"), repo_with("debian:12", name="acme/b")]
    with service_world(tmp_path, *repos, tags={"python:3": 0, "debian:12": 0}) as world:
        world.cycle()
        world.registry.tags["debian:12"] = 1

        world.cycle()

        assert world.worked_on == ["acme/b"]


def test_after_its_own_pull_request_a_repo_is_looked_at_once_more_then_left_alone(
    world: ServiceWorld,
) -> None:
    world.registry.tags["python:3"] = 1
    world.cycle()

    worked_on = []
    for _ in range(3):
        world.cycle()
        worked_on.append(world.worked_on)

    assert worked_on == [["acme/app"], [], []]
    assert len(world.forge.performed) == 2


def test_a_push_to_the_default_branch_has_the_repo_read_again(world: ServiceWorld) -> None:
    world.cycle()
    app(world).push({"Dockerfile": dockerfile("python:3", "debian:12")})
    world.registry.tags["debian:12"] = 0

    world.cycle()

    assert world.worked_on == ["acme/app"]
    assert world.statuses() == {Status.CURRENT: 2}


def test_what_people_do_to_a_pull_request_is_noticed(world: ServiceWorld) -> None:
    world.registry.tags["python:3"] = 1
    for _ in range(3):
        world.cycle()
    (pull,) = app(world).open_pulls()
    app(world).close(pull.number)

    world.cycle()

    assert world.worked_on == ["acme/app"]
    assert app(world).open_pulls() == []


def test_what_others_propose_is_looked_at_again_as_no_list_tells_that_they_gave_up(
    world: ServiceWorld,
) -> None:
    world.registry.tags["python:3"] = 1
    number = app(world).open("by-hand", {"Dockerfile": dockerfile("python:3", at=1)})
    world.cycle()
    app(world).close(number)

    world.cycle()
    soon = app(world).open_pulls()
    world.wait(ADOPTED_FOR)
    world.cycle()

    assert soon == []
    assert len(app(world).open_pulls()) == 1


def test_other_rules_and_another_day_have_every_repo_looked_at(world: ServiceWorld) -> None:
    world.cycle()
    world.rules_key = "2"
    world.cycle()
    after_rules = world.worked_on
    world.cycle()
    same = world.worked_on
    world.wait(timedelta(days=1))

    world.cycle()

    assert (after_rules, same, world.worked_on) == (["acme/app"], [], ["acme/app"])


def test_a_digest_settles_before_it_is_proposed(world: ServiceWorld) -> None:
    world.hold = HoldRules(settle=3 * HOUR)
    world.cycle()
    world.wait(4 * HOUR)
    world.cycle()
    world.registry.tags["python:3"] = 1

    world.cycle()
    held = (world.statuses(), app(world).open_pulls())
    with world.database.reading() as connection:
        wake = repos.next_due(connection, world.now())
    world.wait(3 * HOUR)
    world.cycle()

    assert held == ({Status.HELD: 1}, [])
    assert wake == world.now()
    assert len(app(world).open_pulls()) == 1


def test_a_registry_that_fails_leaves_what_is_open_alone_and_is_made_up_for(
    world: ServiceWorld,
) -> None:
    world.registry.tags["python:3"] = 1
    world.cycle()
    world.registry.failing["python:3"] = "unavailable"

    failed = world.cycle()
    in_between = world.statuses()
    del world.registry.failing["python:3"]
    mended = world.cycle()

    assert (failed.state, mended.state) == (RunState.INCOMPLETE, RunState.DONE)
    assert in_between == {Status.FAILED: 1}
    assert world.statuses() == {Status.STALE: 1}
    assert len(app(world).open_pulls()) == 1


def test_a_registry_that_goes_on_failing_is_said_in_each_cycle(world: ServiceWorld) -> None:
    world.cycle()
    world.registry.failing["python:3"] = "unavailable"

    states = [world.cycle().state for _ in range(3)]

    assert states == [RunState.INCOMPLETE] * 3


def test_a_repo_that_is_gone_is_forgotten_with_its_findings(world: ServiceWorld) -> None:
    world.cycle()
    world.forge.rooms.clear()

    result = world.cycle()

    assert result.counts["gone"] == 1
    assert world.statuses() == {}
    with world.database.reading() as connection:
        assert images.queries(connection) == []


def test_a_target_that_cannot_be_listed_changes_nothing_that_is_known(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_forge: MemoryForge) -> Iterator[object]:
        raise ForgeError("GitHub is down", code="unavailable")

    world.cycle()
    before = world.now()
    world.wait(MINUTE)
    monkeypatch.setattr(MemoryForge, "repos", refuse)
    world.registry.tags["python:3"] = 1

    result = world.cycle()

    assert result.state is RunState.FAILED
    assert [problem.code for problem in result.problems] == ["unavailable"]
    with world.database.reading() as connection:
        last = runs.last_success(connection)
    assert last == before
    assert world.worked_on == []
    monkeypatch.undo()
    world.cycle()
    assert len(app(world).open_pulls()) == 1


def test_where_the_forge_takes_no_more_the_rest_waits_for_the_next_cycle(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name=f"acme/app-{number:02}") for number in range(40)]
    with service_world(tmp_path, *repos, tags={"python:3": 1}) as world:
        error = DeferredError("500 writes an hour", code="rate-limited")
        world.forge.fault = Fault(at=9, error=error)

        first = world.cycle()
        opened = sum(len(repo.open_pulls()) for repo in repos)
        world.cycle()

        assert first.state is RunState.INCOMPLETE
        assert first.counts["updated"] < 30
        assert opened < 30
        assert all(len(repo.open_pulls()) == 1 for repo in repos)


def test_limits_hold_over_cycles(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name=f"acme/app-{number}") for number in range(5)]
    with service_world(tmp_path, *repos, tags={"python:3": 1}) as world:
        world.limits = Limits(per_hour=2)

        counts = []
        for _ in range(4):
            world.cycle()
            counts.append(sum(len(repo.open_pulls()) for repo in repos))
            world.wait(31 * MINUTE)

        assert counts == [2, 2, 4, 4]


def test_each_pull_request_of_an_hour_counts_though_its_branch_is_the_same(
    world: ServiceWorld,
) -> None:
    world.limits = Limits(per_hour=2)
    opened = []
    for number in range(1, 5):
        world.registry.tags["python:3"] = number
        world.cycle()
        opened.append([pull.number for pull in app(world).open_pulls()])
        for pull in app(world).open_pulls():
            app(world).merge(pull.number)
        world.wait(5 * MINUTE)

    assert opened == [[1], [2], [], []]


def test_repos_that_wait_for_room_cost_nothing_while_there_is_none(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name=f"acme/app-{number}") for number in range(5)]
    with service_world(tmp_path, *repos, tags={"python:3": 1}) as world:
        world.limits = Limits(open=1)
        for _ in range(3):
            world.cycle()
        assert world.worked_on == []

        (pull,) = [pull for repo in repos for pull in repo.open_pulls()]
        holder = next(repo for repo in repos if repo.open_pulls())
        holder.merge(pull.number)
        world.cycle()

        assert sum(len(repo.open_pulls()) for repo in repos) == 1
        assert holder.open_pulls() == []


def test_a_stopped_cycle_hands_back_what_it_has_not_begun(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name=f"acme/app-{number:02}") for number in range(60)]
    with service_world(tmp_path, *repos, tags={"python:3": 1}) as world:
        world.on_outcome = lambda _outcome: world.stop.set()

        stopped = world.cycle()
        begun = sum(len(repo.open_pulls()) for repo in repos)
        world.stop.clear()
        world.on_outcome = lambda _outcome: None
        world.cycle()

        assert stopped.state is RunState.STOPPED
        assert 0 < begun < 60
        assert all(len(repo.open_pulls()) == 1 for repo in repos)


def test_a_stopped_cycle_begins_no_repo_that_only_waits_for_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repos = [repo_with("python:3", name=f"acme/app-{number:02}") for number in range(9)]
    with service_world(tmp_path, *repos, tags={"python:3": 1}) as world:
        perform = MemoryForge.perform

        def stop_and_perform(forge: MemoryForge, repo: Repo, step: Step) -> None:
            world.stop.set()
            perform(forge, repo, step)

        monkeypatch.setattr(MemoryForge, "perform", stop_and_perform)

        result = world.cycle()

        assert result.state is RunState.STOPPED
        assert 1 <= sum(len(repo.open_pulls()) for repo in repos) <= world.jobs


def test_within_a_scope_only_its_images_are_asked_about_and_nothing_is_listed(
    tmp_path: Path,
) -> None:
    repos = [repo_with("python:3", name="acme/a"), repo_with("debian:12", name="acme/b")]
    with service_world(tmp_path, *repos, tags={"python:3": 0, "debian:12": 0}) as world:
        world.cycle()
        world.registry.tags.update({"python:3": 1, "debian:12": 1})
        world.registry.asked.clear()

        result = world.cycle(Scope(images=frozenset({tag_of("python:3")})))

        assert world.worked_on == ["acme/a"]
        assert world.registry.asked == {full("python:3"): 1}
        assert (result.is_whole, result.counts.get("listed")) == (False, None)
        assert [len(repo.open_pulls()) for repo in repos] == [1, 0]


def test_an_image_that_nobody_follows_is_not_asked_about(world: ServiceWorld) -> None:
    world.cycle()
    world.registry.asked.clear()

    result = world.cycle(Scope(images=frozenset({tag_of("alpine:3")})))

    assert world.registry.asked == {}
    assert result.state is RunState.DONE


def test_within_a_scope_only_its_repos_are_listed(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name="acme/a"), repo_with("python:3", name="acme/b")]
    with service_world(tmp_path, *repos, tags={"python:3": 0}) as world:
        world.cycle()
        for repo in repos:
            repo.push({"Dockerfile": dockerfile("python:3", at=5)})

        result = world.cycle(Scope(repos=frozenset({"ACME/a", "acme/unknown"})))

        assert world.worked_on == ["acme/a"]
        assert result.counts["listed"] == 1
        assert len(repos[0].open_pulls()) == 1
        world.cycle()
        assert world.worked_on == ["acme/a", "acme/b"]


def test_a_hint_has_no_other_repo_worked_on_that_is_due(tmp_path: Path) -> None:
    repos = [repo_with("debian:12", name="acme/a"), repo_with("python:3", name="acme/b")]
    with service_world(tmp_path, *repos, tags={"python:3": 0, "debian:12": 0}) as world:
        world.cycle()
        world.rules_key = "2"

        world.registry.tags["python:3"] = 1
        scopes = (
            Scope(images=frozenset({tag_of("python:3")})),
            Scope(repos=frozenset({"acme/unknown"})),
            Scope(repos=frozenset({"ACME/B"})),
            None,
        )

        seen = []
        for scope in scopes:
            world.cycle(scope)
            seen.append(world.worked_on)

        # Our own pull request is something that happened in the second one.
        assert seen == [["acme/b"], [], ["acme/b"], ["acme/a"]]


def test_a_cycle_that_is_to_end_asks_no_registry_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [f"team/base{number}:1" for number in range(30)]
    repo = repo_with(*images)
    with service_world(tmp_path, repo, tags=dict.fromkeys(images, 0)) as world:
        world.cycle()
        world.registry.asked.clear()
        resolve = TestRegistry.resolve

        def asked_to_end(registry: TestRegistry, query: Query) -> Resolution:
            world.stop.set()
            return resolve(registry, query)

        monkeypatch.setattr(TestRegistry, "resolve", asked_to_end)
        stopped = world.cycle()

        assert (stopped.state, stopped.problems) == (RunState.STOPPED, ())
        # One for each of the threads.
        assert world.registry.asked.total() <= 2
        world.stop.clear()
        monkeypatch.undo()
        world.cycle()
        assert world.statuses() == {Status.CURRENT: 30}


def test_each_run_is_written_down_with_what_it_came_to(world: ServiceWorld) -> None:
    world.registry.tags["python:3"] = 1
    result = world.cycle()

    with world.database.reading() as connection:
        (record,) = runs.latest(connection)

    assert (record.id, record.state) == (result.run_id, RunState.DONE)
    assert record.counts["proposals_opened"] == 1
    assert record.finished_at == world.now()


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[ServiceWorld]:
    """A state that takes no findings of one path, as a database does with odd characters."""
    odd = MemoryRepo.of({"odd/Dockerfile": dockerfile("python:3")}, "acme/odd")
    repos = [odd, repo_with("python:3", name="acme/plain")]
    with service_world(tmp_path, *repos, tags={"python:3": 1}) as made:
        with made.database.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER odd BEFORE INSERT ON findings WHEN NEW.path = 'odd/Dockerfile' "
                "BEGIN SELECT RAISE(ABORT, 'what a character'); END"
            )
        yield made


def test_what_a_database_refuses_of_one_repo_sinks_no_other(refusing: ServiceWorld) -> None:
    result = refusing.cycle()

    assert refusing.worked_on == ["acme/odd", "acme/plain"]
    (problem,) = result.problems
    assert (problem.subject, problem.code) == ("acme/odd", "not-kept")
    assert refusing.statuses() == {Status.STALE: 1}


def test_a_repo_that_was_not_kept_is_worked_on_again(refusing: ServiceWorld) -> None:
    refusing.cycle()
    with refusing.database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER odd")

    result = refusing.cycle()

    assert result.problems == ()
    assert refusing.statuses() == {Status.STALE: 2}


@pytest.mark.parametrize(
    "rules, settings",
    [
        pytest.param(Rules(exclude=("**",)), ProposalSettings(labels=()), id="excluded"),
        pytest.param(Rules(), ProposalSettings(enabled=False), id="disabled"),
    ],
)
def test_what_a_repo_says_of_itself_hides_no_denied_pin(
    world: ServiceWorld, rules: Rules, settings: ProposalSettings
) -> None:
    world.hold = HoldRules(deny=frozenset({digest(0)}))
    world.registry.tags["python:3"] = 1
    world.rules, world.settings = rules, settings

    world.cycle()

    with world.database.reading() as connection:
        (found,) = attention.denied_digests(connection, [str(digest(0))])
    assert (found.places, found.repos) == (1, 1)
    assert app(world).open_pulls() == []


def test_each_cycle_leaves_a_tally_and_the_last_of_an_hour_counts(world: ServiceWorld) -> None:
    world.cycle()
    world.wait(5 * MINUTE)
    world.registry.tags["python:3"] = 1
    world.cycle()

    with world.database.reading() as connection:
        (found,) = tallies.between(connection, world.now() - HOUR, world.now())
    assert (found.at, found.current, found.stale) == (world.now(), 0, 1)
    # It was seen to move a moment ago.
    assert (found.p50_s, found.p90_s) == (0, 0)


def test_how_far_a_cycle_has_come_can_be_seen_while_it_goes_on(tmp_path: Path) -> None:
    repos = [repo_with("python:3", name=f"acme/{number}") for number in range(4)]
    with service_world(tmp_path, *repos, tags={"python:3": 0}) as world:
        seen = []

        def look(_outcome: object) -> None:
            with world.database.reading() as connection:
                seen.append(runs.latest(connection)[0])
            world.wait(timedelta(seconds=EVERY_S))

        world.on_outcome = look
        world.cycle()

    assert {one.state for one in seen} == {RunState.RUNNING}
    # The first repo was done a moment after the list, of which was told already.
    assert [one.counts.get("updated") for one in seen] == [None, 2, 3, 4]
    assert {one.counts["listed"] for one in seen} == {4}


def test_what_a_cycle_asked_of_others_is_written_down(world: ServiceWorld) -> None:
    asked = Requests({"ghcr.io": {"200": 3}})
    world.requests = lambda: asked

    result = world.cycle()

    with world.database.reading() as connection:
        found = run_rows.one(connection, result.run_id)
    assert found is not None
    assert found.requests == asdict(asked)

"""The dashboard of the service, as it is put together: what it asks, and by whose settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from starlette.testclient import TestClient

from digestbot.cli import dashboard
from digestbot.cli.demo_forge import make_forge
from digestbot.cli.demo_registry import make_index, serve
from digestbot.cli.demo_stage import DemoClock, Stage, staged
from digestbot.cli.serving import Serving
from digestbot.image import Digest
from digestbot.registry.resolver import RegistryResolver
from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.endpoint import make_app
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import rollouts
from tests.service.rollouts.arena import plan_for
from tests.web.fleets import Jobs

TOKEN = "ann-0123456789abcdef-ann"
CONFIG = """\
targets: [github:acme]
state: {{folder: state}}
mirrors: {{docker.io/: {host}/hub/}}
dashboard:
  users: [{{name: ann, role: operator, token_env: DEMO_TOKEN}}]
"""
THERE, GONE = make_index(1), make_index(2)


@dataclass(frozen=True)
class Service:
    """The routes of a service that uses a registry with one image."""

    stage: Stage

    def merged(self, before: bytes) -> str:
        """A rollout of one repo, which has what it brings, and had this."""
        database, now = self.stage.database, self.stage.clock.now()
        plan = plan_for(["acme/app"], now)
        (target,) = plan.targets
        edits = tuple(replace(edit, before=Digest.of(before)) for edit in target.edits)
        plan = replace(plan, targets=(replace(target, edits=edits),))
        with database.begin() as connection:
            name = rollouts.create(connection, plan)
            done = Target("acme/app", 0, TargetState.MERGED, opened_at=now, ended_at=now)
            rollouts.note_targets(connection, name, [done])
        tell(database, name, Told(Verb.START, "ann"), now)
        return name

    def go_back(self, name: str, **more: str) -> tuple[int, dict[str, object]]:
        """What the service answers who has a rollout go back; and then its page for programs."""
        served = self.stage.served
        started = self.stage.clock.now()
        pages = dashboard.routes_of(served, os.environ, "localhost", tuple, started, Jobs())
        app = make_app(lambda: (), lambda _accept: (b"", "text/plain"), pages)
        form = {"rollout": name, "verb": "rollback", "reason": "bad", **more}
        with TestClient(app, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            answer = client.post("/actions/rollout", data=form)
            page = client.get(f"/rollouts/{name}/rollback.json").json()["data"]
        return answer.status_code, page

    def state(self, name: str) -> State:
        with self.stage.database.reading() as connection:
            found = rollouts.get(connection, name)
        assert found is not None
        return found.standing.state


@contextmanager
def open_service() -> Iterator[Service]:
    clock = DemoClock()
    forge = make_forge({"acme/app": "FROM scratch\n"}, clock.now)
    with (
        serve({"hub/library/alpine:3.22": THERE}) as host,
        staged(CONFIG.format(host=host), forge, clock, TOKEN, color=False) as made,
    ):
        yield Service(made)


@pytest.fixture
def service() -> Iterator[Service]:
    with open_service() as opened:
        yield opened


def test_the_way_back_is_asked_about_as_the_configuration_has_it(service: Service) -> None:
    name = service.merged(THERE)

    status, page = service.go_back(name)

    assert (status, page["checked"]) == (202, None)
    assert service.state(name) is State.ROLLING_BACK


def test_a_way_back_that_is_lost_is_taken_by_who_says_so(service: Service) -> None:
    name = service.merged(GONE)

    status, page = service.go_back(name)
    before = service.state(name)
    all_the_same, _ = service.go_back(name, without_check="true")

    checked = page["checked"]
    assert isinstance(checked, dict)
    (lost,) = checked["lost"]
    assert (status, lost["digest"], lost["code"]) == (409, str(Digest.of(GONE)), "not-found")
    assert (before, all_the_same) == (State.RUNNING, 202)
    assert service.state(name) is State.ROLLING_BACK


@pytest.mark.parametrize(
    "asked, expected", [pytest.param(7.0, 7.0, id="shorter"), pytest.param(99.0, 30.0, id="longer")]
)
def test_whoever_waits_for_registries_waits_no_longer_than_configured(
    service: Service, asked: float, expected: float
) -> None:
    served: Serving = service.stage.served

    with served.brief_resolver(asked) as resolver:
        assert isinstance(resolver, RegistryResolver)
        assert resolver.settings == replace(served.setup.registries, timeout_s=expected)

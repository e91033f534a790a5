"""The notifications of the real docker-registry: a push is a hint within seconds."""

from __future__ import annotations

import json
import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from digestbot.clock import Clock
from digestbot.config.models import Settings
from digestbot.image import Digest
from digestbot.service.endpoint import make_app, serving
from digestbot.service.figures import Figures
from digestbot.service.hooks.debounce import Debounce
from digestbot.service.hooks.opening import hook_routes
from digestbot.service.inprocess import InProcessEngine
from digestbot.service.jobs import Job, Stop
from digestbot.service.metrics import Metrics
from tests.cli.program import digestbot
from tests.registries.real import (
    RealRegistry,
    _free_port,
    _wait_for,
    notifying_registry,
    open_registry,
)
from tests.registries.samples import make_image, make_index

SECRET = "correct-horse-battery"
REGISTRY = "registry.corp:5000"
LONG_S = 30.0


@dataclass
class Told:
    """A service with one hook; `jobs` are those that its engine did."""

    url: str
    metrics: Metrics
    jobs: queue.Queue[Job] = field(default_factory=queue.Queue)

    def next_image(self) -> str:
        return self.jobs.get(timeout=LONG_S).arguments["image"]

    def count(self, result: str) -> int:
        text, _ = self.metrics.exposition()
        wanted = f'digestbot_hooks_total{{hook="registry",result="{result}"}} '
        lines = [one for one in text.decode().splitlines() if one.startswith(wanted)]
        return int(float(lines[0].removeprefix(wanted))) if lines else 0


@contextmanager
def listening(port: int = 0) -> Iterator[Told]:
    hook = {"name": "registry", "kind": "distribution", "secret_env": "HOOK", "registry": REGISTRY}
    settings = Settings.model_validate({"hooks": [hook]})
    told = Told("", Metrics(Figures))

    def do(job: Job, _stop: Stop) -> None:
        told.jobs.put(job)

    debounce, errors = Debounce(delay_s=0.5), list[str]()
    works = dict.fromkeys(("image", "repo", "cycle"), debounce.watched(do))
    engine = InProcessEngine(
        works, clock=Clock(), on_error=lambda job, error: errors.append(f"{job.key}: {error!r}")
    )
    try:
        routes = hook_routes(settings, {"HOOK": SECRET}, debounce, engine, told.metrics)
        app = make_app(list, told.metrics.exposition, routes)
        with serving(app, "127.0.0.1", port) as given:
            told.url = f"http://127.0.0.1:{given}/hooks/registry"
            yield told
    finally:
        assert engine.stop(LONG_S)
    assert errors == []


@pytest.fixture
def told() -> Iterator[Told]:
    with listening() as made:
        yield made


@pytest.fixture
def registry(told: Told, tmp_path: Path) -> Iterator[RealRegistry]:
    with notifying_registry(tmp_path / "registry", told.url, SECRET) as made:
        yield made


def test_a_push_is_a_job_about_the_image_by_the_name_it_is_pinned_by(
    told: Told, registry: RealRegistry
) -> None:
    registry.push("base/python", "3.12", make_image("one"))

    assert told.next_image() == f"{REGISTRY}/base/python:3.12"
    assert told.count("taken") == 1


def test_an_index_with_its_images_is_one_job(told: Told, registry: RealRegistry) -> None:
    registry.push("base/python", "3.12", make_index("one"))
    registry.push("base/python", "3.13", make_image("two"))

    assert {told.next_image(), told.next_image()} == {
        f"{REGISTRY}/base/python:3.12",
        f"{REGISTRY}/base/python:3.13",
    }
    assert told.jobs.empty()


def test_pulls_and_blobs_are_of_no_interest(told: Told, registry: RealRegistry) -> None:
    image = make_image("one")
    registry.push("base/python", "3.12", image)
    told.next_image()

    for blob in image.blobs:
        registry._call("GET", f"/v2/base/python/blobs/{Digest.of(blob)}", "base/python")
    registry.push("base/python", "3.13", make_image("two"))

    assert told.next_image() == f"{REGISTRY}/base/python:3.13"
    assert told.count("ignored") > 0


def test_a_registry_with_another_secret_is_not_heard(told: Told, tmp_path: Path) -> None:
    with notifying_registry(tmp_path / "other", told.url, "another-secret-of-mine") as other:
        other.push("base/python", "3.12", make_image("one"))
        _wait_for(lambda: told.count("refused") > 0, "a refusal")

    assert told.jobs.empty()
    assert told.count("taken") == 0


def test_what_is_pushed_while_nobody_listens_is_heard_later(tmp_path: Path) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}/hooks/registry"
    with notifying_registry(tmp_path / "registry", url, SECRET) as registry:
        registry.push("base/python", "3.12", make_image("one"))

        with listening(port) as told:
            assert told.next_image() == f"{REGISTRY}/base/python:3.12"


def test_what_digestbot_says_to_paste_works_as_it_is(told: Told, tmp_path: Path) -> None:
    config = tmp_path / "digestbot.yaml"
    hook = {"name": "registry", "kind": "distribution", "secret_env": "HOOK", "registry": REGISTRY}
    config.write_text(json.dumps({"hooks": [hook]}))
    base = told.url.removesuffix("/hooks/registry")

    outcome = digestbot("hooks", "--config", str(config), "--url", base, "--format", "json")

    (guide,) = json.loads(outcome.stdout)["hooks"]
    pasted = yaml.safe_load(guide["snippet"].replace("<secret>", SECRET))
    with open_registry(tmp_path / "registry", **pasted) as registry:
        registry.push("base/python", "3.12", make_image("one"))
        assert told.next_image() == f"{REGISTRY}/base/python:3.12"
    assert told.count("ignored") == 0
    assert "HOOK" not in os.environ

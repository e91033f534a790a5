"""The metrics: Prometheus can read them, and a state that fails does not stop them."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain
from prometheus_client.samples import Sample

from digestbot import __version__
from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.service.counting import MOST_HOSTS
from digestbot.service.figures import Figures
from digestbot.service.metrics import BUCKETS_S, KEPT_S, Metrics
from digestbot.service.series import SERIES

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FIGURES = Figures(
    repos={"live": 200, "left_out": 3, "gone": 1, "with_problems": 2},
    findings={"current": 500, "stale": 20},
    proposals={"open": 7, "merged": 80},
    fresh_ratio=0.9,
    oldest_stale=NOW - timedelta(hours=2),
    images_failing=4,
    last_success=NOW - timedelta(minutes=5),
    rollouts={"0123456789": "running"},
    targets={("0123456789", "merged"): 12, ("0123456789", "waiting"): 30},
)


class World:
    """A state that can be broken, and a time that passes when it is told to."""

    def __init__(self) -> None:
        self.figures = FIGURES
        self.error: DigestbotError | None = None
        self.reads = 0
        self.seconds = 100.0
        clock = Clock(
            monotonic=lambda: self.seconds, wall=lambda: NOW.timestamp() + self.seconds - 100
        )
        self.metrics = Metrics(self._read, clock)

    def _read(self) -> Figures:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.figures

    def samples(self, *, is_open: bool = False) -> list[Sample]:
        content, _ = self.metrics.exposition("application/openmetrics-text" if is_open else "")
        parse = parse_open if is_open else parse_plain
        families = parse(content.decode())
        return [sample for family in families for sample in family.samples]

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """By the values of the labels, in the order of their names."""
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in self.samples()
            if sample.name == name
        }


@pytest.fixture
def world() -> World:
    return World()


def use_everything(metrics: Metrics) -> None:
    metrics.lookups("docker.io", "200")
    metrics.forge_calls("api.github.com", "200")
    metrics.remaining("api.github.com", "rest", 4999)
    metrics.notified("team", "ok")
    metrics.hook("harbor", "taken")
    metrics.tag_moved()
    with metrics.job("cycle"):
        pass


def test_figures_of_the_state_are_shown(world: World) -> None:
    assert world.values("digestbot_repos") == {
        ("live",): 200,
        ("left_out",): 3,
        ("gone",): 1,
        ("with_problems",): 2,
    }
    assert world.values("digestbot_findings") == {("current",): 500, ("stale",): 20}
    assert world.values("digestbot_proposals") == {("open",): 7, ("merged",): 80}
    assert world.values("digestbot_pins_fresh_ratio") == {(): 0.9}
    assert world.values("digestbot_oldest_stale_seconds") == {(): 7200}
    assert world.values("digestbot_images_failing") == {(): 4}
    assert world.values("digestbot_last_success_timestamp_seconds") == {(): NOW.timestamp() - 300}


def test_before_the_first_cycle_nothing_is_made_up(world: World) -> None:
    world.figures = Figures()

    assert world.values("digestbot_pins_fresh_ratio") == {}
    assert world.values("digestbot_last_success_timestamp_seconds") == {}
    assert world.values("digestbot_oldest_stale_seconds") == {(): 0}


def test_rollouts_are_shown_by_state(world: World) -> None:
    assert world.values("digestbot_rollout_state") == {("0123456789", "running"): 1}
    assert world.values("digestbot_rollout_targets") == {
        ("0123456789", "merged"): 12,
        ("0123456789", "waiting"): 30,
    }


def test_what_hosts_answer_is_shown(world: World) -> None:
    for code in ("200", "200", "429"):
        world.metrics.lookups("docker.io", code)
    world.metrics.forge_calls("api.github.com", "rate-limited")
    world.metrics.remaining("api.github.com", "graphql", 4321)

    assert world.values("digestbot_lookups_total") == {
        ("200", "docker.io"): 2,
        ("429", "docker.io"): 1,
    }
    assert world.values("digestbot_forge_calls_total") == {("rate-limited", "api.github.com"): 1}
    assert world.values("digestbot_rate_limit_remaining") == {("api.github.com", "graphql"): 4321}


def test_what_is_posted_to_hooks_is_counted(world: World) -> None:
    for result in ("taken", "seen", "seen"):
        world.metrics.hook("harbor", result)

    assert world.values("digestbot_hooks_total") == {("harbor", "taken"): 1, ("harbor", "seen"): 2}


def test_notifications_and_moves_are_counted(world: World) -> None:
    for result in ("ok", "failed", "failed"):
        world.metrics.notified("team", result)
    world.metrics.tag_moved()
    world.metrics.tag_moved()

    assert world.values("digestbot_notifications_total") == {
        ("team", "ok"): 1,
        ("team", "failed"): 2,
    }
    assert world.values("digestbot_tag_moves_total") == {(): 2}


def test_a_job_is_shown_while_it_runs_and_timed_when_it_is_over(world: World) -> None:
    with world.metrics.job("cycle"), world.metrics.job("cycle"):
        assert world.values("digestbot_jobs_running") == {("cycle",): 2}
        assert world.values("digestbot_job_seconds_count") == {}
        world.seconds += 90

    assert world.values("digestbot_jobs_running") == {("cycle",): 0}
    assert world.values("digestbot_job_seconds_count") == {("cycle", "done"): 2}
    assert world.values("digestbot_job_seconds_sum") == {("cycle", "done"): 180}
    buckets = world.values("digestbot_job_seconds_bucket")
    assert len(buckets) == len(BUCKETS_S) + 1
    assert buckets["cycle", "60.0", "done"] == 0
    assert buckets["cycle", "120.0", "done"] == 2


def test_a_job_that_raises_failed(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.metrics.job("cycle"):
        raise ZeroDivisionError

    assert world.values("digestbot_job_seconds_count") == {("cycle", "failed"): 1}
    assert world.values("digestbot_jobs_running") == {("cycle",): 0}


def test_the_state_is_read_once_in_a_while(world: World) -> None:
    world.samples()
    world.figures = dataclasses.replace(FIGURES, images_failing=9)

    assert world.values("digestbot_images_failing") == {(): 4}
    assert world.reads == 1

    world.seconds += KEPT_S

    assert world.values("digestbot_images_failing") == {(): 9}
    assert world.reads == 2


def test_scrapes_at_the_same_time_read_the_state_once(world: World) -> None:
    threads = [threading.Thread(target=world.metrics.exposition) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert world.reads == 1


def test_a_state_that_fails_is_counted_and_the_rest_is_shown(world: World) -> None:
    use_everything(world.metrics)
    world.error = DigestbotError("the disk is full")

    assert world.values("digestbot_state_errors_total") == {(): 1}
    assert world.values("digestbot_repos") == {}
    assert world.values("digestbot_lookups_total") == {("200", "docker.io"): 1}
    assert world.reads == 1

    world.error = None
    world.seconds += KEPT_S

    assert world.values("digestbot_state_errors_total") == {(): 1}
    assert world.values("digestbot_repos") != {}


@pytest.mark.parametrize("is_open", [False, True], ids=["plain", "openmetrics"])
def test_each_series_is_in_the_table_and_nothing_else(world: World, *, is_open: bool) -> None:
    use_everything(world.metrics)

    found = {sample.name for sample in world.samples(is_open=is_open)}

    expected = {one.name for one in SERIES if one.kind != "histogram"}
    for one in SERIES:
        if one.kind == "histogram":
            expected |= {f"{one.name}{suffix}" for suffix in ("_bucket", "_count", "_sum")}
    assert found == expected


def test_labels_are_those_of_the_table(world: World) -> None:
    use_everything(world.metrics)
    labels = {one.name: set(one.labels) for one in SERIES}

    for sample in world.samples():
        if sample.name in labels:
            assert sample.labels.keys() == labels[sample.name], sample.name


@pytest.mark.parametrize("is_open", [False, True], ids=["plain", "openmetrics"])
def test_both_texts_say_the_same(world: World, *, is_open: bool) -> None:
    use_everything(world.metrics)

    found = {(one.name, *sorted(one.labels.items())): one.value for one in world.samples()}
    other = world.samples(is_open=is_open)

    assert {(one.name, *sorted(one.labels.items())): one.value for one in other} == found


@pytest.mark.parametrize(
    "accept, kind",
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        (
            "application/openmetrics-text;version=nonsense",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        ("text/plain;version=\r\nx", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_openmetrics_is_for_who_asks_for_it(world: World, accept: str, kind: str) -> None:
    content, found = world.metrics.exposition(accept)

    assert found == kind
    assert content.endswith(b"# EOF\n") == ("openmetrics" in kind)


@pytest.mark.parametrize("host", ['a"b', "a\nb", "a\\b", "ü.example", "a{b}"])
def test_no_name_of_a_host_breaks_the_text(world: World, host: str) -> None:
    world.metrics.lookups(host, "200")

    assert world.values("digestbot_lookups_total") == {("200", host): 1}


def test_hosts_that_are_configured_are_never_crowded_out() -> None:
    metrics = Metrics(Figures, known={"harbor.example.com"})

    for number in range(1000):
        metrics.lookups(f"r{number}.example.com", "200")
    metrics.lookups("harbor.example.com", "200")

    assert metrics.lookups.counts()["harbor.example.com", "200"] == 1
    assert len(metrics.lookups.counts()) == MOST_HOSTS + 2


def test_it_says_what_runs(world: World) -> None:
    (sample,) = [one for one in world.samples() if one.name == "digestbot_build_info"]

    assert sample.labels["version"] == __version__
    assert sample.value == 1


def test_two_of_them_share_nothing() -> None:
    one, other = World(), World()

    one.metrics.tag_moved()

    assert other.values("digestbot_tag_moves_total") == {(): 0}

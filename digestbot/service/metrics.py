"""What Prometheus reads: counts of this process, and figures of the state at that moment."""

from __future__ import annotations

import platform
import threading
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.exposition import generate_latest as plain_text
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_OPEN
from prometheus_client.openmetrics.exposition import generate_latest as untyped_open_text

from digestbot import __version__
from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.service import series
from digestbot.service.counting import Answers, HostNames, Remaining
from digestbot.service.figures import Figures
from digestbot.service.logs import Event, get_log
from digestbot.service.series import Series

BUCKETS_S = (0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)
KEPT_S = 5.0
"""For so long the state is not asked again, whoever scrapes."""

# It comes without types.
_open_text: Callable[[CollectorRegistry], bytes] = untyped_open_text
_OPEN = "application/openmetrics-text"
_log = get_log(__name__)


class Metrics:
    """Everything that `/metrics` shows; safe to use from many threads.

    Attributes:
        lookups: Counts the answers of registries.
        forge_calls: Counts those of forges.
        remaining: Notes how much they may still be asked.
    """

    def __init__(
        self,
        read_figures: Callable[[], Figures],
        clock: Clock | None = None,
        known: Collection[str] = (),
    ) -> None:
        """Make the metrics of a process.

        Args:
            read_figures: Reads the state; a `DigestbotError` is counted.
            clock: Tells the time.
            known: Hosts that have a series of their own however many others there are.
        """
        self.lookups = Answers(HostNames(known))
        self.forge_calls = Answers(HostNames(known))
        self.remaining = Remaining(HostNames(known))
        self._clock = clock or Clock()
        self._state = _State(read_figures, self._clock)
        self._lock = threading.Lock()
        self._running: Counter[tuple[str, ...]] = Counter()
        self._notified: Counter[tuple[str, ...]] = Counter()
        self._hooks: Counter[tuple[str, ...]] = Counter()
        self._moves = 0
        self._seconds = Histogram(
            series.JOB_SECONDS.name,
            series.JOB_SECONDS.meaning,
            series.JOB_SECONDS.labels,
            registry=None,
            buckets=BUCKETS_S,
        )
        self._registry = CollectorRegistry()
        self._registry.register(self)

    @contextmanager
    def job(self, name: str) -> Generator[None, None, None]:
        """The time in which a job runs; its result is `done`, or `failed` where it raises."""
        started = self._clock.monotonic()
        self._note_running(name, 1)
        result = "failed"
        try:
            yield
            result = "done"
        finally:
            self._note_running(name, -1)
            self._seconds.labels(name, result).observe(self._clock.monotonic() - started)

    def notified(self, notifier: str, result: str) -> None:
        """Count a notification, by what became of it: `ok` or `failed`."""
        with self._lock:
            self._notified[notifier, result] += 1

    def hook(self, hook: str, result: str) -> None:
        """Count what was posted to a webhook, by what became of it."""
        with self._lock:
            self._hooks[hook, result] += 1

    def tag_moved(self) -> None:
        """Count a tag that has another digest than before."""
        with self._lock:
            self._moves += 1

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All of it as text, and the type of that: OpenMetrics for who accepts it."""
        if _OPEN in accept:
            return _open_text(self._registry), CONTENT_TYPE_OPEN
        return plain_text(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        """What `prometheus_client` asks for at each scrape."""
        yield _family(series.BUILD, {(__version__, platform.python_version()): 1})
        figures = self._state.read()
        if figures is not None:
            yield from _figures(figures, self._clock.wall())
        yield _family(series.STATE_ERRORS, {(): self._state.errors})
        yield _family(series.LOOKUPS, self.lookups.counts())
        yield _family(series.FORGE_CALLS, self.forge_calls.counts())
        yield _family(series.RATE_LIMIT, self.remaining.left())
        yield from map(_without_created, self._seconds.collect())
        with self._lock:
            running, notified, moves = dict(self._running), dict(self._notified), self._moves
            hooks = dict(self._hooks)
        yield _family(series.JOBS_RUNNING, running)
        yield _family(series.NOTIFICATIONS, notified)
        yield _family(series.HOOKS, hooks)
        yield _family(series.TAG_MOVES, {(): moves})

    def _note_running(self, name: str, change: int) -> None:
        with self._lock:
            self._running[(name,)] += change


class _State:
    """The figures of the state, read at most every few seconds; `errors` counts failures."""

    def __init__(self, read_figures: Callable[[], Figures], clock: Clock) -> None:
        self.errors = 0
        self._read = read_figures
        self._clock = clock
        self._lock = threading.Lock()
        self._figures: Figures | None = None
        self._until = -1.0

    def read(self) -> Figures | None:
        """The figures; None where the state cannot be read."""
        with self._lock:
            if self._clock.monotonic() >= self._until:
                self._figures = self._try()
                self._until = self._clock.monotonic() + KEPT_S
            return self._figures

    def _try(self) -> Figures | None:
        try:
            return self._read()
        except DigestbotError as error:
            self.errors += 1
            _log.warning(Event.STATE_FAILED, message=str(error), hint=error.hint)
            return None


def _figures(figures: Figures, now: float) -> Iterator[Metric]:
    yield _family(series.REPOS, _by_label(figures.repos))
    yield _family(series.FINDINGS, _by_label(figures.findings))
    yield _family(series.PROPOSALS, _by_label(figures.proposals))
    if figures.fresh_ratio is not None:
        yield _family(series.FRESH, {(): figures.fresh_ratio})
    oldest = figures.oldest_stale
    age = 0.0 if oldest is None else max(0.0, now - oldest.timestamp())
    yield _family(series.OLDEST_STALE, {(): age})
    yield _family(series.IMAGES_FAILING, {(): figures.images_failing})
    yield _family(series.ROLLOUT_STATE, dict.fromkeys(figures.rollouts.items(), 1))
    yield _family(series.ROLLOUT_TARGETS, figures.targets)
    if figures.last_success is not None:
        yield _family(series.LAST_SUCCESS, {(): figures.last_success.timestamp()})


def _by_label(counts: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(label,): count for label, count in counts.items()}


def _family(shown: Series, values: Mapping[tuple[str, ...], float]) -> Metric:
    kind = CounterMetricFamily if shown.kind == "counter" else GaugeMetricFamily
    family = kind(shown.name, shown.meaning, labels=shown.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _without_created(metric: Metric) -> Metric:
    """When a process began to count is of no use to anybody, and twice as many series."""
    metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
    return metric

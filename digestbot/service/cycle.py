"""One cycle: list the repos, ask about each image once, work on the repos where anything moved.

What is to be done is computed from the state and the forge alone, so that a cycle that was
killed anywhere is made up for by the next one.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice, takewhile

from digestbot.forge.errors import ForgeError
from digestbot.forge.interface import Forge
from digestbot.forge.repo import LeftOut, Repo
from digestbot.proposals.budget import HOUR, Budget
from digestbot.proposals.outcome import Outcome, RepoOutcome
from digestbot.proposals.propose import update_repo
from digestbot.proposals.run import Run
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.scan.in_order import in_order
from digestbot.scan.lookups import look_up, lookup_problems
from digestbot.scan.result import Problem
from digestbot.service.again import look_again_at
from digestbot.service.fleet import Fleet
from digestbot.service.jobs import Stop
from digestbot.service.logs import Event, bound, get_log
from digestbot.service.progress import Progress
from digestbot.service.scope import Scope
from digestbot.service.tracing import span
from digestbot.store import asks, findings, images, proposals, repos, runs, tallies
from digestbot.store.errors import StoreError
from digestbot.store.repos import Due
from digestbot.store.runs import Requests, RunState

HINT = "hint"
"""The kind of a run within a scope."""
_BATCH = 200
_MOST_PROBLEMS = 200
_log = get_log(__name__)

OpenRun = Callable[[Forge, Budget], Run]


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What a cycle came to; `is_whole` where it was about everything."""

    run_id: str
    state: RunState
    is_whole: bool
    counts: Mapping[str, int]
    problems: tuple[Problem, ...] = ()


@dataclass
class Cycle:
    """One cycle over a fleet; made anew for each.

    Attributes:
        resolver: Asks registries, and writes down what they say.
        open_run: What all repos of one forge share; it asks the same resolver.
        on_outcome: Told what became of each repo.
        scope: What it is about; None is everything.
        asked_by: Who asked for it, in words; nobody where it is by the timetable.
        requests: What it asked of others so far; None where nobody counts.
    """

    fleet: Fleet
    resolver: Resolver
    open_run: OpenRun
    stop: Stop
    on_outcome: Callable[[RepoOutcome], None] = lambda _outcome: None
    scope: Scope | None = None
    requests: Callable[[], Requests | None] = lambda: None
    asked_by: Sequence[str] = ()
    run_id: str = field(default_factory=lambda: secrets.token_hex(6))
    counts: Counter[str] = field(default_factory=Counter)
    asked: set[Query] = field(default_factory=set)
    problems: dict[tuple[str, str, str], Problem] = field(default_factory=dict)
    is_deferred: bool = False
    has_targets: bool = False
    state: RunState = RunState.FAILED
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        """Know what is its own."""
        self.progress = Progress(self.fleet.database, self.run_id, self.fleet.clock)

    def result(self) -> CycleResult:
        """What it came to so far."""
        problems = tuple(self.problems.values())
        is_whole = self.scope is None
        return CycleResult(self.run_id, self.state, is_whole, dict(self.counts), problems)

    def run(self) -> CycleResult:
        """All of it; what goes wrong with a target, an image or a repo ends there, and is said.

        Raises:
            StoreError: The state cannot be read or written.
        """
        with bound(run_id=self.run_id), span("cycle", run_id=self.run_id):
            _log.info(Event.CYCLE_STARTED)
            with self.fleet.database.begin() as connection:
                kind = runs.WHOLE if self.scope is None else HINT
                runs.begin(connection, self.run_id, kind, self.fleet.now(), self.asked_by)
            try:
                self._work()
                self.state = self._state()
            except KeyboardInterrupt:
                # Whoever insists on the end has broken nothing that somebody is to see to.
                self.state = RunState.STOPPED
                raise
            finally:
                self._finish()
        return self.result()

    def _work(self) -> None:
        with ExitStack() as stack:
            forges: dict[str, Forge] = {}
            for name, open_forge in self.fleet.targets.items():
                try:
                    forge = stack.enter_context(closing(open_forge()))
                    if self._has_listed(name, forge):
                        forges[name] = forge
                except ForgeError as error:
                    _log.warning(
                        Event.TARGET_FAILED, target=name, code=error.code, problem=str(error)
                    )
                    self._fail(Problem("target", name, error.code, str(error), error.hint))
            if self.scope is None:
                self._forget_targets()
            self._look_up()
            self.has_targets = bool(forges)
            for name, forge in forges.items():
                self._update(name, forge)

    def _has_listed(self, target: str, forge: Forge) -> bool:
        """Write down what there is of a target, as far as the scope reaches.

        Raises:
            ForgeError: It cannot be listed.
        """
        if self.scope is None:
            return self._list(target, forge)
        with self.fleet.database.reading() as connection:
            # Who asks sees what there is, which may be newer than what was listed last.
            asked = self.scope.repos | asks.names(connection)
            known = repos.known_of(connection, target, asked)
        for name in known:
            with closing(self.fleet.open_repo(name)) as alone:
                batch = list(alone.repos())
            with self.fleet.database.begin() as connection:
                repos.note_listed(connection, target, self.run_id, batch, self.fleet.now())
            self.counts["listed"] += len(batch)
        return True

    def _list(self, target: str, forge: Forge) -> bool:
        """Write down the repos of a target; whether all of them are now known.

        Raises:
            ForgeError: It cannot be listed.
        """
        with span("cycle.list", target=target):
            for batch in _batches(forge.repos()):
                self.counts["listed"] += len(batch)
                with self.fleet.database.begin() as connection:
                    repos.note_listed(connection, target, self.run_id, batch, self.fleet.now())
                self._tell_progress()
                if self.stop.is_set():
                    return False
        with self.fleet.database.begin() as connection:
            self.counts["gone"] += repos.note_gone(
                connection, target, self.run_id, self.fleet.now()
            )
        return True

    def _forget_targets(self) -> None:
        with self.fleet.database.begin() as connection:
            names = self.fleet.targets.keys()
            self.counts["gone"] += repos.forget_targets(connection, names, self.fleet.now())

    def _look_up(self) -> None:
        """Ask about every image that the repos had when they were last looked at."""
        if self.stop.is_set():
            return
        told = None if self.scope is None else self.scope.images
        with self.fleet.database.reading() as connection:
            queries = images.queries(connection, told)
        with span("cycle.lookups", images=len(queries)):
            answers = look_up(queries, _Until(self.stop, self.resolver), jobs=self.fleet.lookups)
        if self.stop.is_set():
            return
        self._count_asked(answers)
        for problem in lookup_problems(answers):
            self._fail(problem)

    def _update(self, target: str, forge: Forge) -> None:
        budget, waiting = self._budget(), deque[Due]()
        run = self.open_run(forge, budget)
        found = (
            self._noted(due, waiting) for due in self._due(target) if not _is_vain(due, budget)
        )
        work = partial(self._work_on, run)
        with closing(in_order(work, found, jobs=self.fleet.jobs)) as outcomes:
            for outcome in outcomes:
                due = waiting.popleft()
                if outcome is not None:
                    self._keep(due, outcome)

    def _work_on(self, run: Run, repo: Repo) -> RepoOutcome | None:
        """What became of a repo; None where it waits for the next cycle after all.

        What is logged and traced in its thread says which repo it is about.
        """
        if self._leaves_off():
            return None
        with bound(repo=repo.name), span("repo.update", repo=repo.name):
            return update_repo(run, repo)

    def _due(self, target: str) -> Iterator[Due]:
        after, scope = 0, self.scope
        # Who says that something moved does not have all others tried again that failed or wait.
        only = repos.is_touched(scope.repos, scope.images) if scope is not None else None
        while not self._leaves_off():
            with self.fleet.database.reading() as connection:
                batch = repos.due(
                    connection,
                    target=target,
                    rules=self._rules(),
                    now=self.fleet.now(),
                    after=after,
                    limit=_BATCH,
                    only=only,
                )
            if not batch:
                return
            yield from takewhile(lambda _due: not self._leaves_off(), batch)
            after = batch[-1].id

    def _leaves_off(self) -> bool:
        """Whether the other repos wait for the next cycle.

        Where the forge takes no more, each of them would only be read and surveyed in vain.
        """
        return self.stop.is_set() or self.is_deferred

    def _noted(self, due: Due, waiting: deque[Due]) -> Repo:
        waiting.append(due)
        return due.repo

    def _keep(self, due: Due, outcome: RepoOutcome) -> None:
        """Write down what became of a repo, and tell it."""
        try:
            self._write_down(due, outcome)
        except StoreError as error:
            # A repo may hold what a database refuses. Where all is refused, so is this.
            problem = Problem("repo", outcome.name, "not-kept", str(error), error.hint)
            problems = (*outcome.problems, problem)
            outcome = replace(outcome, result=None, verdicts=(), problems=problems)
            self._write_down(due, outcome)
        self._count_asked(outcome.result.queries if outcome.result else ())
        self.counts["updated"] += 1
        self.counts.update(f"proposals_{one.outcome.value}" for one in outcome.verdicts)
        self.is_deferred |= any(problem.code == "rate-limited" for problem in _own(outcome))
        for problem in outcome.problems:
            self._fail(problem)
        self._tell_progress()
        _log_outcome(outcome)
        self.on_outcome(outcome)

    def _write_down(self, due: Due, outcome: RepoOutcome) -> None:
        """All of it in one transaction, or nothing."""
        now, own = self.fleet.now(), _own(outcome)
        with self.fleet.database.begin() as connection:
            if outcome.result is not None or outcome.left_out is not None:
                found = outcome.result.findings if outcome.result else ()
                findings.replace(connection, due.id, found, now)
            proposals.note(connection, due.id, outcome.verdicts, now, is_complete=not own)
            repos.settle(
                connection,
                due.id,
                repo=due.repo,
                rules=self._rules(),
                due_at=look_again_at(outcome, now),
                now=now,
                problems=own,
                asked_at=due.asked_at,
            )

    def _count_asked(self, queries: Iterable[Query]) -> None:
        """Images are looked up once in a cycle, however many repos use them."""
        self.asked.update(queries)
        self.counts["lookups"] = len(self.asked)

    def _budget(self) -> Budget:
        if not self.fleet.limits:
            return Budget()
        with self.fleet.database.reading() as connection:
            are_open = repos.open_pulls(connection)
            since = self.fleet.now() - HOUR
            # The one forgets what a branch had before, the other what a run that was killed did.
            are_new = max(
                proposals.opened_since(connection, since), runs.opened_since(connection, since)
            )
        return Budget(*self.fleet.limits.rooms(are_open, are_new))

    def _rules(self) -> str:
        """Rules may end with a day, so that another day is another set of rules."""
        return f"{self.fleet.rules}:{self.fleet.now().date()}"

    def _tell_progress(self) -> None:
        self.progress.note(self.counts, len(self.problems))

    def _fail(self, problem: Problem) -> None:
        """Keep a problem, once however many repos it hit."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.setdefault((problem.scope, problem.subject, problem.code), problem)

    def _state(self) -> RunState:
        if self.stop.is_set():
            return RunState.STOPPED
        if not self.has_targets:
            # A token that was revoked, for one: nothing was done at all.
            return RunState.FAILED
        return RunState.INCOMPLETE if self.problems else RunState.DONE

    def _finish(self) -> None:
        problems, now = tuple(self.problems.values()), self.fleet.now()
        with self.fleet.database.begin() as connection:
            runs.finish(
                connection, self.run_id, self.state, self.counts, problems, now, self.requests()
            )
            tallies.note(connection, now)
        _log.info(Event.CYCLE_FINISHED, state=self.state.value, **self.counts)


@dataclass(frozen=True, slots=True)
class _Until:
    """Asks another resolver until the process is about to end; then nobody is asked any more."""

    stop: Stop
    resolver: Resolver

    def resolve(self, query: Query) -> Resolution:
        if self.stop.is_set():
            raise RegistryError(f"{query} was not asked about", code="stopped", host="")
        return self.resolver.resolve(query)


def _is_vain(due: Due, budget: Budget) -> bool:
    """Whether a repo waits for room for its first proposal, and there still is none."""
    left = budget.left()
    return due.reason == "room" and not due.repo.ours and left is not None and not left.count


def _own(outcome: RepoOutcome) -> list[Problem]:
    """What went wrong in the repo itself."""
    return [problem for problem in outcome.problems if problem.scope != "registry"]


def _log_outcome(outcome: RepoOutcome) -> None:
    with bound(repo=outcome.name):
        for verdict in outcome.verdicts:
            is_new = verdict.outcome is Outcome.OPENED
            event = Event.PROPOSAL_OPENED if is_new else Event.PROPOSAL_CHANGED
            if verdict.outcome is not Outcome.UNCHANGED:
                _log.info(
                    event, outcome=verdict.outcome.value, title=verdict.title, url=verdict.url
                )
        failures = _own(outcome)
        for problem in failures:
            _log.warning(Event.REPO_FAILED, code=problem.code, problem=problem.message)
        if not failures:
            found = len(outcome.result.findings) if outcome.result else 0
            _log.info(Event.REPO_UPDATED, findings=found, proposals=len(outcome.verdicts))


def _batches(found: Iterable[Repo | LeftOut]) -> Iterator[list[Repo | LeftOut]]:
    remaining = iter(found)
    while batch := list(islice(remaining, _BATCH)):
        yield batch

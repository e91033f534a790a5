"""Has a step of each rollout made when it is worth it: each minute, and when somebody says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.service.jobs import Engine, Job, Stop
from digestbot.service.logs import Event, get_log
from digestbot.service.rollouts.rounds import Rounds
from digestbot.service.rollouts.ways import LOOK_S
from digestbot.store import rollouts
from digestbot.store.errors import StoreError

STEP: Final = "rollout"
"""The name of the job; its argument says which rollout."""
_log = get_log(__name__)


@dataclass
class Pacemaker:
    """Keeps a step of each rollout with something left to do waiting in an engine.

    `beat` is called every few seconds: what somebody says in another process, or on the
    dashboard, stands in the state. `_seen` is how much had happened to each when a step of it
    was last asked for.
    """

    rounds: Rounds
    clock: Clock = field(default_factory=Clock)
    _seen: dict[str, int] = field(default_factory=dict)

    def beat(self, engine: Engine) -> None:
        """Ask for a step of each to which something happened."""
        try:
            with self.rounds.database.reading() as connection:
                stirring = rollouts.stirring(connection)
        except StoreError as error:
            _log.error(Event.STATE_FAILED, problem=str(error))
            return
        for name, number in stirring.items():
            if self._seen.get(name) != number:
                self._seen[name] = number
                engine.submit(job_of(name))

    def work(self, job: Job, stop: Stop, engine: Engine) -> None:
        """Make a step, and ask for the next one: at once where something came of this one."""
        name, rollout = job.arguments[STEP], None
        try:
            rollout = self.rounds.step(name, stop)
        except DigestbotError as error:
            # The forge or the state is away: no more is to be said of it.
            _log.warning(Event.ROLLOUT_FAILED, rollout=name, problem=str(error))
        finally:
            if rollout is None or not rollout.is_settled:
                known = self._seen.get(name)
                has_changed = rollout is not None and len(rollout.events) != known
                pause = timedelta(seconds=0 if has_changed else LOOK_S)
                if rollout is not None:
                    self._seen[name] = len(rollout.events)
                now = datetime.fromtimestamp(self.clock.wall(), UTC)
                engine.submit(job, now + pause)


def job_of(name: str) -> Job:
    """A step of a rollout; there is never more than one of it at a time."""
    return Job(STEP, f"{STEP}:{name}", {STEP: name})

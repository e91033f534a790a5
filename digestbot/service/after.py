"""What follows a cycle: operators are told what changed, and what is old is forgotten."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from digestbot.clock import Clock
from digestbot.service.conditions import conditions_of, known_after
from digestbot.service.cycle import CycleResult
from digestbot.service.notify.delivery import Delivery
from digestbot.service.notify.notices import Notices
from digestbot.service.notify.tally import ProposalTally
from digestbot.service.rollouts.news import ROLLOUT
from digestbot.store import conditions, images, runs
from digestbot.store.database import Database

# Runs and what was told are of interest for so long.
_KEPT, _ALL_KEPT = timedelta(days=90), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Does what follows each cycle of one service.

    Attributes:
        deny: The digests that nobody is to use.
    """

    database: Database
    notices: Notices
    deny: Collection[str] = ()
    clock: Clock = field(default_factory=Clock)

    def follow(self, result: CycleResult, tally: ProposalTally) -> tuple[Delivery, ...]:
        """Write down what holds now, and tell whoever does not know it yet.

        Raises:
            StoreError: The state cannot be read or written.
        """
        if not result.is_whole:
            # What it did not look at holds as before.
            return self.notices.tell(result.run_id, tally)
        now = datetime.fromtimestamp(self.clock.wall(), UTC)
        known = known_after(self.database, result.state, result.problems, self.deny)
        names = [recipient.notifier.name for recipient in self.notices.recipients]
        with self.database.begin() as connection:
            # Those of rollouts are kept by whoever drives them.
            conditions.note(connection, conditions_of(known), now, but=ROLLOUT)
            conditions.prune(connection, now - _KEPT, names)
            runs.prune(connection, now - _KEPT)
            runs.prune_partial(connection, now - _ALL_KEPT)
            images.prune(connection, now - _KEPT)
        return self.notices.tell(result.run_id, tally)

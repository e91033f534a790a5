"""What became of proposals in a run, as one line to tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from digestbot.proposals.outcome import Outcome, RepoOutcome
from digestbot.service.notify.message import News, Turn

_TOLD: Final = (Outcome.OPENED, Outcome.MERGED, Outcome.CLOSED)
_NAMED = 5


@dataclass
class ProposalTally:
    """Counts the proposals of a run that were opened, merged or closed, and names a few."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)

    def note(self, outcome: RepoOutcome) -> None:
        """Count what became of one repo's proposals."""
        for verdict in outcome.verdicts:
            if verdict.outcome in _TOLD:
                self.counts[verdict.outcome] += 1
                number = f" #{verdict.number}" if verdict.number else ""
                self._name(f"{outcome.name}{number}")

    def add(self, later: ProposalTally) -> None:
        """Count those of a later run, too."""
        self.counts += later.counts
        for name in later.names:
            self._name(name)

    def news(self, run: str, now: datetime) -> tuple[News, ...]:
        """One line for all of it; none where nothing happened."""
        total = self.counts.total()
        if not total:
            return ()
        counts = ", ".join(f"{self.counts[one]:,} {one}" for one in _TOLD if self.counts[one])
        rest = total - len(self.names)
        more = f" and {rest:,} more" if rest else ""
        message = f"proposals: {counts} ({', '.join(self.names)}{more})"
        return (News(Turn.DONE, "proposals", f"run:{run}", "done", message, since=now),)

    def _name(self, name: str) -> None:
        if len(self.names) < _NAMED:
            self.names.append(name)

"""What holds in a repo: the settings of the run, and what the repo itself may decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from digestbot.clock import Clock
from digestbot.config.issues import ConfigError, Issue
from digestbot.config.load import LoadedSettings, read_settings
from digestbot.config.models import Settings
from digestbot.files.occurrence import Skip
from digestbot.policy.ignore import IgnoreRule
from digestbot.proposals.opening import closed_at
from digestbot.proposals.run import Rules
from digestbot.proposals.setup import proposal_settings
from digestbot.scan.engine import Policy
from digestbot.scan.forge_files import RepoFiles
from digestbot.scan.gate import Gate

# What a repo says of these is for a scan in it, and means nothing here.
_OF_A_SCAN = frozenset({"requires", "fail_on", "jobs", "timeout"})
# What a repo says of these comes on top.
_ADDED = frozenset({"ignore", "exclude", "freeze"})
# Any minute is one of it.
_ALWAYS = ("* * * * *",)


@dataclass(frozen=True, slots=True)
class Asked:
    """What people asked for in one repo; it comes on top of the configuration.

    Attributes:
        ignore: What is left alone.
        gate: What holds back in place of the gate of the run; None is that one.
        opens_now: Whether the hours of the schedule do not count; freezes do.
    """

    ignore: Sequence[IgnoreRule] = ()
    gate: Gate | None = None
    opens_now: bool = False


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Makes the rules of each repo.

    Attributes:
        settings: Those of the run.
        policy: Of the run: what all repos share of it.
        fixed: Keys that were given on the command line, which no repo overrules.
        asked_in: What people asked for in a repo, by its name.
    """

    settings: Settings
    policy: Policy
    fixed: frozenset[str] = frozenset()
    clock: Clock = field(default_factory=Clock)
    asked_in: Callable[[str], Asked] | None = None

    def rules_for(self, files: RepoFiles) -> Rules:
        """The rules of a repo.

        Raises:
            ConfigError: Its own configuration is broken, and names file and line.
        """
        settings, notices = self._overlaid(files.configuration)
        asked = Asked() if self.asked_in is None else self.asked_in(files.repo)
        schedule = settings.schedule
        if asked.opens_now and schedule is not None:
            # Its time zone says when the days of a freeze begin.
            schedule = schedule.model_copy(update={"cron": _ALWAYS})
        closed = closed_at(schedule, settings.freeze, self._now())
        policy = replace(self.policy, pin=settings.pin, gate=asked.gate or self.policy.gate)
        return Rules(
            policy=replace(policy, ignore=(*settings.ignore, *asked.ignore)),
            proposals=proposal_settings(settings),
            exclude=settings.exclude,
            closed=closed.message if closed else "",
            opens_at=closed.until if closed else None,
            notices=notices,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), UTC)

    def _overlaid(
        self, configuration: Mapping[str, bytes | Skip]
    ) -> tuple[Settings, tuple[str, ...]]:
        if not configuration:
            return self.settings, ()
        (path, content), *others = configuration.items()
        if others:
            names = " and ".join(configuration)
            raise ConfigError(
                [Issue(path, f"is one of several configuration files: {names}")], hint="keep one"
            )
        if isinstance(content, Skip):
            raise ConfigError([Issue(path, f"cannot be read: {content.message}")])
        return self._with(read_settings(content, path))

    def _with(self, own: LoadedSettings) -> tuple[Settings, tuple[str, ...]]:
        told: dict[str, str] = {}
        for path, where in own.origins.items():
            told.setdefault(str(path[0]), where)
        allowed = frozenset[str](self.settings.overridable) - self.fixed
        values: dict[str, Any] = {key: getattr(own.settings, key) for key in told if key in allowed}
        for key in _ADDED & values.keys():
            values[key] = (*getattr(self.settings, key), *values[key])
        notices = tuple(
            f"{where}: `{key}` is ignored: it is not for a repo to decide"
            for key, where in told.items()
            if key not in allowed and key not in _OF_A_SCAN
        )
        return self.settings.model_copy(update=values), notices

"""How a rollout is gone about: what the command line says, then what the configuration does."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from digestbot.cli.rollout_options import PlanOptions
from digestbot.config.rollout import ALL, RolloutConfig
from digestbot.errors import UsageError
from digestbot.rollout.gates import GateRules
from digestbot.rollout.objections import Limits
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.plan import Deadlines, RolloutRules
from digestbot.rollout.waves import WaveRules

T = TypeVar("T")


def rules_of(config: RolloutConfig, options: PlanOptions) -> RolloutRules:
    """The rules of a plan.

    Raises:
        UsageError: The configuration does not allow them, or says too little for them.
    """
    rules = RolloutRules(
        _waves(config, options),
        _gate(config, options),
        PaceRules(
            per_minute=config.per_minute,
            per_hour=_or(options.per_hour, config.per_hour),
            pending=_or(options.pending, config.pending),
        ),
        Deadlines(
            _or(options.comment_after, config.comment_after),
            _or(options.reviewers_after, config.reviewers_after),
            _or(options.merge_after, config.merge_after),
        ),
        is_critical=options.severity == "critical",
        watch=_or(options.watch_for, config.watch_for),
    )
    check_allowed(config, rules)
    return rules


def check_allowed(config: RolloutConfig, rules: RolloutRules) -> None:
    """Do nothing, if the configuration allows these rules.

    Raises:
        UsageError: It does not.
    """
    if rules.deadlines.merge is not None and not config.allow_merge:
        raise UsageError(
            "the configuration does not allow to merge past what pull requests wait for",
            hint="write in it: rollout: {allow_merge: true}; or leave --merge-after away",
        )
    has_probe = config.probe_url or config.probe_url_env or config.probe_url_file
    if rules.gate.probe and not has_probe:
        raise UsageError(
            "the configuration does not say whom to ask between waves",
            hint="write in it: rollout: {probe_url_env: ROLLOUT_PROBE_URL}",
        )


def limits_of(config: RolloutConfig) -> Limits:
    """How far a plan may reach without a word."""
    return Limits(config.most_share, config.most_repos)


def _waves(config: RolloutConfig, options: PlanOptions) -> WaveRules:
    return WaveRules(
        canary=options.canary or config.canary,
        canary_topic=_or(options.canary_topic, config.canary_topic) or "",
        canary_count=_or(options.canary_count, config.canary_count),
        shares=tuple(percent / ALL for percent in _or(options.waves, config.waves)),
        most_per_owner=_or(options.per_owner, config.per_owner),
    )


def _gate(config: RolloutConfig, options: PlanOptions) -> GateRules:
    soak: timedelta = _or(options.soak, config.soak)
    return GateRules(
        soak=soak,
        passed=_or(options.passed, config.passed),
        failed=_or(options.failed, config.failed),
        needs_approval=_or(options.approve, config.approve),
        probe=_or(options.probe, config.probe),
    )


def _or(given: T | None, configured: T) -> T:
    return configured if given is None else given

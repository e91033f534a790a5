"""Whether a plan may be started from the dashboard: just as it is, and without overriding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from digestbot.config.rollout import RolloutConfig
from digestbot.rollout.objections import Limits, objections
from digestbot.rollout.plan import Plan, RolloutRules
from digestbot.service.rollouts.planning import again
from digestbot.store.database import Database

_NO_MERGE = "the configuration does not allow to merge past what pull requests wait for"
_NO_PROBE = "the configuration does not say whom to ask between waves"


def seen_at_once(plan: Plan, config: RolloutConfig, now: datetime) -> Sequence[str]:
    """What speaks against starting a plan that the plan itself tells."""
    limits = Limits(config.most_share, config.most_repos)
    found = [one.message for one in objections(plan, plan, limits, now)]
    return [*found, *_not_allowed(plan.rules, config)]


def against(database: Database, plan: Plan, config: RolloutConfig, now: datetime) -> Sequence[str]:
    """What speaks against starting a plan; all pins are looked at for it.

    Raises:
        StoreError: The state cannot be read.
    """
    limits = Limits(config.most_share, config.most_repos)
    found = [one.message for one in objections(plan, again(database, plan), limits, now)]
    return [*found, *_not_allowed(plan.rules, config)]


def _not_allowed(rules: RolloutRules, config: RolloutConfig) -> list[str]:
    found = [_NO_MERGE] if rules.deadlines.merge is not None and not config.allow_merge else []
    has_probe = config.probe_url or config.probe_url_env or config.probe_url_file
    return [*found, _NO_PROBE] if rules.gate.probe and not has_probe else found

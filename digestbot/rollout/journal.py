"""Events of a rollout as they are kept; what a gate judged by is kept with its decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from digestbot.rollout.gates import Evidence, WaveCount
from digestbot.rollout.machine import Event, Verb


def event_row(event: Event) -> dict[str, Any]:
    """An event as values that JSON has, but for its time."""
    return {
        "at": event.at,
        "verb": event.verb.value,
        "by": event.by,
        "reason": event.reason,
        "repo": event.repo,
        "evidence": None if event.evidence is None else _told(event.evidence),
    }


def event_of(row: Mapping[str, Any]) -> Event:
    """The event that a row tells."""
    evidence = row["evidence"]
    return Event(
        verb=Verb(row["verb"]),
        at=row["at"],
        by=row["by"],
        reason=row["reason"],
        repo=row["repo"],
        evidence=None if evidence is None else _evidence(evidence),
    )


def _told(evidence: Evidence) -> dict[str, Any]:
    told = asdict(evidence)
    opened = evidence.last_opened
    return {
        **told,
        "now": evidence.now.isoformat(),
        "last_opened": opened.isoformat() if opened else None,
    }


def _evidence(told: Mapping[str, Any]) -> Evidence:
    opened = told["last_opened"]
    return Evidence(
        count=WaveCount(**told["count"]),
        now=datetime.fromisoformat(told["now"]),
        last_opened=datetime.fromisoformat(opened) if opened else None,
        is_hurried=told["is_hurried"],
        is_approved=told["is_approved"],
        probe=told["probe"],
        accepted=told["accepted"],
    )

"""The contract `digestbot/notice/v1`: what a `webhook` is sent. Only additions are made to it.

The records are plain dataclasses, so that sending one needs no pydantic; only the JSON Schema
of the contract does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from digestbot.config.serving import Event
from digestbot.service.notify.message import Turn

SCHEMA: Literal["digestbot/notice/v1"] = "digestbot/notice/v1"
# Pydantic reads the sentence below each field into the schema.
_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """One thing that changed."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    turn: Turn
    """`new`, `changed` or `resolved` for a state; `done` for what happened once."""
    event: Event
    """What it is about, as `notify.events` names it."""
    subject: str
    """Whom or what: `registry:ghcr.io/rate-limited`, `repo:acme/app`."""
    state: str
    """A stable slug; what it was, where it is resolved."""
    message: str
    """One sentence, with texts of repos and registries in it: to be escaped where it is shown."""
    hint: str
    """What to do about it; may be empty."""
    since: str | None
    """When it began, changed or ended, in UTC: `2026-11-21T03:04:05Z`."""
    link: str | None
    """The page of the dashboard about it; null where there is none, or no `dashboard.url`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is posted after a cycle in which something changed."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    schema: Literal["digestbot/notice/v1"]
    version: str
    """The version of digestbot."""
    at: str
    """When it was put together, in UTC."""
    test: bool
    """Whether somebody only tries whether notices arrive; `items` is empty then."""
    notifier: str
    """The name of the notifier in the configuration."""
    run: str | None
    """The run that found it out, as the logs name it."""
    title: str
    """A line that sums it up."""
    items: list[NoticeItem]
    left_out: int
    """How many items more there were; `digestbot status` lists what holds now."""


def notice_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the contract; unknown keys are allowed, for additions."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only who wants the schema pays for it

    schema = TypeAdapter(Notice).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        **schema,
        "title": f"{SCHEMA}: what a webhook of digestbot is sent",
    }

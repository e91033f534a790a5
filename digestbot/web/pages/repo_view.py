"""What the pages about repos show: the contract of their JSON twins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from digestbot.policy.finding import Status
from digestbot.report.contract import ScanError
from digestbot.service.times import stamp
from digestbot.store.of_repo import RepoProposal
from digestbot.store.repo_state import RepoState
from digestbot.web.links import pull_link

_DOCUMENTED = {"use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class RepoPull:
    """A proposal of a repo."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    branch: str
    number: int | None
    """Of its pull request; null where there is none."""
    url: str | None
    """The page of its pull request; null where it is not on the host of its repo."""
    title: str
    state: str
    """`open`, `waiting`, `merged`, `closed`, `rejected`, `adopted` or `ended`."""
    message: str
    opened_at: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class ReposRow:
    """A repo in the list of all of them."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
    name: str
    target: str
    """The target of the configuration that it is of."""
    state: RepoState
    """What somebody has to see to first. `denied`: something pins a digest of the `deny` list.
    `problems`: not everything could be done. `failed`: nobody could say what a tag has.
    `none-pinned`: no image in it has a digest that is followed. `new`: it was not worked on yet."""
    counts: dict[Status, int]
    """How many image references have each status."""
    denied: int
    """How many of them pin a digest of the `deny` list."""
    behind_since: str | None
    """Since when its oldest pin is behind, in UTC; null where none is."""
    open_proposals: int
    proposal: RepoPull | None
    """The open proposal that waits for longest."""
    scanned_at: str | None
    """When it was worked on last, in UTC; null where it never was."""
    errors: int
    """How many things went wrong with it."""
    error: str | None
    """The first of them."""
    left_out: str | None
    """Why it is not touched, as a slug; null where it is worked on."""
    gone_at: str | None
    """Since when it is not listed any more, in UTC."""


@dataclass(frozen=True, slots=True)
class ReposView:
    """The repos that were asked for, a page of them."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    total: int
    """How many there are on all pages."""
    repos: list[ReposRow]


@dataclass(frozen=True, slots=True)
class RepoReason:
    """Why something is as it is."""

    reason: str
    """A stable slug."""
    message: str


@dataclass(frozen=True, slots=True)
class RepoFindingRow:
    """An image reference in a file of the repo."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    path: str
    line: int
    column: int
    url: str | None
    """The very line on the forge, in the commit that was scanned."""
    written: str
    image: str
    """With its tag, and its platform where it has one."""
    image_id: int | None
    """Its page is `/images/{image_id}`; null where it is not followed."""
    digest: str | None
    """What is pinned."""
    new_digest: str | None
    """What is to be pinned instead."""
    status: Status
    reason: str
    """A stable slug."""
    message: str
    hint: str
    """What to do about it; may be empty."""
    until: str | None
    """When what is held is looked at again, in UTC."""
    behind_since: str | None
    """Since when the pin is behind, in UTC; null where it is not."""
    is_at_least: bool
    """It is behind for longer: the digest was never seen as the tag's."""


@dataclass(frozen=True, slots=True)
class RepoIgnore:
    """An image that somebody asked to have left alone."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
    image: str
    """With its tag."""
    is_everywhere: bool
    """It is left alone in all repos."""
    until: str
    """The last day, in UTC: `2026-12-24`."""
    reason: str
    who: str
    at: str
    """When it was asked for, in UTC."""


@dataclass(frozen=True, slots=True)
class RepoView:
    """One repo."""

    __pydantic_config__: ClassVar = _DOCUMENTED

    id: int
    name: str
    target: str
    """The target of the configuration that it is of."""
    url: str | None
    """Its page on the forge."""
    state: RepoState
    """What somebody has to see to first. `denied`: something pins a digest of the `deny` list.
    `problems`: not everything could be done. `failed`: nobody could say what a tag has.
    `none-pinned`: no image in it has a digest that is followed. `new`: it was not worked on yet."""
    default_branch: str
    head: str | None
    """The newest commit there, as it was listed last."""
    listed_at: str
    scanned_head: str | None
    """The commit that the findings are of."""
    scanned_at: str | None
    """When it was worked on last, in UTC; null where it never was."""
    due: str | None
    """Why it is worked on in the next cycle: `first-seen`, `moved`, `pulse`, `asked`, `offers`,
    `room` or `time`; null where nothing is known that it is for."""
    due_at: str | None
    """When it is worked on again although nothing moves, in UTC."""
    left_out: RepoReason | None
    """Why it is not touched; null where it is worked on."""
    gone_at: str | None
    """Since when it is not listed any more, in UTC."""
    behind_since: str | None
    """Since when its oldest pin is behind, in UTC; null where none is."""
    counts: dict[Status, int]
    """How many image references have each status."""
    denied: int
    """How many of them pin a digest of the `deny` list."""
    errors: list[ScanError]
    badge: str | None
    """The path of its badge; null where there is none."""
    total: int
    """How many findings there are that were asked for, on all pages."""
    findings: list[RepoFindingRow]
    proposals: list[RepoPull]
    """Those that are open first, then those that ended last; up to 50."""
    images: list[str]
    """The images that it follows, with their tags; up to 200."""
    ignores: list[RepoIgnore]
    """What is left alone in it because somebody asked for that, the newest first; up to 50."""


def told(moment: datetime | None) -> str | None:
    """A time as contracts write it, where there is one."""
    return None if moment is None else stamp(moment)


def pull_of(repo_url: str, one: RepoProposal) -> RepoPull:
    """A proposal, with the link to its pull request where it is on the host of its repo."""
    return RepoPull(
        branch=one.branch,
        number=one.number or None,
        url=pull_link(repo_url, one.url),
        title=one.title,
        state=one.state.value,
        message=one.message,
        opened_at=told(one.opened_at),
        ended_at=told(one.ended_at),
    )

"""From what is wanted and what the forge has now to the steps between them.

Pure, and derived anew each time: after the steps were done the same question has no steps for
an answer, and after some of them it has the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from digestbot.forge.pull import Pull, Survey
from digestbot.forge.repo import Mode, Repo
from digestbot.proposals.budget import Room
from digestbot.proposals.grouping import groups_of, proposals_of
from digestbot.proposals.marker import read_marker
from digestbot.proposals.outcome import Outcome, Plan, Verdict
from digestbot.proposals.proposal import Proposal, Writer
from digestbot.proposals.rejections import rejected
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.situation import KEPT, Fate, Situation, situations
from digestbot.proposals.unwanted import wound_up
from digestbot.proposals.update import Update
from digestbot.proposals.updates import pinned_keys
from digestbot.proposals.wanted import opened, pushed, refreshed
from digestbot.scan.result import ScanResult


@dataclass(frozen=True, slots=True)
class Wish:
    """What a scan of one repo asks for.

    Attributes:
        updates: In order of their keys.
        result: The scan they come from, for the bytes of the files.
        modes: What git says each file is, by path.
        adopted: Pull requests of others that bring an update, by its key.
        unknown: The image:tags that could not be looked up, or are held back.
        denied: The keys in pull requests that must not be proposed any longer.
        is_complete: Whether everything was read and looked up.
        fresh: The branches whose pull requests were opened in this run, a moment ago.
        room: How many new pull requests the run has left; None is no limit.
    """

    updates: tuple[Update, ...]
    result: ScanResult
    modes: Mapping[str, Mode] = field(default_factory=dict)
    adopted: Mapping[str, Pull] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    is_complete: bool = True
    fresh: frozenset[str] = frozenset()
    room: Room | None = None


def reconcile(
    repo: Repo, wish: Wish, survey: Survey, settings: ProposalSettings, writer: Writer
) -> Plan:
    """The steps that bring the forge from `survey` to `wish`, and what then has become of all."""
    if repo.head is None or not settings.enabled:
        return Plan()
    sites = situations(repo, repo.head, survey, settings)
    shares = _shared_out(wish, survey, settings, repo, sites)
    proposals = proposals_of(shares.wanted, settings, wish.result, wish.modes)
    sites = situations(repo, repo.head, survey, settings, (one.branch for one in proposals))
    fates = _fates(wish, sites, proposals, writer)
    verdicts = [fate.verdict for fate in fates.values() if fate.verdict is not None]
    steps = tuple(step for fate in fates.values() for step in fate.steps)
    return Plan(
        steps=steps,
        verdicts=tuple(_merged(verdicts, _others(shares, settings))),
        proposals=proposals,
        is_final=all(fate.is_final for fate in fates.values()),
    )


@dataclass(frozen=True, slots=True)
class _Shares:
    """The updates by what becomes of them; the pulls say no, or bring them."""

    wanted: tuple[Update, ...]
    rejected: tuple[tuple[Update, Pull], ...]
    adopted: tuple[tuple[Update, Pull], ...]


def _shared_out(
    wish: Wish,
    survey: Survey,
    settings: ProposalSettings,
    repo: Repo,
    sites: Mapping[str, Situation],
) -> _Shares:
    no = rejected(survey, settings)
    # What we propose already stays ours, whoever proposes it as well.
    ours = {key for site in sites.values() for key in _keys(site.pull)}
    theirs = {
        key: pull
        for key, pull in wish.adopted.items()
        if key not in ours and key not in no and pull.base == repo.default_branch
    }
    return _Shares(
        tuple(one for one in wish.updates if one.key not in no and one.key not in theirs),
        tuple((one, no[one.key]) for one in wish.updates if one.key in no),
        tuple((one, theirs[one.key]) for one in wish.updates if one.key in theirs),
    )


def _fates(
    wish: Wish, sites: Mapping[str, Situation], proposals: Iterable[Proposal], writer: Writer
) -> dict[str, Fate]:
    """What becomes of each branch: old ones end first, so that there is room for new ones."""
    wanted = {one.branch: one for one in proposals}
    fates = {
        name: wound_up(site, is_in_doubt=_is_in_doubt(wish, site, None))
        for name, site in sites.items()
        if name not in wanted
    }
    for name, proposal in wanted.items():
        pull = sites[name].pull
        if pull is not None and _is_in_doubt(wish, sites[name], proposal):
            fates[name] = _kept(sites[name])
        elif pull is not None:
            is_fresh = name in wish.fresh
            fates[name] = refreshed(sites[name], pull, proposal, writer, is_fresh=is_fresh)
    fates |= _new(wish, sites, [one for one in proposals if one.branch not in fates], fates, writer)
    return fates


def _new(
    wish: Wish,
    sites: Mapping[str, Situation],
    proposals: Iterable[Proposal],
    fates: Mapping[str, Fate],
    writer: Writer,
) -> dict[str, Fate]:
    """The proposals that have no pull request yet, as many as there is room for."""
    closed = sum(
        fate.verdict is not None and fate.verdict.outcome in (Outcome.CLOSED, Outcome.MERGED)
        for name, fate in fates.items()
        if sites[name].pull is not None
    )
    count = sum(site.pull is not None for site in sites.values()) - closed
    found: dict[str, Fate] = {}
    taken = 0
    for proposal in proposals:
        site = sites[proposal.branch]
        limit = _limit(site.settings, wish.room, count + taken, taken)
        if not site.has_pulls:
            fate = pushed(site, proposal, writer)
        elif limit is not None and not site.is_touched:
            fate = Fate((), site.verdict(Outcome.LIMITED, limit, writer.title(proposal)))
        else:
            fate = opened(site, proposal, writer)
            taken += bool(fate.steps)
        found[proposal.branch] = fate
    return found


def _limit(settings: ProposalSettings, room: Room | None, count: int, taken: int) -> str | None:
    """Why one more pull request cannot be opened; None where it can."""
    if count >= settings.open_limit:
        return f"{count} are open in this repo, and no more may be (open limit)"
    if room is not None and taken >= room.count:
        return room.reason or "no more may be opened in this run"
    return None


def _kept(site: Situation) -> Fate:
    return Fate((), site.verdict(Outcome.KEPT, KEPT))


def _is_in_doubt(wish: Wish, site: Situation, proposal: Proposal | None) -> bool:
    """Whether something would go from an open proposal that may well be needed.

    Something does go where a file or an image of it is not in what is wanted now. What brings
    a denied digest is never needed, whatever else is in it.
    """
    if not wish.denied.isdisjoint(_keys(site.pull)):
        return False
    if wish.is_complete and not wish.unknown:
        return False
    if site.pull is None or proposal is None:
        return _may_hold_unknown(wish, site)
    images = {str(update.image) for update in proposal.updates}
    paths = {file.path for file in proposal.files}
    has_all = images.issuperset(_images(site.pull)) and paths.issuperset(site.pull.paths)
    return not has_all and _may_hold_unknown(wish, site)


def _may_hold_unknown(wish: Wish, site: Situation) -> bool:
    keys, here = _keys(site.pull), pinned_keys(wish.result)
    images = {_image(key) for key in keys if key not in here}
    return not wish.is_complete or not keys or not images.isdisjoint(wish.unknown)


def _images(pull: Pull | None) -> frozenset[str]:
    """The image:tags that a pull request of ours says it is about."""
    return frozenset(map(_image, _keys(pull)))


def _image(key: str) -> str:
    return key.partition("@")[0]


def _keys(pull: Pull | None) -> tuple[str, ...]:
    marker = None if pull is None else read_marker(pull.body)
    return () if marker is None else marker.keys


def _others(shares: _Shares, settings: ProposalSettings) -> Iterable[Verdict]:
    """What became of the updates that are in no proposal of ours."""
    told = (
        (Outcome.REJECTED, "was closed unmerged, and is not proposed again", shares.rejected),
        (Outcome.ADOPTED, "already brings it", shares.adopted),
    )
    for outcome, said, pairs in told:
        pulls = {update.key: pull for update, pull in pairs}
        for branch, updates in groups_of((one for one, _ in pairs), settings).items():
            pull = pulls[updates[0].key]
            names = ", ".join(dict.fromkeys(str(one.image) for one in updates))
            message = f"{names}: #{pull.number} {said}"
            yield Verdict(branch, outcome, message, pull.title, pull.number, pull.url)


def _merged(verdicts: Iterable[Verdict], others: Iterable[Verdict]) -> Iterable[Verdict]:
    """One verdict per branch: that on the proposal, and in it what is left out of it."""
    found: dict[str, Verdict] = {verdict.branch: verdict for verdict in verdicts}
    for other in others:
        main = found.get(other.branch)
        if main is None:
            found[other.branch] = other
        else:
            message = f"{main.message}; {other.message}"
            found[other.branch] = replace(main, message=message)
    return found.values()

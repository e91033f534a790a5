"""How pull requests of many repos fare: one query for 25 of them, as a rule.

More are asked where a commit has more than 100 checks, and where some of them fail: then those
of the commit that the pull request is based on are asked for, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.answer import Partial
from digestbot.forge.github.checked import CONTEXT, CONTEXTS, Rollup, read_rollup
from digestbot.forge.github.failures import malformed
from digestbot.forge.github.reading import dig
from digestbot.forge.github.session import Session
from digestbot.forge.github.strict import need_commit
from digestbot.forge.github.watched import STATUS, Watched, read_watched
from digestbot.forge.sha import CommitSha
from digestbot.forge.watching import ChecksOf, PullId, PullStatus

MOST_PULLS = 25
MOST_COMMITS = 25
MOST_PAGES = 10
_FEW = 5
_ROLLUP = "statusCheckRollup"
_TOO_SLOW = frozenset({"unavailable", "timeout"})
_COMMIT = """
 repo{n}: repository(owner: $owner{n}, name: $name{n}) {{ object(oid: $oid{n}) {{
  ... on Commit {{ oid statusCheckRollup {{ contexts(first: {first}, after: $after{n}) {{
   pageInfo {{ hasNextPage endCursor }} nodes {{ ...Context }}
  }} }} }}
 }} }}"""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit, by its repo's name."""

    repo: str
    sha: CommitSha


def statuses(session: Session, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
    """How these fare; those that GitHub does not show, or not now, lack.

    `base_checks` is asked for only where checks of the head fail.

    Raises:
        ForgeError: It cannot be known.
    """
    known = [one for one in dict.fromkeys(pulls) if one.repo.count("/") == 1]
    found: dict[PullId, PullStatus] = {}
    for batch in _batches(known, MOST_PULLS):
        told = _with_checks(session, _ask(session, batch))
        found |= _with_base(session, told)
    return found


def pulls_document(repos: Sequence[int]) -> str:
    """The text of a query for so many pull requests of each repo."""
    variables, parts, n = "", "", 0
    for r, count in enumerate(repos):
        numbers = range(n, n + count)
        variables += f", $owner{r}: String!, $name{r}: String!"
        variables += "".join(f", $number{k}: Int!" for k in numbers)
        inner = "".join(
            f" pull{k}: pullRequest(number: $number{k}) {{ ...Status }}" for k in numbers
        )
        parts += f" repo{r}: repository(owner: $owner{r}, name: $name{r}) {{{inner} }}\n"
        n += count
    return f"query Statuses({variables[2:]}) {{\n{parts}}}{STATUS}{CONTEXT}"


def commits_document(count: int) -> str:
    """The text of a query for a page of the checks of each of so many commits."""
    numbers = range(count)
    variables = "".join(
        f", $owner{n}: String!, $name{n}: String!, $oid{n}: GitObjectID!, $after{n}: String"
        for n in numbers
    )
    parts = "".join(_COMMIT.format(n=n, first=CONTEXTS) for n in numbers)
    return f"query Checks({variables[2:]}) {{{parts}\n}}{CONTEXT}"


def _ask(session: Session, pulls: Sequence[PullId]) -> dict[PullId, Watched]:
    """What there is of these; a few at a time where GitHub does not manage in its time."""
    try:
        return _ask_once(session, pulls)
    except ForgeError as error:
        if error.code not in _TOO_SLOW or len(pulls) <= _FEW:
            raise
    found: dict[PullId, Watched] = {}
    for few in _batches(pulls, _FEW):
        found |= _ask_once(session, few)
    return found


def _ask_once(session: Session, pulls: Sequence[PullId]) -> dict[PullId, Watched]:
    by_repo: dict[str, list[PullId]] = {}
    for pull in pulls:
        by_repo.setdefault(pull.repo, []).append(pull)
    variables: dict[str, object] = {}
    places: dict[PullId, tuple[str, str]] = {}
    for r, (repo, ones) in enumerate(by_repo.items()):
        variables[f"owner{r}"], _, variables[f"name{r}"] = repo.partition("/")
        for pull in ones:
            n = len(places)
            variables[f"number{n}"] = pull.number
            places[pull] = (f"repo{r}", f"pull{n}")
    document = pulls_document([len(ones) for ones in by_repo.values()])
    answer = session.graphql_partial(document, variables)
    try:
        found = dict(_read_pulls(answer, places))
    except ValueError:
        raise malformed("pull requests", is_write=False) from None
    _refuse_nothing(answer, is_empty=not found)
    return found


def _read_pulls(
    answer: Partial, places: Mapping[PullId, tuple[str, str]]
) -> Iterator[tuple[PullId, Watched]]:
    # Without the permission to read checks all the rest is still told.
    dark = {
        path
        for path, error in answer.errors.items()
        if _ROLLUP in path and isinstance(error, RefusedError)
    }
    broken = {path[:2] for path in answer.errors.keys() - dark}
    dark = {path[:2] for path in dark}
    for pull, place in places.items():
        node = dig(answer.data, *place)
        if node is not None and place not in broken:
            yield pull, read_watched(node, sees_checks=place not in dark)


def _refuse_nothing(answer: Partial, *, is_empty: bool) -> None:
    """Raise what went wrong, where nothing came and that is not for good."""
    for path, error in answer.errors.items():
        if not path or (is_empty and not isinstance(error, RefusedError)):
            raise error


def _with_checks(session: Session, watched: Mapping[PullId, Watched]) -> dict[PullId, PullStatus]:
    heads = {pull: _Commit(pull.repo, one.status.head) for pull, one in watched.items()}
    checks = _read_on(session, {heads[pull]: one.rollup for pull, one in watched.items()})
    return {
        pull: replace(one.status, checks=checks[heads[pull]])
        for pull, one in watched.items()
        if heads[pull] in checks
    }


def _with_base(session: Session, told: Mapping[PullId, PullStatus]) -> dict[PullId, PullStatus]:
    """With what failed before: of interest to those alone of which something fails."""
    bases = {pull: _Commit(pull.repo, one.base) for pull, one in told.items() if one.checks.failing}
    checks = _read_on(session, dict.fromkeys(bases.values(), Rollup(after="")))
    found: dict[PullId, PullStatus] = {}
    for pull, one in told.items():
        if pull not in bases:
            found[pull] = one
        elif bases[pull] in checks:
            found[pull] = replace(one, base_checks=checks[bases[pull]])
    return found


def _read_on(session: Session, begun: Mapping[_Commit, Rollup]) -> Mapping[_Commit, ChecksOf]:
    """What the checks of these commits say, all pages of them; those that broke off lack."""
    told = dict(begun)
    for _ in range(MOST_PAGES):
        unread = [commit for commit, one in told.items() if one.after is not None]
        for batch in _batches(unread, MOST_COMMITS):
            pages = _ask_commits(session, {one: told[one].after or None for one in batch})
            for commit in batch:
                before = told.pop(commit)
                if commit in pages:
                    page = pages[commit]
                    told[commit] = Rollup() if page is None else before.with_more(page)
    return {commit: one.summary() for commit, one in told.items()}


def _ask_commits(
    session: Session, wanted: Mapping[_Commit, str | None]
) -> dict[_Commit, Rollup | None]:
    """A page of each; None of a commit that is gone, or whose checks may not be seen."""
    variables: dict[str, object] = {}
    for n, (commit, after) in enumerate(wanted.items()):
        variables[f"owner{n}"], _, variables[f"name{n}"] = commit.repo.partition("/")
        variables |= {f"oid{n}": commit.sha.value, f"after{n}": after}
    answer = session.graphql_partial(commits_document(len(wanted)), variables)
    errors = {path[:1]: error for path, error in answer.errors.items()}
    refused = {place for place, error in errors.items() if isinstance(error, RefusedError)}
    broken = errors.keys() - refused
    _refuse_nothing(answer, is_empty=len(broken) == len(wanted))
    found: dict[_Commit, Rollup | None] = {}
    for n, commit in enumerate(wanted):
        place = (f"repo{n}",)
        if place not in broken:
            node = None if place in refused else dig(answer.data, *place, "object")
            found[commit] = _read_commit(node, commit)
    return found


def _read_commit(node: object, commit: _Commit) -> Rollup | None:
    if node is None:
        return None
    try:
        if need_commit(node, "oid") == commit.sha:
            return read_rollup(dig(node, _ROLLUP))
    except ValueError:
        pass
    raise malformed(f"checks of {commit.sha} in {commit.repo}", is_write=False)


def _batches(items: Sequence[_T], most: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]

"""What there is of one repo: its open pull requests, and all about the branches asked for.

One query as a rule; more where there are more than 50 open pull requests or 20 branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from digestbot.forge.github.failures import malformed
from digestbot.forge.github.reading import dig
from digestbot.forge.github.session import Session
from digestbot.forge.github.strict import UnexpectedError
from digestbot.forge.github.surveyed import (
    COMMENTS,
    ELSEWHERE,
    ENDED,
    PAGE,
    PATHS,
    BranchAnswer,
    Page,
    read_branch,
    read_ended,
    read_page,
)
from digestbot.forge.pull import Pull, Survey
from digestbot.forge.repo import Repo

MOST_BRANCHES = 20
MOST_PAGES = 20
_ROLLUP = "statusCheckRollup"
_PULL = """
fragment Core on PullRequest {
  number url state title body isDraft isCrossRepository
  headRefName headRefOid baseRefName author { login } viewerDidAuthor
}
"""
_OPEN = f"""
fragment Open on PullRequest {{
  ...Core mergeable
  files(first: {PATHS}) {{ nodes {{ path }} }}
}}
"""
_DETAILED = f"""
fragment Detailed on PullRequest {{
  ...Open mergeStateStatus
  comments(last: {COMMENTS}) {{ nodes {{ viewerDidAuthor body }} }}
  timelineItems(first: 100, itemTypes: [
    LABELED_EVENT, ASSIGNED_EVENT, REVIEW_REQUESTED_EVENT,
    AUTO_MERGE_ENABLED_EVENT, AUTO_SQUASH_ENABLED_EVENT, AUTO_REBASE_ENABLED_EVENT
  ]) {{ nodes {{ __typename }} }}
  commits(last: 1) {{
    nodes {{ commit {{ oid {_ROLLUP} {{ state contexts(first: 1) {{ totalCount }} }} }} }}
  }}
}}
"""
_TARGET = """
fragment Target on Ref {
  target { oid ... on Commit { tree { oid } parents(first: 2) { nodes { oid } } message } }
}
"""
_PAGE = f"""
  open: pullRequests(
    states: [OPEN], first: {PAGE}, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}
  ) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...Open }} }}"""
# Anyone may open pull requests from a branch to all others: that to the base is asked for apart.
_BRANCH = """
  ref{n}: ref(qualifiedName: $ref{n}) {{
    ...Target
    elsewhere: associatedPullRequests(states: [OPEN], first: {elsewhere}) {{ nodes {{ ...Open }} }}
    associatedPullRequests(states: [OPEN], baseRefName: $base, first: 5) {{
      nodes {{ ...Detailed }}
    }}
  }}
  ended{n}: pullRequests(
    headRefName: $branch{n}, states: [CLOSED, MERGED], first: {ended},
    orderBy: {{field: CREATED_AT, direction: DESC}}
  ) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...Core }} }}"""
ENDED_DOCUMENT = f"""
query Ended($owner: String!, $name: String!, $branch: String!, $after: String) {{
 repository(owner: $owner, name: $name) {{
  ended: pullRequests(
    headRefName: $branch, states: [CLOSED, MERGED], first: {PAGE}, after: $after,
    orderBy: {{field: CREATED_AT, direction: DESC}}
  ) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...Core }} }}
 }}
}}
{_PULL}"""


@dataclass(frozen=True, slots=True)
class _Question:
    """What one query asks for; `after` None: no open pull requests, empty: their first page."""

    branches: tuple[str, ...] = ()
    after: str | None = None


def survey(session: Session, repo: Repo, branches: Sequence[str]) -> Survey:
    """The branches of these names, and the pull requests.

    Of open pull requests these are the newest thousand, and all that come from the branches;
    of ended ones the newest twenty of each branch name, less those that came from forks.

    Raises:
        ForgeError: It cannot be known.
    """
    answers: list[BranchAnswer] = []
    listed: list[Pull] = []
    names = tuple(dict.fromkeys(branches))
    for start in range(0, max(len(names), 1), MOST_BRANCHES):
        after = None if start else ""
        question = _Question(names[start : start + MOST_BRANCHES], after)
        found, page = _ask(session, repo, question)
        answers += (_with_older(session, repo, answer) for answer in found)
        listed += page.pulls
        if question.after is not None:
            listed += _later_pages(session, repo, page)
    return _survey(answers, listed)


def survey_document(branches: int, *, with_open: bool) -> str:
    """The text of a query for so many branches, with or without open pull requests."""
    numbers = range(branches)
    variables = "".join(f", $ref{n}: String!, $branch{n}: String!" for n in numbers)
    variables += ", $base: String!" if branches else ""
    parts = [_PAGE] if with_open else []
    parts += [_BRANCH.format(n=n, ended=ENDED, elsewhere=ELSEWHERE) for n in numbers]
    fragments = [_PULL, _OPEN] if with_open or branches else []
    fragments += [_DETAILED, _TARGET] if branches else []
    after = ", $after: String" if with_open else ""
    return (
        f"query Survey($owner: String!, $name: String!{after}{variables}) {{\n"
        f" repository(owner: $owner, name: $name) {{{''.join(parts)}\n }}\n}}"
        f"{''.join(fragments)}"
    )


def read_answer(
    data: Mapping[str, object],
    branches: Sequence[str],
    *,
    with_open: bool = True,
    sees_checks: bool = True,
) -> tuple[tuple[BranchAnswer, ...], Page]:
    """What the answer to such a query says.

    Raises:
        ValueError: It is no such answer.
    """
    found = data.get("repository")
    if not isinstance(found, Mapping):
        raise UnexpectedError("no repository")
    told = tuple(
        read_branch(name, found.get(f"ref{n}"), found.get(f"ended{n}"), sees_checks=sees_checks)
        for n, name in enumerate(branches)
    )
    return told, read_page(found.get("open")) if with_open else Page(())


def _ask(
    session: Session, repo: Repo, question: _Question
) -> tuple[tuple[BranchAnswer, ...], Page]:
    with_open = question.after is not None
    owner, _, name = repo.name.partition("/")
    variables: dict[str, object] = {"owner": owner, "name": name}
    if with_open:
        variables["after"] = question.after or None
    if question.branches:
        variables["base"] = repo.default_branch
    for n, branch in enumerate(question.branches):
        variables |= {f"ref{n}": f"refs/heads/{branch}", f"branch{n}": branch}
    document = survey_document(len(question.branches), with_open=with_open)
    answer = session.graphql_partial(document, variables)
    for path, error in answer.errors.items():
        # Without the permission to read checks all the rest is still told.
        if _ROLLUP not in path:
            raise error
    try:
        return read_answer(
            answer.data, question.branches, with_open=with_open, sees_checks=not answer.errors
        )
    except ValueError:
        raise malformed(f"survey of {repo.name}", is_write=False) from None


def _later_pages(session: Session, repo: Repo, page: Page) -> Iterator[Pull]:
    for _ in range(MOST_PAGES - 1):
        if not page.after:
            return
        _, page = _ask(session, repo, _Question(after=page.after))
        yield from page.pulls


def _with_older(session: Session, repo: Repo, answer: BranchAnswer) -> BranchAnswer:
    """The answer with as many ended pull requests as if forks had sent none of that name."""
    owner, _, name = repo.name.partition("/")
    ended, after = answer.ended, answer.older
    for _ in range(MOST_PAGES):
        if not after or len(ended) >= ENDED:
            break
        variables = {"owner": owner, "name": name, "branch": answer.name, "after": after}
        data = session.graphql(ENDED_DOCUMENT, variables)
        try:
            more, after = read_ended(answer.name, dig(data, "repository", "ended"), PAGE)
        except ValueError:
            raise malformed(f"survey of {repo.name}", is_write=False) from None
        ended += more
    return replace(answer, ended=ended[:ENDED])


def _survey(answers: Sequence[BranchAnswer], listed: Sequence[Pull]) -> Survey:
    pulls = {pull.number: pull for pull in listed}
    for answer in answers:
        pulls |= {pull.number: pull for pull in answer.ended}
        pulls |= {pull.number: pull for pull in answer.opened}
    found = (answer.branch for answer in answers)
    return Survey(
        branches={branch.name: branch for branch in found if branch is not None},
        pulls=tuple(pulls[number] for number in sorted(pulls, reverse=True)),
    )

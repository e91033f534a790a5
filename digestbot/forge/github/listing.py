"""Finds repos: one GraphQL query for each hundred, which brings all that a first look needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from digestbot.forge.errors import ForgeError, RefusedError
from digestbot.forge.github.listed import Listed, read_branches, read_listed
from digestbot.forge.github.reading import dig, items
from digestbot.forge.github.session import Session
from digestbot.forge.repo import LeftOut, Repo
from digestbot.globs import matches

_FIELDS = """
fragment Listed on Repository {
  nameWithOwner url isArchived isDisabled isFork isLocked viewerPermission
  autoMergeAllowed deleteBranchOnMerge
  defaultBranchRef { name target { oid ... on Commit { tree { oid } } } }
  repositoryTopics(first: 20) @include(if: $withTopics) { nodes { topic { name } } }
  refs(refPrefix: $prefix, first: 10) @include(if: $withBranches) { ...Ours }
}
"""
_OURS = """
fragment Ours on RefConnection {
  pageInfo { hasNextPage }
  nodes {
    prefix name target { oid }
    associatedPullRequests(states: [OPEN], first: 5) {
      nodes { number createdAt updatedAt viewerDidAuthor }
    }
  }
}
"""
_FLAGS = "$prefix: String!, $withTopics: Boolean!, $withBranches: Boolean!"
_OWNER = f"""
query ReposOfOwner($owner: String!, $first: Int!, $after: String, {_FLAGS}) {{
  repositoryOwner(login: $owner) {{
    repositories(
      first: $first, after: $after, ownerAffiliations: [OWNER],
      orderBy: {{field: NAME, direction: ASC}}
    ) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...Listed }}
    }}
  }}
}}
{_FIELDS}{_OURS}"""
_REPO = f"""
query OneRepo($owner: String!, $name: String!, {_FLAGS}) {{
  repository(owner: $owner, name: $name) {{ ...Listed }}
}}
{_FIELDS}{_OURS}"""
_BRANCHES = f"""
query OurBranches($owner: String!, $name: String!, $prefix: String!) {{
  repository(owner: $owner, name: $name) {{
    refs(refPrefix: $prefix, first: 100) {{ ...Ours }}
  }}
}}
{_OURS}"""
_MOST_PAGES = 1000
_PAGE = 100
_SMALLEST_PAGE = 20
_TOO_SLOW = frozenset({"unavailable", "timeout"})


@dataclass(frozen=True, slots=True)
class Selection:
    """Which repos of an owner are meant.

    Attributes:
        names: Globs on the name without owner; none is every repo.
        topics: A repo has at least one of them; none is every repo.
        is_proposing: Whether it is about pull requests, so that push permission is needed.
        prefix: What the names of our branches begin with.
        is_rehearsal: Whether nothing will be pushed after all.
    """

    names: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    is_proposing: bool = False
    prefix: str = "digestbot/"
    is_rehearsal: bool = False


class GitHubListing:
    """The repos of a target: `owner/repo`, or all of an owner, which is a user or an org."""

    def __init__(self, session: Session, target: str, selection: Selection | None = None) -> None:
        self._session = session
        self._owner, _, self._name = target.partition("/")
        self._selection = selection or Selection()

    def repos(self) -> Iterator[Repo | LeftOut]:
        """Every repo of the target, page by page.

        Raises:
            ForgeError: The target cannot be listed.
        """
        if self._name:
            yield self._one()
            return
        installed = self._installed() if self._session.is_app else None
        for node in self._nodes():
            yield self._judge(node, installed)

    def _one(self) -> Repo | LeftOut:
        variables = {**self._variables(), "owner": self._owner, "name": self._name}
        node = dig(self._session.graphql(_REPO, variables), "repository")
        if not isinstance(node, Mapping):
            raise self._unknown(f"{self._owner}/{self._name}")
        return self._judge(node, None)

    def _nodes(self) -> Iterator[object]:
        after: object = None
        for _ in range(_MOST_PAGES):
            found = self._page(after)
            yield from items(found.get("nodes"))
            if dig(found, "pageInfo", "hasNextPage") is not True:
                return
            before, after = after, dig(found, "pageInfo", "endCursor")
            if after in (None, before):
                break
        message = f"GitHub's list of the repos of {self._owner} has no end"
        raise ForgeError(message, code="malformed")

    def _page(self, after: object, size: int = _PAGE) -> Mapping[str, object]:
        """The page behind a cursor; a smaller one where GitHub does not manage in its time."""
        variables = {**self._variables(), "owner": self._owner, "first": size, "after": after}
        try:
            page = self._session.graphql_partial(_OWNER, variables)
        except ForgeError as error:
            if error.code not in _TOO_SLOW or size <= _SMALLEST_PAGE:
                raise
            return self._page(after, size // 5)
        found = dig(page.data, "repositoryOwner", "repositories")
        if not isinstance(found, Mapping):
            raise next(iter(page.errors.values()), self._unknown(self._owner))
        return found

    def _judge(self, node: object, installed: frozenset[str] | None) -> Repo | LeftOut:
        listed = read_listed(node, self._selection.prefix)
        if isinstance(listed, LeftOut):
            return listed
        reason = next(self._reasons(listed, installed), None)
        if reason is not None:
            return LeftOut(listed.repo.name, *reason)
        if listed.has_more_branches:
            return self._with_all_branches(listed)
        return listed.repo

    def _reasons(
        self, listed: Listed, installed: frozenset[str] | None
    ) -> Iterator[tuple[str, str]]:
        """Why a repo is left out, as slug and sentence."""
        if not self._name:
            yield from _unwanted(listed, self._selection)
        if installed is not None and listed.repo.name.lower() not in installed:
            yield "not-installed", "the GitHub App is not installed for it"
        if listed.is_archived and (self._selection.is_proposing or not self._name):
            yield "archived", "it is archived"
        if listed.is_disabled:
            yield "disabled", "GitHub has disabled it"
        if listed.is_locked:
            yield "locked", "it is locked, or on its way to another place"
        if listed.repo.head is None:
            yield "empty", "nothing was ever committed to its default branch"
        must_push = self._selection.is_proposing and not self._selection.is_rehearsal
        if must_push and not listed.may_push:
            yield "no-push-permission", "the token may not push to it"

    def _with_all_branches(self, listed: Listed) -> Repo:
        owner, _, name = listed.repo.name.partition("/")
        variables = {"owner": owner, "name": name, "prefix": self._variables()["prefix"]}
        data = self._session.graphql(_BRANCHES, variables)
        return read_branches(listed.repo, dig(data, "repository", "refs"), self._selection.prefix)

    def _installed(self) -> frozenset[str]:
        """The repos that the App is installed for; without it, public ones seem to be ours."""
        names: set[str] = set()
        for page in range(1, _MOST_PAGES):
            query = {"per_page": _PAGE, "page": page}
            data = self._session.rest("GET", "/installation/repositories", query=query).data
            found = list(items(dig(data, "repositories")))
            names.update(str(dig(one, "full_name")).lower() for one in found)
            if len(found) < _PAGE:
                break
        return frozenset(names)

    def _variables(self) -> dict[str, object]:
        folder = self._selection.prefix.rpartition("/")[0]
        return {
            "prefix": f"refs/heads/{folder}/" if folder else "refs/heads/",
            # Who proposes keeps them, for rollouts that go by them: a point more for each page.
            "withTopics": bool(self._selection.topics) or self._selection.is_proposing,
            "withBranches": self._selection.is_proposing,
        }

    def _unknown(self, target: str) -> RefusedError:
        return RefusedError(
            f"there is no {target} at {self._session.settings.web_url}, or no access to it",
            code="not-found-or-no-access",
            hint="check the name, and that the token or the App has access to it",
        )


def _unwanted(listed: Listed, selection: Selection) -> Iterator[tuple[str, str]]:
    """Why a repo is none of those that are meant; one that is asked for by name always is."""
    name = listed.repo.name.partition("/")[2].lower()
    globs = [glob.lower() for glob in selection.names]
    if globs and not any(matches(name, glob) for glob in globs):
        yield "name", "its name is not among those asked for"
    if selection.topics and not set(selection.topics).intersection(listed.repo.topics):
        yield "topic", "it has none of the topics asked for"
    if listed.is_fork:
        yield "fork", "it is a fork"

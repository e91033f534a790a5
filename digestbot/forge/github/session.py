"""One way to GitHub for all threads: limits kept, tokens fresh, every failure one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from digestbot.clock import Clock
from digestbot.forge.errors import ForgeError
from digestbot.forge.github.settings import GitHubSettings


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub answered: `data` is the JSON, None without a body.

    The names of `headers` are in lower case.
    """

    status: int
    data: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Partial:
    """The data of a GraphQL answer, and what is wrong with parts of it.

    The key of `errors` is the path of a part, as (`repository`, `pullRequests`, 0).
    """

    data: Mapping[str, object]
    errors: Mapping[tuple[str | int, ...], ForgeError] = field(default_factory=dict)


class Session:
    """Asks and tells one GitHub on behalf of one owner's repos; safe from many threads."""

    def __init__(self, settings: GitHubSettings, owner: str, clock: Clock | None = None) -> None:
        self.settings = settings
        self.owner = owner
        self.clock = clock or Clock()

    def rest(
        self,
        verb: str,
        path: str,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to one REST call: 2xx, or 304 where `headers` ask for that.

        Args:
            verb: GET and HEAD read, all others write.
            path: `/repos/acme/app/…`, its parts quoted.
            body: What is sent as JSON.
            query: What stands behind the `?`.
            headers: More headers.

        Raises:
            UnsettledError: A write may or may not have happened, or somebody was faster.
            DeferredError: A limit is used up for longer than `max_wait_s`.
            RefusedError: GitHub says no; `code` says why.
            ForgeError: Anything else.
        """
        raise NotImplementedError

    def graphql(
        self, document: str, variables: Mapping[str, object], *, is_write: bool = False
    ) -> Mapping[str, object]:
        """The `data` of a GraphQL answer that has no errors.

        Raises:
            ForgeError: As for `rest`, and for the first of the errors in the answer.
        """
        raise NotImplementedError

    def graphql_partial(self, document: str, variables: Mapping[str, object]) -> Partial:
        """The `data` of a query, with the errors of its parts.

        Raises:
            ForgeError: As for `rest`, or there is no data at all.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError

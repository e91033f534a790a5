"""GitHub itself: what happened in repos, and which repos came or went."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import (
    Delivery,
    Hint,
    ListHint,
    MalformedError,
    Reading,
    RepoHint,
)
from digestbot.service.hooks.payload import (
    Fields,
    known_id,
    read_object,
    section,
    section_or_empty,
    text,
    text_or_empty,
)
from digestbot.service.hooks.signatures import is_signed

_LISTS = frozenset({"installation", "installation_repositories", "repository"})
_REPOS = frozenset({"push", "pull_request", "check_suite"})
_FULL_NAME = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)


def is_from_github(delivery: Delivery, secret: Secret) -> bool:
    """Whether it was signed with the webhook's secret.

    See https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
    """
    return is_signed(delivery, secret, "x-hub-signature-256", "sha256", "sha256=")


def event_of(delivery: Delivery) -> str:
    """The name of the event."""
    return delivery.headers.get("x-github-event", "")


def delivery_id(delivery: Delivery) -> str:
    """GitHub's name of the delivery; a delivery that is sent again keeps it."""
    return known_id(delivery.headers.get("x-github-delivery", ""))


@dataclass(frozen=True, slots=True)
class GitHub:
    """The webhook of a GitHub App, an organisation or a repo.

    See https://docs.github.com/webhooks/webhook-events-and-payloads.

    Attributes:
        prefix: What the names of our branches begin with.
    """

    prefix: str = "digestbot/"

    def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
        """Whether it was signed with the webhook's secret."""
        return is_from_github(delivery, secret)

    def read(self, delivery: Delivery, registry: str) -> Reading:
        """The repo that is worth looking at, or that the list of repos is.

        Raises:
            MalformedError: It is not what GitHub sends.
        """
        event = event_of(delivery)
        hints: tuple[Hint, ...] = ()
        if event in _LISTS:
            text(read_object(delivery.body), "action")
            hints = (ListHint(),)
        elif event in _REPOS:
            payload = read_object(delivery.body)
            repo = section(payload, "repository")
            if self._is_of_interest(event, payload, repo):
                hints = (RepoHint(_full_name(repo)),)
        return Reading(hints, delivery_id(delivery))

    def _is_of_interest(self, event: str, payload: Fields, repo: Fields) -> bool:
        if event == "push":
            return text(payload, "ref") == f"refs/heads/{text(repo, 'default_branch')}"
        action = text(payload, "action")
        if event == "check_suite":
            branch = text_or_empty(section(payload, event), "head_branch")
            return action == "completed" and branch.startswith(self.prefix)
        head = section(section(payload, event), "head")
        # Anybody may propose from a fork, and name the branch as they like.
        origin = text_or_empty(section_or_empty(head, "repo"), "full_name")
        is_ours = text(head, "ref").startswith(self.prefix) and origin == text(repo, "full_name")
        return action == "closed" and is_ours


def _full_name(repo: Fields) -> str:
    name = text(repo, "full_name")
    if not _FULL_NAME.fullmatch(name):
        raise MalformedError("full_name is not the name of a repo")
    return name

"""The tags of a repository, page by page; see OCI distribution-spec, Listing Tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from digestbot.registry.client import RegistryClient
from digestbot.registry.errors import RegistryError
from digestbot.registry.manifests import read_object
from digestbot.registry.message import Response
from digestbot.registry.origin import read_origin, resolve_url
from digestbot.registry.pace import Deadline

PAGE = 1000
MAX_PAGES = 500
MAX_TAGS = 200_000
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_NEXT = re.compile(r'<([^<>]{1,8192})>\s{0,8};\s{0,8}rel="?next"?', re.IGNORECASE)


def list_tags(client: RegistryClient, repository: str, deadline: Deadline) -> tuple[str, ...]:
    """All tags, in the registry's order, which has no meaning.

    Raises:
        RegistryError: A page is missing or makes no sense; no part of a list is ever returned.
    """
    tags: dict[str, None] = {}
    for body in _pages(client, repository, deadline):
        tags |= dict.fromkeys(_read_page(body, client.registry))
        if len(tags) > MAX_TAGS:
            message = f"{client.registry} lists more than {MAX_TAGS} tags"
            raise RegistryError(message, code="answer-too-large", host=client.registry)
    return tuple(tags)


def _pages(client: RegistryClient, repository: str, deadline: Deadline) -> Iterator[bytes]:
    path, query = f"/v2/{repository}/tags/list", f"n={PAGE}"
    seen: set[str] = set()
    while query not in seen and len(seen) < MAX_PAGES:
        seen.add(query)
        response = client.fetch(f"{path}?{query}", repository, deadline)
        yield response.body
        following = _next_query(response, client.registry)
        if following is None:
            return
        query = following
    message = (
        f"{client.registry} lists tags without end: more than {len(seen)} pages, or in a circle"
    )
    raise RegistryError(message, code="unexpected", host=client.registry)


def _next_query(response: Response, host: str) -> str | None:
    """The query of the next page; the path stays: Artifactory's links lack a part of it."""
    found = _NEXT.search(response.header("link"))
    if found is None:
        return None
    try:
        url = resolve_url(response.url, found[1])
        is_here = read_origin(url) == response.origin
    except ValueError:
        is_here = False
    if not is_here:
        message = f"{host} says that its list of tags goes on elsewhere"
        raise RegistryError(message, code="unexpected", host=host)
    return urlsplit(url).query


def _read_page(body: bytes, host: str) -> Iterator[str]:
    tags = read_object(body, "list of tags", host).get("tags")
    if tags is None:
        return
    if not isinstance(tags, list):
        message = f"the list of tags that {host} sends holds no tags"
        raise RegistryError(message, code="bad-manifest", host=host)
    # Artifactory lists digests between the tags, Nexus null.
    yield from (tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag))

"""Links to the forge: only to pages of the web, and only where the repo itself is.

Addresses come from the forge, paths from whoever may push: what could lead elsewhere is no link.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from digestbot.report.plain import path_bytes

_SEGMENT = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+"
_PAGE = re.compile(
    rf"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?:/{_SEGMENT})*/?",
    re.ASCII,
)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
# Browsers resolve these before they ask, however they are written.
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.ASCII | re.IGNORECASE)
_LONGEST = 2000


def page_link(url: str) -> str | None:
    """The address of a page on a forge; None where it is none that a browser may be sent to.

    It has a scheme of the web, a host, and a path without detours; nothing else, and no login.
    """
    if len(url) > _LONGEST or not _PAGE.fullmatch(url):
        return None
    return None if _has_detour(urlsplit(url).path) else url


def line_link(repo_url: str, commit: str | None, path: str, line: int) -> str | None:
    """The line of a file in a commit, on the page of its repo; None without such a page.

    Every character of the path that means something in an address is quoted.
    """
    page = page_link(repo_url)
    if page is None or commit is None or not _COMMIT.fullmatch(commit) or line < 1:
        return None
    quoted = quote(path_bytes(path), safe="/")
    if not quoted or _has_detour(quoted) or "" in quoted.split("/"):
        return None
    return f"{page.rstrip('/')}/blob/{commit}/{quoted}#L{line}"


def pull_link(repo_url: str, url: str) -> str | None:
    """The page of a pull request; None where it is not on the host of its repo's page."""
    home, page = page_link(repo_url), page_link(url)
    if home is None or page is None:
        return None
    return page if _origin(page) == _origin(home) else None


def _has_detour(path: str) -> bool:
    return any(_DOTS.fullmatch(segment) for segment in path.split("/"))


def _origin(page: str) -> tuple[str, str]:
    parts = urlsplit(page)
    return parts.scheme, parts.netloc.lower()

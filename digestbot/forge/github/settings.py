"""Which GitHub, as whom, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from digestbot.errors import UsageError
from digestbot.secret import NO_SECRET, Secret

GITHUB_COM = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` of something in any `span_s` seconds.

    Attributes:
        counts: `writes` counts each write as one; `rest` and `graphql` count points, which
            are 1 for a read and 5 for a write.
    """

    counts: str
    limit: int
    span_s: float


WINDOWS = (
    Window("writes", 18, 15.0),
    Window("writes", 500, 3600.0),
    Window("rest", 225, 15.0),
    Window("graphql", 500, 15.0),
)
"""GitHub's limits. Those of a minute are kept by the quarter, so that nobody waits long; of
writes with some room, as they do not arrive as evenly as they are sent.

Source: docs.github.com, "Rate limits for the REST API", "About secondary rate limits".
"""


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """How to speak with one GitHub.

    Attributes:
        api_url: Where its REST API is.
        token: Of a user, or of a job; unused where there is an `app_id`.
        app_id: Of a GitHub App: its number, or its client id.
        private_key: Of that App, as PEM.
        max_wait_s: For how long one call may wait for limits, all in all.
        timeout_s: For how long the server may be silent.
        concurrency: How many requests may be under way at the same time.
        windows: What may be asked in how much time; GitHub Enterprise Server may know none.
    """

    api_url: str = GITHUB_COM
    token: Secret = NO_SECRET
    app_id: str = ""
    private_key: Secret = NO_SECRET
    max_wait_s: float = 30.0
    timeout_s: int = 30
    concurrency: int = 100
    windows: tuple[Window, ...] = WINDOWS

    def __post_init__(self) -> None:
        """Check where the token would go.

        Raises:
            UsageError: The address of the API is none, or would be spoken to in the clear.
        """
        hint = "it looks like https://api.github.com, or https://HOST/api/v3"
        try:
            url = urlsplit(self.api_url)
            is_one = bool(url.hostname) and url.port != 0 and url.scheme in {"https", "http"}
        except ValueError:
            is_one = False
        if not is_one or url.username is not None or url.query or url.fragment:
            raise UsageError("that is no address of GitHub's API", hint=hint)
        if url.scheme == "http" and not _is_loopback(url.hostname or ""):
            message = f"{url.hostname}: the token would go over the network in the clear"
            raise UsageError(message, hint=hint)

    @property
    def web_url(self) -> str:
        """Where people look at it, and git clones from; without a slash at the end.

        `https://github.com`; `https://HOST` of GitHub Enterprise Server; `https://SUB.ghe.com`.
        """
        url = urlsplit(self.api_url)
        host = url.netloc
        if url.path.rstrip("/") != "/api/v3":
            host = host.removeprefix("api.")
        return f"{url.scheme}://{host}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

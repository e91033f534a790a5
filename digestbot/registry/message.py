"""One request to a registry, and its answer; no HTTP library in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from digestbot.registry.addresses import ONLY_PUBLIC, Kind, Reach
from digestbot.registry.origin import Origin

MANIFEST_LIMIT = 8 * 1024 * 1024
TOKEN_LIMIT = 64 * 1024
ERROR_LIMIT = 64 * 1024
_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        method: `HEAD`, `GET` or `POST`.
        url: Absolute, checked by `read_origin`.
        reach: The addresses that the host of the URL may have.
        headers: Sent as they are; `Authorization` never to another origin.
        body: A form, for POST.
        limit: Bytes that a successful answer may have, after decompression.
        about: The registry this is for, by its name in image references.
    """

    method: str
    url: str
    reach: Reach = ONLY_PUBLIC
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    limit: int = MANIFEST_LIMIT
    about: str = ""

    def authorized(self, header: str) -> Request:
        """The same request with this `Authorization`."""
        return replace(self, headers={**self.headers, "Authorization": header})


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered, at the end of all redirects.

    Attributes:
        status: The HTTP status.
        headers: Pairs of lower-case name and value, in order; a name may occur twice.
        body: Read whole, decompressed; of an error, the beginning.
        url: Where the answer came from.
        origin: The origin of `url`.
        hops: How many requests it took.
        found: The kind of address the first host was at; None behind a proxy.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    url: str = ""
    origin: Origin | None = None
    hops: int = 1
    found: Kind | None = None

    @property
    def is_error(self) -> bool:
        """Whether the status is 4xx or 5xx."""
        return self.status >= _FIRST_ERROR

    def header(self, name: str) -> str:
        """The first value of a header, by its lower-case name; empty where it is missing."""
        return next((value for key, value in self.headers if key == name), "").strip()

    def header_lines(self, name: str) -> tuple[str, ...]:
        """All values of a header, by its lower-case name."""
        return tuple(value for key, value in self.headers if key == name)

    @property
    def media_type(self) -> str:
        """`Content-Type` without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

"""URLs of git repositories: which ones git may be given at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from digestbot.forge.errors import RefusedError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|[0-9a-f:]+", re.ASCII | re.IGNORECASE)
_SCP = re.compile(
    r"[a-z0-9][a-z0-9._-]*@(?P<host>[a-z0-9][a-z0-9.-]*):(?!/?-)(?P<path>[^:]+)",
    re.ASCII | re.IGNORECASE,
)
_SSH_USER = re.compile(r"[a-z0-9_][a-z0-9._-]*", re.ASCII | re.IGNORECASE)
_FORMS = "write https://host/path.git, ssh://host/path.git or git@host:path.git"


@dataclass(frozen=True, slots=True)
class GitUrl:
    """A URL that was checked; `origin` is scheme, host and port: what a password is for."""

    text: str
    protocol: str
    origin: str

    @classmethod
    def parse(cls, text: str, *, allow_file: bool = False) -> GitUrl:
        """The URL in this text.

        Git would start programs for some (`ext::…`), and ssh take others for options.

        Raises:
            RefusedError: It is no URL that we use.
        """
        if not text.isprintable() or " " in text or text.startswith("-") or "::" in text[:8]:
            raise _refused("that is no URL of a git repository")
        if found := _SCP.fullmatch(text):
            return cls(text, "ssh", f"ssh://{found['host']}")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise _refused("the URL cannot be read") from None
        if parts.scheme == "file" and allow_file and not host:
            return cls(text, "file", "file://")
        _check(text, host)
        shown = f"[{host}]" if ":" in host else host
        return cls(text, parts.scheme, f"{parts.scheme}://{shown}{f':{port}' if port else ''}")


def _check(text: str, host: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http", "ssh"}:
        raise _refused("the URL is no https or ssh URL")
    if not _HOST.fullmatch(host) or not parts.path.strip("/"):
        raise _refused("the URL names no git repository")
    if parts.query or parts.fragment:
        raise _refused(f"the URL of {host} has a query in it")
    is_ssh_user = parts.scheme == "ssh" and _SSH_USER.fullmatch(parts.username or "")
    if "@" in parts.netloc and (not is_ssh_user or parts.password is not None):
        raise RefusedError(
            f"the URL of {host} has a user or password in it, which others could read",
            code="password-in-url",
            hint="take it out of the URL; where a login is needed, use the ssh URL",
        )
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise RefusedError(
            f"the URL of {host} is not encrypted", code="not-encrypted", hint="write https://"
        )


def _refused(message: str) -> RefusedError:
    return RefusedError(message, code="bad-url", hint=_FORMS)

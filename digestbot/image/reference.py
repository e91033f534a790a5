"""An image reference, by the grammar of distribution/reference.

The text as it was written is kept, and so are tag *and* digest: the tag says what to
follow, the digest what is pinned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digestbot.errors import DigestbotError
from digestbot.image.digest import Digest

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"
MAX_REPOSITORY = 255
MAX_TAG = 128

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"

_RE_COMPONENT = re.compile(_COMPONENT, re.ASCII)
_RE_PATH = re.compile(_PATH, re.ASCII)
_RE_DOMAIN = re.compile(_DOMAIN, re.ASCII)
_RE_TAG = re.compile(_TAG, re.ASCII)
_RE_DIGEST = re.compile(_DIGEST, re.ASCII)
_RE_IMAGE_ID = re.compile(r"[a-f0-9]{64}", re.ASCII)


class InvalidReferenceError(DigestbotError):
    """A text is not an image reference; the message says which rule broke."""


@dataclass(frozen=True, slots=True)
class ImageTag:
    """What a registry is asked about: one tag of one repository, fully spelled out."""

    registry: str
    repository: str
    tag: str

    @property
    def image(self) -> str:
        """Registry and repository: `docker.io/library/python`."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One reference: where the image lives, its tag and digest, and the text as written."""

    written: str
    registry: str
    repository: str
    tag: str | None
    digest: Digest | None

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Read a reference such as `python:3.12@sha256:…` or `[::1]:5000/a/b`.

        Follows `ParseNormalizedNamed` of distribution/reference, but keeps the tag beside
        a digest.

        Raises:
            InvalidReferenceError: A rule of the grammar is broken; the message names it.
        """
        if not text:
            raise InvalidReferenceError("the image reference is empty")
        if _RE_IMAGE_ID.fullmatch(text):
            raise _invalid(text, "64 hex digits are an image id, not a repository")
        rest, digest = _split_digest(text)
        rest, tag = _split_tag(text, rest)
        registry, repository = _split_registry(text, rest)
        return cls(text, registry, repository, tag, digest)

    @property
    def image(self) -> str:
        """Registry and repository: `docker.io/library/python`."""
        return f"{self.registry}/{self.repository}"

    @property
    def followed(self) -> ImageTag | None:
        """The tag to ask about; `latest` where neither tag nor digest is written.

        None for a digest without a tag: nothing says where its successor would be found.
        """
        if self.tag is not None:
            return ImageTag(self.registry, self.repository, self.tag)
        if self.digest is None:
            return ImageTag(self.registry, self.repository, DEFAULT_TAG)
        return None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        if not (tag or digest):
            tag = f":{DEFAULT_TAG}"
        return f"{self.image}{tag}{digest}"


def _invalid(text: str, rule: str) -> InvalidReferenceError:
    return InvalidReferenceError(f"invalid image reference {text[:120]!r}: {rule}")


def _split_digest(text: str) -> tuple[str, Digest | None]:
    rest, at, written = text.partition("@")
    if not at:
        return text, None
    if not _RE_DIGEST.fullmatch(written) and "@" in written:
        raise _invalid(text, "it has more than one '@'")
    try:
        return rest, Digest.parse(written)
    except ValueError as error:
        raise _invalid(text, str(error)) from error


def _split_tag(text: str, rest: str) -> tuple[str, str | None]:
    # A colon after the last slash starts a tag; any other belongs to a port or to IPv6.
    slash = rest.rfind("/")
    colon = rest.find(":", slash + 1)
    if colon < 0:
        return rest, None
    if slash < 0 and rest.startswith("["):
        raise _invalid(text, "a registry address must be followed by '/' and a repository")
    tag = rest[colon + 1 :]
    if not _RE_TAG.fullmatch(tag):
        if len(tag) > MAX_TAG:
            raise _invalid(text, f"the tag has {len(tag)} characters, at most {MAX_TAG} may be")
        raise _invalid(text, f"tag {tag!r} must be letters, digits, '_', '.', '-'")
    return rest[:colon], tag


def _split_registry(text: str, name: str) -> tuple[str, str]:
    first, slash, remainder = name.partition("/")
    if slash and _is_registry(first):
        if not _RE_DOMAIN.fullmatch(first):
            raise _invalid(text, f"{first!r} is not a registry host")
        registry, repository = first, remainder
    else:
        registry, repository = DEFAULT_REGISTRY, name
    if registry == "index.docker.io":
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    _check_repository(text, repository)
    return registry, repository


def _is_registry(component: str) -> bool:
    return (
        component == "localhost"
        or "." in component
        or ":" in component
        or component.lower() != component
    )


def _check_repository(text: str, repository: str) -> None:
    if len(repository) > MAX_REPOSITORY:
        raise _invalid(
            text,
            f"the repository has {len(repository)} characters, at most {MAX_REPOSITORY} may be",
        )
    if _RE_PATH.fullmatch(repository):
        return
    if repository.removeprefix("library/") == "":
        raise _invalid(text, "the repository is missing")
    if _RE_PATH.fullmatch(repository.lower()):
        raise _invalid(text, f"repository name {repository!r} must be lowercase")
    bad = next(part for part in repository.split("/") if not _RE_COMPONENT.fullmatch(part))
    if not bad:
        raise _invalid(text, "the repository has an empty path component")
    raise _invalid(
        text,
        f"repository component {bad!r} must be lowercase letters and digits, "
        "separated by '.', '_', '__' or '-'",
    )

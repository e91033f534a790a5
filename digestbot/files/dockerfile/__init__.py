"""Dockerfiles: which paths are some, and the image references their bytes hold."""

from __future__ import annotations

import re

from digestbot.files.dockerfile.read import read

__all__ = ["matches", "read"]

_NAME = re.compile(
    r"(?:.+\.)?(?:docker|container)file | dockerfile\..+ | containerfile.+",
    re.IGNORECASE | re.VERBOSE,
)
# Not builds: what a build leaves out, and what editors and patches leave behind.
_OTHER = re.compile(r".*(?:ignore|~|\.(?:sw[a-p]|bak|orig|rej|md))", re.IGNORECASE)


def matches(path: str) -> bool:
    """Whether the last part of this path names a Dockerfile or a Containerfile.

    `Dockerfile`, `Dockerfile.*` and `*.Dockerfile` in any case, and `Containerfile*`.
    """
    name = path.rpartition("/")[2]
    return _NAME.fullmatch(name) is not None and _OTHER.fullmatch(name) is None

"""Requests that GitHub takes although its description does not say so; each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LABELS = "POST /repos/{owner}/{repo}/issues/{issue_number}/labels"

# The prose of the description still allows a plain array of names, and PyGithub sends one.
_REQUESTS: dict[str, Callable[[Any], bool]] = {
    _LABELS: lambda body: isinstance(body, list) and all(isinstance(one, str) for one in body),
}


def allows_request(operation: str, body: Any) -> bool:
    return operation in _REQUESTS and _REQUESTS[operation](body)

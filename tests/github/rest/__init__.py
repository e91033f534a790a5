"""REST: importing this registers every handler."""

from __future__ import annotations

from tests.github.rest import apps, checks, git, issues, pulls, repos
from tests.github.rest.router import HANDLERS

__all__ = ["HANDLERS", "apps", "checks", "git", "issues", "pulls", "repos"]

"""Globs on names, as `fnmatch` knows them; a long list of them costs what its length says."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache


def matches(name: str, glob: str) -> bool:
    """Whether the whole name matches, with regard to case; `*` matches `/` as well."""
    return _compiled(glob).match(name) is not None


# fnmatch remembers 256 of them, less than a configuration may have: each would be made anew for
# each name.
@lru_cache(maxsize=8192)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))

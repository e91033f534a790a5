"""What a `.dockerignore` leaves of a folder, by the rules of Docker's documentation.

The last line that fits a path, or a folder above it, decides; `!` brings back.
https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath


def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.strip("/"))
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts))


def is_kept(path: str, rules: str) -> bool:
    """Whether a file, named from the root of the context, reaches the build."""
    kept = True
    above = [path, *map(str, PurePosixPath(path).parents)]
    for line in rules.splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#"):
            pattern = _pattern(rule.removeprefix("!"))
            if any(pattern.fullmatch(each) for each in above):
                kept = rule.startswith("!")
    return kept


def kept_files(folder: Path, rules: str) -> list[str]:
    """All files of a folder that reach the build; hidden folders are not looked into."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(".") and path.is_file() and is_kept(name, rules):
            found.append(name)
    return found

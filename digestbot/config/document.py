"""The record of a configuration file as it was written, before anything is checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from digestbot.config.issues import Issue, KeyPath


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says: its data, where each key stands (line, column from 1), what is wrong."""

    data: dict[str, object] = field(default_factory=dict)
    places: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def place_of(self, path: KeyPath) -> tuple[int, int]:
        """Where this key stands, or the nearest one around it; (0, 0) for the whole."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (0, 0))

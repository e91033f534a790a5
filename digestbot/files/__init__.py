"""From bytes to occurrences, from edits to bytes. Pure: no disk, no network."""

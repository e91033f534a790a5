"""The fingerprint of a proposal: by it two of them are known to propose the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from digestbot.proposals.update import Update

_LENGTH = 16


def fingerprint_of(updates: Iterable[Update]) -> str:
    """16 hex digits over (path, image:tag, new digest) of every place that changes.

    Lines may move, and the digests that are pinned now may differ, without changing it; one
    more place in a file does.
    """
    places = {
        (edit, str(update.image), str(update.new))
        for update in updates
        for finding in update.findings
        for edit in finding.edits
    }
    told = sorted((edit.path, image, new) for edit, image, new in places)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:_LENGTH]

"""What must never stand in a log: texts that look like secrets lose what is secret in them.

Secrets are kept out where they are handled; this is for the one that got away, most likely in
the words of a library or of a server.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
LONGEST_TEXT: Final = 16 * 1024
"""Characters that are looked through; a longer text loses its end before that."""

SECRET_KEY: Final = re.compile(
    r"authori[sz]ation|cookie|passw(?:or)?d|passphrase|secret|token|api_?key|private_?key"
    r"|credential|signature",
    re.IGNORECASE,
)
"""What the names of fields have in them whose texts nobody should read."""

_HARMLESS_SCHEMES: Final = r"https?|ssh|git|file|oci|docker|postgresql(?:\+psycopg)?|sqlite"
# Each pattern, and what is put in place of what it finds. All take linear time: what repeats
# without bound can neither match what follows it, nor begin again inside itself.
_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), shown)
    for pattern, shown in (
        # Source: docs.github.com, "GitHub's token formats"; those of Apps may hold a JWT.
        (r"\b(gh[a-z]_|github_pat_)[\w.-]{4,}", r"\1***"),
        (r"\b(glpat-|dckr_(?:pat|oat)_|xox[a-z]-|npm_)[\w.-]{4,}", r"\1***"),
        # A JWT, or another JSON object in base64.
        (r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}", MASK),
        (r"\b(authorization['\"]?\s?[:=]\s?['\"]?(?:\w{1,20}\s)?)[^\s,;'\"]+", r"\1***"),
        (r"\b((?:bearer|basic)\s)(?=[a-z._~+/-]*(?:[0-9]|=+(?:\s|$)))[\w.~+/=-]{6,}", r"\1***"),
        (r"\b(hooks\.slack(?:-gov)?\.com/)[^\s'\"<>]+", r"\1***"),
        (r"([a-z0-9+.-]://)[^\s/?#'\"]*@", r"\1***@"),
        (
            r"([?&][\w.-]{0,40}(?:token|sig|secret|passw(?:or)?d|key)[\w.-]{0,40}=)[^&\s'\"]+",
            r"\1***",
        ),
        (r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[^-]*", r"\1***"),
        # Services of Apprise have addresses whose every part may be a secret.
        (
            rf"(?<![\w+.-])(?!(?:{_HARMLESS_SCHEMES}):)([a-z][a-z0-9+.-]{{1,20}}://)[^\s'\"]+",
            r"\1***",
        ),
    )
)


def masked(text: str) -> str:
    """The text with `***` in place of each secret in it."""
    text = text[:LONGEST_TEXT]
    for pattern, shown in _RULES:
        text = pattern.sub(shown, text)
    return text

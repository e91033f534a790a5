"""Badges for READMEs: small pictures that say how fresh the base images are.

Nobody learns from a badge that a repo is there: to those who are not signed in the door opens
only for the names that the configuration makes public, whether there is such a repo or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from markupsafe import escape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digestbot.globs import matches
from digestbot.store.database import Database
from digestbot.store.standing import Standing, standing

FLEET = "/badges/fleet.svg"
REPOS = "/badges/repos/"
MAX_AGE_S = 300
LABEL = "base images"
_SUFFIX = ".svg"
# White on each of them has a contrast of at least 6:1.
_TONES = {
    "good": "#146c37",
    "warn": "#8a5200",
    "hold": "#6a35b5",
    "dim": "#566072",
}
# Widths in Verdana at 11 px, in tenths of it; a browser then fits the text to their sum.
_WIDTHS = dict.fromkeys("fijlrt ,", 40) | dict.fromkeys("mw", 96)
_USUAL = 65
_PADDING = 6


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says, and in which tone."""

    word: str
    tone: str


UNKNOWN = Badge("unknown", "dim")


def badge_of(stands: Standing) -> Badge:
    """What is to be said of repos that stand so."""
    behind = stands.stale + stands.held
    if not stands.settled:
        return UNKNOWN
    if behind:
        return Badge(f"{behind:,} behind", "warn" if stands.stale else "hold")
    if stands.failed:
        return UNKNOWN
    return Badge("fresh", "good") if stands.current else Badge("none pinned", "dim")


def badge_svg(badge: Badge, label: str = LABEL) -> str:
    """A badge as SVG: no script, no style, nothing from elsewhere; readable aloud."""
    left, right = _width(label), _width(badge.word)
    wide = left + right + 4 * _PADDING
    split = left + 2 * _PADDING
    title = escape(f"{label}: {badge.word}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="20" '
        f'viewBox="0 0 {wide} 20" role="img" aria-label="{title}"><title>{title}</title>'
        f'<rect width="{wide}" height="20" rx="4" fill="#333c4a"/>'
        f'<path fill="{_TONES[badge.tone]}" d="M{split} 0h{wide - split - 4}a4 4 0 0 1 4 4v12'
        f'a4 4 0 0 1-4 4h-{wide - split - 4}z"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        f'aria-hidden="true">{_text(label, _PADDING, left)}'
        f"{_text(badge.word, split + _PADDING, right)}</g></svg>\n"
    )


def is_public(path: str, public: Sequence[str]) -> bool:
    """Whether anybody may ask for the badge at this path, where these globs are public."""
    if path == FLEET:
        return bool(public)
    if not (path.startswith(REPOS) and path.endswith(_SUFFIX)):
        return False
    name = path.removeprefix(REPOS).removesuffix(_SUFFIX).lower()
    return any(matches(name, glob.lower()) for glob in public)


def badge_routes(database: Database, public: Sequence[str] = ()) -> list[BaseRoute]:
    """The routes of the badges."""

    def badge(request: Request) -> Response:
        name: str | None = request.path_params.get("name")
        if name is not None:
            name = name.replace("\0", "?")  # Nothing is called so; PostgreSQL takes no NUL.
        with database.reading() as connection:
            stands = standing(connection, name)
        status = 404 if name is not None and not stands.repos else 200
        return _answer(request, badge_of(stands), status, is_open=is_public(_path(request), public))

    return [Route(FLEET, badge), Route(f"{REPOS}{{name:path}}{_SUFFIX}", badge)]


def _answer(request: Request, badge: Badge, status: int, *, is_open: bool) -> Response:
    svg = badge_svg(badge)
    tag = f'"{hashlib.sha256(svg.encode()).hexdigest()[:16]}"'
    headers = {
        "etag": tag,
        "cache-control": f"{'public' if is_open else 'private'}, max-age={MAX_AGE_S}",
        # Pages of others show those that are public.
        "cross-origin-resource-policy": "cross-origin" if is_open else "same-origin",
    }
    if status == HTTPStatus.OK and _has(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(svg, status, headers, media_type="image/svg+xml")


def _has(request: Request, tag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    return tag in {one.strip().removeprefix("W/") for one in known.split(",")}


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    return path


def _width(text: str) -> int:
    return round(sum(_WIDTHS.get(letter, _USUAL) for letter in text) / 10)


def _text(text: str, x: int, width: int) -> str:
    return f'<text x="{x}" y="14" textLength="{width}">{escape(text)}</text>'

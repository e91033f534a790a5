"""Which places a rollout is about: by image, by what they pin now, and by where they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from digestbot.globs import matches
from digestbot.image import Digest, ImageTag, Platform

_NARROWS: Final = ("digests", "behind", "orgs", "repos", "topics", "paths", "owners")


@dataclass(frozen=True, slots=True)
class Place:
    """A pin in a repo, as the state has it.

    Attributes:
        repo: `acme/app`.
        topics: Of the repo, as its forge lists them.
        owners: Who looks after the file, as CODEOWNERS has it, in lower case; empty where nobody
            is named.
        column: Where in its line it stands, from 1.
        written: Its text in the file; empty where that is not known.
        image: The tag that it follows.
        behind_since: Since when its digest is no longer the tag's; None where it still is.
    """

    repo: str
    path: str
    line: int
    image: ImageTag
    digest: Digest
    platform: Platform | None = None
    behind_since: datetime | None = None
    topics: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    column: int = 1
    written: str = ""

    @property
    def org(self) -> str:
        """Whom the repo belongs to."""
        return self.repo.partition("/")[0]

    @property
    def is_apart(self) -> bool:
        """Whether its tag surely does not stand right before its digest, and cannot be replaced.

        What a variable stands for is not known here.
        """
        if not self.written or "$" in self.written:
            return False
        return f":{self.image.tag}@{self.digest.algorithm}:" not in self.written


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen: all of what is said must hold, and one of each that is a list.

    Attributes:
        image: Glob on the full name, with or without its tag: `docker.io/library/alpine:3.2*`.
        digests: What is pinned now.
        behind: At least so long behind; zero for whatever is not current.
        repos: Globs on `org/name`.
        topics: Of the repo.
        paths: Globs on the path of the file.
        owners: As CODEOWNERS names them: `@acme/platform`; case is disregarded.
    """

    image: str
    digests: frozenset[Digest] = frozenset()
    behind: timedelta | None = None
    orgs: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    def chooses(self, place: Place, now: datetime) -> bool:
        """Whether a place is meant."""
        return (
            self.names(place.image)
            and (not self.digests or place.digest in self.digests)
            and (self.behind is None or _is_behind(place, self.behind, now))
            and (not self.orgs or place.org.lower() in _lower(self.orgs))
            and (not self.repos or _any(place.repo, self.repos))
            and (not self.topics or not place.topics.isdisjoint(self.topics))
            and (not self.paths or _any(place.path, self.paths))
            and (not self.owners or not _lower(self.owners).isdisjoint(_lower(place.owners)))
        )

    def misses(self, places: Iterable[Place], now: datetime) -> tuple[str, ...]:
        """What is said that none of these places fits, even by itself: names of attributes."""
        bare = Selection(self.image)
        said = {key: getattr(self, key) for key in _NARROWS}
        alone = {
            key: replace(bare, **{key: value})
            for key, value in said.items()
            if value != getattr(bare, key)
        }
        for place in places:
            alone = {key: one for key, one in alone.items() if not one.chooses(place, now)}
        return tuple(alone)

    def names(self, image: ImageTag) -> bool:
        """Whether an image is meant."""
        return matches(image.image, self.image) or matches(str(image), self.image)


def _is_behind(place: Place, least: timedelta, now: datetime) -> bool:
    return place.behind_since is not None and now - place.behind_since >= least


def _lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _any(name: str, globs: tuple[str, ...]) -> bool:
    return any(matches(name, glob) for glob in globs)

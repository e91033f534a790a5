"""What a cycle is about, where it is not about everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from digestbot.image import ImageReference, ImageTag
from digestbot.service.jobs import Job

IMAGE, REPO = "image", "repo"
ASKED = Job("asked", "asked")
"""A look at the repos that people asked for; any other job looks at them, too."""


@dataclass(frozen=True, slots=True)
class Scope:
    """These images and repos may have moved, as somebody said; nothing else is asked about.

    Attributes:
        images: Only those that a repo follows are asked about.
        repos: Names on their forge; only those that are known are looked at.
    """

    images: frozenset[ImageTag] = frozenset()
    repos: frozenset[str] = frozenset()

    @classmethod
    def of(cls, job: Job) -> Self:
        """The scope of a job `image`, with the argument `image`, `repo`, with `repo`, or `asked`.

        Raises:
            InvalidReferenceError: The image is none.
            ValueError: The job is of another name, or its image has no tag.
        """
        if job.name == ASKED.name:
            return cls()
        if job.name == REPO:
            return cls(repos=frozenset({job.arguments[REPO]}))
        if job.name != IMAGE:
            raise ValueError(f"a job {job.name!r} has no scope")
        tag = ImageReference.parse(job.arguments[IMAGE]).followed
        if tag is None:
            raise ValueError("a job 'image' needs an image with a tag")
        return cls(images=frozenset({tag}))

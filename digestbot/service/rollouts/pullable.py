"""Whether what a rollback would offer can still be had: each digest is asked for once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from digestbot.image import Digest, ImageTag
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolver
from digestbot.rollout.plan import Plan
from digestbot.rollout.progress import Target, TargetState

_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Lost:
    """A digest that repos had, and that their registry does not hand out any more.

    Attributes:
        image: The tag that they follow.
        code: A slug of `registry.errors.CODES`: what is not there, and what nobody could say.
        repos: Who had it.
    """

    image: ImageTag
    digest: Digest
    code: str
    message: str
    repos: tuple[str, ...]


def previous(plan: Plan, targets: Iterable[Target]) -> Mapping[tuple[ImageTag, Digest], list[str]]:
    """What a rollback may offer now, each image and digest with the repos that had it.

    Of some that are merged only the forge knows whether they got the digest from the rollout:
    they are among them.
    """
    back = {one.repo for one in targets if one.state is TargetState.MERGED}
    found: dict[tuple[ImageTag, Digest], list[str]] = {}
    for planned in plan.targets:
        if planned.repo in back:
            for key in dict.fromkeys((edit.image, edit.before) for edit in planned.edits):
                found.setdefault(key, []).append(planned.repo)
    return found


def lost(plan: Plan, targets: Collection[Target], resolver: Resolver) -> list[Lost]:
    """The digests of `previous` that are not known to be there, in the order of the plan.

    A digest stands in the place of the tag, as the registry's own paths have it (OCI
    distribution-spec, section Pull), so that each costs one HEAD.
    """
    wanted = previous(plan, targets)

    def ask(key: tuple[ImageTag, Digest]) -> RegistryError | None:
        image, digest = key
        try:
            found = resolver.resolve(Query(replace(image, tag=str(digest))))
        except RegistryError as error:
            return error
        if found.digest == digest:
            return None
        message = f"{image.registry} answers with another digest"
        return RegistryError(message, code="digest-mismatch", host=image.registry)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(ask, wanted))
    return [
        Lost(image, digest, error.code, str(error), tuple(repos))
        for ((image, digest), repos), error in zip(wanted.items(), answers, strict=True)
        if error is not None
    ]

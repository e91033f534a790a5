"""Whether what a rollback would offer can still be had: each digest is asked for once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from digestbot.image import Digest, ImageTag
from digestbot.registry.errors import RegistryError
from digestbot.registry.pace import Deadline
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.rollout.plan import Plan
from digestbot.rollout.progress import Target, TargetState
from digestbot.scan.lookups import Answer, look_up

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


def lost(
    plan: Plan, targets: Collection[Target], resolver: Resolver, until: Deadline | None = None
) -> list[Lost]:
    """The digests of `previous` that are not known to be there, in the order of the plan.

    A digest stands in the place of the tag, as the registry's own paths have it (OCI
    distribution-spec, section Pull), so that each costs one HEAD. After `until` none is asked
    for any more: nobody knows of the rest.
    """
    wanted = previous(plan, targets)
    asked = resolver if until is None else _InTime(resolver, until)
    answers = look_up(map(_query, wanted), asked, jobs=_AT_ONCE)
    against = {key: _against(key, answers[_query(key)]) for key in wanted}
    return [
        Lost(*key, error.code, str(error), tuple(wanted[key]))
        for key, error in against.items()
        if error is not None
    ]


def unchecked(reason: str) -> str:
    """What is kept as the reason of a way back that nobody wanted registries to be asked about."""
    return f"{reason} (not asked: whether the digests can be pulled)".strip()


def _query(key: tuple[ImageTag, Digest]) -> Query:
    image, digest = key
    return Query(replace(image, tag=str(digest)))


def _against(key: tuple[ImageTag, Digest], answer: Answer) -> RegistryError | None:
    image, digest = key
    if isinstance(answer, RegistryError):
        return answer
    if answer.digest == digest:
        return None
    message = f"{image.registry} answers with another digest"
    return RegistryError(message, code="digest-mismatch", host=image.registry)


@dataclass(frozen=True, slots=True)
class _InTime:
    """Asks nobody after its time."""

    resolver: Resolver
    until: Deadline

    def resolve(self, query: Query) -> Resolution:
        """See `Resolver.resolve`."""
        if not self.until.left:
            message = f"{query}: not asked: the others took too long"
            raise RegistryError(message, code="timeout", host=query.image.registry)
        return self.resolver.resolve(query)

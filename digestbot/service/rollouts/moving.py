"""What the images of a rollout move to: each is asked about once, and then frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from digestbot.errors import UsageError
from digestbot.image import Digest, ImageTag
from digestbot.image.tag_order import is_lower
from digestbot.policy.holding import HoldRules, compare
from digestbot.proposals.evidence import Inquiry, Witness
from digestbot.proposals.warnings import cautions, created_at, platforms_of
from digestbot.registry.errors import RegistryError
from digestbot.registry.manifests import select_platform
from digestbot.registry.mirrors import rewrite
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.registry.resolver import RegistryResolver
from digestbot.report.plain import one_line
from digestbot.rollout.plan import Move
from digestbot.scan.in_order import in_order
from digestbot.scan.lookups import look_up, lookup_problems
from digestbot.scan.result import Problem

NOT_ASKED = "no registry was asked: what it runs on and how old it is, is not known"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Knows a digest that somebody chose, once the registry of the image says that it has it."""

    digest: Digest
    registries: RegistryResolver

    def resolve(self, query: Query) -> Resolution:
        """The chosen digest; of an index, the image for the platform that is asked for.

        Raises:
            RegistryError: The registry does not have it, or does not say.
        """
        asked = rewrite(query.image, self.registries.settings.mirrors)
        deadline = self.registries.deadline()
        try:
            manifest = self.registries.manifest(asked, self.digest, deadline)
            if query.platform is None or not manifest.is_index:
                return Resolution(query, manifest.digest, manifest.media_type, asked.registry)
            child = select_platform(manifest.images, query.platform, asked.registry)
        except RegistryError as error:
            raise error.about(f"{query.image.image}@{self.digest}") from error
        return Resolution(query, child.digest, child.media_type, asked.registry)


@dataclass(frozen=True, slots=True)
class Moves:
    """What images move to.

    Attributes:
        refused: Those about which there is no answer, with the reason.
        problems: The same by host and cause.
    """

    moves: tuple[Move, ...] = ()
    refused: Mapping[Query, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Mover:
    """Asks what images move to.

    Attributes:
        resolver: Whom to ask for digests.
        registries: Whom to ask for more; None asks nobody.
        deny: What nobody is moved to.
        jobs: How many questions may be open at a time.
        to: The tag that all of them move to, which is asked about in their place; None for theirs.
    """

    resolver: Resolver
    registries: RegistryResolver | None = None
    deny: frozenset[Digest] = frozenset()
    jobs: int = 16
    to: ImageTag | None = None

    def moves(self, pinned: Mapping[Query, Sequence[Digest]]) -> Moves:
        """What each of these moves to; `pinned` are its digests now, the most used first.

        Raises:
            UsageError: One of them would get a digest that is on the deny list.
        """
        asked = {query: replace(query, image=self.to or query.image) for query in pinned}
        answers = look_up(dict.fromkeys(asked.values()), self.resolver, jobs=self.jobs)
        found = {query: answers[one] for query, one in asked.items()}
        known = {one: to for one, to in found.items() if isinstance(to, Resolution)}
        for one in known.values():
            self._check_denied(one)
        inquiry = Inquiry.of(self.registries) if self.registries else None
        moves = in_order(
            lambda one: self._move(*one, pinned[one[0]], inquiry), known.items(), jobs=self.jobs
        )
        refused = {one: str(to) for one, to in found.items() if isinstance(to, RegistryError)}
        return Moves(tuple(moves), refused, tuple(lookup_problems(answers)))

    def _check_denied(self, found: Resolution) -> None:
        if found.digest in self.deny:
            raise UsageError(
                f"{found.query} would get {found.digest}, which is on the deny list",
                hint="choose another with --to-digest or --to, or name other images",
            )

    def _move(
        self, query: Query, found: Resolution, pinned: Sequence[Digest], inquiry: Inquiry | None
    ) -> Move:
        digest = found.digest
        to = self.to if self.to != query.image else None
        lower = [_lower(query.image, to)] if to is not None and is_lower(to, query.image) else []
        if inquiry is None:
            return Move(query.image, digest, query.platform, to, remarks=(*lower, NOT_ASKED))
        new = inquiry.witness(query.image, digest)
        remarks = [*lower, *self._remarks(query, new, pinned, inquiry)]
        return Move(
            query.image,
            digest,
            query.platform,
            to,
            platforms=tuple(map(one_line, platforms_of(new.facts))) if new.facts else (),
            created=created_at(new.facts),
            # A plan is kept as JSON, which not everything that a registry says can stand in.
            remarks=tuple(dict.fromkeys(map(one_line, remarks))),
        )

    def _remarks(
        self, query: Query, new: Witness, pinned: Sequence[Digest], inquiry: Inquiry
    ) -> Iterator[str]:
        if new.facts is None:
            yield f"the registry does not describe it ({new.why_not})"
        usual = next((digest for digest in pinned if digest != new.digest), None)
        if usual is None:
            return
        old = inquiry.witness(query.image, usual)
        is_other_tag = self.to is not None and self.to != query.image
        for caution in cautions(old, new, is_other_tag=is_other_tag):
            yield f"{caution.sentence} {caution.line}".rstrip()
        yield from self._same(query, usual, new)

    def _same(self, query: Query, usual: Digest, new: Witness) -> Iterator[str]:
        """That nothing moved but notes; both manifests are at hand, where they were described."""
        registries = self.registries
        if registries is None or new.facts is None:
            return
        asked = rewrite(query.image, registries.settings.mirrors)
        try:
            old, now = (
                registries.manifest(asked, digest, registries.deadline())
                for digest in (usual, new.digest)
            )
        except RegistryError:
            return
        hold = compare(old, now, HoldRules(lost_platforms=False))
        if hold is not None:
            yield hold.message


def _lower(image: ImageTag, to: ImageTag) -> str:
    return f"{to.tag} is lower than {image.tag}: this goes back to an older release"

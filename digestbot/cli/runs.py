"""Runs over repos: what all of them share, and one target after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digestbot.cli.asking import Asking
from digestbot.cli.forges import ForgeOptions, open_forge
from digestbot.cli.targets import GitHubTarget, Target
from digestbot.forge.errors import ForgeError
from digestbot.forge.interface import Forge
from digestbot.forge.repo import LeftOut, Repo
from digestbot.image import ImageReference
from digestbot.proposals.budget import Budget, Limits
from digestbot.proposals.evidence import Inquiry
from digestbot.proposals.outcome import RepoOutcome
from digestbot.proposals.proposal import Writer
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.writer import ProposalWriter
from digestbot.registry.errors import RegistryError
from digestbot.registry.image_facts import ImageFacts
from digestbot.registry.resolution import Resolver
from digestbot.registry.resolver import RegistryResolver
from digestbot.scan.forge_files import RepoFiles
from digestbot.scan.result import Problem

Work = Callable[[Run, Iterable[Repo | LeftOut]], Generator[RepoOutcome, None, None]]
"""What is done with repos: `update_repos`, or `scan_repos`."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What the runs over several targets have in common.

    `writers` are those of the repos under way, by name.
    """

    forges: ForgeOptions
    rules_for: Callable[[RepoFiles], Rules]
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    exclude: tuple[str, ...] = ()
    is_rehearsal: bool = False
    writers: dict[str, Writer] = field(default_factory=dict)

    def over(
        self, targets: Sequence[Target], asked: Asking, work: Work
    ) -> Iterator[RepoOutcome | Problem]:
        """What became of the repos of each target; a target that cannot be listed is a problem.

        Raises:
            UsageError: A target needs packages that are not installed.
        """
        inquiry = inquiry_of(asked.registries)
        for target in targets:
            try:
                with closing(open_forge(target, self.forges)) as forge:
                    has_pulls = isinstance(target, GitHubTarget)
                    run = self.run_on(forge, asked.resolver, inquiry, has_pulls=has_pulls)
                    with closing(work(run, self._repos(forge))) as outcomes:
                        yield from outcomes
            except ForgeError as error:
                yield Problem("target", str(target), error.code, str(error), error.hint)

    def _repos(self, forge: Forge) -> Iterable[Repo | LeftOut]:
        """The repos of a forge; all of them at once only where what is open must be counted."""
        if not self.limits:
            return forge.repos()
        listed = list(forge.repos())
        repos = (repo for repo in listed if isinstance(repo, Repo))
        for room in self.limits.rooms_of(repos, datetime.now(UTC)):
            self.budget.narrow(room)
        return listed

    def run_on(self, forge: Forge, resolver: Resolver, inquiry: Inquiry, *, has_pulls: bool) -> Run:
        """What the repos of one forge have in common."""

        def writer_for(repo: Repo, settings: ProposalSettings) -> Writer:
            writer = ProposalWriter(repo, settings, inquiry, has_pulls)
            self.writers[repo.name] = writer
            return writer

        return Run(
            forge=forge,
            resolver=resolver,
            rules_for=self.rules_for,
            writer_for=writer_for,
            budget=self.budget,
            exclude=self.exclude,
            is_rehearsal=self.is_rehearsal,
        )


def inquiry_of(registries: RegistryResolver | None) -> Inquiry:
    """An inquiry with these registries.

    Where answers come from a file, registries are asked for nothing else either.
    """
    return Inquiry(_refuse) if registries is None else Inquiry.of(registries)


def _refuse(reference: ImageReference) -> ImageFacts:
    raise RegistryError(f"{reference} was not asked about", code="not-recorded", host="")

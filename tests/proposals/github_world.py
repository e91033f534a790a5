"""Whole runs of digestbot against the test GitHub, on its virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from digestbot.forge.blob_cache import BlobCache
from digestbot.forge.github.forge import open_github
from digestbot.forge.github.listing import Selection
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.repo import Repo
from digestbot.image import ImageReference
from digestbot.proposals.budget import Budget
from digestbot.proposals.evidence import Inquiry
from digestbot.proposals.fleet import update_repos
from digestbot.proposals.outcome import Outcome, RepoOutcome
from digestbot.proposals.proposal import Writer
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.writer import ProposalWriter
from digestbot.registry.errors import RegistryError
from digestbot.registry.image_facts import ImageFacts
from digestbot.registry.recorded import RecordedResolver
from digestbot.scan.forge_files import INTEREST
from digestbot.secret import Secret
from tests.github.bare import Files
from tests.github.server import GitHubServer
from tests.github.state import Pull
from tests.github.state import Repo as State
from tests.proposals.builders import digest, full

NAME = "acme/app"
BRANCH = "digestbot/images"


def nothing_recorded(reference: ImageReference) -> ImageFacts:
    raise RegistryError(f"{reference} was not asked about", code="not-recorded", host="")


@dataclass
class GitHubWorld:
    """An owner on the test GitHub and a registry; `run` is one run of digestbot over both."""

    github: GitHubServer
    target: str = NAME
    digests: dict[str, object] = field(default_factory=lambda: {"python:3": 1})
    settings: ProposalSettings = field(default_factory=ProposalSettings)
    cache: BlobCache = field(default_factory=lambda: BlobCache(None))
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.token or self.github.token().value

    def run(self, *, is_rehearsal: bool = False, budget: Budget | None = None) -> list[RepoOutcome]:
        """One run, from listing the repos to the last pull request."""
        answers = {full(image): digest(name) for image, name in self.digests.items()}
        settings = GitHubSettings(api_url=self.github.url, token=Secret(self.token))
        clock = self.github.clock.as_clock()
        selection = Selection(is_proposing=True)
        forge = open_github(
            self.target, settings, INTEREST, cache=self.cache, clock=clock, selection=selection
        )
        with closing(forge):
            run = Run(
                forge=forge,
                resolver=RecordedResolver(answers),
                rules_for=lambda _files: Rules(proposals=self.settings),
                writer_for=_writer_for,
                budget=budget or Budget(),
                is_rehearsal=is_rehearsal,
            )
            return list(update_repos(run, forge.repos()))

    def update(self) -> RepoOutcome:
        """One run over the only repo."""
        (outcome,) = self.run()
        return outcome

    def outcomes(self) -> list[Outcome]:
        """One run; what became of the proposals."""
        outcome = self.update()
        assert not outcome.problems, outcome.problems
        return [verdict.outcome for verdict in outcome.verdicts]

    @property
    def state(self) -> State:
        return self.github.repo(NAME)

    @property
    def pull(self) -> Pull:
        """The one open pull request."""
        (pull,) = self.github.pulls(NAME, "open")
        return pull

    def configure(self, **settings: object) -> None:
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type] # any of them


def _writer_for(repo: Repo, settings: ProposalSettings) -> Writer:
    return ProposalWriter(repo, settings, Inquiry(nothing_recorded))


@contextmanager
def github_world(files: Files, folder: Path | None = None, **repo: Any) -> Iterator[GitHubWorld]:
    """The repo `acme/app` with these files, until the end of the `with`."""
    with GitHubServer() as github:
        github.add_repo(NAME, dict(files), **repo)
        yield GitHubWorld(github, cache=BlobCache(folder))

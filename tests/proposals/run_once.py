"""One run of digestbot in a process of its own, for tests that kill it.

python -m tests.proposals.run_once URL TARGET DIGESTS_FILE        (the token on stdin)
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from digestbot.forge.github.forge import open_github
from digestbot.forge.github.listing import Selection
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.repo import Repo
from digestbot.image import ImageReference
from digestbot.proposals.evidence import Inquiry
from digestbot.proposals.fleet import update_repos
from digestbot.proposals.proposal import Writer
from digestbot.proposals.run import Rules, Run
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.writer import ProposalWriter
from digestbot.registry.errors import RegistryError
from digestbot.registry.image_facts import ImageFacts
from digestbot.registry.recorded import RecordedResolver, read_answers
from digestbot.scan.forge_files import INTEREST
from digestbot.secret import Secret


def main() -> None:
    url, target, digests = sys.argv[1:]
    settings = GitHubSettings(api_url=url, token=Secret(sys.stdin.read().strip()), windows=())
    forge = open_github(target, settings, INTEREST, selection=Selection(is_proposing=True))
    with closing(forge):
        run = Run(
            forge=forge,
            resolver=RecordedResolver(read_answers(Path(digests).read_text())),
            rules_for=lambda _files: Rules(proposals=ProposalSettings()),
            writer_for=_writer_for,
        )
        for _ in update_repos(run, forge.repos(), jobs=3):
            pass


def _writer_for(repo: Repo, settings: ProposalSettings) -> Writer:
    return ProposalWriter(repo, settings, Inquiry(_nothing_recorded))


def _nothing_recorded(reference: ImageReference) -> ImageFacts:
    raise RegistryError(f"{reference} was not asked about", code="not-recorded", host="")


if __name__ == "__main__":
    main()

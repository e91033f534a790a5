"""A small world: a repo, a registry, and digestbot running over both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digestbot.forge.errors import UnsettledError
from digestbot.forge.pull import Pull, Survey
from digestbot.forge.repo import Repo
from digestbot.forge.steps import Step
from digestbot.image import Digest, ImageReference
from digestbot.proposals.adoption import adopted_by, foreign_paths
from digestbot.proposals.budget import Room
from digestbot.proposals.grouping import branch_names
from digestbot.proposals.marker import Marker
from digestbot.proposals.outcome import Outcome, Plan
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.reconcile import Wish, reconcile
from digestbot.proposals.settings import ProposalSettings
from digestbot.proposals.updates import denied_keys, unknown_images, updates_of
from digestbot.registry.recorded import RecordedResolver
from digestbot.scan.engine import Policy, scan
from digestbot.scan.forge_files import RepoFile, read_files
from digestbot.scan.gate import Gate
from digestbot.scan.result import ScanResult
from tests.proposals.memory import MemoryForge, MemoryRepo

IMAGES = "digestbot/images"
MAX_ROUNDS = 5


def digest(name: object) -> Digest:
    """A digest that is always the same for the same name."""
    return Digest.of(str(name).encode())


def full(image: str) -> str:
    """`python:3` as registries are asked: `docker.io/library/python:3`."""
    return str(ImageReference.parse(image).followed)


def dockerfile(*images: str, at: object = 0) -> bytes:
    """A Dockerfile that pins these images at their digest of a name."""
    return b"".join(b"FROM %s@%s\n" % (one.encode(), str(digest(at)).encode()) for one in images)


def _asked(image: str) -> str:
    name, space, platform = image.partition(" ")
    return f"{full(name)}{space}{platform}"


def scanned(
    files: Mapping[str, bytes],
    digests: Mapping[str, object],
    *,
    pin: bool = False,
    gate: Gate | None = None,
) -> ScanResult:
    """What a scan finds; images without a digest of a name cannot be looked up."""
    answers = {_asked(image): digest(name) for image, name in digests.items()}
    sources = [RepoFile(path, "dockerfile", data) for path, data in sorted(files.items())]
    return scan(sources, RecordedResolver(answers), Policy(pin=pin, gate=gate))


class PlainWriter:
    """Says little, and counts how often it was asked for a body."""

    def __init__(self) -> None:
        self.bodies = 0

    def title(self, proposal: Proposal) -> str:
        return "Update " + ", ".join(str(one.image.tag) for one in proposal.updates)

    def message(self, proposal: Proposal) -> str:
        return self.title(proposal)

    def body(self, proposal: Proposal) -> str:
        self.bodies += 1
        keys = tuple(one.key for one in proposal.updates)
        box = "- [ ] <!-- digestbot:rebuild --> rebuild"
        return f"words\n\n{box}\n\n{Marker(proposal.fingerprint, keys)}"


@dataclass
class World:
    """A repo and a registry; `run` is what a run of digestbot does with them."""

    held: MemoryRepo
    digests: dict[str, object]
    settings: ProposalSettings = field(default_factory=ProposalSettings)
    room: Room | None = None
    gate: Gate | None = None
    is_complete: bool = True
    writer: PlainWriter = field(default_factory=PlainWriter)

    def __post_init__(self) -> None:
        self.forge = MemoryForge.of(self.held)

    @property
    def pull(self) -> Pull:
        """The one open pull request of ours."""
        (pull,) = self.held.open_pulls()
        return pull

    def plan(self) -> Plan:
        """What digestbot would do now."""
        return self._plan(self.held.shown())

    def run(self) -> list[Step]:
        """Plan and perform until nothing is left to be done; the steps that were done."""
        before = len(self.forge.performed)
        repo = self.held.shown()
        for _ in range(MAX_ROUNDS):
            plan = self._plan(repo)
            if self._perform(repo, plan) and plan.is_final:
                break
        return self.forge.performed[before:]

    def outcome(self) -> Outcome:
        """What becomes of the only branch there is."""
        (verdict,) = self.plan().verdicts
        return verdict.outcome

    def scan(self, repo: Repo) -> ScanResult:
        files = {one.path: one.read() for one in read_files(self.forge, repo).files}
        return scanned(files, self.digests, gate=self.gate)

    def _perform(self, repo: Repo, plan: Plan) -> bool:
        for step in plan.steps:
            try:
                self.forge.perform(repo, step)
            except UnsettledError:
                return False
        return True

    def _plan(self, repo: Repo) -> Plan:
        result = self.scan(repo)
        updates = updates_of(result)
        names = tuple(dict.fromkeys((*branch_names(updates, self.settings), *repo.ours)))
        survey = self.forge.survey(repo, names)
        wish = Wish(
            updates=updates,
            result=result,
            modes=read_files(self.forge, repo).modes,
            adopted=self._adopted(repo, survey, result),
            unknown=unknown_images(result),
            denied=denied_keys(survey, self.gate.denies) if self.gate else frozenset(),
            is_complete=self.is_complete,
            room=self.room,
        )
        return reconcile(repo, wish, survey, self.settings, self.writer)

    def _adopted(self, repo: Repo, survey: Survey, result: ScanResult) -> dict[str, Pull]:
        updates = updates_of(result)
        return {
            key: pull
            for pull, paths in foreign_paths(survey, updates, self.settings)
            for key in adopted_by(updates, self.forge.blobs_at(repo, pull.head, paths))
        }


def world(
    files: Mapping[str, bytes] | None = None,
    digests: Mapping[str, object] | None = None,
    **settings: Any,
) -> World:
    """A repo with one stale image, `python:3`, unless told otherwise."""
    held = MemoryRepo.of(files or {"Dockerfile": dockerfile("python:3")})
    plain = ProposalSettings(labels=(), **settings)
    return World(held, dict(digests or {"python:3": 1}), plain)

"""A small forge in memory for `digestbot demo rollout`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digestbot.cli.demo_repo import HOST, MAIN, PATH, Commit, DemoRepo
from digestbot.forge.errors import RefusedError, UnsettledError
from digestbot.forge.pull import Mergeable, Pull, PullState, Survey
from digestbot.forge.repo import Entry, Mode, Repo
from digestbot.forge.seal import sealed
from digestbot.forge.sha import CommitSha, ObjectSha
from digestbot.forge.steps import (
    ClosePull,
    Comment,
    DeleteBranch,
    EditPull,
    OpenPull,
    PushBranch,
    Step,
)
from digestbot.forge.watching import PullId, PullStatus


@dataclass(frozen=True, slots=True)
class DemoForge:
    """A forge of such repos, by name; `now` tells the time there."""

    rooms: dict[str, DemoRepo]
    now: Callable[[], datetime]

    def alone(self, name: str) -> DemoForge:
        """The same forge, as a target of one repo."""
        return replace(self, rooms={name: self.rooms[name]})

    def repos(self) -> Iterator[Repo]:
        """See `Listing.repos`."""
        return (room.shown() for room in self.rooms.values())

    def entries(self, repo: Repo) -> Sequence[Entry]:
        """See `Contents.entries`."""
        if repo.head is None:
            return ()
        commit = self.rooms[repo.name].commits[repo.head]
        return [Entry(PATH, Mode.FILE, commit.blob, len(commit.data))]

    def blobs(self, repo: Repo, shas: Iterable[ObjectSha]) -> Mapping[ObjectSha, bytes]:
        """See `Contents.blobs`."""
        known = {one.blob: one.data for one in self.rooms[repo.name].commits.values()}
        return {sha: known[sha] for sha in shas if sha in known}

    def blobs_at(self, repo: Repo, commit: CommitSha, paths: Iterable[str]) -> Mapping[str, bytes]:
        """See `Contents.blobs_at`."""
        found = self.rooms[repo.name].commits.get(commit)
        return {path: found.data for path in paths if found and path == PATH}

    def survey(self, repo: Repo, branches: Sequence[str]) -> Survey:
        """See `Proposing.survey`."""
        room = self.rooms[repo.name]
        found = {name: room.branch(name) for name in branches if name in room.branches}
        newest = sorted(room.pulls.values(), key=lambda one: -one.number)
        shown = (one for one in newest if one.state is PullState.OPEN or one.branch in branches)
        return Survey(found, tuple(shown))

    def statuses(self, pulls: Sequence[PullId]) -> Mapping[PullId, PullStatus]:
        """See `Watching.statuses`."""
        now = self.now()
        return {one: self.rooms[one.repo].status(one.number, now) for one in pulls}

    def perform(self, repo: Repo, step: Step) -> None:
        """See `Proposing.perform`; what a demo never does is refused.

        Raises:
            UnsettledError: The branch is another one meanwhile.
            RefusedError: It is not among what this forge can do.
        """
        room = self.rooms[repo.name]
        match step:
            case PushBranch() | DeleteBranch():
                self._move(room, step)
            case OpenPull():
                self._open(room, step)
            case EditPull(number, title, body):
                room.pulls[number] = replace(room.pulls[number], title=title, body=body)
            case ClosePull(number, body):
                room.pulls[number] = replace(room.pulls[number], body=body)
                room.end(number, PullState.CLOSED, self.now())
            case Comment(number, text):
                told = (*room.pulls[number].comments, text)
                room.pulls[number] = replace(room.pulls[number], comments=told)
            case _:
                raise RefusedError(f"the demo has no {type(step).__name__}", code="unsupported")

    def _move(self, room: DemoRepo, step: PushBranch | DeleteBranch) -> None:
        if room.branches.get(step.branch) != step.expected:
            raise UnsettledError(f"the branch {step.branch} has moved", code="branch-moved")
        if isinstance(step, DeleteBranch):
            del room.branches[step.branch]
            return
        (change,) = step.files
        bare = Commit(change.content, (step.base,), "")
        message = sealed(step.message, step.fingerprint, bare.tree)
        room.commit(step.branch, replace(bare, message=message))

    def _open(self, room: DemoRepo, step: OpenPull) -> None:
        number = len(room.pulls) + 1
        room.opened[number] = self.now()
        room.pulls[number] = Pull(
            number,
            f"https://{HOST}/{room.name}/pull/{number}",
            step.branch,
            room.branches[step.branch],
            step.base,
            PullState.OPEN,
            step.title,
            step.body,
            mergeable=Mergeable.YES,
            paths=(PATH,),
        )

    def close(self) -> None:
        """Nothing is held."""


def make_forge(files: Mapping[str, str], now: Callable[[], datetime]) -> DemoForge:
    """A forge with one repo for each name, which has one Dockerfile with this text."""
    rooms = {name: DemoRepo(name) for name in files}
    for name, room in rooms.items():
        room.commit(MAIN, Commit(files[name].encode(), (), "Begin\n"))
    return DemoForge(rooms, now)

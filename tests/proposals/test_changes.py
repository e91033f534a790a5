"""The bytes of a proposal that has only some of the updates of a file."""

from __future__ import annotations

from collections.abc import Mapping

from digestbot.files.occurrence import Occurrence
from digestbot.files.verify import Wanted
from digestbot.proposals.changes import files_of
from digestbot.proposals.updates import updates_of
from digestbot.registry.recorded import RecordedResolver
from digestbot.registry.resolution import Query
from digestbot.scan.engine import Policy, scan
from digestbot.scan.forge_files import RepoFile
from tests.proposals.builders import digest, dockerfile


class Moving:
    """Moves everything to tag 9, to a digest of its own."""

    is_whole = False

    def of(self, asked: Mapping[Occurrence, Query]) -> Mapping[Occurrence, Wanted]:
        return {one: Wanted(digest(query.image.image), "9") for one, query in asked.items()}


def test_a_part_of_the_edits_of_a_file_keeps_its_tags() -> None:
    before = dockerfile("golang:1", "python:3")
    sources = [RepoFile("Dockerfile", "dockerfile", before)]
    result = scan(sources, RecordedResolver({}), Policy(aims=Moving()))
    update = updates_of(result)[1]

    [file] = files_of([update], result, {})

    new = digest("docker.io/library/python")
    lines = before.splitlines()
    assert file.content.splitlines() == [lines[0], f"FROM python:9@{new}".encode()]

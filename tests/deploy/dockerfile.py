"""The instructions of the Dockerfile, for tests."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

from dockerfile_parse import DockerfileParser

from tests.deploy.files import DOCKERFILE


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its keyword, its flags, and the rest of it as one line."""

    keyword: str
    flags: tuple[str, ...]
    value: str

    @property
    def words(self) -> list[str]:
        """The words of its exec form.

        Raises:
            ValueError: It is in shell form.
        """
        words: list[str] = json.loads(self.value)
        return words


def instructions() -> list[Instruction]:
    """All instructions, in order."""
    parser = DockerfileParser(fileobj=io.BytesIO(DOCKERFILE.read_bytes()))
    found = []
    for each in parser.structure:
        if each["instruction"] != "COMMENT":
            words = each["value"].split()
            count = next((n for n, word in enumerate(words) if not word.startswith("--")), 0)
            value = each["value"].split(maxsplit=count)[count]
            found.append(Instruction(each["instruction"], tuple(words[:count]), value))
    return found


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, from its `FROM` on."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.keyword == "FROM":
            found.append([])
        found[-1].append(each)
    return found


def only(stage: list[Instruction], keyword: str) -> Instruction:
    """The one instruction of a stage with this keyword."""
    (found,) = (each for each in stage if each.keyword == keyword)
    return found

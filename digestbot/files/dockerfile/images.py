"""The images a Dockerfile pulls: FROM, COPY --from, RUN --mount=from=, and ONBUILD of both.

What is a stage and what an image follows BuildKit, frontend/dockerfile/dockerfile2llb/convert.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digestbot.files.dockerfile.directives import escape_of
from digestbot.files.dockerfile.expand import Expander, ExpansionError
from digestbot.files.dockerfile.instructions import Instruction, read_instructions
from digestbot.files.dockerfile.record import Recorder
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.rules import Stage, origins_of, stage_of
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.value import Value
from digestbot.files.dockerfile.words import quoted_words
from digestbot.files.occurrence import Occurrence, Skip

_SCRATCH = "scratch"
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_INT64 = range(-(2**63), 2**63)
_MAX_LINE = 65_535
_KINDS = {"copy": "copy", "run": "mount"}


def find_images(source: Source, recorder: Recorder) -> Iterator[Occurrence]:
    """Every image, in the order they stand.

    Raises:
        RejectedError: BuildKit does not build from this file.
    """
    _check_lengths(source)
    return _Images(_Outline.of(source), recorder).find()


def _check_lengths(source: Source) -> None:
    if len(source.text) <= _MAX_LINE:
        return
    for number, line in enumerate(source.lines, start=1):
        if len(line) > _MAX_LINE:
            message = f"the line has {len(line)} bytes, at most {_MAX_LINE} are allowed"
            raise RejectedError(number, message)


@dataclass(frozen=True, slots=True)
class _Outline:
    """A file that keeps all rules: its global ARGs, and what may pull an image.

    Each of `steps` comes with the stage it begins if it is a FROM, and else with the images
    or stages it takes files from; `names` are the names of all stages.
    """

    escape: str
    arguments: list[Instruction]
    steps: list[tuple[Instruction, Stage | Sequence[Value]]]
    names: frozenset[str]

    @classmethod
    def of(cls, source: Source) -> _Outline:
        escape = escape_of(source)
        arguments: list[Instruction] = []
        steps: list[tuple[Instruction, Stage | Sequence[Value]]] = []
        names: set[str] = set()
        for instruction in read_instructions(source, escape):
            keyword = instruction.keyword
            if keyword == "from":
                stage = stage_of(instruction)
                steps.append((instruction, stage))
                names.add(stage.name)
                continue
            origins = origins_of(instruction)
            if keyword == "arg" and not steps:
                arguments.append(instruction)
            elif not steps:
                message = f"{keyword.upper()} stands before the first FROM"
                raise RejectedError(instruction.number, message)
            elif origins or keyword == "onbuild":
                steps.append((instruction, origins))
        if not steps:
            raise RejectedError(len(source.lines), "there is no FROM")
        return cls(escape, arguments, steps, frozenset(names - {""}))


class _Images:
    """Walks over an outline with the variables and stages known so far."""

    def __init__(self, outline: _Outline, recorder: Recorder) -> None:
        self._outline = outline
        self._recorder = recorder
        self._expander = Expander(outline.escape)
        # What a FROM may name without pulling it; stages join as they are met.
        self._earlier = {_SCRATCH}

    def find(self) -> Iterator[Occurrence]:
        for instruction in self._outline.arguments:
            self._define(instruction)
        for instruction, content in self._outline.steps:
            if isinstance(content, Stage):
                yield from self._base(instruction, content)
            elif instruction.keyword == "onbuild":
                yield from self._triggered(instruction)
            else:
                yield from self._pulled(instruction, _KINDS[instruction.keyword], content)

    def _define(self, instruction: Instruction) -> None:
        for word in quoted_words(
            instruction.line, instruction.start, instruction.end, instruction.escape
        ):
            name, equals, _ = word.text.partition("=")
            if not equals:
                continue
            try:
                self._expander.define(name, self._expander.expand(word.cut(len(name) + 1)))
            except ExpansionError as error:
                if error.reason != "build-arg":
                    reason = (
                        "invalid-dockerfile" if error.reason == "bad-expansion" else error.reason
                    )
                    raise RejectedError(instruction.number, str(error), reason) from error
                self._expander.forget(name)

    def _base(self, instruction: Instruction, stage: Stage) -> Iterator[Occurrence]:
        try:
            value = self._expander.expand(stage.base)
        except ExpansionError as error:
            skip = Skip(error.reason, str(error))
            yield self._recorder.skipped("from", stage.base, skip, instruction.number)
        else:
            if value.text not in self._earlier:
                yield self._recorder.image("from", stage.base, value, instruction.number)
        if stage.name:
            self._earlier.add(stage.name)

    def _triggered(self, instruction: Instruction) -> Iterator[Occurrence]:
        trigger = instruction.trigger
        if trigger.keyword not in _KINDS or not trigger.flags:
            return
        kind = f"onbuild-{_KINDS[trigger.keyword]}"
        try:
            yield from self._pulled(instruction, kind, origins_of(trigger))
        except RejectedError as error:
            skip = Skip("bad-trigger", str(error))
            yield self._recorder.skipped(kind, trigger.flags[0], skip, instruction.number)

    def _pulled(
        self, instruction: Instruction, kind: str, origins: Sequence[Value]
    ) -> Iterator[Occurrence]:
        for origin in origins:
            name = origin.text
            if "$" in name:
                message = "variables are not expanded here: name a stage that is FROM the image"
                skip = Skip("variable-in-from", message)
                yield self._recorder.skipped(kind, origin, skip, instruction.number)
            elif name not in {"", _SCRATCH} and not self._is_own(kind, name):
                yield self._recorder.image(kind, origin, origin, instruction.number)

    def _is_own(self, kind: str, name: str) -> bool:
        """Whether this is a stage of the file, by its name or, for COPY, by its number."""
        return name.lower() in self._outline.names or (kind.endswith("copy") and _is_index(name))


def _is_index(text: str) -> bool:
    """Whether COPY takes this for the number of a stage; beyond 64 bits it is a name again."""
    return bool(_INTEGER.fullmatch(text)) and int(text) in _INT64

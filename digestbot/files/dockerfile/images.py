"""The images a Dockerfile pulls: FROM, COPY --from, RUN --mount=from=, and ONBUILD of both.

What is a stage and what an image follows BuildKit, frontend/dockerfile/dockerfile2llb/convert.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from digestbot.files.dockerfile.directives import escape_of
from digestbot.files.dockerfile.expand import Expander, ExpansionError
from digestbot.files.dockerfile.instructions import Instruction, read_instructions
from digestbot.files.dockerfile.record import Recorder
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.rules import Stage, check, flags_of, mounts_of, stage_of
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.value import Value
from digestbot.files.dockerfile.words import quoted_words
from digestbot.files.occurrence import Occurrence, Skip

_SCRATCH = "scratch"
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_INT64 = range(-(2**63), 2**63)
_MAX_LINE = 65_535
_PULLING = frozenset({"copy", "run", "onbuild"})


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

    An entry of `steps` has a stage if it is a FROM; `names` are the names of all stages.
    """

    escape: str
    arguments: list[Instruction]
    steps: list[tuple[Instruction, Stage | None]]
    names: frozenset[str]

    @classmethod
    def of(cls, source: Source) -> _Outline:
        escape = escape_of(source)
        arguments: list[Instruction] = []
        steps: list[tuple[Instruction, Stage | None]] = []
        names: set[str] = set()
        for instruction in read_instructions(source, escape):
            keyword = instruction.keyword
            if keyword == "from":
                stage = stage_of(instruction)
                steps.append((instruction, stage))
                names.add(stage.name)
                continue
            check(instruction)
            if keyword == "arg" and not steps:
                arguments.append(instruction)
            elif not steps:
                message = f"{keyword.upper()} stands before the first FROM"
                raise RejectedError(instruction.number, message)
            elif keyword in _PULLING and (instruction.flags or keyword == "onbuild"):
                steps.append((instruction, None))
        if not steps:
            raise RejectedError(len(source.lines), "there is no FROM")
        return cls(escape, arguments, steps, frozenset(names - {""}))


class _Images:
    """Walks over an outline with the variables and stages known so far."""

    def __init__(self, outline: _Outline, recorder: Recorder) -> None:
        self._outline = outline
        self._recorder = recorder
        self._expander = Expander(outline.escape)
        self._earlier: set[str] = set()

    def find(self) -> Iterator[Occurrence]:
        for instruction in self._outline.arguments:
            self._define(instruction)
        for instruction, stage in self._outline.steps:
            if stage is not None:
                yield from self._base(instruction, stage)
            elif instruction.keyword == "onbuild":
                yield from self._triggered(instruction)
            else:
                yield from self._pulled(instruction, instruction, "")

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
        known = stage.name
        try:
            value = self._expander.expand(stage.base)
        except ExpansionError as error:
            yield self._recorder.skipped("from", stage.base, Skip(error.reason, str(error)))
        else:
            if value.text not in self._earlier and value.text != _SCRATCH:
                yield self._recorder.image("from", stage.base, value, instruction.number)
        if known:
            self._earlier.add(known)

    def _triggered(self, instruction: Instruction) -> Iterator[Occurrence]:
        trigger = instruction.trigger
        if trigger.keyword not in {"copy", "run"} or not trigger.flags:
            return
        try:
            check(trigger)
            yield from self._pulled(instruction, trigger, "onbuild-")
        except RejectedError as error:
            skip = Skip("bad-trigger", str(error))
            kind = "onbuild-copy" if trigger.keyword == "copy" else "onbuild-mount"
            yield self._recorder.skipped(kind, trigger.flags[0], skip)

    def _pulled(
        self, instruction: Instruction, step: Instruction, prefix: str
    ) -> Iterator[Occurrence]:
        if step.keyword == "copy":
            kind, origins = "copy", flags_of(step).get("from", [])
            origins = [origin for origin in origins if not _is_index(origin.text)]
        else:
            kind, origins = "mount", mounts_of(step)
        for origin in origins:
            if "$" in origin.text:
                message = "variables are not expanded here: name a stage that is FROM the image"
                yield self._recorder.skipped(
                    prefix + kind, origin, Skip("variable-in-from", message)
                )
            elif origin.text and origin.text != _SCRATCH and not self._is_stage(origin):
                yield self._recorder.image(prefix + kind, origin, origin, instruction.number)

    def _is_stage(self, origin: Value) -> bool:
        return origin.text.lower() in self._outline.names


def _is_index(text: str) -> bool:
    """Whether COPY takes this for the number of a stage; beyond 64 bits it is a name again."""
    return bool(_INTEGER.fullmatch(text)) and int(text) in _INT64

"""What each instruction must look like: a file that breaks a rule is never built.

The rules are those of BuildKit, frontend/dockerfile/instructions/parse.go and
frontend/dockerfile/parser/line_parsers.go; arguments that are judged only while building,
such as paths and durations, are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from digestbot.files.dockerfile.csv import CsvError, fields
from digestbot.files.dockerfile.flags import FlagError, FlagKind, parse_flags
from digestbot.files.dockerfile.heredocs import NestingError, heredoc
from digestbot.files.dockerfile.instructions import Instruction
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.space import RE_BLANKS, trimmed_end
from digestbot.files.dockerfile.value import Value, shown
from digestbot.files.dockerfile.words import (
    NotStringsError,
    json_strings,
    quoted_words,
    token_texts,
    tokens,
)

_ONE, _MANY, _SWITCH = FlagKind.ONE, FlagKind.MANY, FlagKind.SWITCH
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_FROM_WITH_NAME = 3
_LEAST_COPY = 2
_NO_FLAGS: Mapping[str, FlagKind] = {}
_FLAGS: Mapping[str, Mapping[str, FlagKind]] = {
    "from": {"platform": _ONE},
    "copy": {
        "chown": _ONE,
        "from": _ONE,
        "chmod": _ONE,
        "link": _SWITCH,
        "exclude": _MANY,
        "parents": _SWITCH,
    },
    "add": {
        "chown": _ONE,
        "chmod": _ONE,
        "link": _SWITCH,
        "keep-git-dir": _SWITCH,
        "checksum": _ONE,
        "unpack": _SWITCH,
        "exclude": _MANY,
    },
    "run": {"mount": _MANY, "network": _ONE, "security": _ONE, "device": _MANY},
    "healthcheck": {
        "interval": _ONE,
        "timeout": _ONE,
        "start-period": _ONE,
        "start-interval": _ONE,
        "retries": _ONE,
    },
}
_JSON_KEYWORDS = frozenset({"add", "cmd", "copy", "entrypoint", "run", "shell", "volume"})
_FIRST_WORD = re.compile(r"[^\t\v\f\r ]+")
_KIND_END = re.compile(r"[\t\v\f\r \x85\xa0]+")
_CHOICES = {"network": {"default", "none", "host"}, "security": {"insecure", "sandbox"}}


@dataclass(frozen=True, slots=True)
class Stage:
    """The arguments of FROM: the text of its base, and the stage's name in lower case."""

    base: Value
    name: str


def stage_of(instruction: Instruction) -> Stage:
    """What a FROM says.

    Raises:
        RejectedError: It has not one or three arguments, or a bad stage name or flag.
    """
    _flags(instruction)
    arguments = tokens(instruction.line, instruction.start, instruction.end)
    if len(arguments) == 1:
        return Stage(arguments[0], "")
    if len(arguments) != _FROM_WITH_NAME or arguments[1].text.lower() != "as":
        raise _rejected(instruction, "FROM takes an image, or an image AS a name")
    name = arguments[2].text.lower()
    if not _STAGE_NAME.fullmatch(name):
        raise _rejected(
            instruction,
            f"{shown(arguments[2].text)[:40]!r} is no name for a stage: "
            "a letter, then letters, digits, '-_.'",
        )
    return Stage(arguments[0], name)


def _flags(instruction: Instruction) -> dict[str, list[Value]]:
    """The flags of an instruction, by name.

    Raises:
        RejectedError: A flag is unknown, repeated or has no fitting value.
    """
    if not instruction.flags:
        return {}
    try:
        found = parse_flags(instruction.flags, _FLAGS.get(instruction.keyword, _NO_FLAGS))
    except FlagError as error:
        raise _rejected(instruction, str(error)) from error
    for name, choices in _CHOICES.items():
        for value in found.get(name, ()):
            if value.text not in choices:
                raise _rejected(instruction, f"--{name} is one of {', '.join(sorted(choices))}")
    return found


def origins_of(instruction: Instruction) -> Sequence[Value]:
    """The images or stages that an instruction other than FROM takes files from.

    Raises:
        RejectedError: BuildKit does not know the instruction, or not with these arguments.
    """
    rule = _RULES.get(instruction.keyword)
    if rule is None:
        word = _FIRST_WORD.search(instruction.line.text)
        raise _rejected(instruction, f"{shown(word[0] if word else '')[:40]!r} is no instruction")
    return rule(instruction) or ()


def _rejected(instruction: Instruction, message: str) -> RejectedError:
    return RejectedError(instruction.number, message)


def _name(instruction: Instruction) -> str:
    return instruction.keyword.upper()


def _strings(instruction: Instruction, text: str) -> list[str] | None:
    try:
        return json_strings(text)
    except NotStringsError as error:
        message = f"the JSON array of {_name(instruction)} holds more than strings"
        raise _rejected(instruction, message) from error


def _needs_arguments(instruction: Instruction) -> None:
    _flags(instruction)
    if instruction.start == instruction.end:
        raise _rejected(instruction, f"{_name(instruction)} has no arguments")


def _needs_text(instruction: Instruction) -> None:
    if instruction.start == instruction.end:
        raise _rejected(instruction, f"{_name(instruction)} has no arguments")


def _maybe_json(instruction: Instruction) -> None:
    _flags(instruction)
    _strings(instruction, instruction.arguments)


def _volume(instruction: Instruction) -> None:
    _needs_arguments(instruction)
    strings = _strings(instruction, instruction.arguments) or ()
    if any(not string.strip() for string in strings):
        raise _rejected(instruction, "VOLUME has a blank path")


def _shell(instruction: Instruction) -> None:
    _flags(instruction)
    if not _strings(instruction, instruction.arguments):
        raise _rejected(instruction, "SHELL takes a JSON array of strings")


def _copy(instruction: Instruction) -> Sequence[Value]:
    flags = _flags(instruction)
    text = instruction.arguments
    strings = _strings(instruction, text)
    paths = token_texts(text) if strings is None else strings
    if len(paths) < _LEAST_COPY:
        raise _rejected(instruction, f"{_name(instruction)} takes a source and a destination")
    try:
        if "<<" in paths[-1] and heredoc(paths[-1]) is not None:
            raise _rejected(instruction, f"{_name(instruction)} cannot copy to a heredoc")
    except NestingError as error:
        raise _rejected(instruction, "expansions are nested too deep") from error
    return flags.get("from", ())


def _run(instruction: Instruction) -> Sequence[Value]:
    _strings(instruction, instruction.arguments)
    mounts = _flags(instruction).get("mount", ())
    return [origin for mount in mounts if (origin := _mount_origin(instruction, mount)).text]


def _mount_origin(instruction: Instruction, mount: Value) -> Value:
    """What the last `from=` of a mount says; nothing where there is none."""
    origin = mount.cut(0, 0)
    try:
        options = fields(mount)
    except CsvError as error:
        raise _rejected(instruction, f"--mount: {error}") from error
    for option in options:
        key, equals, text = option.text.partition("=")
        if equals and key.lower() == "from":
            if "$" in text[:-1]:
                raise _rejected(instruction, "from= in a --mount does not expand variables")
            origin = option.cut(len(key) + 1)
    return origin


def _pairs(instruction: Instruction) -> None:
    _needs_arguments(instruction)
    for word in _pair_words(instruction):
        if word.text.startswith("="):
            raise _rejected(instruction, f"{_name(instruction)} has a blank name")


def _pair_words(instruction: Instruction) -> list[Value]:
    """The words `name=value` of ENV and LABEL; none where it is `name value`, the old form."""
    line, start, end = instruction.line, instruction.start, instruction.end
    words = quoted_words(line, start, end, instruction.escape)
    if words and "=" not in words[0].text:
        if not RE_BLANKS.search(instruction.arguments):
            raise _rejected(instruction, f"{_name(instruction)} takes a name and a value")
        return []
    for word in words:
        if "=" not in word.text:
            raise _rejected(instruction, f"{shown(word.text)[:40]!r} has no '=' and no value")
    return words


def _arg(instruction: Instruction) -> None:
    _needs_text(instruction)
    for word in quoted_words(
        instruction.line, instruction.start, instruction.end, instruction.escape
    ):
        if word.text.startswith("="):
            raise _rejected(instruction, "ARG has a blank name")


def _healthcheck(instruction: Instruction) -> None:
    _needs_text(instruction)
    kind, *rest = _KIND_END.split(instruction.arguments, maxsplit=1)
    command = rest[0] if rest else ""
    if kind.upper() == "NONE":
        if command:
            raise _rejected(instruction, "HEALTHCHECK NONE takes no arguments")
        return
    _flags(instruction)
    if kind.upper() != "CMD":
        raise _rejected(instruction, "HEALTHCHECK takes CMD or NONE")
    if not command or _strings(instruction, command) == []:
        raise _rejected(instruction, "HEALTHCHECK CMD has no command")


def _onbuild(instruction: Instruction) -> None:
    # A trigger is judged when it is pulled, but for what the parser itself refuses.
    _needs_arguments(instruction)
    trigger = instruction.trigger
    # Unicode space, which elsewhere would belong to the keyword, is cut off here.
    name = trigger.keyword[: trimmed_end(trigger.keyword)].lower()
    if name in {"onbuild", "from", "maintainer"}:
        raise _rejected(instruction, f"ONBUILD {name.upper()} is not allowed")
    if trigger.keyword in _JSON_KEYWORDS:
        _strings(trigger, trigger.arguments)
    elif trigger.keyword in {"env", "label"}:
        _pair_words(trigger)


_Rule = Callable[[Instruction], Sequence[Value] | None]
_RULES: Mapping[str, _Rule] = {
    "add": _copy,
    "arg": _arg,
    "cmd": _maybe_json,
    "copy": _copy,
    "entrypoint": _maybe_json,
    "env": _pairs,
    "expose": _needs_arguments,
    "healthcheck": _healthcheck,
    "label": _pairs,
    "maintainer": _needs_arguments,
    "onbuild": _onbuild,
    "run": _run,
    "shell": _shell,
    "stopsignal": _needs_text,
    "user": _needs_arguments,
    "volume": _volume,
    "workdir": _needs_arguments,
}

"""The command lines of digestbot that files show, held against the commands that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from markdown_it import MarkdownIt

from digestbot.cli.main import digestbot
from tests.deploy.dockerfile import only, stages
from tests.deploy.files import COMPOSE, DOCKERFILE, MANIFESTS, README, UNITS, read_unit, read_yaml

# In code: at the beginning of a line, behind a prompt, another command, or a word for root.
_CALL = re.compile(r"(?:^|\$ |&& |run: |sudo )\s*(?:[\w./-]*/)?digestbot (?P<words>[^|>]*)")
# Within a sentence, with whatever stands before it.
_INLINE = re.compile(r"(?:^|[ /])digestbot (?P<words>[^|>]*)")
# In comments: between backticks, or a line that is one.
_COMMENT = re.compile(r"`digestbot (?P<words>[^`]*)`|^#  +digestbot (?P<line>.*)$", re.MULTILINE)


def in_markdown(text: str) -> Iterator[str]:
    """What stands behind `digestbot` in the code of a page."""
    for token in MarkdownIt().parse(text):
        if token.type == "fence":
            for line in token.content.replace("\\\n", "").splitlines():
                if found := _CALL.search(line):
                    yield found["words"]
        for child in token.children or ():
            if child.type == "code_inline" and (found := _INLINE.search(child.content)):
                yield found["words"]


def in_comments(text: str) -> Iterator[str]:
    """What stands behind `digestbot` in the comments of a file."""
    for found in _COMMENT.finditer(text):
        yield found["words"] or found["line"]


def in_settings(path: Path) -> Iterator[str]:
    """What a deployed file starts."""
    if path == DOCKERFILE:
        final = stages()[-1]
        yield shlex.join(only(final, "CMD").words)
        yield "health"
    elif path == COMPOSE:
        service = read_yaml(path)["services"]["digestbot"]
        yield shlex.join(service["command"])
        yield shlex.join(service["healthcheck"]["test"][2:])
    elif path in UNITS:
        for line in read_unit(path.read_text()).get("ExecStart", []):
            yield line.partition("digestbot ")[2]
    elif path in MANIFESTS:
        yield from map(shlex.join, _arguments(read_yaml(path)))


def _arguments(node: Any) -> Iterator[list[str]]:
    if isinstance(node, dict):
        if "image" in node:
            yield node["args"]
        for value in node.values():
            yield from _arguments(value)
    elif isinstance(node, list):
        for value in node:
            yield from _arguments(value)


def shown(path: Path) -> list[str]:
    """All command lines of a file, each without its first word."""
    text = path.read_text(encoding="utf-8")
    if path == README:
        return list(in_markdown(text))
    return [*in_settings(path), *in_comments(text)]


def mistake(line: str) -> str | None:
    """Why `digestbot` would not take a command line; None where it would.

    Commands, options and the number of arguments are looked at, what they say is not.
    """
    words = shlex.split(line, comments=True)
    command: click.Command = digestbot
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            break
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        if found is None:
            return f"there is no command {name!r}"
        command = found
    return _wrong_option(command, words)


def _wrong_option(command: click.Command, words: list[str]) -> str | None:
    context = click.Context(command, help_option_names=["-h", "--help"])
    options = {
        name: option
        for option in command.get_params(context)
        for name in (*option.opts, *option.secondary_opts)
        if isinstance(option, click.Option)
    }
    room = [param.nargs for param in command.params if isinstance(param, click.Argument)]
    free = 0
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if not word.startswith("-") or word == "-":
            free += 1
        elif name not in options:
            return f"there is no option {name!r}"
        elif not (equals or _stands_alone(options[name])) and next(rest, None) is None:
            return f"{name!r} needs a value"
    if -1 not in room and free > sum(room):
        return "it takes fewer words"
    return None


def _stands_alone(option: click.Option) -> bool:
    return option.is_flag or option.count

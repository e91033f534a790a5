"""YAML text → plain data, and where each key of it stands.

Only what a configuration needs is understood: mappings, lists and plain values. Tags, merge
keys, several documents, deep nesting and aliases that multiply are refused. Dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from digestbot.config.document import Document
from digestbot.config.issues import ConfigError, Issue, KeyPath, dotted, shown

MAX_DEPTH = 16
MAX_NODES = 40_000
_MAX_NUMBER = 32
# As in YAML 1.2, which editors follow: `no` and `off` are text.
_TRUTH = {"true": True, "false": False}
_TAG = "tag:yaml.org,2002:"
_PLAIN = {"bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep"
_TOO_MANY = f"has more than {MAX_NODES} keys and values, counting each use of an alias"
# PyYAML's words for the commonest slips, and what they mean to somebody who writes a glob.
_SLIPS = {
    r"found character '\t'": "a tab stands here; indent with spaces",
    "while scanning an alias": "a text that begins with '*' must be in quotes",
    "found undefined alias": "a text that begins with '*' must be in quotes",
    "node content, but found ':'": "a host in brackets must be in quotes, such as '[::1]:5000'",
    "expected <block end>": "the indentation does not fit the lines above",
}


class _RefusedError(yaml.MarkedYAMLError):
    """Correct YAML, but more of it than a configuration is."""


class _Loader(yaml.SafeLoader):
    """Composes nodes, but not without end: the composer of PyYAML is recursive, and slow."""

    depth = 0
    composed = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.composed += 1
        if self.depth >= MAX_DEPTH or self.composed > MAX_NODES:
            problem = _TOO_DEEP if self.depth >= MAX_DEPTH else _TOO_MANY
            mark = parent.start_mark if parent else None
            raise _RefusedError(problem=problem, problem_mark=mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def read_document(text: str, source: str) -> Document:
    """Read the text of a configuration file; `source` is its name for messages.

    Raises:
        ConfigError: The text is not YAML, or not a mapping; nothing more can be said of it.
    """
    root = _compose(text, source)
    if root is None or _is_null(root):
        return Document()
    if not isinstance(root, yaml.MappingNode):
        message = f"must be keys with values, such as 'jobs: 8', not {_kind(root)}"
        raise ConfigError([_issue(root.start_mark, source, message)])
    reader = _Reader(source)
    reader.guard(root, ())
    reader.document.data.update(reader.mapping(root, ()))
    return reader.document


def _compose(text: str, source: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax_issue(error, source)]) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = f"character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise ConfigError([Issue(source, message, line=line, column=column)]) from error
    except (ValueError, OverflowError) as error:
        # PyYAML lets these out for "\UFFFFFFFF" and for a %YAML directive of 5000 digits.
        raise ConfigError([Issue(source, f"is not YAML: {shown(str(error))}")]) from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns nodes into data, and remembers what it cannot turn."""

    source: str
    document: Document = field(default_factory=Document)
    counted: Iterator[int] = field(default_factory=lambda: iter(range(MAX_NODES)))

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            if key is None:
                continue
            inner = (*path, key)
            if key in found:
                first = self.document.places[inner][0]
                self.report(key_node, inner, f"is written twice; the first is on line {first}")
                continue
            self.document.places[inner] = _place(key_node.start_mark)
            found[key] = self.value(value_node, inner)
        return found

    def key(self, node: yaml.Node, path: KeyPath) -> str | None:
        self.guard(node, path)
        if node.tag == f"{_TAG}merge":
            self.report(node, path, "merge keys (<<) are not supported; write the keys out")
        elif not isinstance(node, yaml.ScalarNode):
            self.report(node, path, f"a key must be text, not {_kind(node)}; put it in quotes")
        elif not isinstance(_scalar(node), str):
            self.report(node, path, f"the key {shown(node.value)} must be text; put it in quotes")
        else:
            return str(node.value)
        return None

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        self.guard(node, path)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, path)
        value = _scalar(node)
        if value is None:
            self.report(node, path, "has no value; write one, or remove the key")
        return value

    def sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[object]:
        items = []
        for index, item in enumerate(node.value):
            inner = (*path, index)
            self.document.places[inner] = _place(item.start_mark)
            items.append(self.value(item, inner))
        return items

    def guard(self, node: yaml.Node, path: KeyPath) -> None:
        # An alias is one node in many places, even inside itself: count places, not nodes.
        if next(self.counted, None) is None:
            self.refuse(node, _TOO_MANY)
        if len(path) > MAX_DEPTH:
            self.refuse(node, _TOO_DEEP)
        if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
            self.refuse(node, r"has half of a character (\uD800 to \uDFFF)")
        if node.tag.removeprefix(_TAG) not in _PLAIN:
            tag = shown(node.tag.replace(_TAG, "!!"))
            self.report(node, path, f"the tag {tag} is not supported; write a plain value")

    def report(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.document.issues.append(_issue(node.start_mark, self.source, message, dotted(path)))

    def refuse(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError([_issue(node.start_mark, self.source, message)])


def _scalar(node: yaml.Node) -> object:
    """The value of a scalar: text, unless it is plainly a number, a truth value or nothing."""
    text = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return _TRUTH.get(text.lower(), text)
        case "int":
            return _number(text, int)
        case "float":
            return _number(text, float)
        case _:
            return text


def _number(text: str, kind: type[int | float]) -> object:
    # YAML 1.1 also has base 60 and octals like 010. They stay text, and are then refused.
    if len(text) > _MAX_NUMBER:
        return text
    try:
        return int(text, 0) if kind is int else float(text)
    except ValueError:
        return text


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and _scalar(node) is None


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _issue(mark: yaml.Mark | None, source: str, message: str, key: str = "") -> Issue:
    line, column = _place(mark) if mark else (0, 0)
    return Issue(source, message, key, line, column)


def _syntax_issue(error: yaml.MarkedYAMLError, source: str) -> Issue:
    problem = error.problem or "cannot be read"
    if not isinstance(error, _RefusedError):
        told = f"{error.context} {problem}"
        slip = next((meaning for words, meaning in _SLIPS.items() if words in told), None)
        problem = slip or f"is not YAML: {shown(problem)}"
    return _issue(error.problem_mark or error.context_mark, source, problem)

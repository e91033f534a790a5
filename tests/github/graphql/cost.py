"""What a document costs: points of the hour, and nodes, of which there may be half a million.

Source: docs.github.com, "Rate limits and query limits for the GraphQL API".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from tests.github.errors import ApiError

MOST_NODES = 500_000


@dataclass(frozen=True)
class Cost:
    """Nodes that may come, and requests that GitHub counts for their connections."""

    nodes: int
    requests: int

    @property
    def points(self) -> int:
        return max(1, round(self.requests / 100))


@dataclass
class _Count:
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    nodes: int = 0
    requests: int = 1

    def walk(self, selected: SelectionSetNode | None, times: int) -> None:
        for one in selected.selections if selected else ():
            if isinstance(one, FieldNode):
                self._field(one, times)
            elif isinstance(one, FragmentSpreadNode):
                self.walk(self.fragments[one.name.value].selection_set, times)
            elif isinstance(one, InlineFragmentNode):
                self.walk(one.selection_set, times)

    def _field(self, field: FieldNode, times: int) -> None:
        size = self._size(field)
        if size is not None:
            self.requests += times
            times *= size
            self.nodes += times
        self.walk(field.selection_set, times)

    def _size(self, field: FieldNode) -> int | None:
        """How many a connection may bring; None: the field is none."""
        for argument in field.arguments or ():
            if argument.name.value in {"first", "last"}:
                value = argument.value
                if isinstance(value, IntValueNode):
                    return int(value.value)
                if isinstance(value, VariableNode):
                    return int(self.variables.get(value.name.value) or 0)
        return None


def cost_of(parsed: DocumentNode, variables: dict[str, Any]) -> Cost:
    """The cost of a document with these variables.

    Raises:
        ApiError: More nodes may come than GitHub allows.
    """
    known = {d.name.value: d for d in parsed.definitions if isinstance(d, FragmentDefinitionNode)}
    count = _Count(known, variables)
    for one in parsed.definitions:
        if isinstance(one, OperationDefinitionNode):
            count.walk(one.selection_set, 1)
    if count.nodes > MOST_NODES:
        message = (
            f"This query requests up to {count.nodes:,} possible nodes which exceeds "
            f"the maximum limit of {MOST_NODES:,}."
        )
        raise ApiError(200, message, kind="MAX_NODE_LIMIT_EXCEEDED")
    return Cost(count.nodes, count.requests)

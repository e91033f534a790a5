"""GraphQL documents: read, validated against GitHub's schema, executed by graphql-core."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    parse,
    validate,
)
from tests.github.contract import ContractError
from tests.github.errors import ApiError, ConnectionDropped
from tests.github.graphql import schema
from tests.github.graphql.context import Context
from tests.github.graphql.cost import Cost
from tests.github.state import Token

if TYPE_CHECKING:
    from tests.github.server import GitHubServer


@dataclass(frozen=True)
class Document:
    """A document that the schema allows; `fields` are its root fields, without aliases."""

    name: str
    fields: tuple[str, ...]
    is_write: bool
    parsed: DocumentNode
    variables: dict[str, Any]


def read(sent: Any) -> Document:
    """The document of a request.

    Raises:
        ContractError: The schema does not allow it.
    """
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        raise ContractError("POST /graphql: there is no query in the body")
    if extra := sent.keys() - {"query", "variables", "operationName"}:
        raise ContractError(f"POST /graphql: unknown fields in the body: {sorted(extra)}")
    parsed, operation = _parsed(sent["query"])
    fields = [one for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    names = tuple(one.name.value for one in fields)
    return Document(
        operation.name.value if operation.name else " ".join(dict.fromkeys(names)),
        names,
        operation.operation is OperationType.MUTATION,
        parsed,
        sent.get("variables") or {},
    )


@cache
def _parsed(text: str) -> tuple[DocumentNode, OperationDefinitionNode]:
    try:
        parsed = parse(text)
    except GraphQLSyntaxError as error:
        raise ContractError(f"POST /graphql: {error}") from None
    errors = validate(schema.bound(), parsed)
    if errors:
        raise ContractError("POST /graphql: " + "; ".join(error.message for error in errors))
    operations = [one for one in parsed.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        raise ContractError("POST /graphql: not one operation in the document")
    return parsed, operations[0]


def execute(github: GitHubServer, token: Token, document: Document, cost: Cost) -> dict[str, Any]:
    """The whole answer: `data`, and `errors` where there are any.

    Raises:
        ContractError: The variables, or what the resolvers say, do not fit the schema.
        ConnectionDropped: By script.
    """
    with github.lock:
        result = execute_sync(
            schema.bound(),
            document.parsed,
            context_value=Context(github, token, cost),
            variable_values=document.variables,
        )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_shown(error) for error in result.errors]
    return answer


def _shown(error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    if isinstance(cause, ConnectionDropped):
        raise cause
    if not isinstance(cause, ApiError):
        # Coerced wrongly, or resolved wrongly: no answer that GitHub would give.
        raise ContractError(f"POST /graphql: {error.path or ''} {cause or error}") from cause
    return {
        "type": cause.kind,
        "path": list(error.path or ()),
        "locations": [{"line": at.line, "column": at.column} for at in error.locations or ()],
        "message": cause.message,
    }

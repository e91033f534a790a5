from __future__ import annotations

import pytest
from graphql import parse

from tests.github.asking import Asking
from tests.github.graphql.cost import cost_of
from tests.github.server import GitHubServer


@pytest.mark.parametrize(
    "query, nodes, points",
    [
        pytest.param("{ viewer { login } }", 0, 1, id="no connection"),
        # The example of GitHub's own page: 5,101 requests are 51 points.
        pytest.param(
            """{ viewer { repositories(first: 100) { nodes { issues(first: 50) { nodes {
                 labels(first: 60) { nodes { name } } } } } } } }""",
            305_100,
            51,
            id="nested",
        ),
        pytest.param(
            """query($n: Int!) { viewer { ...R ... on User {
                 repositories(last: $n) { nodes { id } } } } }
               fragment R on User { repositories(first: 2) { nodes { id } } }""",
            5,
            1,
            id="fragments and variables",
        ),
    ],
)
def test_a_document_costs_what_its_connections_may_bring(
    query: str, nodes: int, points: int
) -> None:
    cost = cost_of(parse(query), {"n": 3})

    assert (cost.nodes, cost.points) == (nodes, points)


def test_points_are_taken_from_the_hour(github: GitHubServer, ask: Asking) -> None:
    query = """{ rateLimit { cost remaining nodeCount } viewer { repositories(first: 100) {
      nodes { a: refs(refPrefix: "refs/heads/", first: 1) { totalCount }
              b: refs(refPrefix: "refs/heads/", first: 1) { totalCount } } } } }"""

    told = [ask.graphql(query)["data"]["rateLimit"] for _ in range(2)]

    assert told == [
        {"cost": 2, "remaining": 4998, "nodeCount": 300},
        {"cost": 2, "remaining": 4996, "nodeCount": 300},
    ]


def test_too_many_nodes_are_refused(ask: Asking) -> None:
    query = """{ viewer { repositories(first: 100) { nodes { pullRequests(first: 100) { nodes {
      files(first: 100) { nodes { path } } } } } } } }"""

    told = ask.graphql(query)

    assert told["errors"][0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"

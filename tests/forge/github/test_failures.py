"""What GitHub's own words mean for a caller."""

from __future__ import annotations

import pytest

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.github.answer import Answer
from digestbot.forge.github.failures import graphql_refusal, lost, refusal

ARCHIVED = "Repository was archived so is read-only."
SAML = "Resource protected by organization SAML enforcement. You must grant your token access."


def said(message: str, *errors: object) -> dict[str, object]:
    return {"message": message, "errors": list(errors)}


@pytest.mark.parametrize(
    "status, message, code",
    [
        (401, "Bad credentials", "unauthorized"),
        (403, ARCHIVED, "archived"),
        (403, SAML, "sso"),
        (403, "the `acme` organization has an IP allow list enabled", "ip-not-allowed"),
        (403, "This installation has been suspended", "suspended"),
        (403, "Resource not accessible by integration", "no-permission"),
        (403, "Resource not accessible by personal access token", "no-permission"),
        (403, "Repository access blocked", "blocked"),
        (
            403,
            "refusing to update workflow `x` without `workflows` permission",
            "no-workflow-permission",
        ),
        (404, "Not Found", "not-found-or-no-access"),
        (410, "Issues are disabled for this repo", "gone"),
        (451, "Repository unavailable due to DMCA takedown.", "blocked"),
        (451, "", "blocked"),
        (409, "Git Repository is empty.", "empty"),
        (422, "Cannot update this protected ref: main.", "protected"),
        (422, "Repository rule violations found", "protected"),
        (422, "Validation Failed", "refused"),
        (405, "Pull Request is not mergeable", "refused"),
        (400, "Problems parsing JSON", "refused"),
        (418, "I am a teapot", "refused"),
    ],
)
def test_refusal_has_a_code(status: int, message: str, code: str) -> None:
    error = refusal(Answer(status, said(message)), "POST /x", is_write=True)

    assert isinstance(error, RefusedError)
    assert error.code == code
    assert message in str(error)


@pytest.mark.parametrize(
    "status, message",
    [
        (422, "Reference already exists"),
        (422, "Reference cannot be updated"),
        (422, "Reference does not exist"),
        (422, "Update is not a fast forward"),
        (409, "Head branch was modified. Review and try the merge again."),
        (405, "Base branch was modified. Review and try the merge again."),
        (409, "Conflict"),
        (422, "No commits between main and digestbot/images"),
    ],
)
def test_somebody_was_faster(status: int, message: str) -> None:
    error = refusal(Answer(status, said(message)), "PATCH /x", is_write=True)

    assert isinstance(error, UnsettledError)


def test_what_github_says_of_each_error_counts() -> None:
    reason = {"message": "A pull request already exists for acme:digestbot/images."}
    answer = Answer(422, said("Validation Failed", reason, "and a bare text", 7))

    error = refusal(answer, "POST /x", is_write=True)

    assert isinstance(error, UnsettledError)
    assert error.code == "already-exists"
    assert "and a bare text" in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_broken_server_leaves_a_write_unsettled_and_a_read_failed(status: int) -> None:
    write = refusal(Answer(status), "POST /x", is_write=True)
    read = refusal(Answer(status), "GET /x", is_write=False)

    assert isinstance(write, UnsettledError)
    assert type(read) is ForgeError
    assert read.code == write.code == "unavailable"


@pytest.mark.parametrize(
    "headers, code, hint",
    [
        ({"x-accepted-github-permissions": "contents=write"}, "no-permission", "contents=write"),
        ({"x-github-sso": "required; url=https://x"}, "sso", "single sign-on"),
        ({"x-github-sso": "partial-results"}, "no-permission", "contents: write"),
        ({}, "no-permission", "pull requests: write"),
    ],
)
def test_hint_says_what_is_missing(headers: dict[str, str], code: str, hint: str) -> None:
    answer = Answer(403, said("Resource not accessible by integration"), headers)

    error = refusal(answer, "POST /x", is_write=True)

    assert (error.code, hint in error.hint) == (code, True)


@pytest.mark.parametrize(
    "type_, message, kind, code",
    [
        ("NOT_FOUND", "Could not resolve to a Repository", RefusedError, "not-found-or-no-access"),
        ("FORBIDDEN", "Resource not accessible by integration", RefusedError, "no-permission"),
        ("FORBIDDEN", ARCHIVED, RefusedError, "archived"),
        ("FORBIDDEN", SAML, RefusedError, "sso"),
        ("INSUFFICIENT_SCOPES", "Your token has not been granted", RefusedError, "no-permission"),
        ("UNPROCESSABLE", "A ref named x already exists", UnsettledError, "already-exists"),
        ("UNPROCESSABLE", "Auto merge is not allowed", RefusedError, "refused"),
        ("STALE_DATA", "Expected branch to point to", UnsettledError, "moved-meanwhile"),
        ("SOMETHING_NEW", "No", RefusedError, "refused"),
        (None, "Something went wrong while executing your query.", UnsettledError, "unavailable"),
    ],
)
def test_errors_of_graphql_mean_the_same(
    type_: str | None, message: str, kind: type[ForgeError], code: str
) -> None:
    error = graphql_refusal({"type": type_, "message": message}, "GraphQL X", is_write=True)

    assert isinstance(error, kind)
    assert error.code == code


def test_query_that_the_server_does_not_know_is_refused() -> None:
    said = {"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}

    assert graphql_refusal(said, "GraphQL X", is_write=False).code == "query-refused"


class ReadTimeout(OSError):  # noqa: N818 - as requests calls it
    """Known by the name of its kind."""


class SSLError(OSError):
    """Likewise."""


@pytest.mark.parametrize(
    "cause, code",
    [
        (TimeoutError("slow"), "timeout"),
        (ConnectionRefusedError(), "unreachable"),
        (ConnectionResetError(), "unavailable"),
        (OSError(OSError(ConnectionRefusedError("no"))), "unreachable"),
        (SSLError("certificate verify failed"), "untrusted"),
        (EOFError(), "unavailable"),
    ],
)
def test_lost_connections_are_told_apart(cause: BaseException, code: str) -> None:
    write, read = (lost(cause, "X", is_write=is_write) for is_write in (True, False))

    assert read.code == write.code == code
    assert isinstance(write, UnsettledError)
    assert not isinstance(read, UnsettledError | RefusedError)


@pytest.mark.parametrize(
    "message, shown",
    [
        ("x" * 5000, "x" * 300 + "…"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("the token canary", "the token ***"),
    ],
)
def test_foreign_text_is_cut_cleaned_and_free_of_the_token(message: str, shown: str) -> None:
    error = refusal(Answer(404, said(message)), "GET /x", is_write=False, secret="canary")

    assert str(error) == f"GET /x: GitHub answers 404: {shown}"


@pytest.mark.parametrize("data", [None, [], "text", {"message": 7}, {"errors": {"a": 1}}])
def test_refusal_in_no_known_form_is_one_all_the_same(data: object) -> None:
    assert str(refusal(Answer(404, data), "GET /x", is_write=False)) == (
        "GET /x: GitHub answers 404"
    )

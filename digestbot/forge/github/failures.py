"""What GitHub's refusals and failures mean: one table each, most particular first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.github.answer import Answer

_LONGEST_TEXT = 300
_FIRST_SERVER_ERROR = 500


class Kind(Enum):
    """What can be done about a failure."""

    REFUSED = auto()
    UNSETTLED = auto()
    BROKEN = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """Answers with one of these statuses or types, that hold one of these texts, mean `code`.

    `types` are those of GraphQL errors. No texts fit any text.
    """

    code: str
    kind: Kind
    statuses: frozenset[int] = frozenset()
    types: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    hint: str = ""

    def fits(self, status: int, type_: str, text: str) -> bool:
        """Whether this failure is meant; `text` is in lower case."""
        is_meant = type_ in self.types if type_ else status in self.statuses
        return is_meant and (not self.texts or any(one in text for one in self.texts))


@dataclass(frozen=True, slots=True)
class _Loss:
    """What an exception means; known by the names of its classes, as its library is not ours."""

    names: tuple[str, ...]
    rule: Rule
    text: str


class WireError(Exception):
    """An answer is of no use."""


class TooLargeError(WireError):
    """It is larger than any that makes sense."""


class StrayRedirectError(WireError):
    """It leads to another host, or nowhere: the token must not go there."""


class MalformedError(WireError):
    """It is no JSON, though it should be."""


_NO = frozenset({403, 404})
_CLASH = frozenset({405, 409, 422})
_FORBIDDEN = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})
_UNPROCESSABLE = frozenset({"UNPROCESSABLE", "STALE_DATA", "CONFLICT", "VALIDATION"})
_ANY_REFUSAL = _FORBIDDEN | _UNPROCESSABLE
_MISSING_HINT = (
    "no token was given: put one in GITHUB_TOKEN, or say in the configuration where it is (github)"
)
_SSO_HINT = "authorize the token for single sign-on to this organization"
_NEEDED = "contents: write, pull requests: write, metadata: read"
_RULES = (
    Rule(
        "unauthorized",
        Kind.REFUSED,
        frozenset({401}),
        hint="the token is wrong, expired or revoked: give a valid one in GITHUB_TOKEN",
    ),
    Rule(
        "archived",
        Kind.REFUSED,
        _NO,
        _ANY_REFUSAL,
        ("was archived", "is archived", "archived so is read-only"),
        "an archived repo takes no pull requests",
    ),
    Rule(
        "sso",
        Kind.REFUSED,
        _NO,
        _FORBIDDEN,
        ("saml",),
        _SSO_HINT,
    ),
    Rule(
        "ip-not-allowed",
        Kind.REFUSED,
        _NO,
        _FORBIDDEN,
        ("ip allow list",),
        "the organization does not allow this address: add it to its IP allow list",
    ),
    Rule(
        "suspended",
        Kind.REFUSED,
        _NO,
        _FORBIDDEN,
        ("suspended",),
        "ask the owner of the organization to lift the suspension",
    ),
    Rule(
        "no-workflow-permission",
        Kind.REFUSED,
        _NO | _CLASH,
        _ANY_REFUSAL,
        ("`workflow` scope", "`workflows` permission", "workflow permission"),
        "changes under .github/workflows need the `workflow` scope, or workflows: write",
    ),
    Rule(
        "protected",
        Kind.REFUSED,
        _NO | _CLASH,
        _ANY_REFUSAL,
        ("protected branch", "protected ref", "repository rule violations", "repository ruleset"),
        "a rule of the repo forbids it: let digestbot's account bypass the rule",
    ),
    Rule(
        "blocked",
        Kind.REFUSED,
        _NO | {451},
        _FORBIDDEN,
        ("access blocked", "repository is disabled", "dmca", "unavailable due to"),
        "GitHub has closed this repo",
    ),
    Rule("blocked", Kind.REFUSED, frozenset({451}), hint="GitHub has closed this repo"),
    Rule(
        "no-permission",
        Kind.REFUSED,
        frozenset({403}),
        _FORBIDDEN,
        hint=f"the token or the App needs {_NEEDED}",
    ),
    Rule(
        "not-found-or-no-access",
        Kind.REFUSED,
        frozenset({404}),
        frozenset({"NOT_FOUND"}),
        hint="check the name, and that the token or the App has access to it",
    ),
    Rule("gone", Kind.REFUSED, frozenset({410}), hint="this feature is switched off in the repo"),
    Rule("empty", Kind.REFUSED, frozenset({409}), texts=("repository is empty",)),
    Rule(
        "already-exists",
        Kind.UNSETTLED,
        _CLASH,
        _UNPROCESSABLE,
        ("already exists",),
    ),
    Rule(
        "moved-meanwhile",
        Kind.UNSETTLED,
        _CLASH,
        _UNPROCESSABLE,
        (
            "cannot be updated",
            "does not exist",
            "not a fast forward",
            "was modified",
            "head sha",
            "head oid",
            "expected head",
            "expected branch to point to",
            "is at ",
            "no commits between",
            "is not the expected",
            "does not match",
        ),
    ),
    Rule("moved-meanwhile", Kind.UNSETTLED, types=frozenset({"STALE_DATA", "CONFLICT"})),
    Rule("moved-meanwhile", Kind.UNSETTLED, frozenset({409})),
    Rule("refused", Kind.REFUSED, frozenset({400, 405, 413, 415, 422}), _UNPROCESSABLE),
    Rule(
        "query-refused",
        Kind.REFUSED,
        types=frozenset({"MAX_NODE_LIMIT_EXCEEDED", "undefinedField", "argumentNotAccepted"}),
        hint="this GitHub is too old for digestbot, or it is a defect of digestbot",
    ),
)
_OTHER = Rule("refused", Kind.REFUSED)
_BROKEN = Rule("unavailable", Kind.BROKEN, hint="see githubstatus.com, and run again later")
_DOWN_HINT = "check the network, and githubstatus.com"
_LOST = (
    _Loss(
        ("SSLError",),
        Rule("untrusted", Kind.BROKEN, hint="name your own authority in REQUESTS_CA_BUNDLE"),
        "cannot be trusted: its certificate is not accepted",
    ),
    _Loss(
        ("StrayRedirectError",),
        Rule("stray-redirect", Kind.REFUSED, hint="check the URL of the API"),
        "redirects to another host, where the token must not go",
    ),
    _Loss(("TooLargeError",), Rule("answer-too-large", Kind.BROKEN), "answers without end"),
    _Loss(("MalformedError",), Rule("malformed", Kind.BROKEN), "answers what is no JSON"),
    _Loss(
        ("ProxyError",),
        Rule("unreachable", Kind.BROKEN, hint="check the proxy in HTTPS_PROXY"),
        "cannot be reached through the proxy",
    ),
    _Loss(
        ("NewConnectionError", "gaierror", "ConnectionRefusedError"),
        Rule("unreachable", Kind.BROKEN, hint=_DOWN_HINT),
        "cannot be reached",
    ),
    _Loss(
        ("Timeout", "TimeoutError"),
        Rule("timeout", Kind.BROKEN, hint=_DOWN_HINT),
        "does not answer in time",
    ),
)
PASSING = frozenset({"unavailable", "timeout", "malformed", "unreachable"})
"""The codes of failures that another try may not meet."""


def refusal(answer: Answer, what: str, *, is_write: bool, secret: str = "") -> ForgeError:
    """The error for an answer of 300 and above.

    Args:
        answer: What came.
        what: What was asked for, as `GET /repos/acme/app`.
        is_write: Whether something may have happened.
        secret: What never appears in the message.
    """
    said = _said(answer.message, secret)
    rule = _rule(answer.status, "", said)
    if rule.code == "no-permission":
        rule = _informed(rule, answer.headers)
    if rule.code == "unauthorized" and not secret:
        rule = replace(rule, hint=_MISSING_HINT)
    text = f"{what}: GitHub answers {answer.status}{': ' + said if said else ''}"
    return _error(rule, text, is_write=is_write)


def graphql_refusal(
    error: Mapping[str, object], what: str, *, is_write: bool, secret: str = ""
) -> ForgeError:
    """The error for one of the `errors` of a GraphQL answer."""
    message = error.get("message")
    said = _said(message if isinstance(message, str) else "", secret)
    type_ = error_type(error)
    # Without a type it is no refusal: a timeout, or "Something went wrong".
    rule = _rule(0, type_, said) if type_ else _BROKEN
    return _error(rule, f"{what}: GitHub answers: {said or type_}", is_write=is_write)


def lost(error: BaseException, what: str, *, is_write: bool) -> ForgeError:
    """The error for a call that got no answer, or none of use."""
    names = {kind.__name__ for one in _causes(error) for kind in type(one).__mro__}
    for loss in _LOST:
        if names.intersection(loss.names):
            return _error(loss.rule, f"{what}: GitHub {loss.text}", is_write=is_write)
    return _error(_BROKEN, f"{what}: GitHub broke off its answer", is_write=is_write)


def malformed(what: str, *, is_write: bool) -> ForgeError:
    """The error for an answer that is not what the API promises."""
    text = f"{what}: GitHub's answer cannot be understood"
    return _error(Rule("malformed", Kind.BROKEN), text, is_write=is_write)


def error_type(error: Mapping[str, object]) -> str:
    """The type of a GraphQL error; those of the query itself stand elsewhere."""
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    return next((one for one in (error.get("type"), code) if isinstance(one, str)), "")


def _rule(status: int, type_: str, said: str) -> Rule:
    if status >= _FIRST_SERVER_ERROR:
        return _BROKEN
    text = said.lower()
    return next((rule for rule in _RULES if rule.fits(status, type_, text)), _OTHER)


def _error(rule: Rule, text: str, *, is_write: bool) -> ForgeError:
    if rule.kind is Kind.REFUSED:
        return RefusedError(text, code=rule.code, hint=rule.hint)
    if rule.kind is Kind.UNSETTLED or is_write:
        return UnsettledError(text, code=rule.code, hint=rule.hint)
    return ForgeError(text, code=rule.code, hint=rule.hint)


def _informed(rule: Rule, headers: Mapping[str, str]) -> Rule:
    """The rule with what GitHub itself says is missing."""
    if headers.get("x-github-sso", "").startswith("required"):
        return replace(rule, code="sso", hint=_SSO_HINT)
    permissions = _said(headers.get("x-accepted-github-permissions", ""), "")
    if permissions:
        return replace(rule, hint=f"the token or the App needs one of: {permissions}")
    return rule


def _said(text: str, secret: str) -> str:
    if secret:
        text = text.replace(secret, "***")
    text = "".join(char if char.isprintable() else " " for char in text[: 2 * _LONGEST_TEXT])
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def _causes(error: BaseException) -> list[BaseException]:
    waiting: list[object] = [error]
    seen: list[BaseException] = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]
    return seen

"""What a registry means when it says no.

The status counts first, the code in the body second: many bodies are empty, text or HTML.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from digestbot.registry.errors import RegistryError
from digestbot.registry.message import Response
from digestbot.registry.origin import DOCKER_HUB

MAX_ERRORS = 16
_MAX_SHOWN = 200
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _PRECONDITION_FAILED = 401, 403, 404, 412
# Registries, and services of registries, that give the same answer for what is missing and for
# what is not yours to see: GitLab names itself container_registry.
_AMBIGUOUS_HOSTS: Final = frozenset({DOCKER_HUB, "ghcr.io", "registry.gitlab.com"})
_AMBIGUOUS_SERVICES: Final = frozenset({"container_registry", "harbor-registry"})
_LOG_IN = "if the image exists, log in with an account that may pull it: `docker login {host}`"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and as whom: `login` is empty where nobody in particular asked.

    `is_accepted` says that whoever asked is known to the registry: a wrong password it is not.
    `secrets` are texts that are not to be shown, should the registry repeat them.
    """

    registry: str
    login: str = ""
    service: str = ""
    is_accepted: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_ambiguous(self) -> bool:
        """Whether this registry does not tell what is missing from what is hidden."""
        return self.registry in _AMBIGUOUS_HOSTS or self.service in _AMBIGUOUS_SERVICES


def error_codes(response: Response) -> frozenset[str]:
    """The codes in the body of an error, in upper case: `MANIFEST_UNKNOWN`."""
    return frozenset(code for code, _ in _errors(response.body))


def registry_refusal(response: Response, asked: Asked) -> RegistryError:
    """The error that a registry's answer means, to a question about an image."""
    status = response.status
    if _is_web_page(response):
        return _not_a_registry(response, asked)
    if status == _UNAUTHORIZED:
        return _unauthorized(asked)
    if status == _FORBIDDEN:
        return _hidden(response, asked) if asked.is_ambiguous else _denied(response, asked)
    if status == _NOT_FOUND:
        return _not_found(response, asked)
    if status == _PRECONDITION_FAILED:
        what = f"{asked.registry} blocks the image by a policy{_said(response, asked)}"
        hint = "see the project's policies in the registry; the pin stays as it is"
        return _error(asked, "policy", what, hint)
    return _error(asked, "unexpected", f"{asked.registry} answers {status}{_said(response, asked)}")


def token_refusal(response: Response, asked: Asked) -> RegistryError:
    """The error that a token server's answer means, where it is not a token."""
    if response.status == _UNAUTHORIZED and asked.login and not asked.is_accepted:
        return wrong_password(asked)
    if response.status in (_UNAUTHORIZED, _FORBIDDEN):
        return _hidden(response, asked)
    what = f"the token server of {asked.registry} answers {response.status}{_said(response, asked)}"
    return _error(asked, "unexpected", what)


def wrong_password(asked: Asked) -> RegistryError:
    """The error of a login that is not accepted."""
    what = f"{asked.registry} does not accept the login of {asked.login!r}"
    hint = (
        f"check username and password, then `docker login {asked.registry}`; it is not tried again"
    )
    return _error(asked, "unauthorized", what, hint)


def _unauthorized(asked: Asked) -> RegistryError:
    if asked.is_accepted or asked.login or asked.is_ambiguous:
        return _hidden(None, asked)
    what = f"{asked.registry} answers nobody without a login"
    hint = f"`docker login {asked.registry}`, or set registries.{asked.registry}.username"
    return _error(asked, "login-required", what, hint)


def _hidden(response: Response | None, asked: Asked) -> RegistryError:
    who = f"{asked.login!r} may not see it" if asked.login else "it needs a login"
    said = _said(response, asked) if response else ""
    what = f"{asked.registry} has no such image, or {who}; it does not say which{said}"
    hint = f"check the spelling; {_LOG_IN.format(host=asked.registry)}"
    return _error(asked, "not-found-or-no-access", what, hint)


def _denied(response: Response, asked: Asked) -> RegistryError:
    who = repr(asked.login) if asked.login else "anyone without a login"
    what = f"{asked.registry} denies the image to {who}{_said(response, asked)}"
    return _error(asked, "denied", what, _LOG_IN.format(host=asked.registry))


def _not_found(response: Response, asked: Asked) -> RegistryError:
    missing = "tag"
    if error_codes(response) & {"NAME_UNKNOWN", "NOT_FOUND", "NAME_INVALID"}:
        missing = "repository or tag"
    what = f"{asked.registry} has no such {missing}{_said(response, asked)}"
    return _error(asked, "not-found", what, "check the spelling; a tag may have been removed")


def _not_a_registry(response: Response, asked: Asked) -> RegistryError:
    what = f"{asked.registry} answers with a web page ({response.status}), not as a registry"
    hint = "check the host and the path; a proxy or a login page may stand in between"
    return _error(asked, "not-a-registry", what, hint)


def _error(asked: Asked, code: str, what: str, hint: str = "") -> RegistryError:
    return RegistryError(what, code=code, host=asked.registry, hint=hint)


def _is_web_page(response: Response) -> bool:
    is_html = response.media_type in ("text/html", "application/xhtml+xml")
    return is_html and not response.header("docker-distribution-api-version")


def _said(response: Response, asked: Asked) -> str:
    """The first message in the body, on one line of printable text."""
    for code, message in _errors(response.body):
        shown = message or code
        for secret in filter(None, asked.secrets):
            shown = shown.replace(secret, "***")
        shown = "".join(c if c.isprintable() else " " for c in shown)
        if shown.strip():
            return f": {shown.strip()[:_MAX_SHOWN]!r}"
    return ""


def _errors(body: bytes) -> list[tuple[str, str]]:
    """Code and message of each error; see distribution-spec, section Error Codes."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return []
    errors = data.get("errors") if isinstance(data, dict) else None
    if not isinstance(errors, list):
        errors = [data]
    return [
        (_text(error.get("code")).upper(), _text(error.get("message")))
        for error in errors[:MAX_ERRORS]
        if isinstance(error, dict)
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

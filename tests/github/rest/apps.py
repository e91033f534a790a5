"""GitHub Apps: who they are, where they are installed, and their tokens."""

from __future__ import annotations

import secrets
import time
from typing import Any

import jwt

from tests.github.clock import stamp
from tests.github.errors import ApiError, not_found
from tests.github.rest.router import Call, Reply, paged, serves
from tests.github.state import App, Installation, Token


def app_of(call: Call) -> App:
    """The App whose key signed the JWT of this request."""
    token = call.bearer
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    app = next((one for one in call.world.apps if issuer in (str(one.id), one.client_id)), None)
    if app is None:
        raise ApiError(401, "Integration not found")
    _check_times(_decoded(token, app), call.server.clock.now())
    return app


def _decoded(token: str, app: App) -> dict[str, Any]:
    try:
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
        return jwt.decode(token, app.public_key, algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        raise ApiError(401, "A JSON web token could not be decoded") from None


def _check_times(claims: dict[str, Any], now: float) -> None:
    # Who signs may look at the real clock, which the virtual one has left behind.
    clocks = (now, time.time())
    expires, issued = claims.get("exp", 0), claims.get("iat", 0)
    if all(expires <= one for one in clocks):
        raise ApiError(401, "'Expiration time' claim ('exp') must be a numeric value in the future")
    if all(expires > one + 600 + 5 for one in clocks):
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    if all(issued > one + 5 for one in clocks):
        raise ApiError(401, "'Issued at' claim ('iat') must be an Integer in the past")


@serves("GET /app")
def get_app(call: Call) -> Reply:
    app = app_of(call)
    shapes = call.server.shapes
    return Reply(
        200,
        {
            "id": app.id,
            "slug": app.slug,
            "client_id": app.client_id,
            "name": app.slug,
            "owner": shapes.account(call.world.account("acme", "Organization")),
            "html_url": f"{call.server.url}/apps/{app.slug}",
            "external_url": f"{call.server.url}/apps/{app.slug}",
            "permissions": app.permissions,
            "events": [],
        },
    )


@serves("GET /app/installations")
def list_installations(call: Call) -> Reply:
    app = app_of(call)
    known = [one for one in call.world.installations.values() if one.app is app]
    return paged(call, known, lambda one: _listed(call.server.shapes.installation(one)))


def _listed(shape: dict[str, Any]) -> dict[str, Any]:
    # The list is described without this field.
    return {name: value for name, value in shape.items() if name != "client_id"}


@serves("GET /orgs/{org}/installation")
def get_org_installation(call: Call) -> Reply:
    return _of(call, app_of(call), call.path["org"])


@serves("GET /users/{username}/installation")
def get_user_installation(call: Call) -> Reply:
    return _of(call, app_of(call), call.path["username"])


@serves("GET /repos/{owner}/{repo}/installation")
def get_repo_installation(call: Call) -> Reply:
    app = app_of(call)
    repo = call.world.repo(f"{call.path['owner']}/{call.path['repo']}")
    for one in call.world.installations.values():
        if repo is not None and one.app is app and one.covers(repo):
            return Reply(200, call.server.shapes.installation(one))
    raise not_found()


def _of(call: Call, app: App, login: str) -> Reply:
    for one in call.world.installations.values():
        if one.app is app and one.account.login.lower() == login.lower():
            return Reply(200, call.server.shapes.installation(one))
    raise not_found()


@serves("POST /app/installations/{installation_id}/access_tokens")
def create_token(call: Call) -> Reply:
    app = app_of(call)
    installation = call.world.installations.get(int(call.path["installation_id"]))
    if installation is None or installation.app is not app:
        raise not_found()
    if installation.suspended:
        raise ApiError(403, "This installation has been suspended")
    wanted = call.sent.get("permissions") or dict(app.permissions)
    for name, level in wanted.items():
        if app.permissions.get(name) not in {level, "write", "admin"}:
            raise ApiError(
                422,
                "The permissions requested are not granted to this installation.",
            )
    return Reply(201, _shown(call, mint(call, installation, wanted)))


def mint(call: Call, installation: Installation, permissions: dict[str, str]) -> Token:
    # Since 2026 these are stateless: a prefix, the App's number, and a JWT.
    claims = {"jti": secrets.token_hex(12), "iid": installation.id}
    value = f"ghs_{installation.app.id}_{jwt.encode(claims, 'test' * 16, algorithm='HS256')}"
    repositories = call.sent.get("repositories")
    token = Token(
        value,
        installation.app.bot,
        permissions=dict(permissions),
        installation=installation,
        expires_at=call.server.clock.now() + 3600,
        repos=set(repositories) if repositories else None,
        label=installation.app.bot.login,
    )
    call.world.tokens[value] = token
    return token


def _shown(call: Call, token: Token) -> dict[str, Any]:
    installation = token.installation
    return {
        "token": token.value,
        "expires_at": stamp(token.expires_at or 0),
        "permissions": token.permissions,
        "repository_selection": "selected" if installation and installation.repos else "all",
    }

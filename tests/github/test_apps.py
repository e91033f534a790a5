from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import github as pygithub
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github.asking import Asking, asking
from tests.github.server import GitHubServer
from tests.github.state import App

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = _KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC = (
    _KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


@pytest.fixture
def app(github: GitHubServer) -> App:
    return github.app(PUBLIC)


def signed(app: App, key: str = PRIVATE, **claims: Any) -> str:
    now = int(time.time())
    whole = {"iat": now - 60, "exp": now + 540, "iss": str(app.id), **claims}
    return jwt.encode(whole, key, algorithm="RS256")


@pytest.fixture
def as_app(github: GitHubServer, app: App) -> Iterator[Asking]:
    with asking(github, signed(app)) as ask:
        yield ask


def new_token(as_app: Asking, **body: Any) -> dict[str, Any]:
    one = as_app("GET", "/orgs/acme/installation").json()
    told: dict[str, Any] = as_app(
        "POST", f"/app/installations/{one['id']}/access_tokens", body or None
    ).json()
    return told


def test_an_app_finds_where_it_is_installed(github: GitHubServer, app: App, as_app: Asking) -> None:
    by_org = as_app("GET", "/orgs/acme/installation").json()
    by_repo = as_app("GET", "/repos/acme/app/installation").json()
    listed = as_app("GET", "/app/installations").json()
    elsewhere = as_app("GET", "/users/nobody/installation")

    assert as_app("GET", "/app").json()["slug"] == "digestbot"
    assert by_org == by_repo
    assert [one["id"] for one in listed] == [by_org["id"]]
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    "claims, reason",
    [
        pytest.param({"exp": 1}, "('exp') must be a numeric value in the future", id="expired"),
        pytest.param({"exp": 4102444800}, "('exp') is too far in the future", id="too long"),
        pytest.param({"iat": 4102444800}, "('iat') must be an Integer in the past", id="future"),
        pytest.param({"iss": "7"}, "Integration not found", id="unknown app"),
    ],
)
def test_a_bad_jwt_is_refused(
    github: GitHubServer, app: App, claims: dict[str, Any], reason: str
) -> None:
    with asking(github, signed(app, **claims)) as ask:
        answer = ask("GET", "/app")

    assert answer.status_code == 401
    assert reason in answer.json()["message"]


def test_a_jwt_of_another_key_is_refused(github: GitHubServer, app: App) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with asking(github, signed(app, other.decode())) as ask:
        answer = ask("GET", "/app")

    assert answer.json()["message"] == "A JSON web token could not be decoded"


def test_a_token_is_of_the_new_form_and_lasts_an_hour(
    github: GitHubServer, app: App, as_app: Asking
) -> None:
    told = new_token(as_app)

    with asking(github, told["token"]) as ask:
        codes = [ask("GET", "/installation/repositories").status_code]
        github.clock.advance(3601)
        codes.append(ask("GET", "/installation/repositories").status_code)

    assert told["token"].startswith(f"ghs_{app.id}_")
    assert len(told["token"]) > 40
    assert codes == [200, 401]


def test_a_token_sees_the_repos_of_its_installation(github: GitHubServer, as_app: Asking) -> None:
    github.add_repo("acme/private", private=True)
    github.add_repo("other/private", private=True)
    github.add_repo("other/public")

    with asking(github, new_token(as_app)["token"]) as ask:
        listed = ask("GET", "/installation/repositories").json()
        codes = [
            ask("GET", f"/repos/{name}").status_code
            for name in ("acme/private", "other/private", "other/public")
        ]
        write = ask("POST", "/repos/other/public/issues", {"title": "x"})

    assert listed["total_count"] == 2
    assert [one["name"] for one in listed["repositories"]] == ["app", "private"]
    assert codes == [200, 404, 200]
    assert write.json()["message"] == "Resource not accessible by integration"


def test_a_token_has_no_more_permissions_than_it_asked_for(
    github: GitHubServer, as_app: Asking
) -> None:
    told = new_token(as_app, permissions={"contents": "read", "metadata": "read"})

    with asking(github, told["token"]) as ask:
        answer = ask("POST", "/repos/acme/app/git/blobs", {"content": "x"})

    assert answer.json()["message"] == "Resource not accessible by integration"
    assert new_token(as_app, permissions={"administration": "write"}).get("token") is None


def test_an_app_is_a_bot(github: GitHubServer, as_app: Asking) -> None:
    github.commit("acme/app", "work", {"a": "b"})

    with asking(github, new_token(as_app)["token"]) as ask:
        body = {"title": "t", "head": "work", "base": "main"}
        rest = ask("POST", "/repos/acme/app/pulls", body).json()["user"]
        told = ask.graphql(
            """{ viewer { login } repository(owner: "acme", name: "app") {
                 viewerPermission pullRequest(number: 1) { author { __typename login } } } }"""
        )["data"]

    assert (rest["login"], rest["type"]) == ("digestbot[bot]", "Bot")
    assert told["viewer"] == {"login": "digestbot[bot]"}
    assert told["repository"]["pullRequest"]["author"] == {
        "__typename": "Bot",
        "login": "digestbot",
    }
    assert told["repository"]["viewerPermission"] == "WRITE"


@pytest.mark.parametrize(
    "more, is_verified",
    [
        pytest.param({}, True, id="by the app itself"),
        pytest.param({"author": {"name": "Ann", "email": "a@b.c"}}, False, id="for another"),
    ],
)
def test_a_commit_of_an_app_is_verified_unless_it_names_an_author(
    github: GitHubServer, as_app: Asking, more: dict[str, Any], is_verified: bool
) -> None:
    repo = github.repo("acme/app")
    head = str(repo.head())
    body = {"message": "m", "tree": repo.git.tree_of(head), "parents": [head], **more}

    with asking(github, new_token(as_app)["token"]) as ask:
        told = ask("POST", "/repos/acme/app/git/commits", body).json()

    assert told["verification"]["verified"] is is_verified


def test_pygithub_comes_in_as_an_app(github: GitHubServer, app: App) -> None:
    auth = pygithub.Auth.AppAuth(app.id, PRIVATE)
    integration = pygithub.GithubIntegration(auth=auth, base_url=github.url)

    installation = integration.get_org_installation("acme")
    client = integration.get_github_for_installation(installation.id)
    repo = client.get_repo("acme/app")

    assert repo.full_name == "acme/app"
    client.close()
    integration.close()

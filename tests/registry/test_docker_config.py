from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from digestbot.registry.docker_config import (
    ANONYMOUS,
    MAX_FILE,
    Credential,
    config_files,
    key_host,
    read_docker_config,
)
from digestbot.secret import Secret


def encode(text: str, *, padded: bool = True) -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return encoded if padded else encoded.rstrip("=")


@pytest.mark.parametrize(
    "entry, credential",
    [
        pytest.param({"auth": encode("me:pw")}, Credential("me", Secret("pw")), id="auth"),
        pytest.param(
            {"auth": encode("me:p:w:")}, Credential("me", Secret("p:w:")), id="colons-in-password"
        ),
        pytest.param(
            {"auth": encode("me:pass", padded=False)},
            Credential("me", Secret("pass")),
            id="unpadded",
        ),
        pytest.param({"auth": encode("me:pw\0\0")}, Credential("me", Secret("pw")), id="nul"),
        pytest.param(
            {"auth": encode("robot$team+ci:pw")}, Credential("robot$team+ci", Secret("pw")), id="$"
        ),
        pytest.param(
            {"username": "me", "password": "pw"}, Credential("me", Secret("pw")), id="in-clear"
        ),
        pytest.param(
            {"auth": encode("<token>:abc")},
            Credential(identity_token=Secret("abc")),
            id="token-user",
        ),
        pytest.param(
            {"auth": encode("0000:"), "identitytoken": "abc"},
            Credential("0000", identity_token=Secret("abc")),
            id="identity-token",
        ),
        pytest.param(
            {"registrytoken": "abc"}, Credential(registry_token=Secret("abc")), id="registry-token"
        ),
        pytest.param({}, ANONYMOUS, id="kept-by-a-helper"),
        pytest.param({"auth": "%%%"}, ANONYMOUS, id="not-base64"),
        pytest.param({"auth": base64.b64encode(b"\xff:\xfe").decode()}, ANONYMOUS, id="not-utf8"),
        pytest.param({"auth": 5, "username": [], "password": None}, ANONYMOUS, id="wrong-types"),
        pytest.param("me:pw", ANONYMOUS, id="not-an-object"),
    ],
)
def test_entry_is_read(entry: object, credential: Credential) -> None:
    config = read_docker_config(json.dumps({"auths": {"r.example": entry}}))

    assert (config.login("r.example", "") or ANONYMOUS) == credential
    assert config.knows("r.example")


@pytest.mark.parametrize(
    "key, host",
    [
        ("r.example", "r.example"),
        ("R.Example:5000", "r.example:5000"),
        ("https://r.example/v1/", "r.example"),
        ("http://r.example/v2/", "r.example"),
        ("r.example/team/app", "r.example"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("docker.io/library", "docker.io"),
    ],
)
def test_key_is_reduced_to_its_registry(key: str, host: str) -> None:
    assert key_host(key) == host


def test_most_specific_key_wins() -> None:
    names = ["r.example", "r.example/team", "r.example/team/app", "r.example/team/ap"]
    auths = {name: {"username": name, "password": "pw"} for name in names}
    config = read_docker_config(json.dumps({"auths": auths}))

    found = {
        repository: getattr(config.login("r.example", repository), "username", None)
        for repository in ("team/app", "team/app/x", "team/other", "teams/app", "other")
    }

    assert found == {
        "team/app": "r.example/team/app",
        "team/app/x": "r.example/team/app",
        "team/other": "r.example/team",
        "teams/app": "r.example",
        "other": "r.example",
    }


def test_login_of_another_registry_is_not_taken() -> None:
    auths = {"r.example:5000": {"username": "me", "password": "pw"}}
    config = read_docker_config(json.dumps({"auths": auths}))

    assert config.login("r.example", "") is None
    assert config.login("evil-r.example:5000", "") is None


def test_helpers_are_found_by_host() -> None:
    text = json.dumps(
        {"credHelpers": {"https://r.example": "one", "docker.io": 5}, "credsStore": "two"}
    )
    config = read_docker_config(text)

    assert config.helper("r.example") == "one"
    assert config.helper("docker.io") == ""
    assert config.store == "two"
    assert config.knows("r.example")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"auths"', "[" * 5000, "{}" + " " * MAX_FILE],
    ids=["empty", "half", "list", "null", "text", "deep", "long"],
)
def test_file_that_is_no_config_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="it "):
        read_docker_config(text)


@pytest.mark.parametrize("text", ['{"auths": []}', '{"auths": null, "credHelpers": 5}', "{}"])
def test_file_that_says_nothing_is_empty(text: str) -> None:
    config = read_docker_config(text)

    assert not config.knows("r.example")


def test_files_are_looked_for_in_order() -> None:
    environ = {
        "DOCKER_CONFIG": "/d",
        "REGISTRY_AUTH_FILE": "/r.json",
        "XDG_RUNTIME_DIR": "/run/me",
    }

    found = [str(path) for path in config_files(environ, Path("/home/me"))]

    assert found == [
        "/d/config.json",
        "/home/me/.docker/config.json",
        "/r.json",
        "/run/me/containers/auth.json",
        "/home/me/.config/containers/auth.json",
    ]

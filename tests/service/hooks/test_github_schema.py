"""The payloads that the tests invent are such as GitHub describes, and so is what is read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.hooks import payloads
from tests.service.hooks.github_schema import is_required, problems

_REPOSITORY = (
    "created",
    "deleted",
    "archived",
    "unarchived",
    "edited",
    "renamed",
    "transferred",
    "publicized",
    "privatized",
)


@pytest.mark.parametrize(
    "name, payload",
    [
        ("push$event", payloads.push()),
        ("push$event", payloads.push("refs/tags/main")),
        ("pull_request$closed", payloads.pull_request()),
        ("pull_request$closed", payloads.pull_request(origin="fork/shop")),
        ("check_suite$completed", payloads.check_suite()),
        ("check_suite$completed", payloads.check_suite(branch=None)),
        ("check_suite$requested", payloads.check_suite("requested")),
        *(
            (f"installation${action}", payloads.installation(action))
            for action in ("created", "deleted", "suspend", "unsuspend")
        ),
        *(
            (f"installation_repositories${action}", payloads.installation_repositories(action))
            for action in ("added", "removed")
        ),
        *((f"repository${action}", payloads.repository(action)) for action in _REPOSITORY),
        ("ping$event", payloads.ping()),
        ("registry_package$published", payloads.ghcr()),
        ("registry_package$updated", payloads.ghcr("updated", tag="")),
        ("package$published", payloads.ghcr(event="package")),
        ("package$updated", payloads.ghcr("updated", event="package", tag="")),
    ],
)
def test_payloads_are_such_as_github_describes(name: str, payload: Any) -> None:
    assert problems(name, payload) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ref": 17}, id="a-wrong-type"),
        pytest.param({"reference": "refs/heads/main"}, id="an-unknown-field"),
        pytest.param({"repository": {"full_nam": "Corp/shop"}}, id="an-unknown-field-inside"),
    ],
)
def test_a_payload_that_github_does_not_send_would_be_noticed(change: Any) -> None:
    assert problems("push$event", payloads.push() | change) != []


@pytest.mark.parametrize(
    "name, path",
    [
        ("push$event", ("ref",)),
        ("push$event", ("repository", "full_name")),
        ("push$event", ("repository", "default_branch")),
        ("pull_request$closed", ("action",)),
        ("pull_request$closed", ("pull_request", "head", "ref")),
        ("pull_request$closed", ("repository", "full_name")),
        ("check_suite$completed", ("check_suite", "head_branch")),
        ("check_suite$completed", ("repository", "full_name")),
        ("installation$created", ("action",)),
        ("installation_repositories$added", ("action",)),
        ("repository$renamed", ("action",)),
        ("registry_package$published", ("registry_package", "name")),
        ("registry_package$published", ("registry_package", "package_type")),
        ("registry_package$published", ("registry_package", "namespace")),
        ("package$published", ("package", "name")),
        ("package$published", ("package", "package_type")),
        ("package$published", ("package", "namespace")),
    ],
)
def test_what_is_read_is_always_there(name: str, path: tuple[str, ...]) -> None:
    assert is_required(name, *path)


def test_what_may_be_missing_would_be_noticed() -> None:
    assert not is_required("push$event", "installation")
    assert not is_required("push$event", "repository", "nonsense")

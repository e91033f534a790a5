from __future__ import annotations

from typing import Any

import pytest

from digestbot.secret import Secret
from digestbot.service.hooks.delivery import Delivery, ListHint, MalformedError, Reading, RepoHint
from digestbot.service.hooks.github import GitHub
from tests.service.hooks import payloads
from tests.service.hooks.senders import GITHUB, SECRET, by_hmac

SHOP = (RepoHint("Corp/shop"),)
_REPOSITORY_ACTIONS = (
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


def test_the_signature_of_githubs_own_example_is_believed() -> None:
    # From "Validating webhook deliveries", "Testing the webhook payload validation".
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    delivery = Delivery({"x-hub-signature-256": signature}, b"Hello, World!")

    assert GitHub().is_authentic(delivery, Secret("It's a Secret to Everybody"))


@pytest.mark.parametrize(
    "prove",
    [
        pytest.param(by_hmac("x-hub-signature-256"), id="no-prefix"),
        pytest.param(by_hmac("x-hub-signature-256", "sha1", "sha1="), id="sha1"),
        pytest.param(by_hmac("x-hub-signature-256", "sha1", "sha256="), id="sha1-as-sha256"),
        pytest.param(by_hmac("x-hub-signature-256", "sha512", "sha256="), id="sha512"),
        pytest.param(by_hmac("x-hub-signature", "sha1", "sha1="), id="the-header-before"),
        pytest.param(by_hmac("x-hub-signature", "sha256", "sha256="), id="another-header"),
    ],
)
def test_other_signatures_are_not_believed(prove: Any) -> None:
    body = GITHUB.deliver().body

    assert not GITHUB.believes(Delivery(prove(body, SECRET).headers, body))


@pytest.mark.parametrize("change", [b" ", b"\n", b"\x00"])
def test_a_signature_of_other_bytes_is_not_believed(change: bytes) -> None:
    signed = GITHUB.deliver()

    assert not GITHUB.believes(Delivery(signed.headers, signed.body + change))
    assert not GITHUB.believes(Delivery(signed.headers, signed.body[:-1]))


def test_a_push_to_the_default_branch_is_about_its_repo() -> None:
    assert GITHUB.read(payloads.push()) == Reading(SHOP, GITHUB.id)


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/feature",
        "refs/heads/digestbot/python-1a2b3c4d",
        "refs/heads/main/2",
        "refs/tags/main",
        "main",
        "",
    ],
)
def test_a_push_to_another_branch_is_of_no_interest(ref: str) -> None:
    assert GITHUB.read(payloads.push(ref)) == Reading(id=GITHUB.id)


@pytest.mark.parametrize(
    "payload, hints",
    [
        pytest.param(payloads.pull_request(), SHOP, id="closed"),
        pytest.param(payloads.pull_request("opened"), (), id="opened"),
        pytest.param(payloads.pull_request("synchronize"), (), id="pushed-to"),
        pytest.param(payloads.pull_request(branch="feature"), (), id="somebodys"),
        pytest.param(payloads.pull_request(branch="digestbot"), (), id="almost-ours"),
        pytest.param(payloads.pull_request(branch="x/digestbot/y"), (), id="ours-inside"),
        pytest.param(payloads.pull_request(origin="fork/shop"), (), id="of-a-fork"),
        pytest.param(payloads.pull_request(origin=None), (), id="of-a-fork-that-is-gone"),
    ],
)
def test_a_pull_request_of_ours_that_closes_is_about_its_repo(
    payload: Any, hints: tuple[RepoHint, ...]
) -> None:
    reading = GITHUB.read(payload, x_github_event="pull_request")

    assert reading == Reading(hints, GITHUB.id)


@pytest.mark.parametrize(
    "payload, hints",
    [
        pytest.param(payloads.check_suite(), SHOP, id="completed"),
        pytest.param(payloads.check_suite("requested"), (), id="requested"),
        pytest.param(payloads.check_suite("rerequested"), (), id="requested-again"),
        pytest.param(payloads.check_suite(branch="main"), (), id="of-another-branch"),
        pytest.param(payloads.check_suite(branch=None), (), id="of-no-branch"),
    ],
)
def test_checks_of_ours_that_complete_are_about_their_repo(
    payload: Any, hints: tuple[RepoHint, ...]
) -> None:
    reading = GITHUB.read(payload, x_github_event="check_suite")

    assert reading == Reading(hints, GITHUB.id)


def test_branches_are_ours_by_the_prefix_that_is_configured() -> None:
    source = GitHub(prefix="bots/pins/")
    ours = GITHUB.deliver(payloads.check_suite(branch="bots/pins/a"), x_github_event="check_suite")
    other = GITHUB.deliver(payloads.check_suite(), x_github_event="check_suite")

    assert source.read(ours, "").hints == SHOP
    assert source.read(other, "").hints == ()


@pytest.mark.parametrize(
    "event, payload",
    [
        *(
            pytest.param("installation", payloads.installation(action), id=f"installation-{action}")
            for action in ("created", "deleted", "suspend", "unsuspend")
        ),
        *(
            pytest.param(
                "installation_repositories",
                payloads.installation_repositories(action),
                id=f"repositories-{action}",
            )
            for action in ("added", "removed")
        ),
        *(
            pytest.param("repository", payloads.repository(action), id=f"repository-{action}")
            for action in _REPOSITORY_ACTIONS
        ),
    ],
)
def test_repos_that_come_or_go_are_about_the_list(event: str, payload: Any) -> None:
    reading = GITHUB.read(payload, x_github_event=event)

    assert reading == Reading((ListHint(),), GITHUB.id)


@pytest.mark.parametrize(
    "event", ["ping", "issues", "star", "registry_package", "package", "", "PUSH", "push "]
)
def test_other_events_are_not_even_read(event: str) -> None:
    assert GITHUB.read(b"not JSON", x_github_event=event) == Reading(id=GITHUB.id)


def test_without_the_name_of_an_event_nothing_is_said() -> None:
    delivery = Delivery({}, GITHUB.deliver().body)

    assert GitHub().read(delivery, "") == Reading()


@pytest.mark.parametrize(
    "event, payload",
    [
        pytest.param("push", {"ref": "refs/heads/main"}, id="no-repository"),
        pytest.param("push", payloads.push() | {"ref": None}, id="no-ref"),
        pytest.param(
            "push", payloads.push() | {"repository": {"full_name": "a/b"}}, id="no-branch"
        ),
        pytest.param("repository", {"action": None}, id="no-action"),
        pytest.param("installation", {}, id="nothing"),
        pytest.param("check_suite", payloads.push(), id="no-suite"),
        pytest.param("pull_request", payloads.push(), id="no-pull-request"),
        pytest.param("pull_request", payloads.pull_request() | {"pull_request": {}}, id="no-head"),
    ],
)
def test_what_github_does_not_send_is_malformed(event: str, payload: Any) -> None:
    with pytest.raises(MalformedError):
        GITHUB.read(payload, x_github_event=event)


@pytest.mark.parametrize(
    "name",
    ["shop", "a/b/c", "/b", "a/", "a/b c", "a/b\n", "\u00e9/b", "a/" + "b" * 101, "a/\ud800"],
)
def test_a_repo_whose_name_cannot_be_is_malformed(name: str) -> None:
    payload = payloads.push()
    payload["repository"]["full_name"] = name

    with pytest.raises(MalformedError, match="full_name"):
        GITHUB.read(payload)

from __future__ import annotations

import pytest

from digestbot.image import ImageReference
from digestbot.registry.mirrors import mirror_hosts, rewrite


@pytest.mark.parametrize(
    "rules, written, asked",
    [
        pytest.param({}, "python:3", "docker.io/library/python:3", id="no-rule"),
        pytest.param(
            {"harbor.corp/hub/": "docker.io/"},
            "harbor.corp/hub/python:3",
            "docker.io/library/python:3",
            id="hub-without-library",
        ),
        pytest.param(
            {"harbor.corp/hub/": "docker.io/"},
            "harbor.corp/hub/library/python:3",
            "docker.io/library/python:3",
            id="hub-with-library",
        ),
        pytest.param(
            {"harbor.corp/hub/": "docker.io/"},
            "harbor.corp/hub/acme/app:3",
            "docker.io/acme/app:3",
            id="hub-of-somebody",
        ),
        pytest.param(
            {"docker.io/": "harbor.corp/hub/"},
            "python:3",
            "harbor.corp/hub/library/python:3",
            id="the-other-way",
        ),
        pytest.param(
            {"harbor.corp/chainguard/": "cgr.dev/chainguard/"},
            "harbor.corp/chainguard/python:3",
            "cgr.dev/chainguard/python:3",
            id="namespace",
        ),
        pytest.param(
            {"harbor.corp/": "a.example/", "harbor.corp/hub/": "b.example/"},
            "harbor.corp/hub/python:3",
            "b.example/python:3",
            id="longest-first",
        ),
        pytest.param(
            {"harbor.corp/hub": "docker.io"},
            "harbor.corp/hub/python:3",
            "docker.io/library/python:3",
            id="without-slashes",
        ),
        pytest.param(
            {"harbor.corp/hub/": "docker.io/"},
            "harbor.corp/hubris/python:3",
            "harbor.corp/hubris/python:3",
            id="whole-components",
        ),
        pytest.param(
            {"docker.io/library/python/": "harbor.corp/python/"},
            "python:3",
            "harbor.corp/python:3",
            id="one-image",
        ),
        pytest.param(
            {"a.example/": "b.example/", "b.example/": "c.example/"},
            "a.example/app:1",
            "b.example/app:1",
            id="not-twice",
        ),
        pytest.param(
            {"harbor.corp:5000/": "127.0.0.1:5001/"},
            "harbor.corp:5000/app:1",
            "127.0.0.1:5001/app:1",
            id="ports",
        ),
        pytest.param(
            {"harbor.corp/": "a.example/"}, "Harbor.CORP/app:1", "a.example/app:1", id="case"
        ),
        pytest.param(
            {"docker.io/": "docker.io/mirror/"},
            "python:3",
            "docker.io/mirror/library/python:3",
            id="within-a-host",
        ),
    ],
)
def test_name_is_rewritten(rules: dict[str, str], written: str, asked: str) -> None:
    followed = ImageReference.parse(written).followed
    assert followed

    assert str(rewrite(followed, rules)) == asked


def test_hosts_that_rules_lead_to_are_known() -> None:
    rules = {"harbor.corp/hub/": "docker.io/", "docker.io/": "127.0.0.1:5000/hub/"}

    assert mirror_hosts(rules) == {"docker.io", "127.0.0.1:5000"}

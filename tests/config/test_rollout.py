from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from digestbot.cli.serving import rules_key
from digestbot.cli.settings import _VOUCHED_FOR
from digestbot.config.load import load_settings
from digestbot.config.models import Settings
from digestbot.config.parse import read_document
from digestbot.config.proposing import Overridable
from digestbot.config.schema import settings_schema
from tests.config.conftest import Complaints, Write


def errors(text: str) -> list[str]:
    data = read_document(text, "a.yaml").data
    return [error.message for error in Draft202012Validator(settings_schema()).iter_errors(data)]


def test_by_default_a_rollout_is_careful() -> None:
    config = Settings().rollout

    assert (config.canary_count, config.waves) == (1, (10, 50, 100))
    assert config.soak == timedelta(hours=1)
    assert (config.passed, config.failed) == (0.9, 0.1)
    assert (config.most_share, config.most_repos) == (0.3, 1000)
    assert not config.allow_merge
    assert config.issue is None


def test_all_of_it_is_read(write: Write) -> None:
    path = write(
        "rollout:\n"
        "  canary: [acme/canary-*]\n"
        "  canary_topic: canary\n"
        "  canary_count: 3\n"
        "  waves: [5, 25, 100]\n"
        "  per_owner: 4\n"
        "  soak: 30m\n"
        "  passed: 0.8\n"
        "  failed: 0.05\n"
        "  approve: true\n"
        "  probe: true\n"
        "  probe_url_env: PROBE\n"
        "  pending: 20\n"
        "  per_minute: 30\n"
        "  per_hour: 200\n"
        "  comment_after: 2d\n"
        "  reviewers_after: 3d\n"
        "  merge_after: 7d\n"
        "  allow_merge: true\n"
        "  watch_for: 14d\n"
        "  most_share: 0.5\n"
        "  most_repos: 200\n"
        "  issue: acme/platform\n"
    )

    config = load_settings(path).settings.rollout

    assert config.waves == (5, 25, 100)
    assert config.merge_after == timedelta(days=7)
    assert (config.probe_url_env, config.issue) == ("PROBE", "acme/platform")
    assert errors(path.read_text()) == []


@pytest.mark.parametrize(
    "keys, words",
    [
        pytest.param("waves: []", "rise from 1 or more to 100", id="no-waves"),
        pytest.param("waves: [10, 50]", "rise from 1 or more to 100", id="not-all"),
        pytest.param("waves: [50, 10, 100]", "rise from 1 or more to 100", id="not-rising"),
        pytest.param("waves: [10, 10, 100]", "rise from 1 or more to 100", id="twice"),
        pytest.param("waves: [0, 100]", "rise from 1 or more to 100", id="zero"),
        pytest.param("waves: [0.5, 100]", "rollout.waves[0]", id="no-integer"),
        pytest.param("passed: 1.5", "rollout.passed", id="share"),
        pytest.param("failed: .nan", "rollout.failed", id="nan"),
        pytest.param("per_hour: 0", "rollout.per_hour", id="nothing-an-hour"),
        pytest.param("probe: true", "has a probe but no probe_url", id="nobody-to-ask"),
        pytest.param(
            "probe_url_env: A, probe_url_file: b", "has several of probe_url", id="two-addresses"
        ),
        pytest.param(
            "probe_url: 'https://a/', probe_url_env: A", "has several of", id="address-and-name"
        ),
        pytest.param(
            "probe_url: 'https://a:b@c/'", "is not an address such as https", id="a-password"
        ),
        pytest.param("merge_after: 7d", "without allow_merge", id="merge-not-allowed"),
        pytest.param("issue: acme", "is not a repo, such as acme/platform", id="no-repo"),
        pytest.param("issue: acme/..", "is not a repo", id="a-folder"),
        pytest.param("soak: soon", "must be a duration", id="no-duration"),
    ],
)
def test_what_is_wrong_is_said(complaints: Complaints, keys: str, words: str) -> None:
    assert words in "\n".join(complaints(f"rollout: {{{keys}}}\n"))


@pytest.mark.parametrize(
    "keys",
    [
        "{waves: []}",
        "{passed: 2}",
        "{probe_url_env: A, probe_url_file: b}",
        "{probe_url: 'https://a/', probe_url_env: A}",
        "{soak: 1x}",
    ],
)
def test_an_editor_sees_most_of_it(keys: str) -> None:
    assert errors(f"rollout: {keys}\n") != []


def test_a_rollout_changes_nothing_about_other_proposals() -> None:
    other = Settings.model_validate({"rollout": {"soak": "2h", "waves": [100]}})

    assert rules_key(other) == rules_key(Settings())


def test_neither_a_repo_nor_a_file_that_was_merely_found_decides_about_rollouts() -> None:
    assert "rollout" not in get_args(Overridable)
    assert "rollout" in _VOUCHED_FOR

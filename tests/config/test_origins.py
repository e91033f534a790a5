from __future__ import annotations

from digestbot.config.load import Override, load_settings
from digestbot.config.origins import Row, effective_rows
from tests.config.conftest import Write

PROPOSALS = [
    ("enabled", True),
    ("group", "repo"),
    ("groups", {}),
    ("labels", ["digestbot"]),
    ("reviewers", []),
    ("assignees", []),
    ("draft", False),
    ("automerge", False),
    ("automerge_without_checks", False),
    ("rebase", "conflict"),
    ("freeze", []),
    ("commit", {}),
    ("limits.open_per_repo", 10),
    (
        "overridable",
        [
            "enabled",
            "ignore",
            "exclude",
            "pin",
            "group",
            "groups",
            "labels",
            "reviewers",
            "assignees",
            "draft",
            "automerge",
            "rebase",
            "schedule",
            "freeze",
        ],
    ),
    ("github.url", "https://api.github.com"),
    ("github.write_by", "api"),
    ("github.rate_limits", True),
    ("repos.names", []),
    ("repos.topics", []),
    ("hold.settle", "3h"),
    ("hold.min_age", "0s"),
    ("hold.lost_platforms", True),
    ("hold.same_images", True),
    ("deny", []),
    ("targets", []),
    ("service.cron", ["*/30 * * * *"]),
    ("service.timezone", "UTC"),
    ("service.run_on_start", True),
    ("service.jitter", "30s"),
    ("service.jobs", 8),
    ("service.listen", "127.0.0.1:8080"),
    ("notify", []),
    ("hooks", []),
    ("dashboard.enabled", True),
    ("dashboard.users", []),
    ("dashboard.public_badges", []),
    ("dashboard.session", "12h"),
    ("dashboard.target", "7d"),
    ("rollout.canary", []),
    ("rollout.canary_count", 1),
    ("rollout.waves", [10, 50, 100]),
    ("rollout.per_owner", 0),
    ("rollout.soak", "1h"),
    ("rollout.passed", 0.9),
    ("rollout.failed", 0.1),
    ("rollout.approve", False),
    ("rollout.probe", False),
    ("rollout.pending", 50),
    ("rollout.per_minute", 60),
    ("rollout.per_hour", 450),
    ("rollout.allow_merge", False),
    ("rollout.watch_for", "7d"),
    ("rollout.most_share", 0.3),
    ("rollout.most_repos", 1000),
]
DEFAULTS = [Row(key, value, "default") for key, value in PROPOSALS]


def test_without_a_file_every_row_is_a_default() -> None:
    assert effective_rows(load_settings()) == [
        Row("exclude", [], "default"),
        Row("pin", False, "default"),
        Row("fail_on", ["stale"], "default"),
        Row("jobs", 16, "default"),
        Row("timeout", 30.0, "default"),
        Row("ignore", [], "default"),
        Row("registries", {}, "default"),
        Row("allow_private", False, "default"),
        Row("mirrors", {}, "default"),
        *DEFAULTS,
    ]


def test_each_value_is_shown_with_the_line_or_the_option_it_comes_from(write: Write) -> None:
    path = write(
        "exclude:\n"
        "  - vendor/**\n"
        "ignore:\n"
        "  - image: ghcr.io/acme/*\n"
        "    until: 2027-01-31\n"
        "registries:\n"
        "  ghcr.io:\n"
        "    username: me\n"
        "    password_env: TOKEN\n"
        "    concurrency: 2\n"
        "mirrors:\n"
        "  harbor.corp/hub/: docker.io/\n"
    )
    overrides = {"jobs": Override(2, "--jobs"), "fail_on": Override([], "DIGESTBOT_FAIL_ON")}

    rows = effective_rows(load_settings(path, overrides))

    assert rows == [
        Row("exclude", ["vendor/**"], "digestbot.yaml:1"),
        Row("pin", False, "default"),
        Row("fail_on", [], "DIGESTBOT_FAIL_ON"),
        Row("jobs", 2, "--jobs"),
        Row("timeout", 30.0, "default"),
        Row("ignore[0].image", "ghcr.io/acme/*", "digestbot.yaml:4"),
        Row("ignore[0].until", "2027-01-31", "digestbot.yaml:5"),
        Row("registries.ghcr.io.username", "me", "digestbot.yaml:8"),
        Row("registries.ghcr.io.password_env", "TOKEN", "digestbot.yaml:9"),
        Row("registries.ghcr.io.http", False, "default"),
        Row("registries.ghcr.io.token_hosts", [], "default"),
        Row("registries.ghcr.io.concurrency", 2, "digestbot.yaml:10"),
        Row("allow_private", False, "default"),
        Row("mirrors.harbor.corp/hub/", "docker.io/", "digestbot.yaml:12"),
        *DEFAULTS,
    ]


def test_an_override_hides_the_line_it_beats(write: Write) -> None:
    loaded = load_settings(write("exclude: [a, b]\n"), {"exclude": Override(("c",), "--exclude")})

    assert effective_rows(loaded)[0] == Row("exclude", ["c"], "--exclude")


def test_the_rows_know_where_a_password_is_and_nothing_of_it(write: Write) -> None:
    path = write("registries: {ghcr.io: {username: me, password_file: pw}}\n")
    path.with_name("pw").write_text("hunter2")

    rows = effective_rows(load_settings(path))

    assert "hunter2" not in str(rows)

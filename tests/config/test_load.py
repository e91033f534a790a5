from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from digestbot.config.issues import ConfigError
from digestbot.config.load import Override, load_settings
from digestbot.config.models import IgnoreRule, RegistryConfig, Settings
from tests.config.conftest import Complaints, Write

EVERYTHING = """\
requires: ">=0.1"
exclude: [vendor/**]
pin: true
fail_on: [stale, unpinned]
jobs: 8
timeout: 12.5
ignore:
  - image: ghcr.io/acme/*
    path: legacy/**
    reason: old
    until: 2027-01-31
registries:
  ghcr.io:
    username: robot$me
    password_env: TOKEN
    token_hosts: [auth.example.com]
    concurrency: 2
  "[::1]:5000":
    http: true
allow_private: true
mirrors:
  harbor.corp/hub/: docker.io/
"""


def test_without_a_file_everything_has_its_default() -> None:
    loaded = load_settings()

    assert loaded.settings == Settings()
    assert loaded.path is None
    assert not loaded.origins


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\n\n", id="blank-lines"),
        pytest.param("# only a comment\n", id="comment"),
        pytest.param("---\n", id="document-start"),
        pytest.param("{}\n", id="empty-mapping"),
        pytest.param("\ufeff", id="byte-order-mark"),
    ],
)
def test_an_empty_file_is_all_defaults(write: Write, text: str) -> None:
    assert load_settings(write(text)).settings == Settings()


def test_every_key_is_read(write: Write) -> None:
    loaded = load_settings(write(EVERYTHING))

    assert loaded.path == Path("digestbot.yaml")
    assert loaded.settings == Settings(
        requires=">=0.1",
        exclude=("vendor/**",),
        pin=True,
        fail_on=("stale", "unpinned"),
        jobs=8,
        timeout=12.5,
        ignore=(
            IgnoreRule(
                image="ghcr.io/acme/*", path="legacy/**", reason="old", until=date(2027, 1, 31)
            ),
        ),
        registries={
            "ghcr.io": RegistryConfig(
                username="robot$me",
                password_env="TOKEN",
                token_hosts=("auth.example.com",),
                concurrency=2,
            ),
            "[::1]:5000": RegistryConfig(http=True),
        },
        allow_private=True,
        mirrors={"harbor.corp/hub/": "docker.io/"},
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("until: 2027-01-31", id="plain"),
        pytest.param('until: "2027-01-31"', id="quoted"),
    ],
)
def test_a_date_may_be_quoted(write: Write, text: str) -> None:
    settings = load_settings(write(f"ignore:\n- image: ghcr.io/a\n  {text}\n")).settings

    assert settings.ignore[0].until == date(2027, 1, 31)


def test_a_byte_order_mark_and_windows_line_ends_are_read(write: Write) -> None:
    loaded = load_settings(write("\ufeffjobs: 3\r\npin: true\r\n"))

    assert (loaded.settings.jobs, loaded.settings.pin) == (3, True)
    assert loaded.origins["pin",] == "digestbot.yaml:2"


def test_an_alias_is_its_value(write: Write) -> None:
    text = "registries:\n  a.io: &a {http: true}\n  b.io: *a\n"

    settings = load_settings(write(text)).settings

    assert settings.registries["a.io"] == settings.registries["b.io"] == RegistryConfig(http=True)


@pytest.mark.parametrize("word", ["no", "off", "yes", "2027-01-31"])
def test_a_word_that_older_yaml_would_convert_stays_text(write: Write, word: str) -> None:
    text = f"registries:\n  ghcr.io: {{username: {word}, password_env: T}}\n"

    settings = load_settings(write(text)).settings

    assert settings.registries["ghcr.io"].username == word


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "bot.yaml").write_text(
        "registries:\n"
        "  ghcr.io:\n"
        "    username: me\n"
        "    password_file: secrets/pw\n"
        "    ca_file: ../ca.pem\n"
        "    client_cert: /abs/cert.pem\n"
        "    client_key: key.pem\n"
    )

    registry = load_settings(folder / "bot.yaml").settings.registries["ghcr.io"]

    assert registry.password_file == folder / "secrets/pw"
    assert registry.ca_file == folder / "../ca.pem"
    assert registry.client_cert == Path("/abs/cert.pem")
    assert registry.client_key == folder / "key.pem"


def test_paths_of_a_file_named_relatively_are_absolute(write: Write, tmp_path: Path) -> None:
    path = write("registries: {ghcr.io: {ca_file: ca.pem}}\n")

    registry = load_settings(path).settings.registries["ghcr.io"]

    assert registry.ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(
            "registry: {}\n", "1:1: registry: unknown key; did you mean 'registries'?", id="near"
        ),
        pytest.param(
            "fail-on: [stale]\n", "1:1: fail-on: unknown key; did you mean 'fail_on'?", id="dash"
        ),
        pytest.param(
            "zzz: 1\n",
            f"1:1: zzz: unknown key; known are {', '.join(Settings.model_fields)}",
            id="far",
        ),
        pytest.param(
            "github: {token: x}\n",
            "1:10: github.token: no secret is written here; use token_env or token_file",
            id="token",
        ),
        pytest.param(
            "token_env: X\n",
            "1:1: token_env: unknown key here; it belongs under github",
            id="belongs-under-github",
        ),
        pytest.param(
            "github: {app_id: '1'}\n",
            "1:1: github: needs both app_id and app_key_file, or neither",
            id="app-without-key",
        ),
        pytest.param(
            "github: {token_env: A, token_file: b}\n",
            "1:1: github: has several of token_env, token_file and app_id; keep one",
            id="two-ways",
        ),
        pytest.param(
            "schedule: {cron: [daily]}\n",
            "1:19: schedule.cron[0]: 'daily' has not five fields, as '* 6-18 * * mon-fri' has",
            id="cron",
        ),
        pytest.param(
            "schedule: {cron: []}\n",
            "1:1: schedule: needs at least one cron expression",
            id="no-cron",
        ),
        pytest.param(
            f"exclude: [{'a,' * 1001}]\n", "1:1: exclude: must have at most 1000 of them", id="many"
        ),
        pytest.param(
            f"groups: {{a: [{'a.io/a,' * 600}], b: [{'a.io/a,' * 600}]}}\n",
            "1:1: groups: must have at most 1000 globs in all groups together",
            id="many-in-groups",
        ),
        pytest.param(
            f"requires: '>={'9' * 2000}'\n",
            "1:1: requires: must not be longer than 1000 characters",
            id="long-requires",
        ),
        pytest.param(
            'requires: ">=0.1\\n"\n',
            "1:1: requires: must not contain control characters",
            id="lines-in-requires",
        ),
        pytest.param(
            "schedule: {cron: ['* * * * *'], timezone: Mars/Olympus}\n",
            "1:33: schedule.timezone: is not a time zone, such as 'Europe/Berlin'",
            id="zone",
        ),
        pytest.param(
            "commit: {title: 'bump {images}'}\n",
            "1:10: commit.title: {images} is not one of {image}, {tag}, {old}, {new}, {count}",
            id="placeholder",
        ),
        pytest.param(
            "commit: {signoff: me}\n",
            "1:10: commit.signoff: is not 'Name <name@example.org>'",
            id="signoff",
        ),
        pytest.param(
            "reviewers: [a b]\n",
            "1:13: reviewers[0]: is neither a user (ann) nor a team with its organization "
            "(acme/platform)",
            id="reviewer",
        ),
        pytest.param(
            "groups: {Base Images: [ghcr.io/x]}\n",
            "1:10: groups.Base Images: must be lower-case letters, digits and '-' (at most 40)",
            id="group-name",
        ),
        pytest.param(
            "username: me\n",
            "1:1: username: unknown key here; it belongs under registries.<host>",
            id="belongs-under-a-host",
        ),
        pytest.param(
            "until: 2027-01-31\n",
            "1:1: until: unknown key here; it belongs in ignore",
            id="belongs-in-ignore",
        ),
        pytest.param(
            "registries:\n  ghcr.io:\n    jobs: 1\n",
            "3:5: registries.ghcr.io.jobs: unknown key here; it belongs at the top",
            id="belongs-at-the-top",
        ),
        pytest.param(
            "ignore:\n  - image: ghcr.io/a\n    reson: x\n",
            "3:5: ignore[0].reson: unknown key; did you mean 'reason'?",
            id="near-in-a-list",
        ),
        pytest.param(
            "registries:\n  ghcr.io:\n    pasword_env: X\n",
            "3:5: registries.ghcr.io.pasword_env: unknown key; did you mean 'password_env'?",
            id="near-in-a-registry",
        ),
        pytest.param(
            "registries:\n  ghcr.io:\n    password: hunter2\n",
            "3:5: registries.ghcr.io.password: no secret is written here; "
            "use password_env or password_file",
            id="plain-password",
        ),
        pytest.param(
            "token: hunter2\n",
            "1:1: token: no secret is written here; use password_env or password_file",
            id="plain-token",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {username: me, password_env: hunter-2}\n",
            "2:27: registries.ghcr.io.password_env: must be the name of an environment "
            "variable (letters, digits and '_'), not the password itself",
            id="password-as-variable",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {username: me, password_env: 12345}\n",
            "2:27: registries.ghcr.io.password_env: must be text, not a number; put it in quotes",
            id="password-as-number",
        ),
        pytest.param(
            "registries:\n  ghcr.io:\n    username: me\n    password_env: A\n"
            "    password_file: b\n",
            "2:3: registries.ghcr.io: has both password_env and password_file; keep one",
            id="two-passwords",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {password_env: A}\n",
            "2:3: registries.ghcr.io: has a password but no username",
            id="no-username",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {username: a}\n",
            "2:3: registries.ghcr.io: has a username but neither password_env nor password_file",
            id="no-password",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {client_key: a}\n",
            "2:3: registries.ghcr.io: has client_key but no client_cert",
            id="no-certificate",
        ),
        pytest.param(
            "registries:\n  https://ghcr.io: {}\n",
            "2:3: registries.https://ghcr.io: is not a host; write 'ghcr.io', "
            "without a scheme or a path",
            id="host-is-a-url",
        ),
        pytest.param(
            "registries:\n  https://me:hunter2@ghcr.io: {}\n",
            "2:3: registries.https://…@ghcr.io: must not contain '@'; "
            "credentials go under registries.<host>",
            id="host-with-login",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {token_hosts: ['https://a.io']}\n",
            "2:27: registries.ghcr.io.token_hosts[0]: is not a host; write 'a.io', "
            "without a scheme or a path",
            id="token-host-is-a-url",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {ca_file: ~/ca.pem}\n",
            "2:13: registries.ghcr.io.ca_file: must be absolute, or relative to the "
            "configuration file; '~' is not read",
            id="home-folder",
        ),
        pytest.param(
            "registries:\n  ghcr.io: {ca_file: 3}\n",
            "2:13: registries.ghcr.io.ca_file: must be a path, as text",
            id="path-is-a-number",
        ),
        pytest.param(
            "mirrors:\n  harbor.corp/hub: docker.io/\n",
            "2:3: mirrors.harbor.corp/hub: must end with '/'; write 'harbor.corp/hub/'",
            id="mirror-without-slash",
        ),
        pytest.param(
            "mirrors:\n  harbor.corp/hub/: docker.io\n",
            "2:3: mirrors.harbor.corp/hub/: must end with '/'; write 'docker.io/'",
            id="mirror-target-without-slash",
        ),
        pytest.param("jobs: 0\n", "1:1: jobs: must be at least 1, not 0", id="too-low"),
        pytest.param("jobs: 65\n", "1:1: jobs: must be at most 64, not 65", id="too-high"),
        pytest.param("jobs: 1.5\n", "1:1: jobs: must be a whole number, not a number", id="half"),
        pytest.param("jobs: many\n", "1:1: jobs: must be a whole number, not text", id="word"),
        pytest.param("jobs: 010\n", "1:1: jobs: must be a whole number, not text", id="octal"),
        pytest.param(
            f"jobs: {'9' * 5000}\n", "1:1: jobs: must be a whole number, not text", id="huge"
        ),
        pytest.param(
            "jobs: true\n", "1:1: jobs: must be a whole number, not true or false", id="bool"
        ),
        pytest.param("timeout: 0\n", "1:1: timeout: must be more than 0, not 0", id="zero"),
        pytest.param("timeout: 1e4\n", "1:1: timeout: must be a number, not text", id="exponent"),
        pytest.param(
            "timeout: 3601\n", "1:1: timeout: must be at most 3600, not 3601", id="an-hour"
        ),
        pytest.param("timeout: .inf\n", "1:1: timeout: must be a number, not text", id="inf"),
        pytest.param("pin: yes\n", "1:1: pin: must be true or false, not text", id="yes"),
        pytest.param("pin: 1\n", "1:1: pin: must be true or false, not a number", id="one"),
        pytest.param(
            "exclude: vendor\n",
            "1:1: exclude: must be a list, not text; put it in [ ]",
            id="not-a-list",
        ),
        pytest.param(
            "exclude: [1]\n",
            "1:11: exclude[0]: must be text, not a number; put it in quotes",
            id="number-in-list",
        ),
        pytest.param(
            "exclude: {a: b}\n", "1:1: exclude: must be a list, not keys", id="keys-for-list"
        ),
        pytest.param("exclude: ['']\n", "1:11: exclude[0]: must not be empty", id="empty-glob"),
        pytest.param(
            "registries: []\n", "1:1: registries: must be keys with values, not a list", id="list"
        ),
        pytest.param(
            "registries: {ghcr.io: x}\n",
            "1:14: registries.ghcr.io: must be keys with values, not text",
            id="text-for-keys",
        ),
        pytest.param(
            "fail_on: [stael]\n",
            "1:11: fail_on[0]: must be 'stale', 'unpinned', 'held' or 'skipped', "
            "not 'stael'; did you mean 'stale'?",
            id="near-choice",
        ),
        pytest.param(
            "fail_on: [never]\n",
            "1:11: fail_on[0]: must be 'stale', 'unpinned', 'held' or 'skipped', not 'never'",
            id="far-choice",
        ),
        pytest.param("ignore:\n  - path: a\n", "2:5: ignore[0].image: is missing", id="missing"),
        pytest.param(
            "ignore:\n  - image: debian\n",
            "2:5: ignore[0].image: is matched with full names; write 'docker.io/library/debian'",
            id="short-name",
        ),
        pytest.param(
            "ignore:\n  - {image: ghcr.io/a, until: 2027-02-30}\n",
            "2:24: ignore[0].until: must be a date such as 2027-01-31",
            id="no-such-day",
        ),
        pytest.param(
            "ignore:\n  - {image: ghcr.io/a, until: 2027-W01-1}\n",
            "2:24: ignore[0].until: must be a date such as 2027-01-31",
            id="week-date",
        ),
        pytest.param(
            "ignore:\n  - {image: ghcr.io/a, until: 5}\n",
            "2:24: ignore[0].until: must be a date such as 2027-01-31",
            id="number-as-date",
        ),
        pytest.param(
            "exclude:\n",
            "1:9: exclude: has no value; write one, or remove the key",
            id="no-value",
        ),
        pytest.param(
            "requires: newest\n",
            "1:1: requires: is not a version specifier (expected one such as '>=0.1,<2')",
            id="no-specifier",
        ),
    ],
)
def test_a_mistake_is_told_with_place_key_and_fix(
    complaints: Complaints, text: str, expected: str
) -> None:
    assert complaints(text) == [expected]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(complaints: Complaints) -> None:
    text = (
        "jobs: 0\n"
        "exclde: [a]\n"
        "ignore:\n"
        "  - image: ghcr.io/a\n"
        "    until: soon\n"
        "  -\n"
        "jobs: 4\n"
        "registries:\n"
        "  1: {}\n"
        "  ghcr.io: {concurrency: 0}\n"
    )

    assert complaints(text) == [
        "1:1: jobs: must be at least 1, not 0",
        "2:1: exclde: unknown key; did you mean 'exclude'?",
        "5:5: ignore[0].until: must be a date such as 2027-01-31",
        "6:4: ignore[1]: has no value; write one, or remove the key",
        "7:1: jobs: is written twice; the first is on line 1",
        "9:3: registries: the key 1 must be text; put it in quotes",
        "10:13: registries.ghcr.io.concurrency: must be at least 1, not 0",
    ]


def test_very_many_mistakes_are_counted_rather_than_all_printed(write: Write) -> None:
    text = "".join(f"key{number}: 1\n" for number in range(150))

    with pytest.raises(ConfigError) as caught:
        load_settings(write(text))

    assert len(caught.value.issues) == 150
    assert str(caught.value).splitlines()[-1] == "… and 50 more"


def test_a_file_for_another_version_says_only_that(write: Write) -> None:
    path = write('some_new_key: 1\nrequires: ">=2,<3"\n')

    with pytest.raises(ConfigError) as caught:
        load_settings(path, version="0.1.0")

    assert str(caught.value) == (
        "digestbot.yaml:2:1: requires: the configuration needs digestbot >=2,<3, this is 0.1.0"
    )
    assert caught.value.hint == "install a version that fits, or change 'requires'"


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("0.2.0", id="release"),
        pytest.param("0.3.0rc1", id="pre-release"),
        pytest.param("0.3.0.dev4+g12ab", id="development"),
    ],
)
def test_a_version_that_fits_is_no_mistake(write: Write, version: str) -> None:
    assert load_settings(write('requires: ">=0.2"\n'), version=version).settings.requires


@pytest.mark.parametrize(
    "data, expected",
    [
        pytest.param(
            "jobs: 1\n".encode("utf-16"),
            ["1:1: is not UTF-8 (UTF-16); save it as UTF-8"],
            id="utf-16",
        ),
        pytest.param(
            b"jobs: 1\n# caf\xe9\n",
            ["2:6: is not UTF-8 (byte 0xE9); save it as UTF-8"],
            id="latin-1",
        ),
        pytest.param(
            b"#" * (1024 * 1024 + 1),
            [" is larger than 1 MiB, which no configuration is"],
            id="too-large",
        ),
        pytest.param(b"jobs: 1\n\0\n", ["2:1: character U+0000 is not allowed in YAML"], id="nul"),
    ],
)
def test_bytes_that_are_no_text_are_refused(
    complaints: Complaints, data: bytes, expected: list[str]
) -> None:
    assert complaints(data) == expected


def test_a_file_of_exactly_one_mebibyte_is_read(write: Write) -> None:
    path = write(b"jobs: 3\n" + b"#" * (1024 * 1024 - 8))

    assert load_settings(path).settings.jobs == 3


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    with pytest.raises(ConfigError) as caught:
        load_settings(path)

    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)

    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_an_override_beats_the_file(write: Write) -> None:
    overrides = {
        "jobs": Override(2, "--jobs"),
        "exclude": Override(("a", "b"), "DIGESTBOT_EXCLUDE"),
    }

    loaded = load_settings(write("jobs: 8\nexclude: [c]\npin: true\n"), overrides)

    assert (loaded.settings.jobs, loaded.settings.exclude) == (2, ("a", "b"))
    assert loaded.settings.pin
    assert loaded.origins == {
        ("jobs",): "--jobs",
        ("exclude",): "DIGESTBOT_EXCLUDE",
        ("pin",): "digestbot.yaml:3",
    }


def test_an_override_beats_the_default_without_a_file() -> None:
    loaded = load_settings(None, {"timeout": Override(5, "--timeout")})

    assert loaded.settings.timeout == 5
    assert loaded.origins == {("timeout",): "--timeout"}


def test_a_bad_override_is_told_by_its_origin_beside_the_mistakes_of_the_file(write: Write) -> None:
    overrides = {
        "jobs": Override(100, "--jobs"),
        "exclude": Override(["a", "/b"], "DIGESTBOT_EXCLUDE"),
    }

    with pytest.raises(ConfigError) as caught:
        load_settings(write("pin: 3\n"), overrides)

    assert str(caught.value).splitlines() == [
        "DIGESTBOT_EXCLUDE: [1]: is relative to the scanned folder; write 'b'",
        "--jobs: must be at most 64, not 100",
        "digestbot.yaml:1:1: pin: must be true or false, not a number",
    ]


def test_settings_do_not_change_once_read() -> None:
    settings = load_settings().settings

    with pytest.raises(ValueError, match="frozen"):
        settings.jobs = 3


def test_a_run_without_a_file_imports_no_yaml() -> None:
    code = (
        "import sys\n"
        "from digestbot.config.load import load_settings\n"
        "load_settings()\n"
        "print(*{'yaml', 'packaging', 'difflib', 'requests', 'click'} & sys.modules.keys())\n"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == []

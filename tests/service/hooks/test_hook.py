"""The hooks of a configuration, and where their secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.hooks import HookConfig
from digestbot.config.issues import ConfigError
from digestbot.secret import Secret
from digestbot.service.hooks.hook import LONGEST, Hook, hooks_of

SECRET = "canary-0123456789"


def config(kind: str = "harbor", **keys: object) -> HookConfig:
    of = {} if kind == "github" else {"registry": "harbor.corp"}
    return HookConfig.model_validate({"name": "ops", "kind": kind, **of, **keys})


def refusal(one: HookConfig, environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        hooks_of([one], environ)
    assert "canary" not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"
    return str(caught.value)


def test_a_secret_in_the_environment() -> None:
    hooks = hooks_of([config(secret_env="HOOK")], {"HOOK": SECRET})

    assert hooks == {"ops": Hook("ops", "harbor", Secret(SECRET), "harbor.corp")}


def test_a_secret_in_a_file_without_its_line_break(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\r\n")

    hooks = hooks_of([config("github", secret_file=path)], {})

    assert hooks == {"ops": Hook("ops", "github", Secret(SECRET))}


def test_a_record_does_not_show_its_secret() -> None:
    assert "canary" not in str(hooks_of([config(secret_env="HOOK")], {"HOOK": SECRET}))


@pytest.mark.parametrize(
    "value, words",
    [
        pytest.param(None, "the environment variable HOOK is not set", id="missing"),
        pytest.param("", "the secret must have 16 to 4096 characters", id="empty"),
        pytest.param(" " * 20, "the secret must have 16 to 4096", id="blank"),
        pytest.param("canary-short", "the secret must have 16 to 4096", id="short"),
        pytest.param("canary" * LONGEST, "the secret must have 16 to 4096", id="long"),
        pytest.param("canary-canary-ключ", "cannot stand in a header", id="not-ascii"),
        pytest.param("canary-\n-canary-canary", "cannot stand in a header", id="line-break"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(value: str | None, words: str) -> None:
    environ = {} if value is None else {"HOOK": value}

    message = refusal(config(secret_env="HOOK"), environ)

    assert "hooks.ops.secret_env" in message
    assert words in message


@pytest.mark.parametrize("kind", ["dockerhub", "quay"])
@pytest.mark.parametrize("mark", ["/", "%", "?", "#", " ", "+"])
def test_a_secret_that_stands_in_the_address_has_nothing_that_would_be_changed_there(
    kind: str, mark: str
) -> None:
    message = refusal(config(kind, secret_env="HOOK"), {"HOOK": f"canary-01234{mark}56789"})

    assert "cannot stand in the path of a URL" in message


@pytest.mark.parametrize(
    "data, words",
    [
        pytest.param(None, "cannot be read: No such file or directory", id="missing"),
        pytest.param(b"", "the secret must have 16 to 4096", id="empty"),
        pytest.param(b"canary" * 1_000_000, "the secret must have 16 to 4096", id="large"),
        pytest.param(b"canary-canary-canary\xff", "cannot stand in a header", id="bytes"),
    ],
)
def test_a_file_without_a_secret_is_refused(tmp_path: Path, data: bytes | None, words: str) -> None:
    path = tmp_path / "secret"
    if data is not None:
        path.write_bytes(data)

    message = refusal(config(secret_file=path), {})

    assert "hooks.ops.secret_file" in message
    assert words in message

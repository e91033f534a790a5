from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.serving import NotifyConfig
from digestbot.service.notify.address import MAX_BYTES, address_of, token_of
from digestbot.service.notify.errors import NotifyError

URL = "https://hooks.example.com/canary"


def config(kind: str = "webhook", **keys: object) -> NotifyConfig:
    return NotifyConfig.model_validate({"name": "ops", "kind": kind, **keys})


def test_an_address_in_the_configuration() -> None:
    assert address_of(config(url=URL), {}).reveal() == URL


def test_an_address_in_the_environment_is_read_when_it_is_needed() -> None:
    environ: dict[str, str] = {}
    address = address_of(config(url_env="HOOK"), environ)

    environ["HOOK"] = f" {URL}\n"

    assert address.reveal() == URL


def test_an_address_in_a_file_is_read_when_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "hook"
    address = address_of(config(url_file=path), {})

    path.write_text(f"{URL}\n")
    first = address.reveal()
    path.write_text(f"{URL}/2\n")

    assert (first, address.reveal()) == (URL, f"{URL}/2")


@pytest.mark.parametrize(
    "value, words",
    [
        pytest.param(None, "notify.ops.url_env: the environment variable HOOK is not set", id="no"),
        pytest.param("", "notify.ops.url_env: the environment variable HOOK is not", id="empty"),
        pytest.param("canary", "notify.ops.url_env: is not an address such as", id="no address"),
        pytest.param("ftp://h/canary", "notify.ops.url_env: is not an address such", id="scheme"),
        pytest.param("https://a:canary@h/", "notify.ops.url_env: is not an address", id="login"),
        pytest.param("https://h/\x00canary", "notify.ops.url_env: must not contain", id="control"),
    ],
)
def test_a_missing_or_wrong_address_is_said_and_not_repeated(value: str | None, words: str) -> None:
    environ = {} if value is None else {"HOOK": value}

    with pytest.raises(NotifyError) as caught:
        address_of(config(url_env="HOOK"), environ).reveal()

    assert str(caught.value).startswith(words)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "data, words",
    [
        pytest.param(None, "cannot be read: No such file or directory", id="missing"),
        pytest.param(b"", "is empty, or larger than 64 KiB", id="empty"),
        pytest.param(b"\xffcanary", "is not ASCII text", id="bytes"),
        pytest.param(b"c" * (MAX_BYTES + 1), "is empty, or larger than 64 KiB", id="large"),
    ],
)
def test_a_file_that_has_no_address_is_named(
    tmp_path: Path, data: bytes | None, words: str
) -> None:
    path = tmp_path / "hook"
    if data is not None:
        path.write_bytes(data)

    with pytest.raises(NotifyError) as caught:
        address_of(config(url_file=path), {}).reveal()

    assert str(caught.value) == f"notify.ops.url_file: {path} {words}"
    assert caught.value.__cause__ is None or not isinstance(caught.value.__cause__, UnicodeError)


def test_an_apprise_address_has_a_scheme_of_its_own() -> None:
    address = address_of(config("apprise", url_env="CHAT"), {"CHAT": "discord://1/canary"})
    wrong = address_of(config("apprise", url_env="CHAT"), {"CHAT": "canary"})

    assert address.reveal() == "discord://1/canary"
    with pytest.raises(NotifyError, match="is not an Apprise address"):
        wrong.reveal()


def test_no_token_is_no_secret() -> None:
    assert not token_of(config(url=URL), {})


def test_a_token_is_read_when_it_is_needed() -> None:
    environ: dict[str, str] = {}
    token = token_of(config(url=URL, token_env="TOKEN"), environ)

    environ["TOKEN"] = "abc.DEF-1/2+3=\n"

    assert token.reveal() == "abc.DEF-1/2+3="


@pytest.mark.parametrize("value", ["canary canary", "canary\r\nX-Other: 1", "canäry", "a" * 9000])
def test_what_cannot_stand_in_a_header_is_no_token(value: str) -> None:
    token = token_of(config(url=URL, token_env="TOKEN"), {"TOKEN": value})

    with pytest.raises(NotifyError) as caught:
        token.reveal()

    assert str(caught.value) == "notify.ops.token_env: has characters that no bearer token has"

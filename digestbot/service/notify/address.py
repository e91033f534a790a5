"""Where to, and with which token: read from the environment or a file when it is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from digestbot.config.addresses import check_http_url
from digestbot.config.serving import NotifyConfig
from digestbot.secret import NO_SECRET, Secret
from digestbot.service.notify.errors import NotifyError

MAX_BYTES = 64 * 1024
# RFC 6750, section 2.1: what a bearer token may consist of.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*", re.ASCII)


def address_of(config: NotifyConfig, environ: Mapping[str, str]) -> Secret:
    """The address of a notifier; revealing it raises NotifyError where it is missing or none."""
    check = _any_address if config.kind == "apprise" else _http_address
    if config.url is not None:
        return Secret(config.url)
    if config.url_env is not None:
        return _in_variable(config.url_env, f"notify.{config.name}.url_env", environ, check)
    if config.url_file is None:
        raise ValueError("a notifier without an address does not pass the configuration")
    return _in_file(config.url_file, f"notify.{config.name}.url_file", check)


def token_of(config: NotifyConfig, environ: Mapping[str, str]) -> Secret:
    """The bearer token of a webhook; `NO_SECRET` without one."""
    if config.token_env is None:
        return NO_SECRET
    return _in_variable(config.token_env, f"notify.{config.name}.token_env", environ, _token)


def url_in_variable(name: str, key: str, environ: Mapping[str, str]) -> Secret:
    """The http address in a variable; `key` is what the configuration calls it."""
    return _in_variable(name, key, environ, _http_address)


def url_in_file(path: Path, key: str) -> Secret:
    """The http address in a file; `key` is what the configuration calls it."""
    return _in_file(path, key, _http_address)


_Check = Callable[[str, str], str]


def _in_variable(name: str, key: str, environ: Mapping[str, str], check: _Check) -> Secret:
    def read() -> str:
        text = environ.get(name, "").strip()
        if not text:
            raise NotifyError(f"{key}: the environment variable {name} is not set, or empty")
        return check(text, key)

    return Secret(read)


def _in_file(path: Path, key: str, check: _Check) -> Secret:
    def read() -> str:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            text = data.decode("ascii").strip()
        except OSError as error:
            raise NotifyError(f"{key}: {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            # Without the cause: it would carry the bytes of the secret.
            raise NotifyError(f"{key}: {path} is not ASCII text") from None
        if not text or len(data) > MAX_BYTES:
            raise NotifyError(f"{key}: {path} is empty, or larger than 64 KiB")
        return check(text, key)

    return Secret(read)


def _http_address(text: str, key: str) -> str:
    try:
        return check_http_url(text)
    except ValueError as error:
        # Its message never repeats the address.
        raise NotifyError(f"{key}: {error}") from None


def _any_address(text: str, key: str) -> str:
    if not text.isprintable() or "://" not in text:
        raise NotifyError(f"{key}: is not an Apprise address, such as discord://…")
    return text


def _token(text: str, key: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise NotifyError(f"{key}: has characters that no bearer token has")
    return text

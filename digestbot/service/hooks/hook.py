"""Webhooks as they are configured, each with its secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from digestbot.config.hooks import HookConfig
from digestbot.config.issues import ConfigError, Issue
from digestbot.secret import Secret
from digestbot.service.hooks.kinds import Kind

SHORTEST = 16
LONGEST = 4096
IN_PATH: Final[frozenset[Kind]] = frozenset({"dockerhub", "quay"})
"""Who can say a secret in the address alone."""
_HEADER = re.compile(r"[\x20-\x7e]+")
# RFC 3986, section 2.3: what stands in a path as it is.
_PATH = re.compile(r"[A-Za-z0-9._~-]+")


@dataclass(frozen=True, slots=True)
class Hook:
    """One sender who is listened to.

    Attributes:
        name: What stands in the path.
        registry: As image names spell it; empty for a forge.
    """

    name: str
    kind: Kind
    secret: Secret
    registry: str = ""


def hooks_of(configs: Iterable[HookConfig], environ: Mapping[str, str]) -> dict[str, Hook]:
    """The webhooks of a configuration by name; their secrets are read now, once.

    Raises:
        ConfigError: A secret is missing, too short, or cannot stand where its kind puts it.
    """
    return {
        config.name: Hook(
            config.name, config.kind, Secret(_secret(config, environ)), config.registry or ""
        )
        for config in configs
    }


def _secret(config: HookConfig, environ: Mapping[str, str]) -> str:
    if config.secret_env is not None:
        key = f"hooks.{config.name}.secret_env"
        if config.secret_env not in environ:
            message = f"the environment variable {config.secret_env} is not set"
            raise ConfigError([Issue(key, message)])
        return _checked(environ[config.secret_env], key, config.kind)
    if config.secret_file is None:
        raise ValueError("a hook without a secret does not pass the configuration")
    key = f"hooks.{config.name}.secret_file"
    return _checked(_read(config.secret_file, key), key, config.kind)


def _read(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            # What is no ASCII is refused by the check of what a secret may consist of.
            return file.read(LONGEST + 2).decode("latin-1")
    except OSError as error:
        raise ConfigError([Issue(key, f"{path} cannot be read: {error.strerror}")]) from error


def _checked(text: str, key: str, kind: Kind) -> str:
    """The secret without the line break that editors add; messages never repeat it."""
    secret = text.strip()
    if not SHORTEST <= len(secret) <= LONGEST:
        message = f"the secret must have {SHORTEST} to {LONGEST} characters; try: openssl rand -hex"
        raise ConfigError([Issue(key, f"{message} 32")])
    allowed, where = (_PATH, "the path of a URL") if kind in IN_PATH else (_HEADER, "a header")
    if not allowed.fullmatch(secret):
        raise ConfigError([Issue(key, f"the secret has characters that cannot stand in {where}")])
    return secret

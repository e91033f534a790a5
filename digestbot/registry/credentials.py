"""Who digestbot is to a registry: its own settings first, then what docker and podman keep."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from digestbot.errors import DigestbotError
from digestbot.once import Once
from digestbot.registry.docker_config import (
    ANONYMOUS,
    HUB_SERVER,
    MAX_FILE,
    Credential,
    DockerConfig,
    config_files,
    make_credential,
    read_docker_config,
)
from digestbot.registry.errors import RegistryError
from digestbot.registry.helpers import ask_helper
from digestbot.registry.origin import DOCKER_HUB
from digestbot.registry.settings import RegistrySettings
from digestbot.secret import Secret

_log = logging.getLogger(__name__)


class CredentialStore:
    """Finds the login for a repository; safe to use from many threads.

    `problems` says what could not be read, for people: such a file or helper counts as empty.
    """

    def __init__(
        self,
        settings: RegistrySettings,
        *,
        environ: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:
        self._settings = settings
        self._asked: Once[tuple[str, str], Credential | None] = Once()
        self.problems: list[str] = []
        environ = os.environ if environ is None else environ
        self._configs = self._read_all(environ, home) if settings.docker_config else []

    def knows(self, registry: str) -> bool:
        """Whether a login for the registry is mentioned anywhere; nobody is asked for it."""
        has_own = bool(self._settings.host(registry).username)
        return has_own or any(config.knows(registry) for config in self._configs)

    def find(self, registry: str, repository: str = "") -> Credential:
        """The login for a repository of a registry; `ANONYMOUS` where there is none.

        Raises:
            RegistryError: The password configured, or the helper named for this registry,
                cannot be read.
        """
        host = self._settings.host(registry)
        if host.username and host.password is not None:
            return Credential(host.username, _read_password(host.password, registry))
        for config in self._configs:
            found = self._find_in(config, registry, repository)
            if found is not None:
                return found
        return ANONYMOUS

    def _find_in(self, config: DockerConfig, registry: str, repository: str) -> Credential | None:
        helper = config.helper(registry)
        if helper:
            return self._ask(helper, registry)
        if config.store:
            try:
                found = self._ask(config.store, registry)
            except RegistryError as error:
                # Named for no registry in particular: most hosts have no login in it anyway.
                self._report(str(error))
                found = None
            if found is not None:
                return found
        return config.login(registry, repository)

    def _ask(self, helper: str, registry: str) -> Credential | None:
        server = HUB_SERVER if registry == DOCKER_HUB else registry

        def ask() -> Credential | None:
            answer = ask_helper(helper, server, registry)
            return make_credential(*answer) if answer else None

        return self._asked.get((helper, registry), ask)

    def _read_all(self, environ: Mapping[str, str], home: Path | None) -> list[DockerConfig]:
        configs = []
        if environ.get("DOCKER_AUTH_CONFIG"):
            configs.append(self._read("DOCKER_AUTH_CONFIG", environ["DOCKER_AUTH_CONFIG"]))
        for path in config_files(environ, home or _home(environ)):
            try:
                with path.open("rb") as file:
                    text = file.read(MAX_FILE + 1)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self._report(f"{path} cannot be read: {error.strerror}")
                continue
            configs.append(self._read(str(path), text))
        return configs

    def _read(self, name: str, text: str | bytes) -> DockerConfig:
        try:
            return read_docker_config(text)
        except ValueError as error:
            self._report(f"{name} holds no logins that can be read: {error}")
            return DockerConfig()

    def _report(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            _log.warning("%s", problem)


def _read_password(password: Secret, registry: str) -> Secret:
    try:
        return Secret(password.reveal())
    except DigestbotError as error:
        message = f"the password for {registry} cannot be read: {error}"
        raise RegistryError(message, code="credentials", host=registry, hint=error.hint) from error


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "/nonexistent")

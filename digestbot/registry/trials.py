"""Whether a login works: tried once, never again where it does not.

Registries lock accounts after a few wrong passwords, so of many threads with the same new
login one tries it, and the others wait to hear.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from digestbot.registry.docker_config import Credential
from digestbot.registry.errors import RegistryError
from digestbot.registry.pace import Deadline


class Trial:
    """One login at one registry."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._rejection: RegistryError | None = None
        self.is_accepted = False

    @contextmanager
    def attempt(self, deadline: Deadline) -> Iterator[None]:
        """Hold this while logging in; alone, until the login is known to work.

        Raises:
            RegistryError: The login was rejected before, or others take too long to try it.
        """
        if self.is_accepted:
            yield
            return
        if not self._lock.acquire(timeout=deadline.left):
            message = f"logging in to {self._registry} takes too long"
            raise RegistryError(message, code="timeout", host=self._registry)
        try:
            if self._rejection is not None:
                raise self._rejection
            yield
        finally:
            self._lock.release()

    def accept(self) -> None:
        """Note that the login works."""
        self.is_accepted = True

    def reject(self, error: RegistryError) -> None:
        """Note that it does not: every later attempt fails with this error."""
        self._rejection = error


class Trials:
    """All logins of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trials: dict[tuple[str, Credential], Trial] = {}

    def of(self, registry: str, credential: Credential) -> Trial:
        """The trial of this login at this registry."""
        with self._lock:
            return self._trials.setdefault((registry, credential), Trial(registry))

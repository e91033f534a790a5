"""The dashboard on a state, asked in process by somebody or by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from digestbot.clock import Clock
from digestbot.config.load import LoadedSettings
from digestbot.config.models import Settings
from digestbot.service.endpoint import make_app
from digestbot.store.database import Database
from digestbot.web.access import access_of
from digestbot.web.routes import Dashboard, dashboard_routes
from tests.service.state import NOW

TOKENS = {"reader": "reader-" + "r" * 30, "operator": "operator-" + "o" * 30}
ENVIRON = {f"{role.upper()}_TOKEN": token for role, token in TOKENS.items()}
USERS = [{"name": role, "role": role, "token_env": f"{role.upper()}_TOKEN"} for role in TOKENS]


STILL = Clock(wall=NOW.timestamp)
"""It is always the same time."""


def loaded_with(**config: Any) -> LoadedSettings:
    """A configuration with a reader and an operator; `dashboard` adds to what it says of them."""
    dashboard = {"users": USERS, **config.pop("dashboard", {})}
    return LoadedSettings(Settings.model_validate({"dashboard": dashboard, **config}))


def app_on(database: Database, loaded: LoadedSettings | None = None) -> Any:
    """The whole application of the service."""
    loaded = loaded or loaded_with()
    access = access_of(loaded.settings.dashboard, ENVIRON, "127.0.0.1", STILL)
    dashboard = Dashboard(database, loaded, access, lambda: (), NOW, clock=STILL)
    return make_app(lambda: (), lambda _accept: (b"", "text/plain"), dashboard_routes(dashboard))


@contextmanager
def asking(
    database: Database, role: str = "reader", loaded: LoadedSettings | None = None
) -> Iterator[TestClient]:
    """A client that takes pages and follows nothing; the role `nobody` has no token."""
    headers = {"accept": "text/html, */*"}
    if role in TOKENS:
        headers["authorization"] = f"Bearer {TOKENS[role]}"
    with TestClient(app_on(database, loaded), headers=headers, follow_redirects=False) as client:
        yield client

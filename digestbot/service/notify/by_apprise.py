"""Any service that Apprise knows; the one module that imports Apprise."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec

from digestbot.errors import UsageError
from digestbot.secret import Secret
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.message import Message, Turn
from digestbot.service.notify.posting import TIMEOUT_S
from digestbot.service.notify.text import body

_APP = "digestbot"
_HINT = "check the address with the `apprise` command; it says what the service answers"


@dataclass(frozen=True, slots=True)
class AppriseNotifier:
    """Sends plain text through Apprise.

    Raises:
        UsageError: Apprise is not installed.
    """

    name: str
    address: Secret

    def __post_init__(self) -> None:
        if find_spec("apprise") is None:
            raise UsageError(
                f"the notifier {self.name} needs a package that is not installed: apprise",
                hint="pip install 'digestbot[notify]'",
            )

    def send(self, message: Message, /) -> None:
        """Send the message.

        Raises:
            NotifyError: Apprise does not know the address, or the service did not take it.
        """
        import apprise  # noqa: PLC0415 - slow to import, and few use it

        # Its lines may hold addresses, and what it could not deliver.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        asset = apprise.AppriseAsset(
            app_id=_APP,
            app_desc=_APP,
            http_redirects=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            service_timeout=TIMEOUT_S,
        )
        service = apprise.Apprise.instantiate(self.address.reveal(), asset=asset)
        if service is None:
            raise NotifyError(f"{self.name} has an address that Apprise does not know", hint=_HINT)
        sender = apprise.Apprise(service, asset=asset)
        if not sender.notify(
            body(message),
            title=message.title,
            notify_type=_kind(message),
            body_format=apprise.NotifyFormat.TEXT,
        ):
            raise NotifyError(f"{self.name} did not take the message, as Apprise tells", hint=_HINT)


def _kind(message: Message) -> str:
    """How the service shows it: as a warning where something is new or changed."""
    is_warning = any(one.turn in {Turn.NEW, Turn.CHANGED} for one in message.news)
    return "warning" if is_warning else "info"

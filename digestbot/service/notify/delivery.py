"""One message to one notifier, whatever becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.service.logs import Event, get_log
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.message import Message, Notifier

_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message.

    Attributes:
        notifier: Its name.
        count: How many pieces of news the message had.
        failure: Why it was not delivered; empty where it was.
        hint: What to do about that.
    """

    notifier: str
    count: int
    failure: str = ""
    hint: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether it was delivered."""
        return not self.failure


def deliver(notifier: Notifier, message: Message) -> Delivery:
    """Send a message; a failure is logged and told, never raised."""
    name, count = notifier.name, len(message.news)
    try:
        notifier.send(message)
    except NotifyError as error:
        failed = Delivery(name, count, str(error), error.hint)
    except Exception as error:  # noqa: BLE001 - Apprise has 130 services, and none ends a run
        # Without the text of the error: the address may be part of it.
        failed = Delivery(name, count, f"{name} failed ({type(error).__name__})")
    else:
        _log.info(Event.NOTIFICATION_SENT, notifier=name, count=count)
        return Delivery(name, count)
    _log.warning(Event.NOTIFICATION_FAILED, notifier=name, count=count, problem=failed.failure)
    return failed

from __future__ import annotations

import logging
import sys

import pytest

from digestbot.errors import UsageError
from digestbot.secret import Secret
from digestbot.service.notify import by_apprise
from digestbot.service.notify.by_apprise import AppriseNotifier
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.message import Turn
from tests.service.notify.builders import HOSTILE, make_message, make_news
from tests.service.notify.receiver import Receiver, receiving

# Apprise imports it where Python still has it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def notifier(receiver: Receiver) -> AppriseNotifier:
    return AppriseNotifier("chat", Secret(f"json://127.0.0.1:{receiver.port}/canary?+x-key=canary"))


def test_a_message_is_a_title_and_lines_of_text() -> None:
    with receiving() as receiver:
        notifier(receiver).send(make_message())

    (received,) = receiver.received
    assert received.json["title"] == "digestbot: 1 new"
    assert received.json["type"] == "warning"
    assert received.json["message"].splitlines() == [
        "▲ new · lookups · registry:ghcr.io",
        "  ghcr.io answers 429 (and 3 more)",
        "  hint: wait",
    ]


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({"news": (make_news(Turn.RESOLVED),)}, "info"),
        ({"news": (make_news(Turn.CHANGED),)}, "warning"),
        ({"news": (), "is_test": True}, "info"),
    ],
)
def test_only_what_is_new_or_changed_is_a_warning(changes: dict[str, object], kind: str) -> None:
    with receiving() as receiver:
        notifier(receiver).send(make_message(**changes))

    assert receiver.received[0].json["type"] == kind


def test_hostile_texts_neither_mention_nor_link() -> None:
    with receiving() as receiver:
        notifier(receiver).send(make_message(make_news(message=HOSTILE)))

    text = receiver.received[0].json["message"]
    assert "@here" not in text
    assert "://" not in text
    assert "<!" not in text
    assert "](" not in text


def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(307) as receiver:
        receiver.location = other.url
        with pytest.raises(NotifyError):
            notifier(receiver).send(make_message())

    assert other.received == []


@pytest.mark.parametrize("behaviour", [302, 429, 500, "close"])
def test_what_is_not_taken_is_said_without_the_address(
    behaviour: int | str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    with receiving(behaviour, b"canary") as receiver, pytest.raises(NotifyError) as caught:
        notifier(receiver).send(make_message())

    said = "".join(capfd.readouterr())
    assert str(caught.value) == "chat did not take the message, as Apprise tells"
    assert "canary" not in f"{caught.value.hint}{caplog.text}{said}"


def test_a_service_that_is_silent_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_apprise, "TIMEOUT_S", 0.3)

    with receiving("hang") as receiver, pytest.raises(NotifyError) as caught:
        notifier(receiver).send(make_message())

    assert str(caught.value) == "chat did not take the message, as Apprise tells"


@pytest.mark.parametrize("address", ["nosuch://canary", "discord://", "json://", "://"])
def test_an_address_that_apprise_does_not_know_is_not_repeated(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(NotifyError, match="an address that Apprise does not know") as caught:
        AppriseNotifier("chat", Secret(address)).send(make_message())

    assert "canary" not in f"{caught.value}{caplog.text}"


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_apprise, "find_spec", lambda name: None)

    with pytest.raises(UsageError) as caught:
        AppriseNotifier("chat", Secret("json://canary"))

    assert caught.value.hint == "pip install 'digestbot[notify]'"
    assert "canary" not in str(caught.value)


def test_it_is_imported_only_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "apprise", raising=False)

    AppriseNotifier("chat", Secret("json://canary"))

    assert "apprise" not in sys.modules

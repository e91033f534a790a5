"""A POST of JSON, by the contract `digestbot/notice/v1`."""

from __future__ import annotations

from dataclasses import dataclass

from digestbot import __version__
from digestbot.report.json_v1 import as_json
from digestbot.report.plain import well_formed
from digestbot.secret import NO_SECRET, Secret
from digestbot.service.notify.answers import check
from digestbot.service.notify.contract import SCHEMA, Notice, NoticeItem
from digestbot.service.notify.message import Message, News
from digestbot.service.notify.posting import post
from digestbot.service.times import stamp

MOST = 200


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """Posts to an address, with a bearer token where there is one."""

    name: str
    address: Secret
    token: Secret = NO_SECRET

    def send(self, message: Message, /) -> None:
        """Post the message.

        Raises:
            NotifyError: The answer was not one of success.
        """
        token = self.token.reveal()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        payload = as_json(notice_of(message, self.name)).encode()
        check(post(self.address.reveal(), payload, headers), self.name)


def notice_of(message: Message, name: str) -> Notice:
    """The message in the terms of the contract."""
    return Notice(
        schema=SCHEMA,
        version=__version__,
        at=stamp(message.at),
        test=message.is_test,
        notifier=name,
        run=message.run or None,
        title=message.title,
        items=[_item(one) for one in message.news[:MOST]],
        left_out=max(len(message.news) - MOST, 0),
    )


def _item(one: News) -> NoticeItem:
    return NoticeItem(
        turn=one.turn,
        event=one.event,
        subject=well_formed(one.subject),
        state=one.state,
        message=well_formed(one.message),
        hint=well_formed(one.hint),
        since=stamp(one.since) if one.since else None,
        link=one.link or None,
    )

"""What an HTTP service means by its answer to a message."""

from __future__ import annotations

from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.posting import Answer

_OK, _REDIRECT, _REFUSED = 200, 300, 400
_MEANINGS = {
    401: ("does not accept the token", "check token_env"),
    403: ("refuses the message", "check the address and the token"),
    404: ("knows no such address", "check url, url_env or url_file; a webhook may be revoked"),
    410: ("is gone", "make a new webhook"),
    413: ("finds the message too large", ""),
    429: ("has had enough messages for now", "it is tried again in the next cycle"),
}


def check(answer: Answer, name: str, reason: str = "") -> None:
    """Do nothing, if the message was taken.

    Args:
        answer: To the message.
        name: Of the notifier.
        reason: What the service said of it, where that is safe to repeat.

    Raises:
        NotifyError: It was not taken.
    """
    status = answer.status
    if _OK <= status < _REDIRECT:
        return
    hint = ""
    if status == 0:
        what, hint = answer.failure, "check the address, and that it can be reached from here"
    elif status in _MEANINGS:
        what, hint = _MEANINGS[status]
    elif _REDIRECT <= status < _REFUSED:
        what, hint = "redirects, which is not followed", "configure the address where it ends"
    else:
        what = "does not take the message"
    number = f" ({status})" if status else ""
    said = f": {reason}" if reason else ""
    raise NotifyError(f"{name} {what}{number}{said}", hint=hint)

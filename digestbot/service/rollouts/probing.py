"""A webhook is asked whether the next wave may begin, in the words of Flagger's canaries.

Source: Flagger's `CanaryWebhookPayload`: `name`, `namespace`, `phase`, `checksum`, `metadata`; an
answer of 2xx says yes, any other no.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from digestbot.rollout.gates import WaveCount
from digestbot.secret import Secret
from digestbot.service.logs import Event, get_log
from digestbot.service.notify.errors import NotifyError
from digestbot.service.notify.posting import Answer, post
from digestbot.service.rollouts.report import images_of
from digestbot.store.rollouts import Rollout

PHASE: Final = "WaitingPromotion"
NAMESPACE: Final = "digestbot"
_YES = range(200, 300)
_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class WebhookProbe:
    """Asks one address.

    Attributes:
        address: Where to; it is read when somebody asks.
        send: Posts a body, once, and follows nobody.
    """

    address: Secret
    send: Callable[[str, bytes], Answer] = lambda url, body: post(url, body, {})

    def __call__(self, rollout: Rollout, count: WaveCount) -> bool | None:
        """Whether the next wave may begin; None where there is no answer."""
        try:
            answer = self.send(self.address.reveal(), payload(rollout, count))
        except NotifyError as error:
            answer = Answer(0, failure=str(error))
        if not answer.status:
            _log.warning(
                Event.ROLLOUT_FAILED, rollout=rollout.id, problem=f"its probe {answer.failure}"
            )
            return None
        return answer.status in _YES


def payload(rollout: Rollout, count: WaveCount) -> bytes:
    """What is posted; all of `metadata` is text, as Flagger has it."""
    standing = rollout.standing
    counts = {key: str(number) for key, number in asdict(count).items()}
    metadata = {
        "images": images_of(rollout),
        "wave": str(standing.wave + 1),
        "waves": str(rollout.plan.waves),
        **counts,
    }
    told = {
        "name": rollout.id,
        "namespace": NAMESPACE,
        "phase": PHASE,
        "checksum": rollout.id,
        "metadata": metadata,
    }
    return json.dumps(told).encode()

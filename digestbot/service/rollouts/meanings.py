"""What each thing that people can have a rollout do means, in a sentence; and when it helps."""

from __future__ import annotations

from collections.abc import Mapping

from digestbot.rollout.machine import Standing, State, Verb

MEANINGS: Mapping[Verb, str] = {
    Verb.START: "Have the plan done, exactly.",
    Verb.PAUSE: "Open nothing new until it is resumed.",
    Verb.RESUME: "Go on, knowing what failed so far.",
    Verb.PROMOTE: "Skip the soak of the wave that is under way.",
    Verb.APPROVE: "Say yes to what comes after the wave that is under way.",
    Verb.RETRY: "Have one repo tried again.",
    Verb.SKIP: "Leave one repo out.",
    Verb.ABORT: "End it: what is open is closed, what is merged stays.",
    Verb.ROLLBACK: "Offer each repo that was merged the digest that it had.",
}
ABOUT_ONE = (Verb.RETRY, Verb.SKIP)
"""They name a repo."""
ABOUT_WAVE = (Verb.PROMOTE, Verb.APPROVE)
"""They count for one wave, and may name it."""
_POINTLESS: Mapping[State, tuple[Verb, ...]] = {
    # Nothing was written that could be taken back.
    State.PLANNED: (Verb.ROLLBACK,),
    State.CLOSED: (Verb.ABORT,),
    State.ABORTED: (Verb.ABORT,),
    State.ROLLING_BACK: (Verb.ROLLBACK,),
    State.ROLLED_BACK: (Verb.ABORT, Verb.ROLLBACK),
}
"""The way out and the way back are open from everywhere; from there they lead nowhere."""


def helpful(standing: Standing) -> tuple[Verb, ...]:
    """What a person may have it do now, without what is done already."""
    return tuple(verb for verb in standing.verbs() if not _is_done(standing, verb))


def command(verb: Verb, name: str, wave: int) -> str:
    """The command line that says so, now that this wave is under way.

    It names the wave where it counts for one: typed twice, it is no yes to the next.
    """
    about = " REPO" if verb in ABOUT_ONE else f" --wave {wave}" if verb in ABOUT_WAVE else ""
    return f"digestbot rollout {verb} {name}{about}"


def _is_done(standing: Standing, verb: Verb) -> bool:
    is_said = (verb is Verb.PROMOTE and standing.is_promoted) or (
        verb is Verb.APPROVE and standing.is_approved
    )
    return is_said or verb in _POINTLESS.get(standing.state, ())

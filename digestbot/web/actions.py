"""What operators ask of the service, by forms and by programs: POST, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from digestbot import __version__
from digestbot.image import ImageReference, ImageTag, InvalidReferenceError
from digestbot.rollout.machine import BY_PEOPLE, Verb
from digestbot.service.asking import (
    REFUSALS,
    AskRefusedError,
    Ignore,
    Propose,
    Refusal,
    Retry,
    Scan,
    Taken,
    Unignore,
)
from digestbot.service.rollouts.asking import AnyAsk, Asking, TellRollout
from digestbot.service.times import stamp
from digestbot.web.access import Role, Visitor
from digestbot.web.answers import SCHEMA, Fault, fault_json, wants_json
from digestbot.web.forms import read_form
from digestbot.web.login import local_path

BAD_NAME: Final = "bad-name"
LONGEST_NAME, LONGEST_ID = 500, 9
_SEE_OTHER, _ACCEPTED, _BAD, _UNKNOWN, _FORBIDDEN = 303, 202, 400, 401, 403
_STATUS: Final[dict[str, int]] = {
    BAD_NAME: _BAD,
    Refusal.UNKNOWN_REPO: 404,
    Refusal.UNKNOWN_IMAGE: 404,
    Refusal.UNKNOWN_IGNORE: 404,
    Refusal.LEFT_OUT: 409,
    Refusal.TOO_MANY: 429,
    Refusal.TOO_MANY_SCANS: 429,
    Refusal.TOO_MANY_IGNORES: 409,
    Refusal.BAD_DAY: _BAD,
    Refusal.BAD_REASON: _BAD,
    Refusal.UNKNOWN_ROLLOUT: 404,
    Refusal.NOT_OF_ROLLOUT: 404,
    Refusal.NOT_NOW: 409,
    Refusal.CHANGED: 409,
    Refusal.TOO_FAR: 409,
    Refusal.CHECKING: 409,
    Refusal.NOT_PULLABLE: 409,
}
_DONE: Final[Mapping[str, str]] = {
    "scan": "scan-asked",
    "propose": "propose-asked",
    "ignore": "ignored",
    "unignore": "unignored",
    "retry": "retry-asked",
    **{f"rollout-{verb}": f"rollout-{verb}" for verb in BY_PEOPLE},
}
SAID: Final[Mapping[str, str]] = {
    "scan-asked": "It is looked at as soon as what runs now is done.",
    "propose-asked": "What is to be proposed there is proposed soon: this one time the hours of "
    "the schedule do not count, and what was seen so far has settled long enough. The deny list, "
    "freezes, lost platforms and limits hold as ever.",
    "ignored": "The image is left alone through that day.",
    "unignored": "The image is looked after again.",
    "retry-asked": "It is tried again as soon as what runs now is done.",
    "rollout-start": "It is started: the first pull requests come within a minute.",
    "rollout-pause": "It is paused: nothing new is opened.",
    "rollout-resume": "It goes on within a minute.",
    "rollout-promote": "The wave does not soak any longer.",
    "rollout-approve": "What comes after this wave is approved.",
    "rollout-retry": "The repo is tried again within a minute.",
    "rollout-skip": "The repo is left out. A pull request that it has stays open.",
    "rollout-abort": "It is ended: what is open is closed within minutes.",
    "rollout-rollback": "It goes back: the repos are offered what they had, within the limits.",
    BAD_NAME: "Name one image with its tag, one repo, or one rollout and what it is to do.",
    **{refusal.value: text for refusal, text in REFUSALS.items()},
}
"""What a page says after something was asked for, by its code."""

Fields = Mapping[str, str]


class Gatekeeper(Protocol):
    """Says who asks, and whether they mean it."""

    def visitor(self, request: Request) -> Visitor:
        """Who asks this."""

    def check_csrf(self, visitor: Visitor, given: str) -> bool:
        """Whether what a form says is what the forms of this visitor say."""


class _BadNameError(ValueError):
    """A form names nothing that could be meant."""


def action_routes(access: Gatekeeper, asking: Asking) -> list[Route]:
    """The routes `/actions/…`, one for each thing that may be asked."""
    actions = _Actions(access, asking)
    return [
        Route(f"/actions/{name}", actions.endpoint(read), methods=["POST"])
        for name, read in _READ.items()
    ]


@dataclass(frozen=True, slots=True)
class _Actions:
    access: Gatekeeper
    asking: Asking

    def endpoint(self, read: Callable[[Fields], AnyAsk]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            form = await read_form(request)
            visitor = self._operator(request, form)
            is_program = wants_json(request) or not visitor.is_carried
            try:
                take = self.asking.take
                taken = await run_in_threadpool(take, read(form), visitor.name, visitor.how)
            except _BadNameError:
                return _refused(BAD_NAME, form, is_program=is_program)
            except AskRefusedError as error:
                return _refused(error.refusal, form, is_program=is_program)
            return _taken(taken) if is_program else _back(form, _DONE[taken.what])

        return answer

    def _operator(self, request: Request, form: Fields) -> Visitor:
        visitor = self.access.visitor(request)
        if visitor.role == Role.NOBODY:
            raise HTTPException(_UNKNOWN, "sign in first")
        if not visitor.can_act:
            raise HTTPException(_FORBIDDEN, "only operators may ask for this")
        if not self.access.check_csrf(visitor, form.get("csrf", "")):
            raise HTTPException(_FORBIDDEN, "load the page again, and ask there")
        return visitor


def _scan(form: Fields) -> AnyAsk:
    image, repo = _image(form), _name(form, "repo")
    if image is not None and repo:
        raise _BadNameError
    return Scan(image, repo)


def _retry(form: Fields) -> AnyAsk:
    image, repo = _image(form), _name(form, "repo")
    if (image is None) is (not repo):
        raise _BadNameError
    return Retry(image, repo)


def _propose(form: Fields) -> AnyAsk:
    repo = _name(form, "repo")
    if not repo:
        raise _BadNameError
    return Propose(repo)


def _ignore(form: Fields) -> AnyAsk:
    image = _image(form)
    if image is None:
        raise _BadNameError
    reason = form.get("reason", "").strip()
    return Ignore(image, _day(form.get("until", "")), reason, _name(form, "repo"))


def _unignore(form: Fields) -> AnyAsk:
    try:
        number = _number(form, "ignore")
    except _BadNameError:
        number = None
    if number is None:
        raise AskRefusedError(Refusal.UNKNOWN_IGNORE)
    return Unignore(number)


def _rollout(form: Fields) -> AnyAsk:
    verb = form.get("verb", "")
    if verb not in BY_PEOPLE:
        raise _BadNameError
    reason = _line(form)
    repo, wave = _name(form, "repo"), _number(form, "wave")
    name, without_check = _name(form, "rollout"), _is_ticked(form, "without_check")
    return TellRollout(name, Verb(verb), repo, reason, wave, without_check)


_READ: Final[dict[str, Callable[[Fields], AnyAsk]]] = {
    "scan": _scan,
    "propose": _propose,
    "ignore": _ignore,
    "unignore": _unignore,
    "retry": _retry,
    "rollout": _rollout,
}


def _name(form: Fields, field: str) -> str:
    name = form.get(field, "").strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise _BadNameError
    return name


def _line(form: Fields) -> str:
    return " ".join(form.get("reason", "").split())


def _number(form: Fields, field: str) -> int | None:
    text = form.get(field, "")
    if not text:
        return None
    # No id has more digits, and no database takes it.
    if len(text) > LONGEST_ID or not text.isascii() or not text.isdigit():
        raise _BadNameError
    return int(text)


def _is_ticked(form: Fields, field: str) -> bool:
    text = form.get(field, "")
    if text not in ("", "true", "false"):
        raise _BadNameError
    return text == "true"


def _image(form: Fields) -> ImageTag | None:
    """An image by its name and tag; what else pins may say is no part of what is meant."""
    text = _name(form, "image")
    if not text:
        return None
    try:
        found = ImageReference.parse(text)
    except InvalidReferenceError:
        raise _BadNameError from None
    if found.tag is None or found.digest is not None:
        raise _BadNameError
    return found.followed


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise AskRefusedError(Refusal.BAD_DAY) from None
    # It reads week dates, too.
    if day.isoformat() != text.strip():
        raise AskRefusedError(Refusal.BAD_DAY)
    return day


def _refused(code: str, form: Fields, *, is_program: bool) -> Response:
    is_lost = code == Refusal.NOT_PULLABLE
    # It says what is lost, can be told to go on, and has the reason that was typed.
    page = f"/rollouts/{form.get('rollout', '').strip()}/rollback"
    if is_program:
        hint = f"{page}.json says which; without_check=true goes back all the same"
        return fault_json(Fault(str(code), SAID[code], hint if is_lost else ""), _STATUS[code])
    if is_lost:
        asked = urlencode({"reason": _line(form), "said": str(code)})
        return RedirectResponse(f"{page}?{asked}", _SEE_OTHER)
    return _back(form, code)


def _back(form: Fields, code: str) -> Response:
    """To the page that asked, which says what became of it."""
    path, _, query = local_path(form.get("next", "")).partition("?")
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "said"]
    return RedirectResponse(f"{path}?{urlencode([*pairs, ('said', str(code))])}", _SEE_OTHER)


def _taken(taken: Taken) -> Response:
    told = {**asdict(taken), "at": stamp(taken.at)}
    asked = {"on" if key == "subject" else key: value for key, value in told.items()}
    body = {"schema": SCHEMA, "version": __version__, "asked": asked}
    return JSONResponse(body, _ACCEPTED)

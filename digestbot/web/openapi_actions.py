"""What may be asked for, as the OpenAPI document tells it: one operation for each action."""

from __future__ import annotations

from dataclasses import dataclass

from digestbot.rollout.machine import BY_PEOPLE
from digestbot.web.openapi_parts import JSON, REF, Json, content, envelope, refs

_FORM = "application/x-www-form-urlencoded"
_IMAGE = ("image", "The image with its registry and tag: `docker.io/library/python:3.12`.")
_REPO = ("repo", "The name of the repo: `acme/app`.")
_UNTIL = ("until", "The last day, in UTC: `2026-12-31`; a year from now at most.")
_REASON = ("reason", "Why, in up to 300 characters.")
_IGNORE = ("ignore", "The id of what is left alone.")
_ROLLOUT = ("rollout", "The id of a rollout.")
_VERB = ("verb", f"What it is to do: {', '.join(BY_PEOPLE)}.")
_ONE = ("repo", "The name of the repo that is retried or skipped.")
_WAVE = (
    "wave",
    "Which wave is promoted or approved, from 0; without it, whichever is under way.",
)
_WHY = ("reason", "Why, in up to 300 characters; needed where it is ended or goes back.")
_UNCHECKED = (
    "without_check",
    "`true` has it go back without asking registries first whether they still have what repos had.",
)
# Whoever sends a token needs the first of them not, and is led nowhere.
_OF_BROWSERS = {
    "csrf": "What the form on a page says; not needed with a token.",
    "next": "Where a browser goes then: a path of the dashboard.",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What an operator may ask for: its name, what it does, and the fields of its form."""

    name: str
    about: str
    fields: tuple[tuple[str, str], ...]
    required: tuple[str, ...] = ()


ACTIONS = (
    Action(
        "scan",
        "Look now: at an image, at a repo, or, without either, at everything.",
        (_IMAGE, _REPO),
    ),
    Action(
        "propose",
        "Propose this once outside of the schedule, and without waiting for digests to settle. "
        "What is denied, frozen or limited stays so.",
        (_REPO,),
        required=("repo",),
    ),
    Action(
        "ignore",
        "Leave an image alone until a day; in all repos, where none is named.",
        (_IMAGE, _REPO, _UNTIL, _REASON),
        required=("image", "until", "reason"),
    ),
    Action("unignore", "Leave it alone no more.", (_IGNORE,), required=("ignore",)),
    Action("retry", "Try again what failed: an image, or a repo.", (_IMAGE, _REPO)),
    Action(
        "rollout",
        "Have a rollout do something, if it can be told that now. Before it goes back registries "
        "are asked, for some seconds, whether they still have what repos had; where something is "
        "not known to be there nothing is done, and the code is `not-pullable`.",
        (_ROLLOUT, _VERB, _ONE, _WAVE, _WHY, _UNCHECKED),
        required=("rollout", "verb"),
    ),
)


def action_paths() -> Json:
    """The paths of the actions."""
    return {f"/actions/{action.name}": {"post": _operation(action)} for action in ACTIONS}


def action_schemas() -> Json:
    """The answer that all actions give."""
    text = {"type": "string"}
    asked = {
        "what": {**text, "description": "The name of the action."},
        "on": {**text, "description": "What it is about; empty for everything."},
        "who": {**text, "description": "Who asked."},
        "at": {**text, "format": "date-time"},
    }
    told = {"type": "object", "properties": asked, "required": list(asked)}
    return {"Asked": envelope({"asked": told})}


def _operation(action: Action) -> Json:
    told = dict(action.fields) | _OF_BROWSERS
    fields = {name: {"type": "string", "description": about} for name, about in told.items()}
    form: Json = {"type": "object", "properties": fields}
    if action.required:
        form["required"] = list(action.required)
    accepted = {"$ref": REF.format(model="Asked")}
    return {
        "operationId": f"action_{action.name}",
        "summary": action.about.partition(". ")[0].removesuffix("."),
        "description": f"{action.about} Operators alone may.",
        "requestBody": {"required": True, "content": {_FORM: {"schema": form}}},
        "responses": {
            "202": content(JSON, accepted, "It is asked for, and done in a moment."),
            **refs("303", "400", "401", "403", "404", "409", "413", "415", "429", "500", "503"),
        },
    }

"""What is answered: pages, their JSON twins, and what went wrong as either of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from digestbot import __version__
from digestbot.service.times import stamp

SCHEMA: Literal["digestbot/dashboard/v1"] = "digestbot/dashboard/v1"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request has no better answer."""

    code: str
    """A stable slug."""
    message: str
    hint: str


def json_answer(page: str, view: Any, now: datetime, status: int = 200) -> Response:  # noqa: ANN401 - any dataclass
    """A view of the contract `digestbot/dashboard/v1`."""
    return _json({"page": page, "at": stamp(now), "data": _plain(view)}, status)


def fault_json(fault: Fault, status: int) -> Response:
    """What went wrong, for programs."""
    return _json({"error": _plain(fault)}, status)


def wants_json(request: Request) -> bool:
    """Whether a program asks: it says so, asks for a twin, or sends a token and wants no page.

    Browsers say that they take pages; a proxy in front may send a token for them.
    """
    accepted = request.headers.get("accept", "")
    if request.url.path.endswith(".json") or accepted.startswith("application/json"):
        return True
    schemes = [one.partition(" ")[0].lower() for one in request.headers.getlist("authorization")]
    return "bearer" in schemes and "text/html" not in accepted


def _json(told: dict[str, Any], status: int) -> Response:
    content = _ANYTHING.dump_json({"schema": SCHEMA, "version": __version__, **told})
    return Response(content, status, media_type="application/json")


def _plain(view: Any) -> Any:  # noqa: ANN401 - any dataclass
    kind: type[Any] = type(view)
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter.dump_python(view, mode="json")


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
_ANYTHING: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])

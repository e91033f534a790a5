"""Views as HTML."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from digestbot import __version__
from digestbot.report.plain import one_line, shorten_digests
from digestbot.service.times import age
from digestbot.web.page import query_of

_SHORT, _KEPT = 7, 4096


def make_templates() -> Environment:
    """The templates; whatever they show is escaped, on one line, and visible."""
    templates = Environment(
        loader=PackageLoader("digestbot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_disarmed,
        auto_reload=False,
    )
    templates.filters |= {
        "ago": ago,
        "lasting": lasting,
        "moment": moment,
        "short": short_digest,
        "shortened": shorten_digests,
        "number": lambda value: f"{value:,}",
        "share": lambda value: f"{value:.0%}",
        "span": lambda seconds: age(timedelta(seconds=seconds)),
        "ms": lambda text: round(datetime.fromisoformat(text).timestamp() * 1000),
    }
    templates.globals |= {"static": static, "query": query_of, "version": __version__}
    return templates


def render(templates: Environment, name: str, context: Mapping[str, Any]) -> str:
    """A template with what it shows."""
    return templates.get_template(f"{name}.html").render(**context)


# A page has hundreds of times and digests, most of them more than once; so has the next.
@lru_cache(_KEPT)
def moment(text: str | None) -> Markup | str:
    """A time of a contract, as people read it and machines do: `2026-11-21 03:04 UTC`."""
    if text is None:
        return "never"
    shown = f"{text[:10]} {text[11:16]} UTC"
    return Markup('<time datetime="{}">{}</time>').format(text, shown)


def ago(text: str | None, now: datetime) -> Markup | str:
    """How long ago a time of a contract is, or in how long: `3 h ago`, `in 5 min`."""
    if text is None:
        return "never"
    span = now - datetime.fromisoformat(text).astimezone(UTC)
    told = f"{age(span)} ago" if span >= timedelta() else f"in {age(-span)}"
    return _time(text, told, f"{text[:10]} {text[11:16]} UTC")


def lasting(text: str, now: datetime) -> Markup:
    """For how long it has been so since a time of a contract: `3 h`."""
    span = max(now - datetime.fromisoformat(text).astimezone(UTC), timedelta())
    return _time(text, age(span), f"since {text[:10]} {text[11:16]} UTC")


@lru_cache(_KEPT)
def short_digest(text: str) -> Markup:
    """A digest as its first characters; whoever wants all of it finds it in the title."""
    _, _, hexes = text.partition(":")
    return Markup('<code class="digest" title="{}">{}</code>').format(
        text, (hexes or text)[:_SHORT]
    )


@cache
def static(name: str) -> str:
    """The address of a file that never changes under that address."""
    content = files("digestbot.web").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


@lru_cache(_KEPT)
def _time(text: str, shown: str, title: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, title, shown)


def _disarmed(value: object) -> object:
    """What repos and registries say may have line breaks, or turn the direction of text."""
    return one_line(value) if type(value) is str else value

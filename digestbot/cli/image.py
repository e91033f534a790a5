"""`digestbot image`: what a registry says of one reference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digestbot.cli.exits import Exit
from digestbot.cli.options import GroupedCommand, common, option
from digestbot.cli.output import emit
from digestbot.cli.settings import config_options, network_options, set_up
from digestbot.cli.terminal import Terminal
from digestbot.errors import UsageError
from digestbot.image import ImageReference, InvalidReferenceError
from digestbot.registry.errors import RegistryError
from digestbot.report.plain import one_line

if TYPE_CHECKING:
    from digestbot.registry.image_facts import ImageFacts

SCHEMA = "digestbot/image/v1"


@click.command("image", cls=GroupedCommand)
@click.argument("references", nargs=-1, required=True, metavar="REF...")
@config_options
@option(
    "--format",
    "image_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    heading="Output",
    env="FORMAT",
    help="The output's format; json is one document per line.",
)
@network_options
@common
@click.pass_context
def command(
    context: click.Context,
    references: tuple[str, ...],
    config: Path | None,
    no_config: bool,
    image_format: str,
    timeout: float | None,
    allow_private: bool,
) -> int:
    """Show what a registry says of one reference.

    Its digest, type, platforms, age and labels; who answered, and how many requests it took.
    """
    from digestbot.registry.image_facts import read_image  # noqa: PLC0415 - imports requests
    from digestbot.registry.resolver import RegistryResolver  # noqa: PLC0415 - likewise

    terminal = Terminal.of(context)
    terminal.start_logging()
    keys = {"timeout": timeout, "allow_private": allow_private}
    setup = set_up(context, config=config, no_config=no_config, keys=keys)
    code = Exit.OK
    with RegistryResolver(setup.registries) as resolver:
        for reference in map(_parse, references):
            try:
                facts = read_image(resolver, reference)
            except RegistryError as error:
                terminal.fail(error)
                code = Exit.INCOMPLETE
                continue
            write = _text if image_format == "text" else _json
            emit(write(facts), None)
    return code


def _parse(text: str) -> ImageReference:
    try:
        return ImageReference.parse(text)
    except InvalidReferenceError as error:
        raise UsageError(str(error), hint="a reference looks like python:3.12") from error


def _document(facts: ImageFacts) -> dict[str, object]:
    described, quota = facts.described, facts.quota
    return {
        "schema": SCHEMA,
        "reference": facts.reference.written,
        "image": facts.reference.image,
        "tag": facts.reference.followed.tag if facts.reference.followed else None,
        "digest": str(facts.digest),
        "media_type": facts.media_type,
        "platforms": [str(platform) for platform in facts.platforms],
        "described_platform": str(described.platform) if described.platform else None,
        "created": described.created or None,
        "labels": dict(described.labels),
        "annotations": dict(described.annotations),
        "answered_by": facts.answered_by,
        "requests": facts.requests.total,
        "quota": {"limit": quota.limit, "remaining": quota.remaining} if quota else None,
        "warnings": list(facts.warnings),
    }


def _json(facts: ImageFacts) -> str:
    return json.dumps(_document(facts)) + "\n"


def _text(facts: ImageFacts) -> str:
    rows = [*_rows(facts)]
    width = max(len(key) for key, _ in rows)
    lines = [one_line(str(facts.reference))]
    lines += [f"  {key:<{width}}  {one_line(value)}".rstrip() for key, value in rows]
    return "\n".join(lines) + "\n"


def _rows(facts: ImageFacts) -> Iterator[tuple[str, str]]:
    described, requests = facts.described, facts.requests
    yield "digest", str(facts.digest)
    yield "type", facts.media_type
    yield "platforms", ", ".join(map(str, facts.platforms)) or "not said"
    yield "created", described.created or "not said"
    kinds = {"HEAD": requests.heads, "GET": requests.gets, "token": requests.tokens}
    parts = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    yield "answered by", f"{facts.answered_by} ({parts})"
    if facts.quota is not None:
        yield "quota", f"{facts.quota.remaining} of {facts.quota.limit} pulls left"
    yield from (("warning", warning) for warning in facts.warnings)
    yield from _texts("label", described.labels)
    yield from _texts("annotation", described.annotations)


def _texts(kind: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in texts.items():
        yield kind, f"{key}={text}"

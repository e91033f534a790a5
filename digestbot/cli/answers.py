"""Who answers what a tag is now: registries, a file of recorded answers, or nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from digestbot.cli.importing import importing
from digestbot.errors import UsageError
from digestbot.image import Digest
from digestbot.registry.recorded import RecordedResolver, read_answers
from digestbot.registry.resolution import Resolver
from digestbot.registry.settings import RegistrySettings

if TYPE_CHECKING:
    from digestbot.registry.exchange import OnAnswer, OnLeft


@contextmanager
def open_resolver(
    registries: RegistrySettings,
    digests: Path | None,
    *,
    offline: bool = False,
    on_answer: OnAnswer | None = None,
    on_left: OnLeft | None = None,
) -> Iterator[Resolver]:
    """The one resolver of a run, until the block ends; a file of digests comes before registries.

    `on_answer` and `on_left` are told of each answer of a registry, and of its limits.

    Raises:
        UsageError: The file cannot be read.
    """
    if offline:
        yield RecordedResolver({})
    elif digests is not None:
        yield RecordedResolver(_read(digests))
    else:
        with importing():
            from digestbot.registry.resolver import RegistryResolver  # noqa: PLC0415 - heavy

        with RegistryResolver(registries, on_answer=on_answer, on_left=on_left) as resolver:
            yield resolver


def _read(path: Path) -> dict[str, Digest]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        hint = "name a file that digestbot scan --record wrote, or one like it"
        raise UsageError(f"--digests: cannot read {path}: {why}", hint=hint) from error
    try:
        return read_answers(text)
    except UsageError as error:
        raise UsageError(f"--digests: {path}: {error}", hint=error.hint) from error

"""The progress bar: an observer of the scan that draws on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from digestbot.registry.resolution import Query
    from digestbot.scan.lookups import Answer


class ProgressBar:
    """Shows how many lookups are done while they go on; leaves nothing behind."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def lookups_begin(self, total: int) -> None:
        """Draw the bar, if anybody looks."""
        if not self._shown or not total:
            return
        from rich.console import Console  # noqa: PLC0415 - paid for only where it is seen
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

        columns = (TextColumn("asking registries"), BarColumn(), MofNCompleteColumn())
        last = TextColumn("{task.fields[last]}", markup=False)
        self._bar = Progress(*columns, last, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total, last="")
        self._bar.start()

    def lookup_done(self, query: Query, answer: Answer) -> None:
        """One more."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, last=str(query))

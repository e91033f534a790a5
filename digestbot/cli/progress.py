"""The progress bars, drawn on stderr: how many lookups are done, how many repos."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from digestbot.report.plain import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from digestbot.registry.resolution import Query
    from digestbot.scan.lookups import Answer

_NAME_LIMIT = 60


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


class RepoProgress:
    """Shows how many repos are done, and how many proposals changed; leaves nothing behind."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._proposals = 0

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console  # noqa: PLC0415 - paid for only where it is seen
            from rich.progress import Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

            said = TextColumn("{task.completed} repos, {task.fields[proposals]} proposals")
            last = TextColumn("{task.fields[last]}", markup=False)
            console = Console(stderr=True)
            self._bar = Progress(SpinnerColumn(), said, last, console=console, transient=True)
            self._task = self._bar.add_task("", total=None, proposals=0, last="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def repo_done(self, name: str, proposals: int = 0) -> None:
        """One more."""
        self._proposals += proposals
        if self._bar is not None and self._task is not None:
            last = one_line(name, _NAME_LIMIT)
            self._bar.update(self._task, advance=1, proposals=self._proposals, last=last)

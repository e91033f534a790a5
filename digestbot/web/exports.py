"""Whole tables as CSV, a piece at a time: however large they are, and however slow who reads them.

Each piece is read in a transaction of its own, from behind the last row of the one before; so no
transaction is open while somebody reads. What changes meanwhile may be in the file or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import chain
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from digestbot.web.csv_text import csv_text
from digestbot.web.page import Look, Question, asked

PIECE = 500
"""How many rows are read at a time."""
MEDIA_TYPE = "text/csv; header=present; charset=utf-8"

Q = TypeVar("Q", bound=Question)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Export(Generic[Q, R]):
    """One table that can be taken as CSV.

    Attributes:
        name: Names its file.
        about: What a row of it is.
        question: What may be asked in the address: the filters of its page. Page and order are
            disregarded.
        cells: A row of the file: its fields are the columns, each of a plain type.
        after: Reads up to so many rows of the state, from behind the last one that was read.
        cells_of: Makes a row of the file.
    """

    name: str
    about: str
    question: type[Q]
    cells: type[Any]
    after: Callable[[Look, Q, R | None, int], Sequence[R]]
    cells_of: Callable[[R, datetime], object]

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/exports/{self.name}.csv"

    @property
    def columns(self) -> list[str]:
        """The first line of the file."""
        return [one.name for one in fields(self.cells)]

    def pieces(self, look: Look, question: Q) -> Iterator[str]:
        """The file, a piece at a time.

        Raises:
            StoreError: The state cannot be read.
        """
        head: list[Sequence[object]] = [self.columns]
        last: R | None = None
        while True:
            rows = self.after(look, question, last, PIECE)
            yield csv_text([*head, *(self._cells(one, look.now) for one in rows)])
            if len(rows) < PIECE:
                return
            head, last = [], rows[-1]

    def _cells(self, row: R, now: datetime) -> list[object]:
        cells = self.cells_of(row, now)
        return [getattr(cells, name) for name in self.columns]


def export_routes(
    exports: Iterable[Export[Any, Any]], look_of: Callable[[Request], Look]
) -> list[BaseRoute]:
    """The routes of these exports."""
    return [_route(export, look_of) for export in exports]


def _route(export: Export[Any, Any], look_of: Callable[[Request], Look]) -> BaseRoute:
    def answer(request: Request) -> Response:
        question, look = asked(export.question, request.query_params), look_of(request)
        file = f"digestbot-{export.name}-{look.now:%Y-%m-%d}.csv"
        headers = {"content-disposition": f'attachment; filename="{file}"'}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=MEDIA_TYPE)
        pieces = export.pieces(look, question)
        # While nothing is sent, it can still be said that the state does not answer.
        begun = chain([next(pieces)], pieces)
        return StreamingResponse(begun, headers=headers, media_type=MEDIA_TYPE)

    return Route(export.path, answer)

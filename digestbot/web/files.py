"""The files of the dashboard that are the same for everybody."""

from __future__ import annotations

from os import PathLike, stat_result

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOR_EVER = "public, max-age=31536000, immutable"


class Files(StaticFiles):
    """Files that browsers keep: an address has the hash of its file in it."""

    def file_response(
        self,
        full_path: PathLike[str] | str,
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A file, or that it is the one the browser has."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = _FOR_EVER
        return response

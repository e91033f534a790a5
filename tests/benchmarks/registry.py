"""Debian's docker-registry, filled for a benchmark, without an access log to slow it down."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.registries.real import open_registry
from tests.registries.samples import make_image


@contextmanager
def filled_registry(images: int, tags: int) -> Iterator[tuple[str, list[str]]]:
    """Its host, and the names `team/app0:t0` of everything in it."""
    quiet = {"level": "error", "accesslog": {"disabled": True}}
    with (
        tempfile.TemporaryDirectory() as folder,
        open_registry(Path(folder), log=quiet) as registry,
    ):
        names = []
        for image in range(images):
            for tag in range(tags):
                registry.push(f"team/app{image}", f"t{tag}", make_image((image, tag)))
                names.append(f"team/app{image}:t{tag}")
        yield registry.host, names

"""Imports without the garbage collector: nothing that is imported is garbage.

Left to itself it goes through all modules again and again while they are loaded, and once
more at exit: a fifth of a short run.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Collect nothing inside, and never look at what was made inside again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

from __future__ import annotations
from typing import Any
from dataclasses import dataclass


@dataclass
class Document:
    name: str = ""
    fields: tuple[str, ...] = ()
    is_write: bool = False


def read(sent: Any) -> Document:
    return Document()


def execute(github: Any, token: Any, document: Document) -> dict[str, Any]:
    return {}

"""A page as a tree, as a browser would see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "img", "input", "br", "hr"}
_INLINE = {"a", "code", "span", "strong", "time"}


@dataclass
class Element:
    """One element, with what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, with single spaces."""
        return " ".join(self._flowing().split())

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of this kind in it, in order; `class_` is one of its classes."""
        return [one for one in self._within() if one.tag == tag and one.has(attributes)]

    def everything(self) -> Iterator[Element]:
        """All elements in it, in order."""
        return self._within()

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def has(self, wanted: dict[str, str]) -> bool:
        if name := wanted.get("class_"):
            rest = {key: value for key, value in wanted.items() if key != "class_"}
            return name in (self.get("class") or "").split() and self.has(rest)
        return wanted.items() <= self.attributes.items()

    def _flowing(self) -> str:
        inner = "".join(one if isinstance(one, str) else one._flowing() for one in self.children)
        return inner if self.tag in _INLINE else f" {inner} "

    def _within(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child._within()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends a {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Element:
    """The page; it is an error where an element is not closed, or another one is."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is not closed"
    return reader.open[0]


def cells(table: Element) -> list[dict[str, Element]]:
    """The rows of a table, by the names of its columns."""
    head, *_ = table.all("thead")
    names = [one.text for one in head.all("th")]
    (body,) = table.all("tbody")
    return [
        dict(zip(names, [one for one in row.children if isinstance(one, Element)], strict=True))
        for row in body.all("tr")
    ]

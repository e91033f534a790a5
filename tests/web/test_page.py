from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from starlette.datastructures import QueryParams

from digestbot.web.page import AskedWrongError, One, Page, Question, asked, query_of


@dataclass(frozen=True, slots=True)
class Shelf(Question):
    q: Annotated[str, Field(max_length=20)] = ""
    state: Literal["", "stale", "held"] = ""
    attention: bool = False
    page: Annotated[int, Field(ge=1, le=99)] = 1


def test_what_an_address_does_not_say_has_its_default() -> None:
    assert asked(Shelf, {}) == Shelf()


def test_what_an_address_says_is_asked() -> None:
    given_by_address = {"q": "nginx", "state": "held", "attention": "true", "page": "3"}

    assert asked(Shelf, given_by_address) == Shelf("nginx", "held", attention=True, page=3)


def test_a_field_that_a_form_leaves_empty_is_not_asked() -> None:
    assert asked(Shelf, {"q": "", "page": "", "attention": ""}) == Shelf()


def test_what_nobody_asks_for_is_left_alone() -> None:
    assert asked(Shelf, {"utm_source": "mail", "said": "done"}) == Shelf()


@pytest.mark.parametrize(
    "given_by_address, name",
    [
        pytest.param({"page": "0"}, "page", id="before the first page"),
        pytest.param({"page": "100"}, "page", id="beyond all pages"),
        pytest.param({"page": "two"}, "page", id="no number"),
        pytest.param({"page": "1e1"}, "page", id="no whole number"),
        pytest.param({"state": "odd"}, "state", id="no such state"),
        pytest.param({"q": "x" * 21}, "q", id="too long"),
        pytest.param({"q": "a\0"}, "q", id="no text"),
        pytest.param({"attention": "perhaps"}, "attention", id="neither yes nor no"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    given_by_address: dict[str, str], name: str
) -> None:
    with pytest.raises(AskedWrongError, match=f"^{name}: ") as caught:
        asked(Shelf, given_by_address)

    assert caught.value.hint


@pytest.mark.parametrize("given_by_path", ["x", "-1", str(2**70)])
def test_an_id_that_nothing_has_is_not_to_be_taken_out_of_the_address(given_by_path: str) -> None:
    with pytest.raises(AskedWrongError, match=r"^id: nothing has such a one$") as caught:
        asked(One, {"id": given_by_path})

    assert caught.value.hint == "check the end of the address"


def test_the_id_comes_from_the_path_and_not_into_the_query() -> None:
    one = asked(One, {"id": "17"})

    assert one == One(17)
    assert query_of(one) == ""


def test_an_address_says_only_what_differs() -> None:
    assert query_of(Shelf()) == ""
    assert query_of(Shelf(q="a b&c", attention=True), page=2) == "?q=a+b%26c&attention=true&page=2"


def test_a_change_may_take_a_filter_away() -> None:
    assert query_of(Shelf(q="nginx", page=4), page=1) == "?q=nginx"


@given(
    st.builds(
        Shelf,
        q=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        state=st.sampled_from(["", "stale", "held"]),
        attention=st.booleans(),
        page=st.integers(1, 99),
    )
)
def test_what_is_written_into_an_address_is_what_is_asked(question: Shelf) -> None:
    address = QueryParams(query_of(question).removeprefix("?"))

    assert asked(Shelf, dict(address)) == question


@pytest.mark.parametrize(
    "path, twin",
    [
        pytest.param("/", "/overview.json", id="the first page"),
        pytest.param("/images", "/images.json", id="a page"),
        pytest.param("/images/{id:int}", "/images/{id:int}.json", id="one of many"),
    ],
)
def test_the_twin_of_a_page_is_beside_it(path: str, twin: str) -> None:
    page = Page("any", path, "Any", Question, Question, lambda _look, question: question)

    assert page.twin == twin

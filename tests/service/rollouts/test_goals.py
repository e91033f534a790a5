"""What becomes of the pins of a repo where a rollout moves tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digestbot.files import dockerfile
from digestbot.files.occurrence import Occurrence, Skip
from digestbot.files.verify import Wanted
from digestbot.image import Digest
from digestbot.policy.judge import followed_tag
from digestbot.registry.recorded import RecordedResolver
from digestbot.registry.resolution import Query
from digestbot.rollout.plan import Edit, Move, Plan, make_plan
from digestbot.rollout.selection import Selection
from digestbot.scan.engine import Policy, scan
from digestbot.scan.forge_files import RepoFile
from digestbot.service.rollouts.goals import Frozen
from tests.proposals.builders import digest
from tests.service.rollouts.arena import NEW, RULES, places_in, tag
from tests.service.state import NOW

PINS: Mapping[str, tuple[str, Digest]] = {
    "a": ("3.20", digest("a")),
    "b": ("3.21", digest("b")),
    "c": ("3.22", digest("c")),
    "n": ("3.22", NEW),
    "m": ("3.22", digest("moved on")),
}
TO = tag("alpine:3.22")
MOVES = tuple(
    Move(tag(f"alpine:{number}"), NEW, to=None if number == "3.22" else TO)
    for number in ("3.20", "3.21", "3.22")
)


def text(names: str) -> bytes:
    """A stage for each letter; a dash is an empty line."""
    return "".join("\n" if one == "-" else f"FROM alpine:{_pin(one)}\n" for one in names).encode()


def _pin(name: str) -> str:
    return "{}@{}".format(*PINS[name])


def plan_for(names: str, moves: tuple[Move, ...], selection: Selection) -> Plan:
    places = places_in("acme/app", {"Dockerfile": text(names)})
    return make_plan(places, moves, selection, RULES, fleet=4, now=NOW)


def edits_of(names: str, moves: tuple[Move, ...] = MOVES) -> tuple[Edit, ...]:
    plan = plan_for(names, moves, Selection("docker.io/library/alpine"))
    return plan.targets[0].edits


def asked(names: str, path: str = "Dockerfile") -> dict[Occurrence, Query]:
    found = dockerfile.read(path, text(names))
    return {one: Query(image) for one in found if (image := followed_tag(one)) is not None}


def become(frozen: Frozen, names: str) -> str:
    """The letters of what each pin becomes: a dot is left alone, a question mark not known."""
    pins = asked(names)
    told = frozen.of(pins)
    return "".join(_letter(told.get(pin)) for pin in pins)


def _letter(found: Wanted | Skip | None) -> str:
    if isinstance(found, Wanted):
        return next(name for name, pin in PINS.items() if pin == (found.tag, found.digest))
    return "." if found is None else "?"


@pytest.mark.parametrize(
    "now, then",
    [
        pytest.param("ab", "nn", id="as planned"),
        pytest.param("-a-a-b", "nnn", id="there are more by now"),
        pytest.param("nb", "nn", id="one is there"),
        pytest.param("am", "n.", id="one has another digest of that tag"),
        pytest.param("m", ".", id="it moved by itself"),
    ],
)
def test_forward_all_pins_of_the_tags_become_the_same(now: str, then: str) -> None:
    moves = MOVES[:2]
    plan = plan_for("ab", moves, Selection("docker.io/library/alpine"))

    frozen = Frozen.forward(plan.moves, plan.targets[0].edits)

    assert become(frozen, now) == then


def test_what_pins_the_tag_at_another_digest_goes_along_where_it_was_chosen() -> None:
    plan = plan_for("acn", MOVES, Selection("docker.io/library/alpine"))

    frozen = Frozen.forward(plan.moves, plan.targets[0].edits)

    assert [edit.line for edit in plan.targets[0].edits] == [1, 2]
    assert become(frozen, "acn") == "nnn"


def test_what_has_another_digest_than_it_had_is_left_alone() -> None:
    plan = plan_for("a", MOVES[:1], Selection("*alpine"))
    other = text("a").replace(PINS["a"][1].hex.encode(), b"9" * 64)
    [pin] = dockerfile.read("Dockerfile", other)

    frozen = Frozen.forward(plan.moves, plan.targets[0].edits)

    assert frozen.of({pin: Query(tag("alpine:3.20"))}) == {}
    assert (frozen.knows(pin), frozen.means(pin)) == (True, False)


def test_files_that_are_not_in_the_plan_are_left_alone() -> None:
    plan = plan_for("ab", MOVES[:2], Selection("*alpine"))

    frozen = Frozen.forward(plan.moves, plan.targets[0].edits)

    assert frozen.of(asked("ab", "other/Dockerfile")) == {}


@pytest.mark.parametrize(
    "before, now, then",
    [
        pytest.param("ab", "nn", "ab", id="each its own"),
        pytest.param("ab", "--n-n", "ab", id="lines moved"),
        pytest.param("ab", "an", "ab", id="one is back already"),
        pytest.param("ab", "ab", "ab", id="both are"),
        pytest.param("ab", "ba", "ba", id="both are, and changed places"),
        pytest.param("acb", "nnn", "acb", id="one had the tag before"),
        pytest.param("na", "nn", ".a", id="one had the tag and the digest before"),
        pytest.param("na", "na", ".a", id="and the other one is back already"),
        pytest.param("ab", "mm", "..", id="both moved on since"),
        pytest.param("ab", "nnn", "ab.", id="one more came behind them"),
        pytest.param("aa", "-n", "a", id="one went, and they had the same"),
        pytest.param("ab", "-n", "?", id="one went, and they had not"),
        pytest.param("ab", "-nnn", "???", id="one more came, and lines moved"),
        pytest.param("a", "--nn", "??", id="one more came beside the only one, and lines moved"),
        pytest.param("ab", "mn", ".?", id="one moved on, and the other may be either"),
    ],
)
def test_back_each_pin_gets_its_own_or_it_is_said_that_nobody_knows(
    before: str, now: str, then: str
) -> None:
    frozen = Frozen.back(edits_of(before))

    assert become(frozen, now) == then


def test_what_the_rollout_brought_goes_back_before_what_merely_has_its_tag() -> None:
    frozen = Frozen.back(edits_of("ca", MOVES[:1]))

    assert become(frozen, "-cn") == ".a"


def test_where_no_tag_moved_it_is_by_image() -> None:
    frozen = Frozen.back(edits_of("c", MOVES[2:]))

    assert set(frozen.of(asked("n")).values()) == {Wanted(PINS["c"][1])}
    assert frozen.of(asked("n", "other/Dockerfile")) == {}
    assert frozen.tags == []


@pytest.mark.parametrize(
    "now, then",
    [
        pytest.param("nnn", "cmc", id="each its own"),
        pytest.param("-nmn", "cmc", id="one is back already, and lines moved"),
        pytest.param("-nn", "??", id="one went, and they had not the same"),
    ],
)
def test_where_one_image_had_several_digests_each_pin_gets_its_own(now: str, then: str) -> None:
    frozen = Frozen.back(edits_of("cmc", MOVES[2:]))

    assert become(frozen, now) == then
    assert frozen.tags == []


@pytest.mark.parametrize(
    "names, meant",
    [("a", True), ("n", True), ("m", False), ("b", False)],
    ids=["as it was", "as it becomes", "another digest of the tag", "another tag"],
)
def test_it_means_pins_as_they_were_and_as_they_become(names: str, *, meant: bool) -> None:
    plan = plan_for("a", MOVES[:1], Selection("*alpine"))
    [pin] = asked(names)

    frozen = Frozen.forward(plan.moves, plan.targets[0].edits)

    assert frozen.means(pin) is meant


def edited(data: bytes, frozen: Frozen) -> bytes:
    """A Dockerfile after a scan with what pins become."""
    file = RepoFile("Dockerfile", "dockerfile", data)
    result = scan([file], RecordedResolver({}), Policy(aims=frozen))
    return result.changes[0].after if result.changes else data


FORMS = st.sampled_from(
    [
        "FROM {0}",
        "FROM --platform=linux/amd64 {0} AS x{1}",
        "FROM scratch\nCOPY --from={0} /a /b",
        "FROM scratch\nRUN --mount=from={0} --mount=from={0},target=/c x",
    ]
)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(FORMS, st.sampled_from("abcnm")), min_size=1, max_size=6),
    st.integers(0, 3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([MOVES[:2], MOVES[2:], (replace(MOVES[0], to=None),)]),
)
def test_there_and_back_leaves_every_byte_as_it_was(
    stages: list[tuple[str, str]], lines_above: int, newline: str, moves: tuple[Move, ...]
) -> None:
    # A pin that had the digest before is not told from the others of its tag where none moves.
    assume(moves[0].to is not None or all(name != "n" for _, name in stages))
    pins = ((form, f"alpine:{_pin(name)}") for form, name in stages)
    lines = [form.format(pin, number) for number, (form, pin) in enumerate(pins)]
    before = "\n".join(lines).replace("\n", newline).encode()
    places = places_in("acme/app", {"Dockerfile": before})
    plan = make_plan(places, moves, Selection("*alpine"), RULES, fleet=4, now=NOW)
    edits = plan.targets[0].edits if plan.targets else ()
    # Beside pins that had the tag already, those of the rollout are told by their lines.
    above = b"" if any(name in "nm" for _, name in stages) else b"# ours\n" * lines_above

    there = edited(before, Frozen.forward(plan.moves, edits))
    back = edited(above + there, Frozen.back(edits))

    for move in moves:
        assert move.to is None or f"{move.image.tag}@".encode() not in there
    assert not plan.targets or there != before
    assert back == above + before

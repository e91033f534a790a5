from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from digestbot.files.codeowners import MOST_OWNERS
from digestbot.image import Digest, ImageReference, ImageTag
from digestbot.rollout.gates import GateRules
from digestbot.rollout.pacing import PaceRules
from digestbot.rollout.plan import Move, Plan, RolloutRules, make_plan
from digestbot.rollout.selection import Place, Selection
from digestbot.rollout.waves import WaveRules

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLDER, OLD, NEW = (Digest.parse(f"sha256:{letter * 64}") for letter in "abc")


def tag(text: str) -> ImageTag:
    followed = ImageReference.parse(text).followed
    assert followed is not None
    return followed


ALPINE, DEBIAN = tag("alpine:3.22"), tag("debian:13")
SELECTION = Selection("docker.io/library/alpine")
RULES = RolloutRules(waves=WaveRules(canary=("acme/lab",), shares=(0.5, 1.0)))


def place(repo: str, image: ImageTag = ALPINE, digest: Digest = OLD, **more: object) -> Place:
    return Place(repo, "Dockerfile", 1, image, digest, **more)  # type: ignore[arg-type]  # a table's


def plan_of(*places: Place, moves: tuple[Move, ...] = (Move(ALPINE, NEW),), **more: object) -> Plan:
    told: dict[str, object] = {"fleet": 100, "now": NOW, **more}
    return make_plan(places, moves, SELECTION, RULES, **told)  # type: ignore[arg-type]  # a table's


def test_each_repo_gets_the_digest_wherever_it_pins_another() -> None:
    first = Place("acme/app", "Dockerfile", 1, ALPINE, OLD)
    second = Place("acme/app", "ci/Dockerfile", 7, ALPINE, OLDER)

    plan = plan_of(first, second)

    [target] = plan.targets
    assert [(edit.path, edit.line, edit.before, edit.after) for edit in target.edits] == [
        ("Dockerfile", 1, OLD, NEW),
        ("ci/Dockerfile", 7, OLDER, NEW),
    ]


def test_what_has_the_digest_or_is_not_chosen_is_left_alone() -> None:
    plan = plan_of(
        place("acme/done", digest=NEW),
        place("acme/other", DEBIAN),
        place("acme/app"),
        moves=(Move(ALPINE, NEW), Move(DEBIAN, NEW)),
    )

    assert [target.repo for target in plan.targets] == ["acme/app"]
    assert [move.image for move in plan.moves] == [ALPINE]


def test_moving_to_another_tag_changes_what_has_the_digest_already() -> None:
    plan = plan_of(place("acme/app", digest=NEW), moves=(Move(ALPINE, NEW, to=tag("alpine:3.23")),))

    assert [target.repo for target in plan.targets] == ["acme/app"]


def test_the_canary_comes_first_and_every_repo_once() -> None:
    fleet = [place(f"acme/app{number}") for number in range(50)]

    plan = plan_of(place("acme/lab"), *fleet)

    assert [target.repo for target in plan.targets if target.wave == 0] == ["acme/lab"]
    assert plan.waves == 3
    assert len({target.repo for target in plan.targets}) == len(plan.targets) == 51


def test_who_opted_out_is_named_with_the_reason() -> None:
    plan = plan_of(
        place("acme/app"), place("acme/shy"), left_out={"acme/shy": "no", "acme/none": "gone"}
    )

    assert [target.repo for target in plan.targets] == ["acme/app"]
    assert plan.left_out == {"acme/shy": "no"}


def test_a_repo_is_the_first_owners_or_the_orgs() -> None:
    plan = plan_of(place("acme/app", owners=("@acme/web", "@ann")), place("beta/app"))

    assert {target.repo: target.owner for target in plan.targets} == {
        "acme/app": "@acme/web",
        "beta/app": "beta",
    }


def test_whoever_looks_after_one_of_its_files_is_an_owner_of_a_repo() -> None:
    plan = plan_of(
        place("acme/app"),
        place("acme/app", owners=("@acme/web", "@ann")),
        place("acme/app", owners=("@bob", "@ann")),
    )

    [target] = plan.targets
    assert target.owner == "@acme/web"
    assert target.owners == ("@acme/web", "@ann", "@bob")


def test_a_repo_that_names_thousands_fills_no_plan() -> None:
    places = [place("acme/app", owners=(f"@user{number}",)) for number in range(1000)]

    [target] = plan_of(*places).targets

    assert target.owners == tuple(f"@user{number}" for number in range(MOST_OWNERS))


def test_a_cap_is_one_of_teams_where_files_have_owners() -> None:
    rules = RolloutRules(waves=WaveRules(canary_count=0, shares=(0.5, 1.0), most_per_owner=2))
    fleet = [place(f"acme/{n}", owners=(f"@acme/team-{n % 3}",)) for n in range(60)]

    plan = make_plan(fleet, [Move(ALPINE, NEW)], SELECTION, rules, fleet=60, now=NOW)

    first = Counter(target.owner for target in plan.targets if target.wave == 0)
    assert first == {f"@acme/team-{number}": 2 for number in range(3)}


def test_the_blast_radius_is_told() -> None:
    plan = plan_of(place("acme/lab"), *(place(f"acme/app{number}") for number in range(24)))

    assert plan.share == 0.25


def test_nothing_to_do_is_a_plan_too() -> None:
    plan = plan_of()

    assert (plan.targets, plan.share, plan.waves) == ((), 0, 1)
    assert plan_of(fleet=0).share == 0


def test_how_long_it_takes_is_writing_and_soaking() -> None:
    rules = RolloutRules(
        waves=WaveRules(canary=("acme/lab",), shares=(0.5, 1.0)),
        gate=GateRules(soak=timedelta(hours=2)),
        pace=PaceRules(per_minute=60, per_hour=450, writes_per_pull=5),
    )
    fleet = [place("acme/lab"), *(place(f"acme/app{number}") for number in range(899))]

    slow = make_plan(fleet, [Move(ALPINE, NEW)], SELECTION, rules, fleet=900, now=NOW)
    few = make_plan(fleet[:12], [Move(ALPINE, NEW)], SELECTION, rules, fleet=900, now=NOW)

    assert slow.at_least == timedelta(hours=10) + 2 * timedelta(hours=2)
    assert few.at_least == timedelta(minutes=1) + (few.waves - 1) * timedelta(hours=2)


def test_nothing_soaks_where_it_is_critical() -> None:
    rules = RolloutRules(is_critical=True)

    plan = make_plan([place("acme/app")], [Move(ALPINE, NEW)], SELECTION, rules, fleet=1, now=NOW)

    assert plan.at_least == timedelta(seconds=5)
    assert plan.course.is_critical


def test_to_another_tag_all_move_but_what_has_it_with_its_digest() -> None:
    newer = tag("alpine:3.23")

    plan = plan_of(
        place("acme/same", digest=NEW),
        place("acme/app"),
        place("acme/done", newer, NEW),
        place("acme/behind", newer, OLD),
        moves=(Move(ALPINE, NEW, to=newer), Move(newer, NEW)),
    )

    assert {target.repo: target.edits[0].to for target in plan.targets} == {
        "acme/same": newer,
        "acme/app": newer,
        "acme/behind": None,
    }


def test_edits_are_in_the_order_in_which_they_stand() -> None:
    places = [
        Place("acme/app", "b/Dockerfile", 1, ALPINE, OLD),
        Place("acme/app", "Dockerfile", 9, ALPINE, OLD, column=30),
        Place("acme/app", "Dockerfile", 9, DEBIAN, OLD, column=4),
        Place("acme/app", "Dockerfile", 10, ALPINE, OLD),
    ]
    selection = Selection("*")

    plan = make_plan(
        places, (Move(ALPINE, NEW), Move(DEBIAN, NEW)), selection, RULES, fleet=9, now=NOW
    )

    assert [(one.path, one.line, one.image) for one in plan.targets[0].edits] == [
        ("Dockerfile", 9, DEBIAN),
        ("Dockerfile", 9, ALPINE),
        ("Dockerfile", 10, ALPINE),
        ("b/Dockerfile", 1, ALPINE),
    ]

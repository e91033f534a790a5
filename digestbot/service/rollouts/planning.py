"""From what is asked for, and what the state has, to a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digestbot.image import Digest
from digestbot.registry.resolution import Query
from digestbot.report.plain import NAME_LIMIT, one_line
from digestbot.rollout.plan import Plan, RolloutRules, make_plan
from digestbot.rollout.selection import Place, Selection
from digestbot.service.rollouts.moving import Moves
from digestbot.store import places, rollouts, runs
from digestbot.store.database import Database


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen, as the state has it.

    Attributes:
        images: How many followed images have such a name, wherever.
        places: The pins that are chosen.
        fleet: How many repos there are in all.
        engaged: Repos in which a rollout is under way, and its name.
        seen_at: When all repos were last looked at; None where they never were.
        misses: Where nothing is chosen, what of the selection no pin of these images fits.
    """

    selection: Selection
    at: datetime
    images: int
    places: tuple[Place, ...]
    fleet: int
    engaged: Mapping[str, str]
    seen_at: datetime | None = None
    misses: tuple[str, ...] = ()

    def pinned(self) -> dict[Query, tuple[Digest, ...]]:
        """What is asked about, each once, with the digests that are pinned, the most used first."""
        counts: dict[Query, Counter[Digest]] = {}
        for place in self.places:
            counts.setdefault(_query(place), Counter())[place.digest] += 1
        return {query: _ranked(found) for query, found in counts.items()}

    def plan(self, moves: Moves, rules: RolloutRules, by: str) -> Plan:
        """The plan for it.

        Repos of whose images nobody knows what they move to are left out, and those with a tag
        that could not be replaced: none is moved by halves.
        """
        away = _apart(self.places, moves)
        away |= {repo: f"rollout {name} is under way in it" for repo, name in self.engaged.items()}
        plan = make_plan(
            self.places,
            moves.moves,
            self.selection,
            rules,
            fleet=self.fleet,
            now=self.at,
            by=one_line(by, NAME_LIMIT),
            left_out=away,
        )
        reached = {target.repo for target in plan.targets} | plan.left_out.keys()
        unknown = {
            place.repo: one_line(moves.refused[_query(place)])
            for place in self.places
            if _query(place) in moves.refused and place.repo not in reached
        }
        return replace(plan, left_out={**plan.left_out, **unknown})


def choose(database: Database, selection: Selection, now: datetime) -> Choice:
    """What the state has of what is asked for.

    Raises:
        StoreError: The state cannot be read.
    """
    with database.reading() as connection:
        images = places.followed(connection, selection.names)
        found = tuple(
            place for place in places.places(connection, images) if selection.chooses(place, now)
        )
        misses = () if found else selection.misses(places.places(connection, images), now)
        fleet = places.fleet(connection)
        engaged, seen_at = rollouts.engaged(connection), runs.last_success(connection)
        return Choice(selection, now, len(images), found, fleet, engaged, seen_at, misses)


def again(database: Database, plan: Plan) -> Plan:
    """What the choice of a plan comes to now, had it been made at the same time.

    Raises:
        StoreError: The state cannot be read.
    """
    choice = choose(database, plan.selection, plan.made_at)
    return choice.plan(Moves(plan.moves), plan.rules, plan.by)


def tags(queries: Iterable[Query]) -> Sequence[str]:
    """The tags among these, each once, sorted."""
    return sorted({str(query.image) for query in queries})


def _apart(places: Iterable[Place], moves: Moves) -> dict[str, str]:
    moved = {Query(move.image, move.platform) for move in moves.moves if move.to is not None}
    return {
        place.repo: one_line(
            f"its tag does not stand right before its digest ({place.path}:{place.line})"
        )
        for place in places
        if place.is_apart and _query(place) in moved
    }


def _query(place: Place) -> Query:
    return Query(place.image, place.platform)


def _ranked(counts: Counter[Digest]) -> tuple[Digest, ...]:
    return tuple(sorted(counts, key=lambda digest: (-counts[digest], str(digest))))

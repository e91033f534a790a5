from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from digestbot.clock import Clock
from digestbot.errors import DigestbotError
from digestbot.image import Digest, ImageTag
from digestbot.registry.errors import RegistryError
from digestbot.registry.pace import Deadline
from digestbot.registry.resolution import Query, Resolution
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import RegistrySettings
from digestbot.rollout.plan import Edit, Plan, Planned
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.pullable import lost, previous, unchecked
from tests.proposals.builders import digest
from tests.registries.fake import FakeRegistry
from tests.service.rollouts.arena import IMAGE, NEW, OLD, tag
from tests.service.rollouts.standing import REPOS, rollout, target

ALPINE = tag(IMAGE)
OLDER = digest("older")
MERGED = TargetState.MERGED


@dataclass
class Registry:
    """Has these digests, and notes what it is asked for."""

    has: Mapping[str, Digest]
    asked: list[str] = field(default_factory=list)

    def resolve(self, query: Query) -> Resolution:
        self.asked.append(str(query))
        found = self.has.get(query.image.tag)
        if found is None:
            raise RegistryError(f"{query}: gone", code="not-found", host="docker.io")
        return Resolution(query, found)


def having(*digests: Digest) -> Registry:
    return Registry({str(one): one for one in digests})


def plan_of(befores: Mapping[int, tuple[Digest, ...]], image: ImageTag = ALPINE) -> Plan:
    """Repos, by number, with what they had."""
    targets = tuple(
        Planned(
            REPOS[number],
            0,
            "acme",
            tuple(Edit("Dockerfile", line, image, one, NEW) for line, one in enumerate(before)),
        )
        for number, before in befores.items()
    )
    return replace(rollout().plan, targets=targets)


def merged(*numbers: int) -> list[Target]:
    return [target(number, MERGED) for number in numbers]


def test_each_digest_is_asked_for_once_and_by_itself() -> None:
    plan = plan_of({0: (OLD,), 1: (OLD, OLDER), 2: (OLD,)})
    registry = having(OLD, OLDER)

    assert lost(plan, merged(0, 1, 2), registry) == []
    assert sorted(registry.asked) == sorted(f"{ALPINE.image}:{one}" for one in (OLD, OLDER))


def test_what_is_gone_is_named_with_those_who_had_it() -> None:
    plan = plan_of({0: (OLD,), 1: (OLD, OLDER), 2: (OLDER, OLDER)})

    (found,) = lost(plan, merged(0, 1, 2), having(OLD))

    assert (found.image, found.digest, found.code) == (ALPINE, OLDER, "not-found")
    assert found.repos == (REPOS[1], REPOS[2])


def test_an_answer_with_another_digest_is_none() -> None:
    (found,) = lost(plan_of({0: (OLD,)}), merged(0), Registry({str(OLD): OLDER}))

    assert found.code == "digest-mismatch"


def test_who_has_no_time_left_asks_nobody_any_more() -> None:
    time = iter([0.0, 5.0, *[10.0] * 20])
    until = Deadline(9, Clock(monotonic=lambda: next(time)))
    plan = plan_of({number: (digest(str(number)),) for number in range(5)})
    registry = having(*(digest(str(number)) for number in range(5)))

    found = lost(plan, merged(*range(5)), registry, until)

    assert len(registry.asked) == 2
    assert [one.code for one in found] == ["timeout"] * 3
    assert "the others took too long" in found[0].message


def test_what_breaks_off_one_question_is_said_of_its_digest_alone() -> None:
    class Broken(Registry):
        def resolve(self, query: Query) -> Resolution:
            if query.image.tag == str(OLDER):
                raise DigestbotError("the credential helper is missing")
            return super().resolve(query)

    (found,) = lost(plan_of({0: (OLD, OLDER)}), merged(0), Broken(having(OLD).has))

    assert (found.digest, found.code) == (OLDER, "credentials")


@pytest.mark.parametrize("reason, kept", [("", "(not asked: "), ("bad", "bad (not asked: ")])
def test_that_nobody_was_asked_is_kept_with_the_reason(reason: str, kept: str) -> None:
    assert unchecked(reason).startswith(kept)


def test_whoever_is_merged_may_go_back() -> None:
    plan = plan_of(dict.fromkeys(range(4), (OLD,)))
    targets = [
        target(0, MERGED),
        target(1, TargetState.GREEN),
        target(2),
        target(3, MERGED, opened_at=None),
    ]

    assert previous(plan, targets) == {(ALPINE, OLD): [REPOS[0], REPOS[3]]}


def test_where_nobody_goes_back_nobody_is_asked() -> None:
    registry = having()

    assert lost(plan_of({0: (OLD,)}), [target(0)], registry) == []
    assert registry.asked == []


def test_a_registry_is_asked_for_a_digest_with_one_head() -> None:
    with FakeRegistry() as fake, RegistryResolver(RegistrySettings()) as resolver:
        there = fake.local.add("team/app", "1")
        plan = plan_of({0: (there,), 1: (OLD,)}, tag(f"{fake.host}/team/app:1"))

        (found,) = lost(plan, merged(0, 1), resolver)

        heads = [call for call in fake.local.asked() if call.startswith("HEAD ")]
    assert (found.digest, found.code) == (OLD, "not-found")
    assert sorted(heads) == sorted(f"HEAD /v2/team/app/manifests/{one}" for one in (there, OLD))

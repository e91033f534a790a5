"""What images move to, asked of a registry that is really there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from digestbot.errors import UsageError
from digestbot.image import Digest, ImageReference, ImageTag, Platform
from digestbot.registry.recorded import RecordedResolver
from digestbot.registry.resolution import Query
from digestbot.registry.resolver import RegistryResolver
from digestbot.service.rollouts.moving import NOT_ASKED, Chosen, Mover, Moves
from tests.registries.fake import Answer, FakeRegistry
from tests.registries.samples import make_attestation, make_image, make_index

GONE = Digest("sha256", "0" * 64)
BOTH = ("linux/amd64", "linux/arm64")
ARM = Platform("linux", "arm64")
NAME = "team/app"


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        yield server


@pytest.fixture
def registries() -> Iterator[RegistryResolver]:
    with RegistryResolver() as resolver:
        yield resolver


def query(fake: FakeRegistry, tag: str = "1", platform: Platform | None = None) -> Query:
    image = ImageReference.parse(f"{fake.host}/{NAME}:{tag}").followed
    assert isinstance(image, ImageTag)
    return Query(image, platform)


def moved(
    registries: RegistryResolver, *pinned: tuple[Query, Digest], deny: tuple[Digest, ...] = ()
) -> Moves:
    asked = {one: (digest,) for one, digest in pinned}
    return Mover(registries, registries, frozenset(deny)).moves(asked)


def test_a_move_is_what_the_tag_has_with_what_the_registry_tells(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    old = fake.local.add(NAME, "1", make_index("old", *BOTH))
    new = fake.local.add(NAME, "1", make_index("new", *BOTH))

    [move] = moved(registries, (query(fake), old)).moves

    assert (move.image, move.digest, move.platform) == (query(fake).image, new, None)
    assert move.platforms == BOTH
    assert move.created is not None
    assert f"{move.created:%Y-%m-%d}" == "2026-10-05"
    assert move.remarks == ()


def test_a_tag_is_asked_about_once_and_each_manifest_is_read_once(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    old = fake.local.add(NAME, "1", make_index("old", *BOTH))
    fake.local.add(NAME, "1", make_index("new", *BOTH))

    moved(registries, (query(fake), old), (query(fake, platform=ARM), old))

    asked = Counter(fake.local.asked())
    assert asked[f"HEAD /v2/{NAME}/manifests/1"] == 1
    assert asked[f"GET /v2/{NAME}/manifests/1"] == 0
    assert asked.most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    "before, after, words",
    [
        pytest.param(
            make_index("old", *BOTH),
            make_index("new", "linux/amd64"),
            "The new image no longer runs on linux/arm64.",
            id="lost-platform",
        ),
        pytest.param(
            make_index("old", *BOTH),
            make_image("new"),
            "the new one is a single image for linux/amd64",
            id="single-now",
        ),
        pytest.param(
            make_image("old"),
            make_index("new", *BOTH),
            "To stay with it, write this on the line above: # digestbot: platform=linux/amd64",
            id="index-now",
        ),
    ],
)
def test_what_is_unusual_about_it_is_remarked(
    fake: FakeRegistry, registries: RegistryResolver, before: object, after: object, words: str
) -> None:
    old = fake.local.add(NAME, "1", before)  # type: ignore[arg-type]  # from the table
    fake.local.add(NAME, "1", after)  # type: ignore[arg-type]  # from the table

    [move] = moved(registries, (query(fake), old)).moves

    assert words in " ".join(move.remarks)


def test_an_image_that_is_gone_is_remarked(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    fake.local.add(NAME, "1")

    [move] = moved(registries, (query(fake), GONE)).moves

    assert "no longer has the pinned image 0000000" in " ".join(move.remarks)


def test_it_is_compared_with_what_most_pin_and_not_with_itself(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    old = fake.local.add(NAME, "1", make_index("old", *BOTH))
    new = fake.local.add(NAME, "1", make_index("new", "linux/amd64"))

    found = Mover(registries, registries).moves({query(fake): (new, old, GONE)})

    assert found.moves[0].remarks == ("The new image no longer runs on linux/arm64.",)


def test_only_a_new_attestation_is_remarked(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:

    plain = make_index("one", *BOTH)
    data = json.loads(plain.body)
    data["manifests"].append(make_attestation(plain.children[0]))
    noted = type(plain)(json.dumps(data).encode(), plain.media_type, (), plain.children)
    old = fake.local.add(NAME, "1", plain)
    fake.local.add(NAME, "1", noted)

    [move] = moved(registries, (query(fake), old)).moves

    assert any("only attestations or notes moved" in remark for remark in move.remarks)


def test_a_platform_gets_its_image_of_the_index(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    index = make_index("new", *BOTH)
    fake.local.add(NAME, "1", index)

    [move] = moved(registries, (query(fake, platform=ARM), GONE)).moves

    assert move.digest == index.children[1].digest
    assert (move.platform, move.platforms) == (ARM, ("linux/arm64",))


def test_a_denied_digest_is_refused(fake: FakeRegistry, registries: RegistryResolver) -> None:
    new = fake.local.add(NAME, "1")

    with pytest.raises(UsageError, match="which is on the deny list") as caught:
        moved(registries, (query(fake), GONE), deny=(new,))

    assert "--to-digest" in caught.value.hint


def test_one_that_is_not_known_does_not_hide_the_others(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    fake.local.add(NAME, "1")

    found = moved(registries, (query(fake), GONE), (query(fake, "2"), GONE))

    assert [move.image.tag for move in found.moves] == ["1"]
    assert list(found.refused) == [query(fake, "2")]
    assert [problem.subject for problem in found.problems] == [fake.host]


def test_a_registry_that_does_not_describe_its_image_is_no_reason_to_stop(
    fake: FakeRegistry, registries: RegistryResolver
) -> None:
    fake.local.add(NAME, "1", make_index("new", *BOTH))
    fake.local.always(Answer.error(403, "DENIED"), method="GET")

    [move] = moved(registries, (query(fake), GONE)).moves

    assert move.platforms == ()
    assert any("does not describe it" in remark for remark in move.remarks)


def test_without_registries_nothing_is_known_but_the_digest(fake: FakeRegistry) -> None:
    recorded = RecordedResolver({str(query(fake).image): GONE})

    [move] = Mover(recorded).moves({query(fake): (GONE,)}).moves

    assert (move.digest, move.remarks) == (GONE, (NOT_ASKED,))


class TestChosen:
    def test_it_is_taken_in_place_of_what_the_tag_has(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        mine = fake.local.add(NAME, "0", make_index("mine", *BOTH))
        fake.local.add(NAME, "1", make_index("new", *BOTH))

        found = Mover(Chosen(mine, registries), registries).moves({query(fake): (GONE,)})

        assert [move.digest for move in found.moves] == [mine]
        assert f"HEAD /v2/{NAME}/manifests/1" not in fake.local.asked()

    def test_of_an_index_a_platform_gets_its_image(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        index = make_index("mine", *BOTH)
        fake.local.add(NAME, "0", index)
        asked = query(fake, platform=ARM)

        found = Mover(Chosen(index.digest, registries), registries).moves({asked: (GONE,)})

        assert [move.digest for move in found.moves] == [index.children[1].digest]

    def test_what_the_registry_does_not_have_is_not_taken(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        fake.local.add(NAME, "1")

        found = Mover(Chosen(GONE, registries), registries).moves({query(fake): ()})

        assert found.moves == ()
        assert f"{fake.host}/{NAME}@{GONE}" in found.refused[query(fake)]

    def test_it_is_no_way_around_the_deny_list(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        mine = fake.local.add(NAME, "0")
        mover = Mover(Chosen(mine, registries), registries, frozenset({mine}))

        with pytest.raises(UsageError, match="deny list"):
            mover.moves({query(fake): (GONE,)})


class TestAnotherTag:
    def test_it_is_asked_about_once_in_place_of_those_that_are_pinned(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        old = fake.local.add(NAME, "1", make_index("old", *BOTH))
        index = make_index("new", *BOTH)
        new = fake.local.add(NAME, "3", index)
        pinned = {query(fake): (old,), query(fake, "2"): (old,), query(fake, "2", ARM): (old,)}
        to = query(fake, "3").image

        found = Mover(registries, registries, to=to).moves(pinned)

        assert [(one.image.tag, one.to, one.digest) for one in found.moves] == [
            ("1", to, new),
            ("2", to, new),
            ("2", to, index.children[1].digest),
        ]
        asked = [call for call in fake.local.asked() if call.startswith("HEAD")]
        assert asked == [f"HEAD /v2/{NAME}/manifests/3"]

    def test_what_pins_it_already_keeps_it(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        new = fake.local.add(NAME, "3", make_index("new", *BOTH))

        found = Mover(registries, to=query(fake, "3").image).moves({query(fake, "3"): (GONE,)})

        assert [(one.image.tag, one.to, one.digest) for one in found.moves] == [("3", None, new)]

    def test_a_step_back_is_remarked_and_no_tag_is_said_to_be_set_back(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        made = {"org.opencontainers.image.created": "2026-01-05T12:00:00Z"}
        old = fake.local.add(NAME, "3", make_index("old", *BOTH))
        fake.local.add(NAME, "2", make_index("new", BOTH[0], annotations=made))
        mover = Mover(registries, registries, to=query(fake, "2").image)

        [move] = mover.moves({query(fake, "3"): (old,)}).moves

        assert move.remarks == (
            "2 is lower than 3: this goes back to an older release",
            "The new image no longer runs on linux/arm64.",
            "The new image was created on 2026-01-05, before the pinned one (2026-10-05).",
        )

    def test_one_that_the_registry_does_not_have_moves_nothing(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        fake.local.add(NAME, "1")
        pinned = {query(fake): (GONE,), query(fake, "2"): (GONE,)}

        found = Mover(registries, to=query(fake, "3").image).moves(pinned)

        assert found.moves == ()
        assert list(found.refused) == list(pinned)
        assert len(found.problems) == 1

    def test_one_that_is_denied_is_refused(
        self, fake: FakeRegistry, registries: RegistryResolver
    ) -> None:
        new = fake.local.add(NAME, "3")
        mover = Mover(registries, deny=frozenset({new}), to=query(fake, "3").image)

        with pytest.raises(UsageError, match="which is on the deny list"):
            mover.moves({query(fake): (GONE,)})

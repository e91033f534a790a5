from __future__ import annotations

from digestbot.image import Digest, ImageReference
from digestbot.proposals.evidence import MAX_OLD, Inquiry, old_digests
from digestbot.registry.errors import RegistryError
from digestbot.registry.image_facts import ImageFacts
from digestbot.registry.resolver import RegistryResolver
from tests.proposals.words import NEW, OLD, facts, update
from tests.registries.fake import FakeRegistry


def test_both_images_are_asked_for_by_digest_alone() -> None:
    asked: list[str] = []

    def read(reference: ImageReference) -> ImageFacts:
        asked.append(str(reference))
        return facts()

    found = Inquiry(read)(update("python:3"))

    image = "docker.io/library/python"
    assert asked == [f"{image}@{OLD}", f"{image}@{NEW}"]
    assert found.new.facts
    assert [one.digest for one in found.old] == [OLD]


def test_each_image_is_asked_for_once_even_when_refused() -> None:
    asked: list[ImageReference] = []

    def read(reference: ImageReference) -> ImageFacts:
        asked.append(reference)
        raise RegistryError("no", code="rate-limited", host="docker.io")

    inquiry = Inquiry(read)
    first, second = inquiry(update("python:3")), inquiry(update("python:3.13"))

    assert len(asked) == 2
    assert first == second
    assert (first.new.facts, first.new.why_not) == (None, "rate-limited")


def test_pinned_digests_come_commonest_first_and_only_a_few_are_asked_for() -> None:
    many = [Digest.of(bytes([n])) for n in range(9)]
    several = update(old=[*many, OLD, OLD, None])

    found = Inquiry(lambda _reference: facts())(several)

    assert old_digests(several)[0] == OLD
    assert len(old_digests(several)) == 10
    assert len(found.old) == MAX_OLD


def test_old_image_that_a_registry_no_longer_has_is_no_error() -> None:
    with FakeRegistry() as fake, RegistryResolver() as resolver:
        digest = fake.local.add("app", "1")

        found = Inquiry.of(resolver)(update(f"{fake.host}/app:1", new=digest))

    assert found.new.facts
    assert found.new.facts.digest == digest
    assert found.old[0].facts is None
    assert found.old[0].why_not.startswith("not-found")

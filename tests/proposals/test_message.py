from __future__ import annotations

from digestbot.proposals.message import message_of
from digestbot.proposals.settings import CommitSettings
from tests.proposals.words import NEW, OLD, moving, proposal, update


def test_message_has_a_line_per_image_and_the_sign_off_last() -> None:
    message = message_of(proposal(), CommitSettings(signoff="Ann Ö <ann@example.org>"))

    assert message.split("\n") == [
        f"Update python:3.13-slim digest to {NEW.short}",
        "",
        f"python:3.13-slim  {OLD.short} → {NEW.short}",
        "",
        "Signed-off-by: Ann Ö <ann@example.org>",
        "",
    ]


def test_first_pin_and_many_images_are_told() -> None:
    updates = [update(f"app:{n}", old=[None]) for n in range(300)]

    message = message_of(proposal(*updates), CommitSettings())

    assert f"app:0  pinned to {NEW.short}\n" in message
    assert message.endswith("and 200 more\n")


def test_another_tag_is_told() -> None:
    message = message_of(proposal(moving("a:2", "1", "1.1")), CommitSettings())

    assert f"\n1 1.1 → a:2  {OLD.short} → {NEW.short}\n" in message

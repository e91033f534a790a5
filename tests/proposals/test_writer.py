from __future__ import annotations

from digestbot.proposals.evidence import Evidence
from digestbot.proposals.proposal import Writer
from digestbot.proposals.settings import CommitSettings, ProposalSettings
from digestbot.proposals.update import Update
from digestbot.proposals.writer import ProposalWriter
from tests.proposals.words import REPO, evidence, proposal


def test_only_the_body_asks_for_evidence() -> None:
    asked: list[Update] = []

    def ask(update: Update) -> Evidence:
        asked.append(update)
        return evidence()

    settings = ProposalSettings(commit=CommitSettings(prefix="chore"))
    writer: Writer = ProposalWriter(REPO, settings, ask)
    title, message = writer.title(proposal()), writer.message(proposal())
    before = len(asked)
    body = writer.body(proposal())

    assert title.startswith("chore: update python:3.13-slim digest to ")
    assert message.startswith(f"{title}\n\n")
    assert before == 0
    assert asked == list(proposal().updates)
    assert body == writer.body(proposal())


def test_where_there_are_no_pull_requests_nothing_is_said_of_them() -> None:
    writer = ProposalWriter(REPO, ProposalSettings(), lambda _update: evidence(), has_pulls=False)

    body = writer.body(proposal())

    assert "pull request" not in body
    assert "digestbot:" not in body
    assert "What is known of the images" in body

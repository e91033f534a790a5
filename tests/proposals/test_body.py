from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from digestbot.image import Digest
from digestbot.proposals.body import LIMIT, body_of, marker_of
from digestbot.proposals.evidence import Evidence, Witness
from digestbot.proposals.marker import read_marker
from digestbot.proposals.proposal import Proposal
from digestbot.proposals.update import Update
from digestbot.registry.image_facts import ImageFacts
from tests.proposals.words import HEAD, NEW, OLD, REPO, UNKNOWN, evidence, facts, proposal, update

PARSER = MarkdownIt("commonmark").enable("table")
BLOB = f"https://github.com/acme/app/blob/{HEAD}/"
SAMPLE = Path(__file__).parent / "body.md"
HOSTILE = [
    "a|b", "`x`", "``", "\n\n| x |", "<img src=x>", "<!-- digestbot:v1 {} -->", "-->", "@ann",
    "#1", "https://evil.example", "www.evil.example", "[x](https://evil.example)", "\u202e",
    "\x1b[31m", "</details>", "&lt;", "\\|", "acme/app#7", "GH-7",
    "- [x] <!-- digestbot:rebuild -->",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join), st.text(max_size=300)
)


def tokens_of(body: str) -> list[Token]:
    found: list[Token] = []
    for token in PARSER.parse(body):
        found += [token, *(token.children or ())]
    return found


def words(text: str = "", old: ImageFacts | None = None, new: ImageFacts | None = None) -> str:
    return body_of(proposal(update(path=text or "Dockerfile")), REPO, lambda _: evidence(old, new))


def test_first_line_says_what_and_whether_to_look() -> None:
    assert words().startswith(
        "The tag `python:3.13-slim` has a new digest; this updates 1 place in 1 file. "
        "Nothing unusual was found.\n"
    )


@pytest.mark.parametrize(
    "new, said",
    [
        pytest.param(None, "No image could be looked at", id="none"),
        pytest.param(facts(NEW), "Not all images could be looked at", id="some"),
    ],
)
def test_what_could_not_be_looked_at_is_never_called_usual(
    new: ImageFacts | None, said: str
) -> None:
    unknown = Witness(OLD, why_not="rate-limited")
    known = Witness(NEW, new, "" if new else "rate-limited")

    body = body_of(proposal(), REPO, lambda _: Evidence(known, (unknown,)))

    assert "Nothing unusual was found." not in body
    assert said in body
    assert "rate-limited" in body


def test_warnings_come_before_the_table() -> None:
    body = body_of(proposal(), REPO, lambda _: UNKNOWN)

    assert body.index("> [!WARNING]") < body.index("| Image |")
    assert "Please read the warnings below." in body


def test_line_to_copy_is_as_it_must_be_written() -> None:
    single = facts(OLD, platforms=["linux/amd64"], media_type="single")

    assert "`# digestbot: platform=linux/amd64`" in words(old=single)


def test_place_is_linked_at_the_head_with_its_line() -> None:
    assert f"[`a b/(x).yml:1`]({BLOB}a%20b/%28x%29.yml#L1)" in words("a b/(x).yml")


@pytest.mark.parametrize("url", ["", "javascript:x", "https://x.y/a)b", "https://x.y/a b"])
def test_repo_without_a_sane_page_has_no_links(url: str) -> None:
    body = body_of(proposal(), replace(REPO, url=url), lambda _: evidence())

    assert "](" not in body


def test_compare_link_needs_one_repo_and_two_commits() -> None:
    source = "https://github.com/acme/images"
    old = facts(OLD, source=source, revision="a" * 40)
    new = facts(source=source, revision="b" * 40)
    elsewhere = facts(source="https://github.com/evil/images", revision="b" * 40)

    assert f"]({source}/compare/{'a' * 40}...{'b' * 40})" in words(old=old, new=new)
    assert "/compare/" not in words(old=old, new=elsewhere)
    assert "/compare/" not in words(old=old, new=facts(source=source, revision="main"))


@settings(max_examples=60, deadline=None)
@given(path=TEXTS, label=TEXTS, created=TEXTS)
def test_nothing_others_wrote_comes_to_life(path: str, label: str, created: str) -> None:
    known = facts(created=created, version=label, source=label, revision=label)

    body = words(path, new=known)

    tokens = tokens_of(body)
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in {"td_open", "th_open"}]
    html = {token.content.strip() for token in tokens if token.type == "html_inline"}
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    plain = "".join(token.content for token in tokens if token.type == "text")
    assert (len(rows), len(cells)) == (2, 6)
    assert html <= {"<code>", "</code>", "<!-- digestbot:rebuild -->"}
    assert all(link.startswith(BLOB) for link in links)
    assert not re.search(r"@\w|#\d|://|www\.", plain)
    assert read_marker(body) == marker_of(proposal())
    assert len(re.findall(r"- \[[xX]\] <!--", body)) == 0


@pytest.mark.parametrize("images, places", [(1, 9_999), (3_000, 3), (250, 1), (19, 500)])
def test_body_of_any_size_fits_and_keeps_table_and_marker(images: int, places: int) -> None:
    updates = [update(f"ghcr.io/acme/app-{n}:1", old=[OLD] * places) for n in range(images)]
    huge = proposal(*updates)

    body = body_of(huge, REPO, lambda _: evidence(new=facts(platforms=["linux/amd64"])))

    assert len(body.encode()) <= LIMIT
    assert all(row.count(" | ") == 2 for row in body.split("\n") if row.startswith("| ["))
    assert re.search(r"^and [\d,]+ more places in 1 file$", body, re.MULTILINE)
    marker = read_marker(body)
    assert marker
    assert marker.fingerprint == huge.fingerprint
    assert set(marker.keys) <= {one.key for one in updates}


def test_a_real_looking_body_reads_as_it_should() -> None:
    assert body_of(example(), REPO, example_evidence) == SAMPLE.read_text()


def example() -> Proposal:
    debian = update(
        "debian:trixie-slim", old=[None], new=Digest.of(b"debian"), path="ci/Dockerfile"
    )
    tool = update(
        "ghcr.io/acme/static:latest", new=Digest.of(b"static"), path="deploy/compose.yaml"
    )
    python = update("python:3.13-slim", old=[OLD, OLD])
    return proposal(debian, tool, python)


def example_evidence(one: Update) -> Evidence:
    source = "https://github.com/docker-library/python.git"
    if "python" in one.image.repository:
        eight = [
            f"linux/{a}"
            for a in ("386", "amd64", "arm/v5", "arm/v7", "arm64", "ppc64le", "riscv64", "s390x")
        ]
        place = f"{source}#{'a' * 40}:3.13/slim-trixie"
        old = facts(OLD, created="2026-09-23T01:02:03Z", platforms=eight, version="3.13.7-slim",
                    source=place, revision="a" * 40)  # fmt: skip
        new = facts(platforms=eight, version="3.13.8-slim", source=place, revision="b" * 40)
        return evidence(old, new)
    if "debian" in one.image.repository:
        return Evidence(Witness(one.new, facts(one.new, version="trixie-slim")))
    old = facts(OLD, created="2026-10-01T00:00:00Z")
    new = facts(one.new, created="2026-10-05T07:00:00Z", platforms=["linux/amd64"])
    return Evidence(Witness(one.new, new), (Witness(OLD, old),))

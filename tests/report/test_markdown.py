from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from digestbot.files.occurrence import Skip
from digestbot.policy.finding import Status
from digestbot.report import markdown
from digestbot.report.style import Style
from digestbot.scan.result import Problem
from tests.report.builders import HOSTILE, hostile_result, make_finding, make_result

# A code host acts on these in the text of the page, wherever they came from.
ALIVE = re.compile(r"@\w|#\d|https?://|www\.|GH-\d", re.IGNORECASE)
CODE = re.compile(r"<code>.*?</code>", re.DOTALL)
TAGS = {"p", "table", "thead", "tbody", "tr", "th", "td", "code", "ul", "li", "strong"}


def html(text: str) -> str:
    """The page as a code host would make it, with tables and strike-through."""
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def test_a_table_of_what_asks_for_attention() -> None:
    refusal = Skip("platform-arg", "")
    result = make_result(
        [
            make_finding(),
            make_finding("alpine:3.20", Status.UNPINNED, line=9, edited=False),
            make_finding(status=Status.CURRENT),
            make_finding("node:22", line=12, refusal=refusal, reason="platform-arg", message="no"),
            make_finding("ghcr.io/acme/tool:1", Status.FAILED, path="b/Dockerfile", line=1),
        ],
        [Problem("registry", "ghcr.io", "rate-limited", "asked too often", "log in")],
    )

    assert markdown.render(result, Style()) == (
        "5 images in 2 files: 2 stale, 1 current, 1 unpinned, 1 failed · 2 lookups in 0.4 s\n"
        "\n"
        "| Status | Image | Digest | Where | Why |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| ❌ failed | `ghcr.io/acme/tool:1` |  | `b/Dockerfile:1` "
        "| rate-limited: ghcr.io/acme/tool:1: the registry asks to wait |\n"
        "| 🔺 stale | `python:3.12` | `aaaaaaa` → `bbbbbbb` | `app/Dockerfile:3` "
        "| digest-moved |\n"
        "| 🔺 stale | `node:22` | `aaaaaaa` → `bbbbbbb` | `app/Dockerfile:12` "
        "| platform-arg: no |\n"
        "| ⚪ unpinned | `alpine:3.20` |  | `app/Dockerfile:9` | no-digest |\n"
        "\n"
        "**Incomplete:** not everything could be found out.\n"
        "\n"
        "- `ghcr.io` rate-limited: asked too often (hint: log in)\n"
    )


def test_nothing_to_say_is_one_line() -> None:
    assert markdown.render(make_result([make_finding(status=Status.CURRENT)]), Style()) == (
        "1 image in 2 files: 1 current · 2 lookups in 0.4 s\n"
    )


@pytest.mark.parametrize("count", [300, 3000])
def test_a_long_report_is_cut_between_rows(count: int) -> None:
    findings = [make_finding(f"ghcr.io/{'a' * 200}:{n}", line=n) for n in range(1, count)]
    problems = [Problem("registry", "h" * 200, f"c{n}", "m" * 250) for n in range(count)]

    text = markdown.render(make_result(findings, problems), Style())

    assert len(text.encode()) < 60_000
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") and line.count("|") == 6 for line in rows)
    shown = len(rows) - 2
    assert f"\n\n… and {count - 1 - shown:,} more\n" in text
    assert text.rstrip().endswith("more")
    assert html(text).count("<tr>") == shown + 1


def test_hostile_text_is_shown_and_not_rendered() -> None:
    result = hostile_result()

    page = html(markdown.render(result, Style()))

    assert {*re.findall(r"</?([a-z]\w*)", page)} <= TAGS
    assert page.count("<strong>") == 1
    assert page.count("<tr>") == len(result.findings)  # one is current, one row is the heading
    assert page.count("<td>") == 5 * (len(result.findings) - 1)
    assert not ALIVE.search(CODE.sub("", page))


@given(st.text(st.sampled_from("`|\\<>*_~[]()!#@&;:/$-+=.'\" \nwWgGhH1a{}"), max_size=40))
def test_any_message_stays_text_in_its_cell(message: str) -> None:
    finding = make_finding(None, Status.SKIPPED, written=message, message=f"x{message}x")

    page = html(markdown.render(make_result([finding]), Style()))

    assert {*re.findall(r"</?([a-z]\w*)", page)} <= TAGS
    assert page.count("<td>") == 5
    assert "<strong>" not in page
    assert not ALIVE.search(CODE.sub("", page))


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("python:3.12", "`python:3.12`", id="plain"),
        pytest.param("*a*_b_<i>@x", "`*a*_b_<i>@x`", id="a-span-needs-no-escapes"),
        pytest.param("a`b", "<code>a&#96;b</code>", id="backtick"),
        pytest.param("a|b", "<code>a&#124;b</code>", id="pipe"),
        pytest.param("a\nb", "<code>a&#92;nb</code>", id="line-end"),
        pytest.param(" a ", "<code> a </code>", id="spaces-around"),
    ],
)
def test_code_spans_hold_anything(text: str, expected: str) -> None:
    assert markdown.code(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("plain, (words): 1-2/3.", "plain, (words): 1-2/3.", id="plain"),
        pytest.param("@me", "&#64;&#8203;me", id="mention"),
        pytest.param("a#1", "a&#35;&#8203;1", id="issue"),
        pytest.param("GH-1", "&#71;&#8203;&#72;&#45;1", id="issue-in-words"),
        pytest.param("http://x", "http&#58;&#8203;&#47;&#47;x", id="link"),
        pytest.param("www.x", "&#119;&#8203;&#119;&#119;&#46;x", id="bare-link"),
        pytest.param("<!--", "&#60;&#33;--", id="comment"),
    ],
)
def test_prose_is_disarmed(text: str, expected: str) -> None:
    assert markdown.prose(text) == expected


def test_prose_has_an_end() -> None:
    assert len(markdown.prose(HOSTILE * 100)) < 6_000

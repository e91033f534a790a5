from __future__ import annotations

from datetime import UTC, datetime

import pytest
from jinja2 import DictLoader, Environment, UndefinedError
from markupsafe import Markup

from digestbot.web.page import Question
from digestbot.web.rendering import ago, make_templates, moment, render, short_digest, static

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def templates() -> Environment:
    return make_templates()


def shown(templates: Environment, source: str, **told: object) -> str:
    templates = templates.overlay(loader=DictLoader({"one.html": source}))
    return render(templates, "one", told)


def test_what_others_say_is_escaped(templates: Environment) -> None:
    html = shown(templates, "<p>{{ name }}</p>", name='<script>"&')

    assert html == "<p>&lt;script&gt;&#34;&amp;</p>"


@pytest.mark.parametrize(
    "name, seen",
    [
        pytest.param("a\u202eb", "a\\u202eb", id="text that turns around"),
        pytest.param("a\nb", "a\\nb", id="a line break"),
        pytest.param("a\x00b", "a\\x00b", id="a control character"),
        pytest.param("a\udcffb", "a\\udcffb", id="a byte that is no text"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(templates: Environment, name: str, seen: str) -> None:
    assert shown(templates, "{{ name }}", name=name) == seen
    assert shown(templates, '<a title="{{ name }}">', name=name) == f'<a title="{seen}">'


def test_endless_text_loses_its_middle(templates: Environment) -> None:
    assert len(shown(templates, "{{ name }}", name="x" * 100_000)) < 1000


def test_what_is_missing_is_an_error_and_no_gap(templates: Environment) -> None:
    with pytest.raises(UndefinedError):
        shown(templates, "{{ name }}")


@pytest.mark.parametrize(
    "text, told",
    [
        pytest.param("2026-11-21T11:59:30Z", "under a minute ago", id="just now"),
        pytest.param("2026-11-21T09:00:00Z", "3 h ago", id="today"),
        pytest.param("2026-10-01T12:00:00Z", "51 days ago", id="long ago"),
        pytest.param("2026-11-21T12:05:00Z", "in 5 min", id="to come"),
    ],
)
def test_how_long_ago_is_said_with_the_time_itself(text: str, told: str) -> None:
    html = ago(text, NOW)

    assert f">{told}</time>" in html
    assert f'datetime="{text}"' in html


def test_what_never_was_is_never() -> None:
    assert ago(None, NOW) == moment(None) == "never"


def test_a_time_is_read_by_people_and_by_machines() -> None:
    assert moment("2026-11-21T03:04:05Z") == (
        '<time datetime="2026-11-21T03:04:05Z">2026-11-21 03:04 UTC</time>'
    )


def test_a_digest_is_short_and_all_of_it_can_be_found() -> None:
    digest = f"sha256:{'0123456789abcdef' * 4}"

    assert ">0123456<" in short_digest(digest)
    assert f'title="{digest}"' in short_digest(digest)


def test_a_digest_that_is_none_is_escaped() -> None:
    assert "<b" not in short_digest('"><b>')


@pytest.mark.parametrize(
    "source, told",
    [
        pytest.param("{{ 12345 | number }}", "12,345", id="number"),
        pytest.param("{{ 0.6 | share }}", "60%", id="share"),
        pytest.param("{{ 7200 | span }}", "2 h", id="span"),
    ],
)
def test_figures_are_read_by_people(templates: Environment, source: str, told: str) -> None:
    assert shown(templates, source) == told


def test_links_keep_the_filters(templates: Environment) -> None:
    html = shown(templates, '<a href="/x{{ query(question) }}">', question=Question())

    assert html == '<a href="/x">'


def test_it_is_said_for_how_long_something_has_been_so(templates: Environment) -> None:
    html = shown(templates, "{{ at | lasting(now) }}", at="2026-11-21T09:00:00Z", now=NOW)

    assert html == (
        '<time datetime="2026-11-21T09:00:00Z" title="since 2026-11-21 09:00 UTC">3 h</time>'
    )


def test_what_begins_later_has_not_lasted(templates: Environment) -> None:
    html = shown(templates, "{{ at | lasting(now) }}", at="2026-11-21T13:00:00Z", now=NOW)

    assert ">under a minute<" in html


def test_plots_have_times_in_milliseconds(templates: Environment) -> None:
    assert shown(templates, "{{ at | ms }}", at="1970-01-02T00:00:00Z") == "86400000"


def test_a_file_that_changes_has_another_address() -> None:
    name, _, version = static("app.css").partition("?v=")

    assert name == "/static/app.css"
    assert len(version) == 12


def test_markup_of_ours_is_left_alone(templates: Environment) -> None:
    assert shown(templates, "{{ ours }}", ours=Markup("<b>\n</b>")) == "<b>\n</b>"

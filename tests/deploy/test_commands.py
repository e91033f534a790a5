from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.commands import in_comments, in_markdown, mistake, shown
from tests.deploy.files import COMPOSE, DEPLOYED, DOCKERFILE, EXAMPLES, MANIFESTS, README, UNITS

SHOWN = [
    pytest.param(line, id=f"{path.name}: {line.strip()}")
    for path in (*DEPLOYED, *EXAMPLES, README)
    for line in dict.fromkeys(shown(path))
]


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_exists_with_its_options(line: str) -> None:
    assert mistake(line) is None


@pytest.mark.parametrize(
    "path, line",
    [
        pytest.param(DOCKERFILE, "serve --config /etc/digestbot/digestbot.yaml", id="image"),
        pytest.param(COMPOSE, "health", id="compose"),
        pytest.param(UNITS[0], "run --config %d/digestbot.yaml", id="unit"),
        pytest.param(MANIFESTS[1], "run --config /etc/digestbot/digestbot.yaml", id="manifest"),
        pytest.param(README, "scan", id="readme"),
    ],
)
def test_what_a_file_starts_is_found(path: Path, line: str) -> None:
    assert line in [each.strip() for each in shown(path)]


@pytest.mark.parametrize(
    "text, lines",
    [
        pytest.param("```sh\n$ digestbot scan --diff\n```", ["scan --diff"], id="prompt"),
        pytest.param(
            "```sh\nsudo /opt/digestbot/bin/digestbot db check\n```", ["db check"], id="root"
        ),
        pytest.param("```sh\na && .venv/bin/digestbot demo\n```", ["demo"], id="behind-another"),
        pytest.param("```sh\ndigestbot scan \\\n  --diff\n```", ["scan   --diff"], id="two-lines"),
        pytest.param("Say `digestbot run`.", ["run"], id="in-a-sentence"),
        pytest.param("Say `* * * * * bin/digestbot run -q`.", ["run -q"], id="crontab"),
        pytest.param("Say `digestbot/scan/v1`.", [], id="not-a-command"),
        pytest.param("digestbot scan is text", [], id="not-code"),
    ],
)
def test_commands_of_a_page_are_found(text: str, lines: list[str]) -> None:
    assert [line.rstrip() for line in in_markdown(text)] == lines


def test_commands_of_comments_are_found() -> None:
    text = "# `digestbot run`: one cycle\n#   digestbot serve --config a.yaml\nname: digestbot\n"

    assert list(in_comments(text)) == ["run", "serve --config a.yaml"]


@pytest.mark.parametrize(
    "line, said",
    [
        pytest.param("scan . --diff  # shows it", None, id="right"),
        pytest.param("scan --format json -v", None, id="right-with-values"),
        pytest.param("scan --format=json -", None, id="right-with-equals-and-dash"),
        pytest.param("config validate --config a.yaml", None, id="right-in-a-group"),
        pytest.param("", None, id="alone"),
        pytest.param("--help", None, id="help"),
        pytest.param("scam .", "there is no command 'scam'", id="command"),
        pytest.param("config valid", "there is no command 'valid'", id="command-of-a-group"),
        pytest.param("scan --dif", "there is no option '--dif'", id="option"),
        pytest.param("scan --format", "'--format' needs a value", id="value"),
        pytest.param("config validate a.yaml", "it takes fewer words", id="argument"),
    ],
)
def test_a_command_line_that_would_not_be_taken_is_told(line: str, said: str | None) -> None:
    assert mistake(line) == said

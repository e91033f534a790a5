"""Help that is complete, fits a terminal, and never drifts from the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from digestbot.cli.main import COMMANDS
from digestbot.cli.main import digestbot as root
from digestbot.cli.options import GroupedCommand
from digestbot.cli.reference import reference
from tests.cli.program import ROOT, digestbot, spawn

WIDTH = 80


def walk(
    name: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from walk((*name, child), found)


EVERY = list(walk((), root))


@pytest.mark.parametrize("name", [name for name, _ in EVERY], ids=" ".join)
def test_help_fits_80_columns(name: tuple[str, ...]) -> None:
    outcome = digestbot(*name, "--help")

    assert outcome.code == 0
    assert [line for line in outcome.stdout.splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize(
    "name", [name for name, one in EVERY if isinstance(one, click.Group)], ids=" ".join
)
def test_a_list_of_commands_tells_each_in_a_whole_sentence(name: tuple[str, ...]) -> None:
    _, _, listed = digestbot(*name, "--help").stdout.partition("Commands:\n")

    assert listed
    assert "..." not in listed


@pytest.mark.parametrize("command", [command for _, command in EVERY], ids=lambda c: str(c.name))
def test_each_option_has_help_and_names_its_environment_variable(command: click.Command) -> None:
    for option in command.params:
        if not isinstance(option, click.Option) or option.name in {"version", "verbose", "quiet"}:
            continue
        assert option.help
        assert str(option.envvar).startswith("DIGESTBOT_")
        assert option.show_envvar


def test_each_command_has_its_module_and_its_sentence() -> None:
    for name, sentence in COMMANDS.items():
        command = root.get_command(click.Context(root), name)
        assert command is not None
        assert isinstance(command, GroupedCommand | click.Group)
        assert command.get_short_help_str(WIDTH).rstrip(".") in sentence


def test_the_reference_is_what_the_code_says() -> None:
    committed = (ROOT / "config" / "reference.md").read_text()

    assert committed == reference(), "run: python -m digestbot.cli.reference > config/reference.md"


def test_the_program_can_be_run_as_a_module(tmp_path: Path) -> None:
    assert spawn("--help", cwd=tmp_path).stdout.startswith("Usage: digestbot")
    assert spawn("--version", cwd=tmp_path).stdout == digestbot("--version").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed_and_answered(shell: str, tmp_path: Path) -> None:
    script = digestbot("completion", shell)
    answer = spawn(
        cwd=tmp_path,
        _DIGESTBOT_COMPLETE=f"{shell}_complete",
        COMP_WORDS="digestbot sc",
        COMP_CWORD="sc" if shell == "fish" else "1",
    )

    assert "_DIGESTBOT_COMPLETE" in script.stdout
    assert "scan" in answer.stdout


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "Usage:"),
        (("scna",), "No such command 'scna'"),
        (("scan", "--wrte"), "No such option"),
        (("scan", "--format", "yaml"), "'yaml' is not one of"),
    ],
)
def test_a_mistyped_command_line_is_a_usage_error(arguments: tuple[str, ...], words: str) -> None:
    outcome = digestbot(*arguments)

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert words in outcome.stderr

from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.discovery import NAMES, choose_config, find_config
from digestbot.config.issues import ConfigError


def make(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("jobs: 1\n")
    return path


def test_the_names_are_looked_for_in_the_documented_order() -> None:
    assert NAMES == (
        "digestbot.yaml",
        "digestbot.yml",
        ".github/digestbot.yaml",
        ".github/digestbot.yml",
        ".digestbot.yaml",
        ".digestbot.yml",
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_found(tmp_path: Path, name: str) -> None:
    path = make(tmp_path, name)

    assert find_config(tmp_path) == path


def test_a_folder_without_one_has_none(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None


def test_a_folder_that_has_the_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "digestbot.yaml").mkdir()

    assert find_config(tmp_path) is None


def test_two_files_are_both_named(tmp_path: Path) -> None:
    first, second = make(tmp_path, "digestbot.yaml"), make(tmp_path, ".github/digestbot.yml")

    with pytest.raises(ConfigError) as caught:
        find_config(tmp_path)

    assert str(caught.value) == f"{tmp_path}: has several configuration files: {first} and {second}"
    assert caught.value.hint == "keep one, or name one with --config"


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    target = make(tmp_path, "..data/digestbot.yaml")
    link = tmp_path / "digestbot.yaml"
    link.symlink_to(target)

    assert find_config(tmp_path) == link


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    target = make(tmp_path, "elsewhere.yaml")
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "digestbot.yaml").symlink_to(target)

    with pytest.raises(ConfigError) as caught:
        find_config(folder)

    assert str(caught.value) == (
        f"{folder / 'digestbot.yaml'}: is a symbolic link that leaves the folder"
    )
    assert caught.value.hint == "name the file with --config"


def test_the_option_beats_the_variable_and_the_folder(tmp_path: Path) -> None:
    make(tmp_path, "digestbot.yaml")
    named, other = make(tmp_path, "named.yaml"), make(tmp_path, "other.yaml")

    chosen = choose_config(named, {"DIGESTBOT_CONFIG": str(other)}, tmp_path)

    assert chosen == named


def test_the_variable_beats_the_folder(tmp_path: Path) -> None:
    make(tmp_path, "digestbot.yaml")
    other = make(tmp_path, "other.yaml")

    assert choose_config(None, {"DIGESTBOT_CONFIG": str(other)}, tmp_path) == other


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    path = make(tmp_path, "digestbot.yaml")

    assert choose_config(None, {"DIGESTBOT_CONFIG": ""}, tmp_path) == path


def test_a_named_file_ends_the_search_even_where_the_folder_has_two(tmp_path: Path) -> None:
    named = make(tmp_path, "digestbot.yaml")
    make(tmp_path, ".digestbot.yaml")

    assert choose_config(named, {}, tmp_path) == named


@pytest.mark.parametrize(
    "named, environ, message",
    [
        pytest.param(Path("no.yaml"), {}, "--config: no.yaml does not exist", id="option"),
        pytest.param(
            None,
            {"DIGESTBOT_CONFIG": "no.yaml"},
            "DIGESTBOT_CONFIG: no.yaml does not exist",
            id="variable",
        ),
    ],
)
def test_a_named_file_that_does_not_exist_is_told_by_who_named_it(
    tmp_path: Path, named: Path | None, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_config(named, environ, tmp_path)

    assert str(caught.value) == message

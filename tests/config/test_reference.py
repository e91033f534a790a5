from __future__ import annotations

from pydantic import BaseModel

from digestbot.config.models import SECTIONS, Settings
from digestbot.config.reference import settings_reference


def rows() -> dict[str, list[str]]:
    """The cells of each row behind its key."""
    lines = settings_reference().splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_table_has_its_head_and_four_columns_throughout() -> None:
    lines = settings_reference().splitlines()

    assert lines[0] == "| Key | Type | Default | Meaning |"
    assert all(line.count(" | ") == 3 for line in lines)


def test_every_key_has_its_row() -> None:
    many = {"registries": "registries.<host>.", "ignore": "ignore[]."}
    sections: dict[str, type[BaseModel]] = {"": Settings}
    sections |= {many.get(key, f"{key}."): model for key, model in SECTIONS.items()}

    expected = {
        prefix + key: field.description
        for prefix, model in sections.items()
        for key, field in model.model_fields.items()
    }

    assert {key: cells[-1] for key, cells in rows().items()} == expected


def test_types_and_defaults_read_well() -> None:
    table = rows()

    assert table["requires"][:2] == ["text", "none"]
    assert table["pin"][:2] == ["boolean", "`false`"]
    assert table["jobs"][:2] == ["integer from 1 up to 64", "`16`"]
    assert table["timeout"][:2] == ["number above 0, up to 3600", "`30.0`"]
    assert table["fail_on"][:2] == [
        "list of `stale`, `unpinned`, `held`, `skipped`",
        '`["stale"]`',
    ]
    assert table["ignore"][:2] == ["list of keys", "`[]`"]
    assert table["registries"][:2] == ["keys per host", "`{}`"]
    assert table["mirrors"][:2] == ["prefix to prefix", "`{}`"]
    assert table["groups"][:2] == ["name to list of text", "`{}`"]
    assert table["github"][:2] == ["keys", "none"]
    assert table["ignore[].image"][:2] == ["text", "required"]
    assert table["ignore[].until"][:2] == ["date", "none"]
    assert table["registries.<host>.ca_file"][:2] == ["path", "none"]

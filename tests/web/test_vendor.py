"""The libraries that the dashboard brings along are the ones that were published."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests.npm import CHART, HTMX, Wanted, fetch

VENDOR = files("digestbot.web") / "static" / "vendor"


@pytest.mark.parametrize(
    "name, wanted",
    [
        pytest.param("htmx-2.0.11.min.js", HTMX, id="htmx"),
        pytest.param("chart-4.6.1.umd.min.js", CHART, id="chart"),
    ],
)
def test_a_vendored_file_is_what_its_package_has_byte_for_byte(name: str, wanted: Wanted) -> None:
    vendored = (VENDOR / name).read_bytes()

    published = fetch(wanted).read_bytes()

    assert vendored == published


def test_each_vendored_script_is_compared_and_comes_with_its_licence() -> None:
    names = sorted(one.name for one in VENDOR.iterdir())

    assert [name for name in names if name.endswith(".js")] == [
        "chart-4.6.1.umd.min.js",
        "htmx-2.0.11.min.js",
    ]
    assert [name for name in names if "LICENSE" in name] == ["chart-LICENSE.md", "htmx-LICENSE.txt"]

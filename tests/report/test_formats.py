from __future__ import annotations

import subprocess
import sys

import pytest

from digestbot.report.formats import REPORTS
from digestbot.report.style import Style
from tests.report.builders import hostile_result, make_result


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_ends_its_last_line(name: str) -> None:
    for result in (make_result(), hostile_result()):
        text = REPORTS[name]().render(result, Style())

        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_can_be_encoded(name: str) -> None:
    assert REPORTS[name]().render(hostile_result(), Style()).encode()


def test_reports_import_neither_a_console_nor_pydantic() -> None:
    code = (
        "import sys\nfrom digestbot.report.formats import REPORTS\n"
        "for report in REPORTS.values(): report()\n"
        "print([name for name in ('rich.console', 'pydantic') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"

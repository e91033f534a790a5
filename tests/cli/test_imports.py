"""What a scan does not use, it does not pay for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ROOT

PROGRAM = """
import sys
from digestbot.cli.main import run
code = run(sys.argv[1:])
heavy = ("digestbot.forge", "digestbot.proposals", "pydantic", "yaml", "requests",
         "rich.console", "git", "github", "sqlalchemy", "apscheduler", "starlette", "jinja2")
print(sorted(name for name in heavy if name in sys.modules), file=sys.stderr)
"""


def imported_by(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM python:3\n")
    return tmp_path


@pytest.mark.parametrize("report", ["text", "json", "markdown", "github"])
def test_an_offline_scan_imports_nothing_heavy(folder: Path, report: str) -> None:
    assert imported_by(folder, "scan", "--offline", "--format", report) == "[]"


def test_asking_registries_takes_requests_and_nothing_else(folder: Path) -> None:
    assert imported_by(folder, "scan") == "['requests']"


def test_a_configuration_takes_yaml_and_pydantic(folder: Path) -> None:
    (folder / "digestbot.yaml").write_text("jobs: 4\n")

    assert imported_by(folder, "scan", "--offline") == "['pydantic', 'yaml']"


LACKING = """
import sys
sys.modules[sys.argv[1]] = None
from digestbot.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "package, command",
    [("sqlalchemy", "status"), ("structlog", "notify"), ("requests", "notify")],
)
def test_a_command_without_its_packages_says_how_to_get_them(
    folder: Path, package: str, command: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LACKING, package, command, "--help"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"error: digestbot {command} needs packages that are not installed ({package})",
        "hint: pip install 'digestbot[service]'",
    ]

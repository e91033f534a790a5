from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.files import UNITS, read_unit, run

SERVICES = [path for path in UNITS if path.suffix == ".service"]
TIMERS = [path for path in UNITS if path.suffix == ".timer"]
# Tenths of systemd's scale of exposure, from 0 to 100; a unit without any protection has 96.
THRESHOLD = 15


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with all units, and with a program where they look for one."""
    program = tmp_path / "bin" / "digestbot"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in UNITS:
        text = path.read_text().replace("/opt/digestbot/bin/digestbot", str(program))
        (tmp_path / path.name).write_text(text)
    return tmp_path


def verify(path: Path) -> tuple[int, str]:
    done = run("systemd-analyze", "--man=no", "verify", path)
    # Of other units of the machine it may say things too.
    return done.returncode, "".join(
        line for line in done.stdout.splitlines(keepends=True) if "digestbot" in line
    )


def is_exposed(path: Path) -> bool:
    done = run("systemd-analyze", "security", "--offline=yes", f"--threshold={THRESHOLD}", path)
    assert "Overall exposure level" in done.stdout
    return done.returncode != 0


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_has_nothing_to_say_of_a_unit(installed: Path, path: Path) -> None:
    assert verify(installed / path.name) == (0, "")


@pytest.mark.parametrize(
    "old, new, said",
    [
        pytest.param("ProtectHome=", "ProtectHom=", "Unknown key", id="unknown-key"),
        pytest.param("Type=exec", "Type=always", "Failed to parse", id="wrong-word"),
        pytest.param("bin/digestbot serve", "bin/digestbod serve", "not executable", id="program"),
    ],
)
def test_systemd_would_complain(installed: Path, old: str, new: str, said: str) -> None:
    unit = installed / "digestbot.service"
    unit.write_text(unit.read_text().replace(old, new))

    assert said in verify(unit)[1]


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_is_hardly_exposed(installed: Path, path: Path) -> None:
    assert not is_exposed(installed / path.name)


def test_a_service_without_its_walls_is_exposed(installed: Path) -> None:
    unit = installed / "digestbot.service"
    walls = ("Protect", "Private", "Restrict", "SystemCall", "Capability", "Dynamic", "User")
    lines = unit.read_text().splitlines()
    unit.write_text("\n".join(line for line in lines if not line.startswith(walls)))

    assert is_exposed(unit)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_has_a_state_credentials_and_time_to_stop(path: Path) -> None:
    unit = read_unit(path.read_text())

    assert unit["DynamicUser"] == ["yes"]
    assert unit["StateDirectory"] == ["digestbot"]
    assert unit["CacheDirectory"] == ["digestbot"]
    assert unit["TimeoutStopSec"] == ["30s"]
    assert [each.split(":")[0] for each in unit["LoadCredential"]] == [
        "digestbot.yaml",
        "github-app.pem",
    ]


def test_both_services_have_the_same_walls() -> None:
    texts = [path.read_text() for path in SERVICES]
    walls = [text[text.index("# The user exists") :].split("\n\n[Install]")[0] for text in texts]

    assert walls[0].strip() == walls[1].strip()


def test_the_timer_starts_one_run_at_a_time_and_makes_up_for_a_missed_one() -> None:
    (timer,) = TIMERS
    unit = read_unit(timer.read_text())

    assert timer.with_suffix(".service") in SERVICES
    assert unit["Persistent"] == ["yes"]
    assert run("systemd-analyze", "calendar", unit["OnCalendar"][0]).returncode == 0
    assert read_unit(timer.with_suffix(".service").read_text())["Type"] == ["oneshot"]


def test_service_and_timer_do_not_run_side_by_side() -> None:
    units = {path.name: read_unit(path.read_text()) for path in UNITS}

    assert units["digestbot.service"]["Conflicts"] == ["digestbot-run.timer"]
    assert units["digestbot-run.timer"]["Conflicts"] == ["digestbot.service"]

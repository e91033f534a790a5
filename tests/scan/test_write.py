"""Writing is all or nothing, and keeps what the file was."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from digestbot.errors import WriteError
from digestbot.scan.write import replace_file

OLD, NEW = b"FROM a\r\n", b"FROM a:latest@sha256:1\r\n"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_bytes(OLD)
    return path


def test_the_bytes_are_replaced(target: Path) -> None:
    replace_file(target, OLD, NEW)

    assert target.read_bytes() == NEW
    assert [path.name for path in target.parent.iterdir()] == ["Dockerfile"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755, 0o2775])
def test_the_mode_survives(target: Path, mode: int) -> None:
    target.chmod(mode)

    replace_file(target, OLD, NEW)

    assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.parametrize("owner", [(0, 0), (12345, 54321)])
def test_the_owner_survives(
    target: Path, owner: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really as root; elsewhere by what the system is asked to do."""
    asked: list[tuple[int, int]] = []
    if os.geteuid() == 0:
        os.chown(target, *owner)
    else:
        foreign = _with_owner(target.stat(), owner)
        monkeypatch.setattr(Path, "stat", lambda self, **_: foreign)
        monkeypatch.setattr(os, "fchown", lambda fd, uid, gid: asked.append((uid, gid)))

    replace_file(target, OLD, NEW)

    monkeypatch.undo()
    if os.geteuid() == 0:
        asked.append((target.stat().st_uid, target.stat().st_gid))
    assert asked == [owner]


def _with_owner(status: os.stat_result, owner: tuple[int, int]) -> os.stat_result:
    fields = list(status)
    fields[stat.ST_UID], fields[stat.ST_GID] = owner
    return os.stat_result(fields)


def test_a_link_stays_a_link(target: Path) -> None:
    link = target.parent / "link"
    link.symlink_to("Dockerfile")

    replace_file(link, OLD, NEW)

    assert link.is_symlink()
    assert target.read_bytes() == NEW


def test_a_read_only_file_is_refused_even_to_root(target: Path) -> None:
    target.chmod(0o444)

    with pytest.raises(WriteError, match="the file is read-only") as caught:
        replace_file(target, OLD, NEW)

    assert "chmod u+w" in caught.value.hint
    assert target.read_bytes() == OLD


def test_a_file_that_changed_meanwhile_is_left_alone(target: Path) -> None:
    target.write_bytes(b"FROM b\n")

    with pytest.raises(WriteError, match="changed while digestbot was at work"):
        replace_file(target, OLD, NEW)

    assert target.read_bytes() == b"FROM b\n"


def test_a_file_that_is_gone_is_said(target: Path) -> None:
    target.unlink()

    with pytest.raises(WriteError, match="No such file"):
        replace_file(target, OLD, NEW)


@pytest.mark.parametrize("call", ["fsync", "fchmod"])
def test_a_full_disk_leaves_the_old_file_and_no_rubbish(
    target: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)

    with pytest.raises(WriteError, match="No space left on device"):
        replace_file(target, OLD, NEW)

    assert target.read_bytes() == OLD
    assert [path.name for path in target.parent.iterdir()] == ["Dockerfile"]


def test_a_limit_of_the_system_leaves_the_old_file(target: Path) -> None:
    """The kernel itself refuses the write, half-way through the bytes."""
    before, after = b"#" * 3000, b"#" * 6000
    target.write_bytes(before)
    program = (
        "import sys; from pathlib import Path; from digestbot.errors import WriteError\n"
        "from digestbot.scan.write import replace_file\n"
        f"try: replace_file(Path(sys.argv[1]), {before!r}, {after!r})\n"
        "except WriteError as error: sys.exit(str(error))"
    )

    outcome = subprocess.run(
        [sys.executable, "-B", "-c", program, target],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "File too large" in outcome.stderr
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["Dockerfile"]


@pytest.mark.parametrize("moment", ["fsync", "fchmod"])
def test_being_killed_leaves_one_file_or_the_other(target: Path, moment: str) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from digestbot.scan.write import replace_file\n"
        f"os.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"replace_file(Path(sys.argv[1]), {OLD!r}, {NEW!r})"
    )

    outcome = subprocess.run([sys.executable, "-B", "-c", program, target], check=False)

    assert outcome.returncode == -9
    assert target.read_bytes() == OLD

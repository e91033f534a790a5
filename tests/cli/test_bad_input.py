"""Bad input ends in one clear line, with the exit code that says what kind it was."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.image import Digest
from tests.cli.program import ROOT, digestbot, spawn, start

OLD, NEW = Digest.of(b"old"), Digest.of(b"new")
PYTHON = "docker.io/library/python:3"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty."""
    place = tmp_path / "repo"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recorded answers: python:3 has moved."""
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({PYTHON: str(NEW)}))
    monkeypatch.setenv("DIGESTBOT_DIGESTS", str(path))
    return path


def error_lines(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if line.startswith("error:")]


def test_a_folder_without_dockerfiles(folder: Path) -> None:
    (folder / "README.md").write_text("nothing to see")

    outcome = digestbot("scan")

    assert outcome.code == 4
    assert outcome.stdout == ""
    assert error_lines(outcome.stderr) == ["error: no Dockerfile or Containerfile in ."]
    assert "hint: name the file itself" in outcome.stderr


def test_a_path_that_does_not_exist() -> None:
    outcome = digestbot("scan", "no/such/path")

    assert outcome.code == 2
    assert error_lines(outcome.stderr) == ["error: no such file or folder: no/such/path"]


def test_an_unreadable_file_beside_a_sound_one(folder: Path, answers: Path) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3@{OLD}\n")
    (folder / "Dockerfile.loop").symlink_to("Dockerfile.loop")

    outcome = digestbot("scan")

    assert outcome.code == 5
    assert "Dockerfile.loop" in outcome.stdout
    assert "symbolic links" in outcome.stdout
    assert "Dockerfile:1" in outcome.stdout
    assert "Traceback" not in outcome.stderr


def test_a_file_without_permission(
    folder: Path, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system would say it; root may read everything, so the refusal is put in."""
    (folder / "Dockerfile").write_text(f"FROM python:3@{OLD}\n")
    really_open = os.open

    def refuse(path: str | Path, flags: int, *rest: int, **more: int) -> int:
        if str(path).endswith("Dockerfile"):
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)

    outcome = digestbot("scan")

    assert outcome.code == 5
    assert "Permission denied" in outcome.stdout


@pytest.mark.parametrize(
    "data, reason, words",
    [
        pytest.param(
            f"FROM python:3@{OLD}\n".encode("utf-16"), "encoding", "not in UTF-8", id="utf-16"
        ),
        pytest.param(b"\0" * 400 + b"FROM a\n", "encoding", "not in UTF-8", id="nuls"),
        pytest.param(b"FROM a\n" + b"#\n" * 10_000_000, "too-large", "1 MiB", id="20-mb"),
        pytest.param(
            b"FROM a\nRUN " + b"x" * 100_000 + b"\n",
            "invalid-dockerfile",
            "at most 65535",
            id="long-line",
        ),
        pytest.param(
            b"FROM a\nRUN <<EOF\necho\n", "invalid-dockerfile", "EOF", id="half-a-heredoc"
        ),
        pytest.param(
            f"{{% if x %}}\nFROM python:3@{OLD}\n{{% endif %}}\n".encode(),
            "template",
            "template",
            id="jinja",
        ),
        pytest.param(b"FROM Python:3\n", "invalid-reference", "must be lowercase", id="uppercase"),
    ],
)
def test_a_file_that_cannot_be_followed_is_skipped_and_untouched(
    folder: Path, data: bytes, reason: str, words: str
) -> None:
    (folder / "Dockerfile").write_bytes(data)

    text = digestbot("scan", "--offline")
    machine = digestbot("scan", "--offline", "--format", "json")

    (finding,) = json.loads(machine.stdout)["findings"]
    assert text.code == machine.code == 0
    assert (finding["status"], finding["reason"]) == ("skipped", reason)
    assert words in finding["message"]
    assert reason in text.stdout
    assert (folder / "Dockerfile").read_bytes() == data


@pytest.mark.parametrize("data", [f"FROM python:3@{OLD}\n".encode("utf-16"), b"FROM {{ x }}\n"])
def test_what_is_skipped_is_not_written(folder: Path, answers: Path, data: bytes) -> None:
    (folder / "Dockerfile").write_bytes(data)

    assert digestbot("scan", "--write", "--pin").code == 0
    assert (folder / "Dockerfile").read_bytes() == data


def test_a_misspelt_key_in_the_configuration(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "digestbot.yaml").write_text("exclud: [vendor]\n")

    outcome = digestbot("scan")

    assert outcome.code == 2
    assert error_lines(outcome.stderr) == [
        "error: digestbot.yaml:1:1: exclud: unknown key; did you mean 'exclude'?"
    ]


def test_an_option_out_of_range_names_the_option() -> None:
    outcome = digestbot("scan", "--jobs", "0")

    assert outcome.code == 2
    assert "--jobs" in error_lines(outcome.stderr)[0]


def test_contradicting_options(folder: Path) -> None:
    assert digestbot("scan", "--diff", "--format", "json").code == 2
    assert digestbot("scan", "--write", "-").code == 2
    assert digestbot("scan", "-", ".").code == 2
    assert digestbot("scan", "--offline", "--record", "x").code == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"python:3": "sha256:1"}', '{"Python:3": "x"}', '{"python:3": 1}']
)
def test_recorded_answers_that_are_none(folder: Path, text: str) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3@{OLD}\n")
    (folder / "answers.json").write_text(text)

    outcome = digestbot("scan", "--digests", "answers.json")

    assert outcome.code == 2
    (error,) = error_lines(outcome.stderr)
    assert error.startswith("error: --digests: answers.json: ")


@pytest.mark.parametrize(
    "content, why",
    [
        pytest.param(None, "No such file or directory", id="none"),
        pytest.param(b"\xff", "it is not UTF-8", id="no-text"),
    ],
)
def test_recorded_answers_that_cannot_be_read(
    folder: Path, content: bytes | None, why: str
) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3@{OLD}\n")
    if content is not None:
        (folder / "answers.json").write_bytes(content)

    outcome = digestbot("scan", "--digests", "answers.json")

    assert outcome.code == 2
    assert outcome.stderr == (
        f"error: --digests: cannot read answers.json: {why}\n"
        "hint: name a file that digestbot scan --record wrote, or one like it\n"
    )


def test_a_read_only_file_with_write(folder: Path, answers: Path) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3@{OLD}\n")
    (folder / "Dockerfile").chmod(0o444)

    outcome = digestbot("scan", "--write")

    assert outcome.code == 5
    assert "the file is read-only" in outcome.stdout
    assert "chmod u+w" in outcome.stdout
    assert (folder / "Dockerfile").read_text() == f"FROM python:3@{OLD}\n"


def test_a_full_disk_while_writing(folder: Path, answers: Path) -> None:
    """One file is written, the next does not fit any more: the limit is the kernel's."""
    small = f"FROM python:3@{OLD}\n"
    large = small + "# filler\n" * 1000
    (folder / "Dockerfile.a").write_text(small)
    (folder / "Dockerfile.b").write_text(large)

    process = subprocess.run(
        [sys.executable, "-B", "-m", "digestbot", "scan", "--write"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 5
    assert "File too large" in process.stdout
    assert (folder / "Dockerfile.a").read_text() == small.replace(str(OLD), str(NEW))
    assert (folder / "Dockerfile.b").read_text() == large
    assert sorted(path.name for path in folder.iterdir()) == ["Dockerfile.a", "Dockerfile.b"]


def test_an_output_file_that_cannot_be_written(folder: Path, answers: Path) -> None:
    (folder / "Dockerfile").write_text(f"FROM python:3@{OLD}\n")

    outcome = digestbot("scan", "--output", "no/such/folder/report")

    assert outcome.code == 2
    assert "cannot write no/such/folder/report" in outcome.stderr


def test_a_reader_that_has_seen_enough(folder: Path, answers: Path) -> None:
    for number in range(400):
        (folder / f"Dockerfile.{number}").write_text(f"FROM python:3@{OLD}\n" * 20)

    with start("scan", cwd=folder) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        stderr = process.stderr.read()

    assert "Traceback" not in stderr
    assert "BrokenPipe" not in stderr


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server


@pytest.fixture
def silent(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


def test_ctrl_c_in_the_middle(folder: Path, listener: socket.socket, silent: str) -> None:
    text = f"FROM {silent}/app:1@{OLD}\n"
    (folder / "Dockerfile").write_text(text)

    with start("scan", "--write", cwd=folder) as process:
        asked, _, _ = select.select([listener], [], [], 20)
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
        took = time.monotonic() - before

    assert asked
    assert process.returncode == 130
    assert stderr == "interrupted; no file is half-written\n"
    assert took < 15, "it waited for the registry"
    assert (folder / "Dockerfile").read_text() == text


def test_a_registry_that_hangs(folder: Path, silent: str) -> None:
    (folder / "Dockerfile").write_text(f"FROM {silent}/app:1@{OLD}\n")

    outcome = digestbot("scan", "--timeout", "0.5", "--format", "json")

    result = json.loads(outcome.stdout)
    assert outcome.code == 5
    assert result["findings"][0]["reason"] == "timeout"
    assert result["errors"][0]["subject"] == silent
    assert result["errors"][0]["hint"]


def test_a_registry_that_is_down(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
    (folder / "Dockerfile").write_text(f"FROM {host}/app:1@{OLD}\n")

    outcome = digestbot("scan", "--timeout", "2", "--format", "json")

    assert outcome.code == 5
    assert json.loads(outcome.stdout)["findings"][0]["reason"] == "unreachable"


def test_the_crash_report_can_be_pasted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("bug")

    monkeypatch.setattr("digestbot.cli.scan.find_files", fail)

    outcome = digestbot("scan")

    assert outcome.code == 3
    assert "Please report this" in outcome.stderr
    assert "ZeroDivisionError: bug" in outcome.stderr


def test_the_environment_variable_is_blamed_for_its_value() -> None:
    outcome = spawn("scan", cwd=Path.cwd(), DIGESTBOT_CONFIG="no/such.yaml")

    assert outcome.code == 2
    assert "DIGESTBOT_CONFIG" in outcome.stderr

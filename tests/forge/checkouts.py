"""Real repos for the tests of git: made by git itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from digestbot.forge.interface import Interest
from digestbot.forge.repo import Mode, Repo
from digestbot.forge.sha import CommitSha
from digestbot.forge.steps import FileChange, PushBranch

INTEREST = Interest("dockerfiles", lambda path: path.rpartition("/")[2] == "Dockerfile")
BRANCH = "digestbot/images"
_PERSON = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")


def run_git(folder: Path, *words: str) -> str:
    """What git says, in a folder."""
    done = subprocess.run(
        ["git", *_PERSON, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def make_checkout(folder: Path, *, kind: str = "sha1", **files: str) -> Path:
    """A checkout with one commit on main; without `files`, of two Dockerfiles and more."""
    folder.mkdir(parents=True)
    run_git(folder, "init", "-q", "-b", "main", f"--object-format={kind}")
    contents = files or {"Dockerfile": "FROM a\n", "sub/Dockerfile": "FROM b\n", "notes": "hello\n"}
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-q", "-m", "first")
    return folder


def name_a_person(folder: Path) -> None:
    """Let the checkout say who commits."""
    run_git(folder, "config", "user.name", "Bea")
    run_git(folder, "config", "user.email", "bea@example.com")


def push_step(
    repo: Repo, content: bytes = b"FROM new\n", expected: CommitSha | None = None
) -> PushBranch:
    """Change the Dockerfile at the root."""
    assert repo.head is not None
    files = (FileChange("Dockerfile", Mode.FILE, content),)
    return PushBranch(BRANCH, repo.head, expected, files, "Update images", "0123456789abcdef")


def state_of(folder: Path) -> dict[str, str]:
    """Every file below a folder by its bytes and mode; objects and our branch apart."""
    ignored = ("/objects/", f"/{BRANCH}")
    return {
        str(path): f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part in str(path) for part in ignored)
    }


def canary(folder: Path) -> tuple[Path, Path]:
    """A program that leaves a mark when it is started: the program and the mark."""
    program, mark = folder / "evil", folder / "mark"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\nexit 1\n')
    program.chmod(0o755)
    return program, mark


def children() -> list[str]:
    """The processes that this one started and that are still there."""
    listed = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [pid for file in listed for pid in file.read_text().split()]


def spying_git(folder: Path) -> Path:
    """A `git` that writes down its arguments and surroundings; returns that file."""
    log = folder / "spied"
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True)
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nenv | sed "s/^/ENV /" >> {log}\n'
        f'for one in "$@"; do echo "ARG $one" >> {log}; done\n'
        f'exec {real.stdout.strip()} "$@"\n'
    )
    program.chmod(0o755)
    return log

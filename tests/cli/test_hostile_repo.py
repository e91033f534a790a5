"""Repos that mean no good: each trap ends in a line of the report, and the file beside it is
updated all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.cli.github_cli import CURRENT, STALE, CommandLine, github_cli
from tests.cli.program import digestbot
from tests.forge.checkouts import make_checkout, name_a_person, run_git
from tests.github.bare import File, Files, submodule, symlink
from tests.proposals.builders import dockerfile

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12\n" % (b"0" * 64)
LARGE = STALE + b"# padding\n" * (2 << 17)
BINARY = bytes(range(256)) * 40
TEXT = (
    "# @everyone [x](http://evil.example) <script>\x1b[2J\u202e\n"
    "::error::<img src=x> @ann ##[error]\x1b[31m\n"
).encode()
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HARMFUL = {"\x1b", "\r", "\u202e"}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    with github_cli(tmp_path, monkeypatch) as made:
        yield made


def add(cli: CommandLine, traps: Files, **repo: Any) -> None:
    """The repo `acme/app`: a stale Dockerfile with the traps beside it."""
    cli.github.add_repo("acme/app", {"good/Dockerfile": STALE, **traps}, **repo)


def is_harmless(text: str) -> bool:
    lines = text.splitlines()
    return not HARMFUL & set(text) and not any(line.startswith("::") for line in lines)


FILES = [
    pytest.param({"x/Dockerfile": symlink("../good/Dockerfile")}, "symlink", id="link"),
    pytest.param({"x/Dockerfile": symlink("/etc/passwd")}, "symlink", id="link-out"),
    pytest.param({"x/Dockerfile": symlink("../x/Dockerfile")}, "symlink", id="link-to-itself"),
    pytest.param({"x/Dockerfile": submodule()}, "submodule", id="submodule"),
    pytest.param({"x/Dockerfile": LFS}, "lfs-pointer", id="lfs"),
    pytest.param({"x/Dockerfile": LARGE}, "too-large", id="2-MiB"),
    pytest.param({"x/Dockerfile": BINARY}, "invalid-dockerfile", id="binary"),
    pytest.param({"x/Dockerfile": TEXT}, "invalid-dockerfile", id="text"),
    pytest.param({"x\ny/Dockerfile": STALE}, "unsafe-path", id="newline"),
    pytest.param({"x\x1b[2J/Dockerfile": STALE}, "unsafe-path", id="escape"),
]
IMPOSSIBLE = [
    pytest.param({"../Dockerfile": STALE}, "unsafe-path", id="above"),
    pytest.param({"x/../../Dockerfile": STALE}, "unsafe-path", id="above-in-the-middle"),
    pytest.param({".git/Dockerfile": STALE}, "unsafe-path", id="dot-git"),
]


@pytest.mark.parametrize("traps, reason", [*FILES, *IMPOSSIBLE])
def test_a_trap_is_one_line_and_the_file_beside_it_is_updated(
    cli: CommandLine, traps: Files, reason: str
) -> None:
    add(cli, traps)

    outcome = cli.update("github:acme")
    (repo,) = cli.report("github:acme")["repos"]
    scanned = cli.scan("github:acme", "--format", "json")

    assert (outcome.code, outcome.stderr) == (0, "")
    assert "· skipped  acme/app  " in outcome.stdout
    assert f"{reason}: " in outcome.stdout
    assert is_harmless(outcome.stdout)
    (skipped,) = repo["skipped"]
    assert (skipped["path"], skipped["reason"]) == (*traps, reason)
    found = {one["path"]: one["reason"] for one in json.loads(scanned.stdout)["findings"]}
    assert found[next(iter(traps))] == reason
    assert cli.proposed("acme/app", "good/Dockerfile") == CURRENT
    changed = cli.github.files("acme/app", cli.pull().head_ref)
    before = cli.github.files("acme/app")
    assert {path for path in changed if changed[path] != before[path]} == {"good/Dockerfile"}


@pytest.mark.parametrize("traps, reason", FILES)
def test_a_trap_in_a_checkout_is_one_line_too(
    cli: CommandLine, tmp_path: Path, traps: Files, reason: str
) -> None:
    folder = checkout(tmp_path / "app", traps)

    outcome = cli.update("-v", str(folder))

    assert (outcome.code, outcome.stderr) == (0, "")
    assert "· skipped " in outcome.stdout
    assert f"{reason}: " in " ".join(outcome.stdout.split())
    assert is_harmless(outcome.stdout)
    changed = run_git(folder, "diff", "--name-only", "main", "digestbot/images")
    assert changed == "good/Dockerfile"


def checkout(folder: Path, traps: Files) -> Path:
    """A checkout with a stale Dockerfile and the traps."""
    make_checkout(folder, **{"good/Dockerfile": STALE.decode()})
    name_a_person(folder)
    for path, content in traps.items():
        file = content if isinstance(content, File) else File(_bytes(content))
        if file.mode == "160000":
            entry = f"160000,{file.content.decode()},{path}"
            run_git(folder, "update-index", "--add", "--cacheinfo", entry)
            continue
        (folder / path).parent.mkdir(exist_ok=True)
        if file.mode == "120000":
            (folder / path).symlink_to(file.content.decode())
        else:
            (folder / path).write_bytes(file.content)
        run_git(folder, "add", path)
    run_git(folder, "commit", "-qm", "traps")
    return folder


def _bytes(content: object) -> bytes:
    assert isinstance(content, bytes)
    return content


def test_git_takes_no_tree_that_leads_out_of_it(cli: CommandLine) -> None:
    add(cli, {"../Dockerfile": STALE})

    outcome = cli.update("github:acme", "--write-by", "git")

    assert outcome.code == 5
    assert cli.github.pulls("acme/app") == []
    assert "acme/app: git: " in outcome.stdout


@pytest.mark.parametrize(
    "content, words",
    [
        pytest.param(BOMB, "keys and values", id="aliases"),
        pytest.param("[" * 100_000, "nested more than", id="depth"),
        pytest.param("x" * (2 << 20), "more than 1 MiB", id="2-MiB"),
        pytest.param(bytes(range(256)), "is not UTF-8", id="binary"),
        pytest.param(symlink("/etc/passwd"), "it is a link", id="link"),
        pytest.param(submodule(), "it is a submodule", id="submodule"),
        pytest.param(LFS, "pointer of Git LFS", id="lfs"),
        pytest.param("!!python/object/apply:os.system [id]\n", ":1:1", id="object"),
        pytest.param("\x1b[2J@ann: <img>\n", ":1", id="escape"),
    ],
)
def test_a_hostile_configuration_stops_its_own_repo_alone(
    cli: CommandLine, content: bytes | str | File, words: str
) -> None:
    add(cli, {".digestbot.yaml": content})
    cli.github.add_repo("acme/web", {"Dockerfile": STALE})

    outcome = cli.update("github:acme")
    report = cli.report("github:acme")

    assert (outcome.code, outcome.stderr) == (5, "")
    said = " ".join(outcome.stdout.split())
    assert "acme/app: .digestbot.yaml" in said
    assert words in said
    assert is_harmless(outcome.stdout)
    assert [error["subject"] for error in report["errors"]] == ["acme/app"]
    assert cli.github.pulls("acme/app") == []
    assert cli.proposed("acme/web") == CURRENT


@pytest.mark.parametrize(
    "content, words",
    [
        pytest.param(BOMB.encode(), "keys and values", id="aliases"),
        pytest.param(symlink("/etc/passwd"), "it is a link", id="link"),
        pytest.param(b"gruop: image\n", "did you mean 'group'?", id="slip"),
    ],
)
def test_a_hostile_configuration_of_a_checkout_makes_no_branch(
    cli: CommandLine, tmp_path: Path, content: bytes | File, words: str
) -> None:
    folder = checkout(tmp_path / "app", {".digestbot.yaml": content})

    outcome = cli.update(str(folder))

    assert outcome.code == 5
    assert words in " ".join(outcome.stdout.split())
    assert run_git(folder, "branch", "--format=%(refname:short)") == "main"


def test_ten_thousand_dockerfiles_are_counted_and_the_first_thousand_read(
    cli: CommandLine,
) -> None:
    many = {f"x{number:04}/Dockerfile": CURRENT for number in range(10_000)}
    cli.github.add_repo("acme/app", {"good/Dockerfile": STALE, **many})
    cli.github.add_repo("acme/web", {"Dockerfile": STALE})

    outcome = cli.update("github:acme")
    report = cli.report("github:acme")

    assert outcome.code == 5
    said = " ".join(outcome.stdout.split())
    assert "acme/app: 10,001 Dockerfiles; the first 1,000 are read" in said
    assert "hint: leave out" in said
    assert [error["code"] for error in report["errors"]] == ["too-many-files"]
    assert cli.proposed("acme/app", "good/Dockerfile") == CURRENT
    assert cli.proposed("acme/web") == CURRENT


@pytest.mark.parametrize("branch", ["odd/✓#1%2F&'name", "-dash", "HEAD", "digestbot/main"])
def test_a_default_branch_with_an_odd_name_is_a_base_like_any_other(
    cli: CommandLine, branch: str
) -> None:
    add(cli, {}, default_branch=branch)

    outcome = cli.update("github:acme")

    assert outcome.code == 0, outcome.stdout
    assert cli.pull().base_ref == branch
    assert cli.proposed("acme/app", "good/Dockerfile") == CURRENT


ODD_PATH = "[x](javascript:evil)`|@ann <img src=x>\u202e</details>/Dockerfile"


def test_what_is_proposed_of_a_hostile_path_is_harmless_to_whoever_reads_it(
    cli: CommandLine,
) -> None:
    add(cli, {ODD_PATH: STALE})

    rehearsed = cli.update("github:acme", "--dry-run", "-v")
    outcome = cli.update("github:acme", "-v")

    pull = cli.pull()
    body = pull.body or ""
    html = MarkdownIt("commonmark").enable("table").render(body)
    assert cli.proposed("acme/app", ODD_PATH) == CURRENT
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "@ann" not in pull.title + body
    assert is_harmless(outcome.stdout)
    assert is_harmless(rehearsed.stdout)


def test_a_dockerfile_of_traps_proposes_what_is_true_in_it(cli: CommandLine) -> None:
    trapped = (
        b"# syntax=docker/dockerfile:1\nRUN <<EOF\n%s\nEOF\nLABEL text='FROM python:3@sha256:%s'\n"
    ) % (dockerfile("golang:1").strip(), b"0" * 64)
    add(cli, {"x/Dockerfile": STALE + trapped})
    cli.digests["docker/dockerfile:1"] = 1

    outcome = cli.update("github:acme")

    assert outcome.code == 0
    assert cli.proposed("acme/app", "x/Dockerfile") == CURRENT + trapped


def test_a_hostile_repo_does_not_configure_the_run_that_is_started_in_it(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout(tmp_path / "app", {".digestbot.yaml": b"github: {url: https://evil.test}\n"})
    monkeypatch.chdir(folder)

    outcome = digestbot("update", "github:acme")

    assert outcome.code == 2
    assert "--config" in outcome.stderr

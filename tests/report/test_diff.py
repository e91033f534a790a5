from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from digestbot.report.diff import unified_diff

Change = tuple[str, bytes, bytes]
Apply = Callable[[Change, bytes], bytes]
GIT_ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"a", b"b", b"", b"a\r", b"-x", b"+x", b" ", b"\\ No newline", b"@@ -1 +1 @@"]
        ),
        st.binary(max_size=6),
    ),
    max_size=30,
)
CONTENTS = st.builds(
    lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n"])
)
NAMES = st.text(
    st.sampled_from([*"ab.-_ \"'\\\t\n\r\x01\x7fé日🐍", "\udce9", "\udcff"]), min_size=1, max_size=8
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).filter(lambda parts: not {".", ".."} & {*parts})


@pytest.fixture(scope="module")
def apply(tmp_path_factory: pytest.TempPathFactory) -> Apply:
    """Writes the file as it was, has git apply the diff in a repo, and returns what git made."""
    repo = tmp_path_factory.mktemp("repo")

    def git(*arguments: str, data: bytes = b"") -> None:
        command = ["git", "-C", str(repo), *arguments]
        done = subprocess.run(
            command, input=data, env=GIT_ENVIRONMENT, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def run(change: Change, diff: bytes) -> bytes:
        path, before, _ = change
        file = repo / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(before)
        git("apply", "--check", "-", data=diff)
        git("apply", "-", data=diff)
        after = file.read_bytes()
        _remove(file, repo)
        return after

    git("init", "--quiet")
    return run


def _remove(file: Path, repo: Path) -> None:
    file.unlink()
    for folder in file.parents:
        if folder == repo:
            return
        folder.rmdir()


def test_a_changed_digest_is_one_hunk_with_three_lines_around() -> None:
    before = b"# 1\n# 2\n# 3\n# 4\nFROM a@sha256:aa\n# 6\n# 7\n# 8\n# 9\n"

    diff = unified_diff([("app/Dockerfile", before, before.replace(b":aa", b":bb"))])

    assert diff == (
        b"diff --git a/app/Dockerfile b/app/Dockerfile\n"
        b"--- a/app/Dockerfile\n"
        b"+++ b/app/Dockerfile\n"
        b"@@ -2,7 +2,7 @@\n"
        b" # 2\n"
        b" # 3\n"
        b" # 4\n"
        b"-FROM a@sha256:aa\n"
        b"+FROM a@sha256:bb\n"
        b" # 6\n"
        b" # 7\n"
        b" # 8\n"
    )


def test_line_ends_and_a_missing_last_newline_are_kept() -> None:
    diff = unified_diff([("Dockerfile", b"FROM a\r\nFROM b", b"FROM A\r\nFROM B")])

    assert diff.partition(b"@@\n")[2] == (
        b"-FROM a\r\n"
        b"-FROM b\n\\ No newline at end of file\n"
        b"+FROM A\r\n"
        b"+FROM B\n\\ No newline at end of file\n"
    )


def test_changes_far_apart_are_two_hunks_and_near_ones_share_one() -> None:
    lines = [b"%d\n" % number for number in range(30)]
    after = list(lines)
    after[2] = after[8] = after[25] = b"x\n"

    diff = unified_diff([("f", b"".join(lines), b"".join(after))])

    assert [line for line in diff.split(b"\n") if line.startswith(b"@@")] == [
        b"@@ -1,12 +1,12 @@",
        b"@@ -23,7 +23,7 @@",
    ]


def test_nothing_changed_is_nothing_to_show() -> None:
    assert unified_diff([("f", b"a", b"a")]) == b""


@pytest.mark.parametrize(
    "path, header",
    [
        pytest.param("a b", b"--- a/a b\t\n", id="space"),
        pytest.param('a"b', b'--- "a/a\\"b"\n', id="quote"),
        pytest.param("a\\b", b'--- "a/a\\\\b"\n', id="backslash"),
        pytest.param("a\tb\nc", b'--- "a/a\\tb\\nc"\n', id="tab-and-newline"),
        pytest.param("é", b'--- "a/\\303\\251"\n', id="utf-8"),
        pytest.param("\udce9", b'--- "a/\\351"\n', id="not-utf-8"),
        pytest.param("\x01\x7f", b'--- "a/\\001\\177"\n', id="control"),
    ],
)
def test_paths_are_quoted_as_git_quotes_them(apply: Apply, path: str, header: bytes) -> None:
    change = (path, b"old\n", b"new\n")

    diff = unified_diff([change])

    assert header in diff
    assert apply(change, diff) == b"new\n"


@pytest.mark.parametrize(
    "before, after",
    [
        pytest.param(b"a", b"a\n", id="newline-added"),
        pytest.param(b"a\n", b"a", id="newline-removed"),
        pytest.param(b"", b"a\n", id="from-empty"),
        pytest.param(b"a\n", b"", id="to-empty"),
        pytest.param(b"a\nb\nc\n", b"a\nx\ny\nc\n", id="line-inserted"),
        pytest.param(b"a\rb\x85c\x0bd\n", b"a\rB\x85c\x0bd\n", id="only-newline-ends-a-line"),
        pytest.param(b"\xff\xfea\x00\n", b"\xff\xfeb\x00\n", id="not-utf-8"),
    ],
)
def test_git_applies_it(apply: Apply, before: bytes, after: bytes) -> None:
    change = ("Dockerfile", before, after)

    assert apply(change, unified_diff([change])) == after


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=PATHS, before=CONTENTS, after=CONTENTS)
def test_git_applies_any_change_of_any_file(
    apply: Apply, path: list[str], before: bytes, after: bytes
) -> None:
    assume(before != after)
    change = ("/".join(path), before, after)

    assert apply(change, unified_diff([change])) == after


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=LINES, data=st.data(), end=st.sampled_from([b"", b"\n"]))
def test_git_applies_edits_within_lines(
    apply: Apply, before: list[bytes], data: st.DataObject, end: bytes
) -> None:
    changed = data.draw(st.sets(st.integers(0, max(len(before) - 1, 0))))
    after = [line + b"@" if i in changed else line for i, line in enumerate(before)]
    change = ("Dockerfile", b"\n".join(before) + end, b"\n".join(after) + end)
    assume(change[1] != change[2])

    assert apply(change, unified_diff([change])) == change[2]


def test_several_files_are_one_diff() -> None:
    changes = [(name, b"a\n", b"b\n") for name in ("one", "two")]

    diff = unified_diff(changes)

    assert diff == unified_diff(changes[:1]) + unified_diff(changes[1:])

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digestbot.files import codeowners
from digestbot.files.codeowners import MAX_LENGTH, MOST_OWNERS, is_owner, owners_of

NASTY = {
    "many folders": "**/a/" * 200 + "b",
    "many stars": "/" + "*a" * 500 + "b",
    "many of any": "/*" + "?" * 900 + "b",
    "stars in folders": "/*a*b/**" * 100 + "/c",
}


def owners(text: str, path: str) -> tuple[str, ...]:
    return owners_of(text.encode(), [path]).get(path, ())


@pytest.mark.parametrize(
    "pattern, path",
    [
        pytest.param("*", "a/b/Dockerfile", id="everything"),
        pytest.param("Dockerfile", "a/b/Dockerfile", id="a name, anywhere"),
        pytest.param("*.dev", "a/Dockerfile.dev", id="an ending"),
        pytest.param("Dockerfile.?ev", "Dockerfile.dev", id="one character"),
        pytest.param("app", "x/app/Dockerfile", id="what is in a folder of that name"),
        pytest.param("app/", "x/app/y/Dockerfile", id="a folder, anywhere"),
        pytest.param("/app/", "app/y/Dockerfile", id="a folder at the root"),
        pytest.param("/app", "app/Dockerfile", id="a name at the root"),
        pytest.param("app/web", "app/web/Dockerfile", id="two names are from the root"),
        pytest.param("app/*", "app/Dockerfile", id="what is right in a folder"),
        pytest.param("/*", "Dockerfile", id="what is at the root"),
        pytest.param("**/web/", "a/b/web/Dockerfile", id="any depth before"),
        pytest.param("**/web/", "web/Dockerfile", id="any depth may be none"),
        pytest.param("app/**", "app/a/b/Dockerfile", id="any depth after"),
        pytest.param("a/**/Dockerfile", "a/b/c/Dockerfile", id="any depth between"),
        pytest.param("a/**/Dockerfile", "a/Dockerfile", id="none between"),
        pytest.param("a/**/**/c", "a/b/c", id="the same twice"),
        pytest.param("my\\ app/", "my app/Dockerfile", id="a space"),
        pytest.param("\\*/Dockerfile", "*/Dockerfile", id="a star that is meant"),
        pytest.param("app/\\[id\\]/", "app/[id]/Dockerfile", id="brackets that are meant"),
        pytest.param("a+(b).$", "a+(b).$", id="no regular expression"),
    ],
)
def test_a_pattern_covers(pattern: str, path: str) -> None:
    assert owners(f"{pattern} @ann", path) == ("@ann",)


@pytest.mark.parametrize(
    "pattern, path",
    [
        pytest.param("dockerfile", "Dockerfile", id="case counts"),
        pytest.param("Docker", "Dockerfile", id="a beginning"),
        pytest.param("/app", "x/app/Dockerfile", id="only at the root"),
        pytest.param("app/web", "x/app/web/Dockerfile", id="two names are from the root"),
        pytest.param("Dockerfile/", "Dockerfile", id="no folder"),
        pytest.param("app/*", "app/web/Dockerfile", id="deeper than right in it"),
        pytest.param("/*", "app/Dockerfile", id="deeper than the root"),
        pytest.param("app/**", "app", id="not the folder itself"),
        pytest.param("*/Dockerfile", "a/b/Dockerfile", id="a star is in one folder"),
        pytest.param("a/**b/c", "a/x/yb/c", id="two stars in a name are one"),
        pytest.param("a?b", "a/b", id="any character is no slash"),
        pytest.param("/", "Dockerfile", id="nothing but a slash"),
        pytest.param("!Dockerfile", "Dockerfile", id="there is no not"),
        pytest.param("[D]ockerfile", "Dockerfile", id="there are no ranges"),
        pytest.param("Dockerfil[e", "Dockerfil[e", id="nor halves of one"),
        pytest.param("\\#a", "#a", id="no escaped comment"),
        pytest.param("a" * (MAX_LENGTH + 1), "a" * (MAX_LENGTH + 1), id="too long"),
    ],
)
def test_a_pattern_does_not_cover(pattern: str, path: str) -> None:
    assert owners(f"{pattern} @ann", path) == ()


@pytest.mark.parametrize(
    "text, found",
    [
        pytest.param("* @ann\n* @bob\n", ("@bob",), id="the last one decides"),
        pytest.param("* @ann\n/other @bob\n", ("@ann",), id="of those that match"),
        pytest.param("* @ann\nDockerfile\n", (), id="nobody named takes it away"),
        pytest.param("* @ann @acme/web a@b.org", ("@ann", "@acme/web", "a@b.org"), id="several"),
        pytest.param("* @Ann @ACME/Web @ann", ("@ann", "@acme/web"), id="in lower case, once"),
        pytest.param("* @ann # not @bob", ("@ann",), id="a comment at the end"),
        pytest.param("# * @ann\n\n", (), id="a comment"),
        pytest.param("\ufeff*\t@ann\r\n", ("@ann",), id="of another system"),
        pytest.param("* @ann\n*.x[ @bob\n! @bob", ("@ann",), id="broken lines are passed over"),
        pytest.param("* @ann\n* @bob bob", ("@ann",), id="so are those that name no owner"),
        pytest.param("* @ann\n* @x\x1b[31m", ("@ann",), id="control characters are none"),
        pytest.param("* @ann\n* @" + "x" * 101, ("@ann",), id="nor is what is too long"),
        pytest.param("* @ann\n* @a/b/c", ("@ann",), id="nor a team of a team"),
        pytest.param("[Section]\n* @ann", ("@ann",), id="a section"),
    ],
)
def test_the_last_line_that_matches_says_who(text: str, found: tuple[str, ...]) -> None:
    assert owners(text, "Dockerfile") == found


def test_each_file_has_its_own() -> None:
    text = b"* @acme/all\n/web/ @acme/web\n/web/own/\n"

    found = owners_of(text, ["Dockerfile", "web/Dockerfile", "web/own/Dockerfile"])

    assert found == {"Dockerfile": ("@acme/all",), "web/Dockerfile": ("@acme/web",)}


def test_of_a_crowd_the_first_are_told() -> None:
    crowd = " ".join(f"@user{number}" for number in range(500))

    assert owners(f"* {crowd}", "a") == tuple(f"@user{one}" for one in range(MOST_OWNERS))


def test_behind_what_is_too_long_to_be_followed_nobody_is_named_for_another() -> None:
    text = f"* @wrong\n{'*' * (MAX_LENGTH + 1)} @maybe\n/b @right\n"

    assert owners_of(text.encode(), ["a", "b"]) == {"b": ("@right",)}


@pytest.mark.parametrize("pattern", NASTY.values(), ids=NASTY)
def test_what_would_take_for_ever_is_left_and_only_what_comes_after_it_is_told(
    pattern: str,
) -> None:
    text = "* @wrong\n" + f"{pattern} @maybe\n" * 1000 + "/b @right\n"
    path = "/".join(["aaaab"] * 150)

    found = owners_of(text.encode(), [*(f"{path}/{number}" for number in range(1000)), "b"])

    assert found == {"b": ("@right",)}


def test_no_more_effort_is_made_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codeowners, "EFFORT", 100)

    assert owners("* @wrong\n" + "/x @x\n" * 200, "Dockerfile") == ()


@pytest.mark.parametrize(
    "text, is_one",
    [
        pytest.param("@ann", True, id="a person"),
        pytest.param("@Acme/Web-2", True, id="a team"),
        pytest.param("ann@example.org", True, id="an address"),
        pytest.param("ann", False, id="a word"),
        pytest.param("acme/web", False, id="a team without its sign"),
        pytest.param("@acme/", False, id="no team"),
        pytest.param("@ann\n", False, id="a line"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_owners_are_told_from_other_words(text: str, is_one: bool) -> None:
    assert is_owner(text) == is_one


NAMES = st.text("ab*", min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
# Of several stars in a name git's manual says that they are one, and git at times does more.
WORDS = st.text("ab*?", min_size=1, max_size=3).map(lambda text: re.sub(r"\*+", "*", text))
PARTS = st.one_of(st.just("**"), WORDS, st.just("\\*"))
PATTERNS = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "/", "**/"]),
    st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "/", "/**"]),
)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ignoring")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@settings(max_examples=150)
@given(pattern=PATTERNS, paths=st.lists(PATHS, min_size=1, max_size=20, unique=True))
def test_patterns_cover_what_git_would_ignore(git: Path, pattern: str, paths: list[str]) -> None:
    # Of these git ignores what is below, too.
    assume(not pattern.endswith("/*"))
    (git / ".git" / "info" / "exclude").write_text(f"{pattern}\n")

    asked = subprocess.run(
        ["git", "-C", str(git), "check-ignore", "--no-index", "--stdin", "-z"],
        input="".join(f"{path}\0" for path in paths),
        capture_output=True,
        text=True,
        check=False,
    )

    assert set(owners_of(f"{pattern} @ann".encode(), paths)) == set(asked.stdout.split("\0")) - {""}


LINES = st.lists(
    st.one_of(st.text(max_size=20), st.text("*?/\\[]!#@ab \t\r", max_size=20)), max_size=10
)


@given(st.one_of(st.binary(max_size=200), LINES.map(lambda lines: "\n".join(lines).encode())))
def test_whatever_a_repo_has_there_owners_are_words_that_can_be_shown(data: bytes) -> None:
    for path, found in owners_of(data, ["a", "a/b", "a b/[c]", "#", "@a"]).items():
        assert path
        assert 0 < len(found) <= MOST_OWNERS
        for one in found:
            assert is_owner(one)
            assert one == one.lower()
            assert one.isprintable()
            assert len(one.split()) == 1

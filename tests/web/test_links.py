from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digestbot.report.plain import path_bytes
from digestbot.web.links import line_link, page_link, pull_link

REPO = "https://github.com/acme/app"
COMMIT = "1" * 40
SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%:#")

anything = st.text(max_size=60)
# What is nearly an address finds more than what is none at all.
PIECES = ["/", "\\", "@", ":", "..", ".", "%2e", "%", "?", "#", "\n", "\t", " ", '"', "'", "<", "é"]
NAMES = ["https:", "http:", "javascript:", "//", "github.com", "evil.example", "acme", "app"]
nearly = st.lists(st.sampled_from([*NAMES, *PIECES]), max_size=12).map("".join)
paths = st.text(st.characters(), min_size=1, max_size=60)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(REPO, id="github"),
        pytest.param("https://github.com/acme/app/", id="with a last slash"),
        pytest.param("http://127.0.0.1:8080/acme/app", id="on this machine"),
        pytest.param("https://[::1]:8443/acme/app", id="by a bare address"),
        pytest.param("https://git.corp.example/code/acme/app.js", id="an enterprise's"),
        pytest.param("https://github.com/acme/caf%C3%A9", id="quoted already"),
        pytest.param("https://github.com/acme/.github", id="a name with a dot"),
    ],
)
def test_a_page_of_the_web_is_linked_to_as_it_is(url: str) -> None:
    assert page_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("javascript:alert(1)", id="a script"),
        pytest.param("javascript://github.com/%0aalert(1)", id="a script like an address"),
        pytest.param("data:text/html,<script>", id="data"),
        pytest.param("//evil.example/acme", id="no scheme"),
        pytest.param("/acme/app", id="a path"),
        pytest.param("git@github.com:acme/app.git", id="for git alone"),
        pytest.param("ssh://git@github.com/acme/app", id="not of the web"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("https://", id="no host"),
        pytest.param("https:///acme", id="an empty host"),
        pytest.param("https://ann:secret@github.com/acme/app", id="a login"),
        pytest.param("https://github.com@evil.example/acme", id="a host that is a login"),
        pytest.param("https://evil.example\\@github.com/acme", id="a backslash"),
        pytest.param("https://github.com/acme/../../x", id="a detour"),
        pytest.param("https://github.com/acme/%2E%2e/x", id="a quoted detour"),
        pytest.param("https://github.com/acme?next=//evil.example", id="a query"),
        pytest.param("https://github.com/acme#x", id="a fragment"),
        pytest.param("https://github.com/a b", id="a space"),
        pytest.param("https://github.com/acme/\napp", id="a line break"),
        pytest.param(" https://github.com/acme", id="a space before"),
        pytest.param("https://github.com/acme\n", id="a line break behind"),
        pytest.param("https://github.com/%zz", id="a bad escape"),
        pytest.param("https://g\u0131thub.com/acme", id="a letter that looks like another"),
        pytest.param("https://github.com:999999/acme", id="no port"),
        pytest.param('https://github.com/"onclick=', id="a quotation mark"),
        pytest.param(f"https://github.com/{'a' * 5000}", id="endless"),
    ],
)
def test_what_is_no_page_of_the_web_is_not_linked_to(url: str) -> None:
    assert page_link(url) is None
    assert line_link(url, COMMIT, "Dockerfile", 1) is None
    assert pull_link(url, f"{REPO}/pull/1") is None
    assert pull_link(REPO, url) is None


@pytest.mark.parametrize(
    "path, quoted",
    [
        pytest.param("Dockerfile", "Dockerfile", id="plain"),
        pytest.param("a/b/Dockerfile", "a/b/Dockerfile", id="in folders"),
        pytest.param("a b/Dockerfile", "a%20b/Dockerfile", id="a space"),
        pytest.param("a#L9/x", "a%23L9/x", id="a number sign"),
        pytest.param("a?plain=1", "a%3Fplain%3D1", id="a question mark"),
        pytest.param("100%/x", "100%25/x", id="a percent sign"),
        pytest.param("a\\b", "a%5Cb", id="a backslash"),
        pytest.param('"><script>', "%22%3E%3Cscript%3E", id="markup"),
        pytest.param("a\nb", "a%0Ab", id="a line break"),
        pytest.param("caf\u00e9", "caf%C3%A9", id="beyond ASCII"),
        pytest.param("caf\udce9", "caf%E9", id="bytes that are not UTF-8"),
        pytest.param("..x/.y", "..x/.y", id="names with dots"),
        pytest.param("javascript:alert(1)", "javascript%3Aalert%281%29", id="like a scheme"),
    ],
)
def test_a_line_is_linked_to_whatever_the_path(path: str, quoted: str) -> None:
    assert line_link(REPO, COMMIT, path, 12) == f"{REPO}/blob/{COMMIT}/{quoted}#L12"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("", id="none"),
        pytest.param("../x", id="up"),
        pytest.param("a/../../x", id="up from within"),
        pytest.param("./x", id="here"),
        pytest.param("/etc/passwd", id="from the root"),
        pytest.param("a//b", id="an empty name"),
        pytest.param("a/", id="a folder"),
    ],
)
def test_a_path_that_is_none_in_a_repo_is_not_linked_to(path: str) -> None:
    assert line_link(REPO, COMMIT, path, 1) is None


@pytest.mark.parametrize(
    "commit, line",
    [
        pytest.param(None, 1, id="nothing was scanned"),
        pytest.param("", 1, id="an empty name"),
        pytest.param("main", 1, id="a branch"),
        pytest.param("../../x", 1, id="a detour"),
        pytest.param("1" * 39, 1, id="too short"),
        pytest.param(f"{COMMIT}\n", 1, id="a line break"),
        pytest.param(COMMIT, 0, id="before the first line"),
    ],
)
def test_without_commit_and_line_there_is_no_link(commit: str | None, line: int) -> None:
    assert line_link(REPO, commit, "Dockerfile", line) is None


def test_a_commit_may_have_a_long_name() -> None:
    assert line_link(REPO, "a" * 64, "x", 1) == f"{REPO}/blob/{'a' * 64}/x#L1"


def test_a_last_slash_is_not_doubled() -> None:
    assert line_link(f"{REPO}/", COMMIT, "x", 1) == f"{REPO}/blob/{COMMIT}/x#L1"


def test_a_pull_request_is_linked_to() -> None:
    assert pull_link(REPO, f"{REPO}/pull/12") == f"{REPO}/pull/12"


def test_a_pull_request_stays_where_it_was_when_the_repo_is_renamed() -> None:
    old = "https://GitHub.com/acme/old/pull/12"

    assert pull_link(REPO, old) == old


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://evil.example/acme/app/pull/1", id="another host"),
        pytest.param("https://github.com.evil.example/pull/1", id="a host that begins so"),
        pytest.param("http://github.com/acme/app/pull/1", id="in the clear"),
        pytest.param("https://github.com:8443/acme/app/pull/1", id="another port"),
    ],
)
def test_a_pull_request_elsewhere_is_not_linked_to(url: str) -> None:
    assert pull_link(REPO, url) is None


@given(paths, st.integers(1, 10**9))
def test_a_link_to_a_line_leads_to_that_file_of_that_repo_and_nowhere_else(
    path: str, line: int
) -> None:
    link = line_link(REPO, COMMIT, f"a/{path}", line)

    assume(link is not None)
    assert link is not None
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.query) == ("https", "github.com", "")
    assert parts.fragment == f"L{line}"
    assert set(link) <= SAFE
    below = parts.path.removeprefix(f"/acme/app/blob/{COMMIT}/")
    assert unquote_to_bytes(below) == path_bytes(f"a/{path}")
    assert not {".", ".."} & set(below.split("/"))


@given(st.one_of(anything, nearly, nearly.map(lambda text: f"https://github.com/{text}")))
def test_whatever_is_linked_to_is_on_the_host_that_it_names(url: str) -> None:
    link = page_link(url)

    if link is not None:
        assert link == url
        assert url.startswith(("https://", "http://"))
        assert urlsplit(url).username is None
        assert not set(url) & set(' \t\r\n\\"<>`{}|^?#')
        assert not {".", ".."} & set(urlsplit(url).path.split("/"))


@given(st.one_of(nearly, nearly.map(lambda text: f"https://github.com/{text}")))
def test_a_pull_request_never_leads_off_the_host_of_its_repo(url: str) -> None:
    link = pull_link(REPO, url)

    assert link is None or urlsplit(link).netloc.lower() == "github.com"

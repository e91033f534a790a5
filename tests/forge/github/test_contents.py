"""Files read from the test GitHub, and how little is asked for them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from digestbot.forge.blob_cache import BlobCache
from digestbot.forge.errors import ForgeError, RefusedError, UnsettledError
from digestbot.forge.github import trees
from digestbot.forge.github.answer import Answer, Partial
from digestbot.forge.github.contents import BATCH, MAX_BLOB, GitHubContents
from digestbot.forge.github.session import Session
from digestbot.forge.github.settings import GitHubSettings
from digestbot.forge.interface import Interest
from digestbot.forge.repo import Entry, Mode, Repo
from digestbot.forge.sha import CommitSha, ObjectSha
from tests.forge.github.talking import session_with
from tests.github.server import GitHubServer, executable, submodule, symlink

DOCKERFILES = Interest("dockerfiles", lambda path: "Dockerfile" in path)
FROM = b"FROM python:3.12\n"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@pytest.fixture
def session(github: GitHubServer) -> Iterator[Session]:
    with session_with(github) as session:
        yield session


@pytest.fixture
def contents(session: Session) -> GitHubContents:
    return GitHubContents(session, BlobCache(None), DOCKERFILES)


def made(github: GitHubServer, files: Mapping[str, Any], name: str = "acme/app") -> Repo:
    repo = github.add_repo(name, files)
    head = repo.head() or ""
    return Repo(name, "main", CommitSha(head), ObjectSha(repo.git.tree_of(head)))


def sha_of(data: bytes) -> ObjectSha:
    return ObjectSha(hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest())


def test_entries_are_those_of_interest_in_order(
    github: GitHubServer, contents: GitHubContents
) -> None:
    repo = made(
        github,
        {
            "web/Dockerfile": FROM,
            "Dockerfile": executable(FROM),
            "Dockerfile.link": symlink("Dockerfile"),
            "vendor/Dockerfile": submodule("5" * 40),
            "README.md": "# app\n",
        },
    )

    assert contents.entries(repo) == (
        Entry("Dockerfile", Mode.EXECUTABLE, sha_of(FROM), len(FROM)),
        Entry("Dockerfile.link", Mode.SYMLINK, sha_of(b"Dockerfile"), 10),
        Entry("vendor/Dockerfile", Mode.SUBMODULE, ObjectSha("5" * 40), None),
        Entry("web/Dockerfile", Mode.FILE, sha_of(FROM), len(FROM)),
    )
    assert len(github.requests) == 1


def test_repo_without_a_commit_has_no_entries(contents: GitHubContents) -> None:
    assert contents.entries(Repo("acme/app", "main", None, None)) == ()


@pytest.mark.parametrize(
    "path",
    ["Dockerfile\n", "a\tb/Dockerfile", "größe/Dockerfile", "-Dockerfile", "a b/Dockerfile#?%2e"],
)
def test_odd_path_is_told_as_it_is(
    github: GitHubServer, contents: GitHubContents, path: str
) -> None:
    repo = made(github, {path: FROM})

    (entry,) = contents.entries(repo)

    assert entry.path == path
    assert contents.blobs(repo, [entry.sha]) == {entry.sha: FROM}


def test_repo_that_has_not_moved_costs_nothing_in_the_next_run(
    github: GitHubServer, session: Session, tmp_path: Path
) -> None:
    repo = made(github, {"Dockerfile": FROM, "a/Dockerfile": b"FROM b\n"})

    def read() -> tuple[object, object]:
        contents = GitHubContents(session, BlobCache(tmp_path), DOCKERFILES)
        entries = contents.entries(repo)
        return entries, contents.blobs(repo, [entry.sha for entry in entries])

    first = read()
    github.restart_log()

    assert read() == first
    assert github.requests == []


def test_other_interest_does_not_take_the_list_of_this_one(
    github: GitHubServer, session: Session, tmp_path: Path
) -> None:
    repo = made(github, {"Dockerfile": FROM, "README.md": "x"})
    everything = Interest("everything", lambda _path: True)

    few, many = (
        GitHubContents(session, BlobCache(tmp_path), interest).entries(repo)
        for interest in (DOCKERFILES, everything)
    )

    assert (len(few), len(many)) == (1, 2)


def test_what_one_github_says_of_a_tree_is_not_believed_of_another(
    github: GitHubServer, session: Session, tmp_path: Path
) -> None:
    repo = made(github, {"Dockerfile": FROM})
    lie = {"path": "Dockerfile", "type": "blob", "mode": "100644", "sha": "e" * 40}
    elsewhere = cast("Session", Liar(tree={"tree": [lie]}))

    lied = GitHubContents(elsewhere, BlobCache(tmp_path), DOCKERFILES).entries(repo)
    true = GitHubContents(session, BlobCache(tmp_path), DOCKERFILES).entries(repo)

    assert [entry.sha.value for entry in lied] == ["e" * 40]
    assert [entry.sha for entry in true] == [sha_of(FROM)]


def test_same_file_in_many_repos_is_read_once(
    github: GitHubServer, contents: GitHubContents
) -> None:
    repos = [made(github, {"Dockerfile": FROM}, f"acme/r{number}") for number in range(3)]

    for repo in repos:
        assert contents.blobs(repo, [sha_of(FROM)]) == {sha_of(FROM): FROM}

    assert len(github.requests) == 1


def test_damaged_list_on_disk_is_made_anew(
    github: GitHubServer, session: Session, tmp_path: Path
) -> None:
    repo = made(github, {"Dockerfile": FROM})
    cache = BlobCache(tmp_path)
    key = f"entries {DOCKERFILES.key} {github.url} {repo.tree}"
    GitHubContents(session, cache, DOCKERFILES).entries(repo)
    assert cache.get_list(key) is not None
    cache.put_list(key, [["Dockerfile", "what", 7]])

    assert len(GitHubContents(session, cache, DOCKERFILES).entries(repo)) == 1


# -- Trees that are cut off.


def many_files() -> dict[str, bytes]:
    return {f"d{folder}/e{name}/Dockerfile": FROM for folder in range(4) for name in range(3)}


def test_tree_that_is_cut_off_is_walked(github: GitHubServer, contents: GitHubContents) -> None:
    github.tree_limit = 8
    repo = made(github, {**many_files(), "Dockerfile": FROM})

    entries = contents.entries(repo)

    assert [entry.path for entry in entries] == sorted([*many_files(), "Dockerfile"])
    # The tree twice, and each of its four folders once.
    assert len(github.requests) == 6


def test_walk_goes_as_deep_as_it_must(github: GitHubServer, contents: GitHubContents) -> None:
    github.tree_limit = 3
    repo = made(github, many_files())

    assert [entry.path for entry in contents.entries(repo)] == sorted(many_files())


def test_tree_that_takes_too_many_requests_is_too_large(
    github: GitHubServer, contents: GitHubContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.tree_limit = 1
    monkeypatch.setattr(trees, "MOST_REQUESTS", 5)
    repo = made(github, many_files())

    with pytest.raises(ForgeError) as caught:
        contents.entries(repo)

    assert caught.value.code == "tree-too-large"
    assert len(github.requests) == 5


def test_tree_that_was_cut_off_once_by_mistake_is_whole_all_the_same(
    github: GitHubServer, contents: GitHubContents
) -> None:
    github.faults.add("truncated", path="/repos/*/git/trees/*")
    repo = made(github, many_files())

    assert len(contents.entries(repo)) == len(many_files())


def test_repo_that_is_gone_is_refused(github: GitHubServer, contents: GitHubContents) -> None:
    repo = made(github, {"Dockerfile": FROM})
    del github.world.repos["acme/app"]

    for read in (lambda: contents.entries(repo), lambda: contents.blobs(repo, [sha_of(FROM)])):
        with pytest.raises(RefusedError) as caught:
            read()
        assert caught.value.code == "not-found-or-no-access"


def test_renamed_repo_is_still_read(github: GitHubServer, contents: GitHubContents) -> None:
    repo = made(github, {"Dockerfile": FROM, "b/Dockerfile": b"\xff\xfe"})
    github.rename("acme/app", "acme/new")

    entries = contents.entries(repo)

    assert len(contents.blobs(repo, [entry.sha for entry in entries])) == 2


# -- Blobs.

ODD = [
    pytest.param(b"", id="empty"),
    pytest.param(b"FROM a\r\nRUN b\r\n", id="CRLF"),
    pytest.param(b"\xef\xbb\xbfFROM a\n", id="byte order mark"),
    pytest.param("FROM größe\n# 🐳".encode(), id="UTF-8"),
    pytest.param(b"FROM a\n# \xe9\n", id="Latin-1"),
    pytest.param("FROM a\n".encode("utf-16"), id="UTF-16"),
    pytest.param(bytes(range(256)) * 4, id="binary"),
    pytest.param(b"# " + b"x" * 700_000, id="large"),
]


@pytest.mark.parametrize("data", ODD)
def test_bytes_are_those_of_the_repo(
    github: GitHubServer, contents: GitHubContents, data: bytes
) -> None:
    repo = made(github, {"Dockerfile": data})

    assert contents.blobs(repo, [sha_of(data)]) == {sha_of(data): data}
    assert contents.blobs_at(repo, head_of(repo), ["Dockerfile"]) == {"Dockerfile": data}


def head_of(repo: Repo) -> CommitSha:
    assert repo.head is not None
    return repo.head


@pytest.mark.parametrize("byte", [b"x", b"\0"])
def test_blob_that_is_too_large_is_not_fetched(
    github: GitHubServer, contents: GitHubContents, byte: bytes
) -> None:
    data = byte * (MAX_BLOB + 1)
    repo = made(github, {"Dockerfile": data})

    assert contents.blobs(repo, [sha_of(data)]) == {}
    assert [one.path for one in github.requests] == ["/graphql"]


def test_many_blobs_are_read_in_few_requests(
    github: GitHubServer, contents: GitHubContents
) -> None:
    files = {f"d{number}/Dockerfile": b"FROM a:%d\n" % number for number in range(BATCH + 20)}
    repo = made(github, files)

    found = contents.blobs(repo, map(sha_of, files.values()))

    assert sorted(found.values()) == sorted(files.values())
    assert len(github.requests) == 2


def test_blob_that_is_gone_lacks(github: GitHubServer, contents: GitHubContents) -> None:
    repo = made(github, {"Dockerfile": FROM})
    assert repo.tree is not None

    found = contents.blobs(repo, [ObjectSha("0" * 40), sha_of(FROM), repo.tree])

    assert found == {sha_of(FROM): FROM}


def test_nothing_wanted_asks_nothing(github: GitHubServer, contents: GitHubContents) -> None:
    repo = made(github, {"Dockerfile": FROM})

    assert contents.blobs(repo, []) == {}
    assert contents.blobs_at(repo, head_of(repo), []) == {}
    assert github.requests == []


def test_files_at_another_commit_are_read(github: GitHubServer, contents: GitHubContents) -> None:
    repo = made(github, {"Dockerfile": FROM, "a/Dockerfile": FROM, "old/Dockerfile": FROM})
    old = head_of(repo)
    new = CommitSha(
        github.commit("acme/app", "main", {"Dockerfile": b"new", "old/Dockerfile": None})
    )

    paths = ["Dockerfile", "a/Dockerfile", "old/Dockerfile", "never", "a"]

    assert contents.blobs_at(repo, new, paths) == {"Dockerfile": b"new", "a/Dockerfile": FROM}
    assert len(contents.blobs_at(repo, old, paths)) == 3
    assert contents.blobs_at(repo, CommitSha("0" * 40), paths) == {}


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", ".git/config", "a\nb", "a\0b"]
)
def test_path_that_no_sane_repo_has_is_never_asked_for(
    github: GitHubServer, contents: GitHubContents, path: str
) -> None:
    repo = made(github, {"Dockerfile": FROM})

    assert contents.blobs_at(repo, head_of(repo), [path]) == {}
    assert github.requests == []


@pytest.mark.parametrize("fault", ["502-before", "drop-before", "malformed"])
def test_trouble_on_the_way_is_overcome(
    github: GitHubServer, contents: GitHubContents, fault: Any
) -> None:
    repo = made(github, {"Dockerfile": FROM, "b/Dockerfile": b"\xff"})
    github.faults.add(fault, nth=1)
    github.faults.add(fault, nth=3)

    shas = [entry.sha for entry in contents.entries(repo)]

    assert len(contents.blobs(repo, shas)) == 2


def test_reading_never_ends_in_doubt(github: GitHubServer, contents: GitHubContents) -> None:
    repo = made(github, {"Dockerfile": FROM})
    github.faults.add("502-before", times=0)

    for read in (lambda: contents.entries(repo), lambda: contents.blobs(repo, [sha_of(FROM)])):
        with pytest.raises(ForgeError) as caught:
            read()
        assert not isinstance(caught.value, UnsettledError)


# -- Answers that GitHub does not give, but might.


@dataclasses.dataclass
class Liar:
    """A session that answers what it was told to."""

    tree: object = None
    blob: object = None
    objects: object = None

    settings = GitHubSettings()

    def rest(self, verb: str, path: str, query: object = None) -> Answer:
        return Answer(200, self.tree if "/trees/" in path else self.blob)

    def graphql_partial(self, document: str, variables: Mapping[str, object]) -> Partial:
        answers = {name: self.objects for name in variables if name not in {"owner", "name"}}
        return Partial({"repository": answers})


REPO = Repo("acme/app", "main", CommitSha("a" * 40), ObjectSha("b" * 40))


def lied_to(**lies: object) -> GitHubContents:
    return GitHubContents(cast("Session", Liar(**lies)), BlobCache(None), DOCKERFILES)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {},
        {"tree": None},
        {"tree": [{"path": "Dockerfile", "type": "blob", "mode": "100644"}]},
        {"tree": [{"path": "Dockerfile", "type": "blob", "mode": "100644", "sha": "../x"}]},
        {"tree": [], "truncated": True},
    ],
)
def test_tree_that_makes_no_sense_is_an_error(tree: object) -> None:
    with pytest.raises(ForgeError) as caught:
        lied_to(tree=tree).entries(REPO)

    assert caught.value.code in {"malformed", "tree-too-large"}


def test_tree_that_holds_itself_has_an_end() -> None:
    again = {"path": "a", "type": "tree", "mode": "040000", "sha": "b" * 40}

    class Echo(Liar):
        def rest(self, verb: str, path: str, query: object = None) -> Answer:
            return Answer(200, {"tree": [again], "truncated": query is not None})

    with pytest.raises(ForgeError) as caught:
        GitHubContents(cast("Session", Echo()), BlobCache(None), DOCKERFILES).entries(REPO)

    assert caught.value.code == "tree-too-large"


@pytest.mark.parametrize("item", [None, 7, [], {}, {"type": "blob"}, {"path": 7, "type": "blob"}])
def test_odd_items_of_a_tree_are_of_no_interest(item: object) -> None:
    assert lied_to(tree={"tree": [item]}).entries(REPO) == ()


@pytest.mark.parametrize(
    "mode, read", [("100664", Mode.FILE), ("", Mode.FILE), ("100755", Mode.EXECUTABLE)]
)
def test_old_modes_are_those_of_plain_files(mode: str, read: Mode) -> None:
    item = {"path": "Dockerfile", "type": "blob", "mode": mode, "sha": "c" * 40, "size": "x"}

    assert lied_to(tree={"tree": [item]}).entries(REPO)[0].mode is read


@pytest.mark.parametrize("text", ["FROM another\n", None, 7, "\ud800"])
@pytest.mark.parametrize("blob", [None, {"content": "!"}, {"content": "QQ"}, {"content": "é"}, []])
def test_bytes_that_do_not_fit_their_name_are_not_believed(text: object, blob: object) -> None:
    answer = {"__typename": "Blob", "oid": sha_of(FROM).value, "text": text}
    contents = lied_to(objects=answer, blob=blob)

    assert contents.blobs(REPO, [sha_of(FROM)]) == {}
    assert contents.blobs_at(REPO, head_of(REPO), ["Dockerfile"]) == {}


@pytest.mark.parametrize("answer", [None, 7, [], {}, {"oid": "x"}, {"__typename": "Tree"}])
def test_object_that_is_no_blob_lacks(answer: object) -> None:
    contents = lied_to(objects=answer, blob={})

    assert contents.blobs(REPO, [sha_of(FROM)]) == {}
    assert contents.blobs_at(REPO, head_of(REPO), ["Dockerfile"]) == {}

"""The cache: what went in comes out, and whatever is wrong with it is only a miss."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from digestbot.forge.blob_cache import MAX_ENTRY, BlobCache, default_folder
from digestbot.forge.sha import ObjectSha


def name_of(data: bytes) -> ObjectSha:
    return ObjectSha(hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest())


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(params=["disk", "memory"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "cache" if request.param == "disk" else None)


@pytest.mark.parametrize("data", [b"", b"FROM a\n", bytes(range(256)), b"x" * 100_000])
def test_blob_comes_out_as_it_went_in(cache: BlobCache, data: bytes) -> None:
    cache.put(name_of(data), data)

    assert cache.get(name_of(data)) == data


def test_unknown_blob_is_a_miss(cache: BlobCache) -> None:
    assert cache.get(name_of(b"never seen")) is None
    assert cache.get_list("never seen") is None


@pytest.mark.parametrize("value", [[], [["Dockerfile", "100644", "a" * 40, 12]], {"a": None}])
def test_list_comes_out_as_it_went_in(cache: BlobCache, value: object) -> None:
    cache.put_list("entries of a tree", value)

    assert cache.get_list("entries of a tree") == value
    assert cache.get_list("entries of another tree") is None


def test_blob_that_was_lied_about_is_a_miss(cache: BlobCache) -> None:
    cache.put(name_of(b"one"), b"another")

    assert cache.get(name_of(b"one")) is None


def test_too_large_is_not_kept(cache: BlobCache) -> None:
    data = b"x" * (MAX_ENTRY + 1)

    cache.put(name_of(data), data)

    assert cache.get(name_of(data)) is None


def test_next_process_finds_what_this_one_kept(tmp_path: Path) -> None:
    BlobCache(tmp_path).put(name_of(b"one"), b"one")
    BlobCache(tmp_path).put_list("key", [1])

    assert BlobCache(tmp_path).get(name_of(b"one")) == b"one"
    assert BlobCache(tmp_path).get_list("key") == [1]


def damages() -> Iterator[bytes]:
    yield b""
    yield b"{"
    yield b"[]"
    yield b'["", 1]'
    yield b'["0", "[]"]'
    yield b"[" * 100_000
    yield b"\xff\xfe"
    yield b"x" * (MAX_ENTRY + 1)


@pytest.mark.parametrize("damage", list(damages()), ids=range(8))
def test_damaged_file_is_a_miss_and_is_mended(tmp_path: Path, damage: bytes) -> None:
    cache = BlobCache(tmp_path)
    cache.put(name_of(b"one"), b"one")
    cache.put_list("key", [1])
    for path in files_in(tmp_path):
        path.write_bytes(damage)

    assert cache.get(name_of(b"one")) is None
    assert cache.get_list("key") is None

    cache.put(name_of(b"one"), b"one")
    cache.put_list("key", [1])

    assert cache.get(name_of(b"one")) == b"one"
    assert cache.get_list("key") == [1]


def test_folder_that_cannot_be_written_is_a_miss(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = BlobCache(tmp_path / "file" / "cache")

    cache.put(name_of(b"one"), b"one")
    cache.put_list("key", [1])

    assert cache.get(name_of(b"one")) is None
    assert cache.get_list("key") is None


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
def test_folder_that_others_may_write_in_is_neither_read_nor_written(
    tmp_path: Path, mode: int
) -> None:
    folder = tmp_path / "cache"
    BlobCache(folder).put_list("key", ["planted"])
    folder.chmod(mode)
    before = files_in(folder)
    cache = BlobCache(folder)

    assert cache.get_list("key") is None
    cache.put_list("other", [1])

    assert cache.get_list("other") == [1]
    assert files_in(folder) == before


def test_folder_of_somebody_else_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BlobCache(tmp_path / "cache").put_list("key", ["planted"])
    monkeypatch.setattr("os.geteuid", lambda: 12345)

    assert BlobCache(tmp_path / "cache").get_list("key") is None


def test_link_to_a_folder_that_is_not_there_yet_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "cache"
    link.symlink_to(tmp_path / "elsewhere")

    BlobCache(link).put_list("key", [1])

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("text", [b"[" * 100_000, b"no JSON", b"\xff"])
def test_list_with_a_right_sum_that_cannot_be_read_is_a_miss(tmp_path: Path, text: bytes) -> None:
    cache = BlobCache(tmp_path)
    cache.put_list("key", [1])
    for path in files_in(tmp_path):
        path.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)

    assert cache.get_list("key") is None


def test_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _target: Path) -> Path:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", refuse)

    BlobCache(tmp_path).put(name_of(b"one"), b"one")

    assert files_in(tmp_path) == []


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    folder = tmp_path / "cache"

    BlobCache(folder).put(name_of(b"one"), b"one")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files_in(folder))


def test_oldest_goes_once_there_is_too_much(tmp_path: Path) -> None:
    blobs = [data for data in (b"%d" % i * 9 for i in range(5000)) if is_in_shard(data)][:8]
    for age, data in enumerate(blobs):
        BlobCache(tmp_path).put(name_of(data), data)
        for path in files_in(tmp_path):
            if path.name == name_of(data).value:
                os.utime(path, (age, age))
    assert BlobCache(tmp_path).get(name_of(blobs[0])) is not None  # it is the youngest now

    BlobCache(tmp_path, limit=512 * 100).put(name_of(blobs[-1]), blobs[-1])

    kept = [data for data in blobs if BlobCache(tmp_path).get(name_of(data)) is not None]
    assert blobs[0] in kept
    assert blobs[-1] in kept
    assert blobs[1] not in kept
    assert sum(map(len, kept)) <= 100


def is_in_shard(data: bytes) -> bool:
    return name_of(data).value.startswith("00")


def test_memory_is_bounded() -> None:
    cache = BlobCache(None, limit=100)
    blobs = [b"%03d" % number * 10 for number in range(20)]

    for data in blobs:
        cache.put(name_of(data), data)

    kept = [data for data in blobs if cache.get(name_of(data)) is not None]
    assert kept == blobs[-3:]


def test_many_threads_share_it(tmp_path: Path) -> None:
    blobs = [b"blob %d" % number * 50 for number in range(40)]
    missed: list[bytes] = []

    def work() -> None:
        cache = BlobCache(tmp_path)
        for data in blobs:
            cache.put(name_of(data), data)
            if cache.get(name_of(data)) != data:
                missed.append(data)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert missed == []
    assert len(files_in(tmp_path)) == len(blobs)


@pytest.mark.parametrize(
    "given, under",
    [("/var/cache/me", "/var/cache/me"), ("relative", "~/.cache"), ("", "~/.cache")],
)
def test_folder_is_where_caches_belong(
    monkeypatch: pytest.MonkeyPatch, given: str, under: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", given)

    assert default_folder() == Path(under).expanduser() / "digestbot"

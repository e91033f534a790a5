"""What was read once: git objects by their names, and lists made of them, on disk.

Both are immutable, so that nothing here ever gets old. It is a cache: whatever is wrong with
it, the run goes on as if it were empty.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from digestbot.forge.sha import ObjectSha

DEFAULT_LIMIT = 512 * 1024 * 1024
MEMORY_LIMIT = 64 * 1024 * 1024
MAX_ENTRY = 4 * 1024 * 1024
_BLOBS, _LISTS = "blobs", "lists"
_SHARDS = 512
_PRUNE_EVERY = 64


def default_folder() -> Path | None:
    """`$XDG_CACHE_HOME/digestbot`, or `~/.cache/digestbot`; None without a home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "digestbot"


class BlobCache:
    """Keeps bytes by the name of their blob, and JSON by a key; safe from threads and processes.

    Without a folder it keeps them in memory; so it does where others may write in the folder,
    since lists, unlike blobs, cannot be checked.
    """

    def __init__(self, folder: Path | None, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = folder if folder is not None and _is_ours(folder) else None
        self._limit = limit
        self._memory = _Memory(min(limit, MEMORY_LIMIT))
        self._lock = threading.Lock()
        self._writes = 0

    def get(self, sha: ObjectSha) -> bytes | None:
        """The bytes of a blob, checked against its name."""
        data = self._read(_BLOBS, sha.value)
        return data if data is not None and sha.names("blob", data) else None

    def put(self, sha: ObjectSha, data: bytes) -> None:
        """Keep the bytes of a blob, which the caller has checked."""
        self._write(_BLOBS, sha.value, data)

    def get_list(self, key: str) -> object:
        """The JSON that was kept under a key; None without one."""
        data = self._read(_LISTS, _hash(key.encode()))
        if data is None:
            return None
        # What a list says cannot be checked, so that its bytes are.
        seal, _, text = data.partition(b"\n")
        if seal.decode("ascii", "replace") != _hash(text):
            return None
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return value

    def put_list(self, key: str, value: object) -> None:
        """Keep some JSON under a key."""
        text = json.dumps(value, separators=(",", ":")).encode()
        self._write(_LISTS, _hash(key.encode()), _hash(text).encode() + b"\n" + text)

    def _read(self, kind: str, name: str) -> bytes | None:
        if self._folder is None:
            return self._memory.get(kind + name)
        path = self._shard(self._folder, kind, name) / name
        try:
            with path.open("rb") as file:
                data = file.read(MAX_ENTRY + 1)
        except OSError:
            return None
        with suppress(OSError):
            # The time of last use, by which the oldest are found.
            os.utime(path)
        return data if len(data) <= MAX_ENTRY else None

    def _write(self, kind: str, name: str, data: bytes) -> None:
        if len(data) > MAX_ENTRY:
            return
        if self._folder is None:
            self._memory.put(kind + name, data)
            return
        shard = self._shard(self._folder, kind, name)
        with suppress(OSError):
            _make_private(self._folder, shard)
            _write_at_once(shard / name, data)
            if self._is_time_to_prune():
                _prune(shard, self._limit // _SHARDS)

    def _shard(self, folder: Path, kind: str, name: str) -> Path:
        return folder / kind / name[:2]

    def _is_time_to_prune(self) -> bool:
        """At the first write, as most processes write little, and now and then."""
        with self._lock:
            self._writes += 1
            return self._writes % _PRUNE_EVERY == 1


class _Memory:
    """The same without a disk: the oldest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._lock = threading.Lock()
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    def put(self, key: str, data: bytes) -> None:
        with self._lock:
            self._size += len(data) - len(self._kept.pop(key, b""))
            self._kept[key] = data
            while self._size > self._limit:
                self._size -= len(self._kept.pop(next(iter(self._kept))))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_ours(folder: Path) -> bool:
    """Whether nobody else may write in it, or it is yet to be made."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return not folder.is_symlink()
    except OSError:
        return True
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o022


def _make_private(folder: Path, shard: Path) -> None:
    if not shard.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shard.mkdir(mode=0o700, parents=True, exist_ok=True)


def _write_at_once(path: Path, data: bytes) -> None:
    """Write a file that nobody ever sees half of.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _prune(shard: Path, limit: int) -> None:
    """Delete what was not used for the longest time; names are hashes, so shards are alike."""
    with os.scandir(shard) as entries:
        found = [(entry.stat(), entry.path) for entry in entries]
    found.sort(key=lambda one: one[0].st_mtime_ns)
    size = sum(one.st_size for one, _ in found)
    for one, path in found[:-1]:
        if size <= limit:
            return
        Path(path).unlink(missing_ok=True)
        size -= one.st_size

"""Takes JSON apart that must be what the API promises: nothing is guessed, nothing has no end."""

from __future__ import annotations

from digestbot.forge.github.reading import dig
from digestbot.forge.sha import CommitSha, ObjectSha


class UnexpectedError(ValueError):
    """GitHub's answer is not what its API promises."""


def need_text(data: object, *keys: str, limit: int = 1000) -> str:
    """The text under these keys, at most `limit` characters of it, safe to be encoded.

    Raises:
        UnexpectedError: There is none.
    """
    found = dig(data, *keys)
    if not isinstance(found, str):
        raise UnexpectedError(f"no text: {keys}")
    return found[:limit].encode("utf-8", "replace").decode()


def need_flag(data: object, *keys: str) -> bool:
    """The boolean under these keys.

    Raises:
        UnexpectedError: There is none.
    """
    found = dig(data, *keys)
    if not isinstance(found, bool):
        raise UnexpectedError(f"neither true nor false: {keys}")
    return found


def need_number(data: object, *keys: str) -> int:
    """The whole number under these keys, not negative.

    Raises:
        UnexpectedError: There is none.
    """
    found = dig(data, *keys)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise UnexpectedError(f"no number: {keys}")
    return found


def need_commit(data: object, *keys: str) -> CommitSha:
    """The name of a commit under these keys.

    Raises:
        ValueError: There is none.
    """
    return CommitSha.parse(need_text(data, *keys))


def need_object(data: object, *keys: str) -> ObjectSha:
    """The name of a git object under these keys.

    Raises:
        ValueError: There is none.
    """
    return ObjectSha.parse(need_text(data, *keys))


def need_list(data: object, *keys: str, limit: int) -> list[object]:
    """The elements under these keys, at most so many.

    Raises:
        UnexpectedError: There is no list.
    """
    found = dig(data, *keys)
    if not isinstance(found, list):
        raise UnexpectedError(f"no list: {keys}")
    return found[:limit]

"""Which versions of digestbot a configuration is written for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digestbot.config.names import check_text

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


def read_specifier(text: str) -> SpecifierSet:
    """The versions that `>=0.1,<2` allows (PEP 440).

    Raises:
        ValueError: The text is not a version specifier.
    """
    # Most configurations have no `requires`; they do not wait for packaging.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - see above

    try:
        return SpecifierSet(check_text(text))
    except InvalidSpecifier as error:
        raise ValueError("is not a version specifier (expected one such as '>=0.1,<2')") from error


def is_satisfied(text: str, version: str) -> bool:
    """Whether this version may run; a pre-release counts like any other.

    Raises:
        ValueError: The text is not a version specifier.
    """
    return read_specifier(text).contains(version, prereleases=True)

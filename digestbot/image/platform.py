"""A platform: operating system, architecture, variant; normalised as containerd does."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPONENT = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_SYSTEMS = {"macos": "darwin"}
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "i386": ("386", ""),
}
# The variant that needs no saying (containerd, platforms/database.go).
_IMPLIED = {("amd64", "v1"), ("arm64", "v8"), ("arm64", "8")}
_MIN_COMPONENTS, _MAX_COMPONENTS = 2, 3


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on, in normalised spelling; `os_version` matters for Windows only."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os/architecture[/variant]`, such as `linux/arm64` or `linux/arm/v7`.

        Raises:
            ValueError: The text has another shape.
        """
        parts = text.split("/")
        if not _MIN_COMPONENTS <= len(parts) <= _MAX_COMPONENTS or not all(
            map(_COMPONENT.fullmatch, parts)
        ):
            raise ValueError(f"{text!r} is not a platform (expected os/architecture[/variant])")
        return cls.normalized(*parts)

    @classmethod
    def normalized(
        cls, system: str, architecture: str, variant: str = "", os_version: str = ""
    ) -> Platform:
        """The platform in containerd's spelling: `aarch64` is `arm64`, `arm` is `arm/v7`."""
        system, architecture, variant = system.lower(), architecture.lower(), variant.lower()
        system = _SYSTEMS.get(system, system)
        architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
        variant = variant or implied
        if (architecture, variant) in _IMPLIED:
            variant = ""
        if architecture == "arm":
            variant = "v" + variant.removeprefix("v") if variant else "v7"
        return cls(system, architecture, variant, os_version)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

"""Fetches single files of packages from npm, at pinned versions and checked hashes.

    python tests/npm.py

GitHub's descriptions of its API, what looks at pages for barriers, and the two files that the
dashboard brings along, to compare. What is there already is left alone.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".venv" / "share" / "npm"


@dataclass(frozen=True)
class Wanted:
    """One file of a package; `digest` is the SHA-512 of its tarball as npm writes it."""

    package: str
    digest: str
    name: str

    @property
    def path(self) -> Path:
        """Where it is once it was fetched."""
        return FOLDER / Path(self.name).name


GITHUB_REST = Wanted(
    "@octokit/openapi@23.0.2",
    "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
    "generated/api.github.com.json",
)
GITHUB_GRAPHQL = Wanted(
    "@octokit/graphql-schema@15.26.1",
    "RFDC2MpRBd4AxSRvUeBIVeBU7ojN/SxDfALUd7iVYOSeEK3gZaqR2MGOysj4Zh2xj2RY5fQAUT+Oqq7hWTraMA==",
    "schema.graphql",
)
GITHUB_WEBHOOKS = Wanted(
    "@octokit/webhooks-schemas@7.6.1",
    "qW0Bwtb76r4m2WzVhKDyfEeEnt1GEQoRjkCqmq2ZeB0nNVDJ+Z2LBDS9FDPyduuMXf/ZTWiCJp9PFFHgRfBe3A==",
    "schema.json",
)
AXE = Wanted(
    "axe-core@4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    "axe.min.js",
)
HTMX = Wanted(
    "htmx.org@2.0.11",
    "Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
    "dist/htmx.min.js",
)
CHART = Wanted(
    "chart.js@4.6.1",
    "hJyniucsFmq//EvXYvJ6c6mahPoI3kaxdjVH8awTaJ/fDNWeSqqqArixMJWkWNN6fcYvPU3HneSANFNYtRi61g==",
    "dist/chart.umd.min.js",
)
ALL = (GITHUB_REST, GITHUB_GRAPHQL, GITHUB_WEBHOOKS, AXE, HTMX, CHART)


def fetch(wanted: Wanted) -> Path:
    """Where the file is; it is fetched where it is not there."""
    if wanted.path.exists():
        return wanted.path
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            ["npm", "pack", "--silent", wanted.package],
            cwd=scratch,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        tarball = next(Path(scratch).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if found != wanted.digest:
            raise SystemExit(f"{wanted.package}: its SHA-512 is {found}, not {wanted.digest}")
        content = _member(tarball, wanted)
    FOLDER.mkdir(parents=True, exist_ok=True)
    new = wanted.path.with_name(f"{wanted.path.name}.new")
    new.write_bytes(content)
    new.replace(wanted.path)
    return wanted.path


def _member(tarball: Path, wanted: Wanted) -> bytes:
    with tarfile.open(tarball) as archive:
        member = archive.extractfile(f"package/{wanted.name}")
        if member is None:
            raise SystemExit(f"{wanted.package}: there is no {wanted.name} in it")
        return member.read()


if __name__ == "__main__":
    for one in ALL:
        fetch(one)

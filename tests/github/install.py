"""Fetches GitHub's descriptions of its API from npm, at pinned versions and checked hashes.

    python tests/github/install.py

What is there already is left alone.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv" / "share" / "github"
# Package, SHA-512 of its tarball as npm writes it, the one file that is wanted.
WANTED = (
    (
        "@octokit/openapi@23.0.2",
        "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
        "generated/api.github.com.json",
    ),
    (
        "@octokit/graphql-schema@15.26.1",
        "RFDC2MpRBd4AxSRvUeBIVeBU7ojN/SxDfALUd7iVYOSeEK3gZaqR2MGOysj4Zh2xj2RY5fQAUT+Oqq7hWTraMA==",
        "schema.graphql",
    ),
)


def fetch(package: str, digest: str, name: str) -> None:
    """Put one file of a package into the folder."""
    target = FOLDER / Path(name).name
    if target.exists():
        return
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            ["npm", "pack", "--silent", package], cwd=scratch, check=True, stdout=subprocess.DEVNULL
        )
        tarball = next(Path(scratch).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if found != digest:
            raise SystemExit(f"{package}: its SHA-512 is {found}, not {digest}")
        with tarfile.open(tarball) as archive:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{package}: there is no {name} in it")
            content = member.read()
    FOLDER.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f"{target.name}.new")
    new.write_bytes(content)
    new.replace(target)


if __name__ == "__main__":
    for one in WANTED:
        fetch(*one)

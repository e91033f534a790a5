"""Fetches GitHub's descriptions of its API from npm, at pinned versions and checked hashes.

    python tests/github/install.py

What is there already is left alone.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv" / "share" / "github"
# Package, SHA-512 of its tarball, the one file that is wanted.
WANTED = (
    (
        "@octokit/openapi@23.0.2",
        "a55f0cecbf46636dc0c9b36f4e6a369f28e6a669edebedac444fedaabd192d07"
        "0f4b8967c3bbb979918d9b044d9010b70fb8195db171e401f32d455105718386",
        "generated/api.github.com.json",
    ),
    (
        "@octokit/graphql-schema@15.26.1",
        "4450c2d8ca5105de00c5246f51e04855e054ee88cdfd2c437c02d477b89560e4"
        "9e10ade065aa91d8c18ecac8f8661db18f6458e5f400513f8eaaaee1593ada30",
        "schema.graphql",
    ),
)


def fetch(package: str, digest: str, name: str) -> None:
    """Put one file of a package into the folder."""
    target = FOLDER / Path(name).name
    if target.exists():
        return
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["npm", "pack", "--silent", package], cwd=scratch, check=True)
        tarball = next(Path(scratch).glob("*.tgz"))
        found = hashlib.sha512(tarball.read_bytes()).hexdigest()
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

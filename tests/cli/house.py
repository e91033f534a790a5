"""A machine with secrets: canaries in every place a secret comes from, looked for elsewhere."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from digestbot.image import Digest
from tests.cli.github_cli import CommandLine, github_cli
from tests.cli.program import Outcome, digestbot, spawn
from tests.registries.fake import FakeRegistry
from tests.registries.tokens import basic_auth

PASSWORD = "canary-registry-7f3a-password"
GIT = Path("/usr/bin/git")


@dataclass
class House:
    """A machine with secrets, a GitHub and a registry; all that digestbot leaves is below `root`.

    `kept` is where secrets are meant to be; `more` is put into the configuration.
    """

    root: Path
    kept: Path
    cli: CommandLine
    registry: FakeRegistry
    secrets: list[str] = field(default_factory=list)
    more: str = ""

    def run(self, *arguments: str) -> Outcome:
        """`digestbot update ARGUMENTS` in this process."""
        return digestbot("update", *self._options, *arguments)

    def spawn(self, *arguments: str) -> Outcome:
        """The same in a process of its own, which finds a `git` that takes notes."""
        path = f"{recorder(self.root)}:/usr/local/bin:/usr/bin:/bin"
        temp = str(self.root / "temp")
        return spawn("update", *self._options, *arguments, cwd=self.root, PATH=path, TMPDIR=temp)

    @property
    def _options(self) -> tuple[str, ...]:
        return ("--config", str(self.root / "org.yaml"), "--max-wait", "0", "--timeout", "5")

    def leaks(self, outcome: Outcome) -> list[str]:
        """Where a secret is that should not be there."""
        places = {"stdout": outcome.stdout.encode(), "stderr": outcome.stderr.encode()}
        files = [path for path in self.root.rglob("*") if path.is_file()]
        places |= {str(path): path.read_bytes() for path in files if path.name != "environ"}
        places["names"] = "\n".join(map(str, files)).encode()
        places |= dict(self._environments())
        places |= dict(_on_the_forge(self.cli))
        places["asked"] = "\n".join(map(str, self.registry.calls())).encode()
        return [
            place for place, data in places.items() for one in self._forms() if one.encode() in data
        ]

    def _environments(self) -> Iterator[tuple[str, bytes]]:
        """What children got to know; those that speak with the host need to log in there."""
        for path in (self.root / "notes").glob("*/environ"):
            words = path.with_name("argv").read_text().split("\n")
            data = path.read_bytes()
            if {"fetch", "push", "ls-remote"} & set(words):
                data = b"\n".join(one for one in data.split(b"\0") if b"Authorization" not in one)
            yield f"environment of git {' '.join(words[:3])}", data

    def _forms(self) -> list[str]:
        """The secrets, as they are and as they are sent."""
        known = [*self.secrets, *self.cli.github.world.tokens]
        logins = [f"x-access-token:{one}" for one in known] + [f"robot:{PASSWORD}"]
        encoded = [base64.b64encode(one.encode()).decode() for one in logins]
        return [*known, *encoded, *(base64.b64encode(one.encode()).decode() for one in known)]


def _on_the_forge(cli: CommandLine) -> Iterator[tuple[str, bytes]]:
    """All that others can see: branches, commits, files, titles, bodies, comments, paths."""
    github = cli.github
    yield "requests", "\n".join(map(str, github.requests)).encode()
    for repo in github.world.repos.values():
        for words in (
            ("log", "--all", "--format=%D %an %ae %cn %ce %B"),
            ("cat-file", "--batch-all-objects", "--batch"),
        ):
            command = [str(GIT), "-C", str(repo.git.folder), *words]
            done = subprocess.run(command, capture_output=True, check=True)
            yield f"{repo.full_name} {words[0]}", done.stdout
        for pull in repo.pulls:
            texts = [pull.title, pull.body or "", *(one.body for one in pull.comments)]
            yield f"{repo.full_name}#{pull.number}", "\n".join(texts).encode()


def recorder(root: Path) -> Path:
    """A folder with a `git` that notes its words, its surroundings and its temporary files."""
    program, notes = root / "bin" / "git", root / "notes"
    for folder in (program.parent, notes, root / "temp"):
        folder.mkdir(exist_ok=True)
    program.write_text(
        "#!/bin/sh\n"
        f'note=$(mktemp -d "{notes}/XXXXXX")\n'
        'cat /proc/$$/environ > "$note/environ"\n'
        'printf "%s\\n" "$@" > "$note/argv"\n'
        f'GIT_TRACE="$note/trace" {GIT} "$@"\n'
        "status=$?\n"
        f'cp -r "{root}/temp" "$note/temp"\n'
        "exit $status\n"
    )
    program.chmod(0o755)
    return program.parent


@contextmanager
def open_house(root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A stale repo whose image is on a registry that wants a password."""
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("REGISTRY_PASSWORD", PASSWORD)
    monkeypatch.setattr(tempfile, "tempdir", str(root))
    with FakeRegistry() as registry, github_cli(root, monkeypatch) as cli:
        registry.local.add("team/app", "1")
        basic_auth(registry.local, {"robot": PASSWORD}, 'Basic realm="team"')
        stale = f"FROM {registry.host}/team/app:1@{Digest.of(b'old')}\n"
        cli.github.add_repo("acme/app", {"Dockerfile": stale})
        made = House(root, kept, cli, registry, [PASSWORD])
        configure(made)
        yield made


def configure(house: House, github: str = "", url: str = "") -> None:
    """The configuration: who logs in where; secrets are in the environment and in `kept`."""
    login = "{username: robot, password_env: REGISTRY_PASSWORD}"
    registries = f'registries:\n  "{house.registry.host}": {login}\n'
    house.cli.configure(f"{house.more}{registries}", github, url)


def use_app(house: House, monkeypatch: pytest.MonkeyPatch, *, is_known: bool = True) -> None:
    """Speak as a GitHub App; one whose key GitHub does not know, if so."""
    monkeypatch.delenv("GITHUB_TOKEN")
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(2)]
    pem = keys[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    known = keys[0 if is_known else 1].public_key()
    public = known.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    app = house.cli.github.app(public.decode())
    (house.kept / "app.pem").write_text(pem)
    house.secrets += [*pem.splitlines()[1:-1], "eyJhbGciOi"]  # Every JWT begins so.
    configure(house, f'  app_id: "{app.id}"\n  app_key_file: {house.kept}/app.pem\n')


def revoked(house: House) -> None:
    for token in house.cli.github.world.tokens.values():
        house.cli.github.revoke(token)


def wrong_password(house: House) -> None:
    basic_auth(house.registry.local, {"robot": "another"}, 'Basic realm="team"')

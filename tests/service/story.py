"""The service's whole story, told as it happens: a fleet, a registry, a tag that moves.

    python -m tests.service.story [REPOS]

`digestbot serve` is a process of its own; the registry is Debian's docker-registry, the forge
the test GitHub. Cycles begin each minute, and whenever something held back may be proposed; a
test that has no minute restarts the service, which begins with a cycle.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from digestbot.image import Digest
from tests.github.server import GitHubServer
from tests.registries.real import RealRegistry, open_registry
from tests.registries.samples import make_index

ROOT = Path(__file__).parents[2]
IMAGES = 5
PATIENCE_S = 150.0
CONFIG = """\
targets: [github:acme]
github: {{url: '{url}', rate_limits: false}}
state: {{folder: state}}
service: {{cron: ['{cron}'], jitter: 0s, listen: '127.0.0.1:{port}'}}
hold: {{settle: {settle}}}
deny: ['{denied}']
hooks: {hooks}
"""
HOOK = "{{name: registry, kind: distribution, secret_env: HOOK_SECRET, registry: '{host}'}}"
HOOK_SECRET = "a secret of thirty-two characters"


@dataclass
class Story:
    """A service at work on its fleet; `say` is given each sentence of what happens."""

    folder: Path
    github: GitHubServer
    registry: RealRegistry
    repos: int = 200
    say: Callable[[str], object] = print
    process: subprocess.Popen[str] | None = None
    settle_s: int = 10
    has_time: bool = True
    has_hook: bool = False
    cron: str = "* * * * *"
    port: int = 0
    started: float = field(default_factory=time.monotonic)

    def populate(self) -> list[Digest]:
        """Push the base images, and add repos that pin one of them each."""
        digests = [
            self.registry.push(f"team/base{number}", "1", make_index(f"first {number}"))
            for number in range(IMAGES)
        ]
        for number in range(self.repos):
            image = number % IMAGES
            text = f"FROM {self.registry.host}/team/base{image}:1@{digests[image]}\n"
            self.github.add_repo(f"acme/app{number:04}", {"Dockerfile": f"# {number}\n{text}"})
        self.tell(f"{self.repos} repos pin {IMAGES} images of {self.registry.host}")
        return digests

    def configure(self, denied: Digest) -> Path:
        """Write the configuration of the service."""
        path = self.folder / "digestbot.yaml"
        path.write_text(
            CONFIG.format(
                url=self.github.url,
                settle=f"{self.settle_s}s",
                denied=denied,
                port=self.port,
                cron=self.cron,
                hooks=f"[{HOOK.format(host=self.registry.host) if self.has_hook else ''}]",
            )
        )
        return path

    def digestbot(self, *words: str) -> list[str]:
        """A command line."""
        config = str(self.folder / "digestbot.yaml")
        return [sys.executable, "-m", "digestbot", *words, "--config", config]

    @property
    def environment(self) -> dict[str, str]:
        """What its processes have."""
        return os.environ | {
            "GITHUB_TOKEN": self.github.token().value,
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            "HOOK_SECRET": HOOK_SECRET,
        }

    def start(self) -> None:
        """Start the service; its log goes to a file."""
        known = len(self.events("service.started"))
        with (self.folder / "log.jsonl").open("a") as log:
            self.process = subprocess.Popen(
                self.digestbot("serve"), env=self.environment, stderr=log, text=True
            )
        self.wait_for(
            "the service to be started", lambda: len(self.events("service.started")) > known
        )
        address = self.events("service.started")[-1]["address"]
        self.port = int(str(address).rpartition(":")[2])

    def stop(self) -> int:
        """Ask it to end, and wait until it has."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def events(self, name: str) -> list[dict[str, object]]:
        """The lines of its log about this event."""
        log = self.folder / "log.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        parsed = [json.loads(line) for line in lines if line.endswith("}")]
        return [line for line in parsed if line["event"] == name]

    def cycles(self) -> list[dict[str, object]]:
        """The cycles that came to their end."""
        return [line for line in self.events("cycle.finished") if line["state"] == "done"]

    def next_cycle(self) -> int:
        """Have the service begin a cycle, if only by waiting for the minute.

        What was asked before is forgotten, also what a service asked that was restarted for it.

        Returns:
            How many cycles had come to their end before.
        """
        if not self.has_time:
            assert self.stop() == 0
        before = len(self.cycles())
        self.registry.start_log()
        self.github.restart_log()
        if not self.has_time:
            self.start()
        return before

    def open_pulls(self) -> int:
        """How many pull requests are open."""
        names = [f"acme/app{number:04}" for number in range(self.repos)]
        return sum(len(self.github.pulls(name, "open")) for name in names)

    def get(self, path: str) -> tuple[int, str]:
        """What the service answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def status(self) -> str:
        """What `digestbot status` prints."""
        done = subprocess.run(
            self.digestbot("status"),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def wait_for(self, what: str, is_so: Callable[[], bool]) -> float:
        """Wait until something is so; the seconds that took."""
        begun = time.monotonic()
        while not is_so():
            assert time.monotonic() - begun < PATIENCE_S, f"waited in vain for {what}"
            if self.process is not None:
                assert self.process.poll() is None, (self.folder / "log.jsonl").read_text()
            time.sleep(0.1)
        return time.monotonic() - begun

    def tell(self, text: str) -> None:
        self.say(f"[{time.monotonic() - self.started:6.1f} s] {text}")


def tell(story: Story) -> None:
    """All of it, from the first cycle to the end of the service."""
    digests = story.populate()
    story.configure(denied=digests[1])
    story.registry.start_log()
    story.start()
    story.tell("digestbot serve is started")
    story.wait_for("the first cycle", lambda: bool(story.cycles()))
    first = story.cycles()[0]
    story.tell(f"first cycle: {_counts(first)}; {_asked(story.registry)}")
    assert story.open_pulls() == 0

    moved = story.registry.push("team/base0", "1", make_index("second 0"))
    pushed = time.monotonic()
    story.tell(f"team/base0:1 is pushed: {digests[0].short} → {moved.short}")
    story.next_cycle()
    story.wait_for("the move", lambda: bool(story.events("image.moved")))
    (seen,) = story.events("image.moved")
    story.tell(f"the next cycle sees it: image {seen['image']}, offer {seen['offer']}")
    assert story.open_pulls() == 0
    wanted = len(range(0, story.repos, IMAGES))
    story.wait_for("pull requests", lambda: story.open_pulls() == wanted)
    story.tell(f"{wanted} pull requests, {time.monotonic() - pushed:.1f} s after the push")

    while not _is_calm(story):
        before = story.next_cycle()
        story.wait_for("peace", partial(_has_more, story, before))
    for _ in range(5):
        before = story.next_cycle()
        story.wait_for("a cycle", partial(_has_more, story, before))
        # What was held may have the service wake at the same time: then there are two of them.
        if len(story.cycles()) == before + 1:
            break
    story.tell(
        f"a cycle when nothing moved: {len(story.github.requests)} requests to GitHub, "
        f"{_asked(story.registry)}"
    )
    code, ready = story.get("/readyz")
    story.tell(f"/readyz: {code} {ready}")
    assert code == 200
    story.tell(f"digestbot status:\n{story.status()}")
    code = story.stop()
    story.tell(f"SIGTERM: it ended with exit code {code}")
    assert code == 0


def _counts(line: dict[str, object]) -> str:
    known = {"timestamp", "level", "event", "logger", "run_id"}
    return ", ".join(f"{key} {value}" for key, value in line.items() if key not in known)


def _asked(registry: RealRegistry) -> str:
    calls = registry.calls()
    heads = sum(call.startswith("HEAD") for call in calls)
    return f"{heads} HEAD and {len(calls) - heads} other requests to the registry"


def _is_calm(story: Story) -> bool:
    last = story.cycles()[-1]
    return last.get("updated") is None


def _has_more(story: Story, before: int) -> bool:
    return len(story.cycles()) > before


@contextmanager
def story(folder: Path, repos: int, say: Callable[[str], object]) -> Iterator[Story]:
    """A story's world, until the end of the `with`; the service is ended, too."""
    with GitHubServer() as github, open_registry(folder / "registry") as registry:
        github.limits.is_enforced = False
        told = Story(folder, github, registry, repos, say)
        try:
            yield told
        finally:
            if told.process is not None and told.process.poll() is None:
                told.process.kill()
                told.process.wait()


def main() -> None:
    repos = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name, story(Path(name), repos, print) as told:
        tell(told)


if __name__ == "__main__":
    main()

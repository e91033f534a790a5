"""From a push to a pull request, by the registry's own notification."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path

from digestbot.service.cycle import HINT
from digestbot.store import runs
from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.github.server import GitHubServer
from tests.registries.real import notifying_registry
from tests.registries.samples import make_index
from tests.service.story import HOOK_SECRET, IMAGES, Story


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_what_is_pushed_is_proposed_within_seconds_by_the_notification(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks/registry"
    said: list[str] = []
    with (
        GitHubServer() as github,
        notifying_registry(tmp_path / "registry", url, HOOK_SECRET) as registry,
    ):
        github.limits.is_enforced = False
        story = Story(tmp_path, github, registry, 10, said.append, settle_s=0, port=port)
        # Nothing but the hook begins anything.
        story.has_hook, story.cron = True, "0 0 29 2 *"
        digests = story.populate()
        story.configure(denied=digests[1])
        story.start()
        try:
            story.wait_for("the first cycle", lambda: bool(story.cycles()))
            # What was pushed before anybody listened is heard now.
            story.wait_for("old news", lambda: bool(story.events("hook.received")))
            moved = registry.push("team/base0", "1", make_index("second"))
            pushed = time.monotonic()
            story.wait_for("pull requests", lambda: story.open_pulls() == 10 // IMAGES)
            took = time.monotonic() - pushed
        finally:
            assert story.stop() == 0

        (pull,) = github.pulls("acme/app0000", "open")
        assert moved.short in pull.title
    # No list of all repos was waited for.
    with (
        closing(Database.open(Location(tmp_path / "state"))) as database,
        database.reading() as connection,
    ):
        (opened,) = [run for run in runs.latest(connection) if "proposals_opened" in run.counts]
    assert opened.kind == HINT
    assert "listed" not in opened.counts
    print(f"{took:.1f} s from the push to the pull request")

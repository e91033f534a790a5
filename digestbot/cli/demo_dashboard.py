"""The dashboard of `digestbot demo rollout --dashboard`: a rollout that goes on while one looks."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import click

from digestbot.cli import dashboard
from digestbot.cli.demo_stage import Stage
from digestbot.cli.stopping import stopping
from digestbot.service import endpoint
from digestbot.service.jobs import Job

HOST: Final = "127.0.0.1"
_MERGED_AFTER: Final = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Takes the jobs that somebody asks for on a page: each is a look at everything."""

    asked: threading.Event = field(default_factory=threading.Event)

    def submit(self, job: Job, at: datetime | None = None) -> None:
        """See `Engine.submit`."""
        self.asked.set()

    def stop(self, timeout_s: float) -> bool:
        """See `Engine.stop`."""
        return True


def show(stage: Stage, token: str) -> None:
    """Serve the pages until Ctrl-C, while a minute of the demo passes each second."""
    wishes, served = Wishes(), stage.served
    started = stage.clock.now()
    pages = dashboard.routes_of(served, os.environ, HOST, lambda: (), started, wishes)
    app = endpoint.make_app(lambda: (), lambda _accept: (b"", "text/plain"), pages)
    with stopping(lambda _text: None) as stop, endpoint.serving(app, HOST, 0) as port:
        click.echo(f"The dashboard: http://{HOST}:{port}/rollouts")
        click.echo(f"To act there, sign in at /login with the token {token}")
        click.echo("A minute passes each second, and people merge what is green.")
        click.echo("Ctrl-C ends it.")
        while not stop.wait(1):
            if wishes.asked.is_set():
                wishes.asked.clear()
                stage.look()
            stage.merge(_MERGED_AFTER)
            stage.drive(1)

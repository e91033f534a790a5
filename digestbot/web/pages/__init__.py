"""The pages, in the order in which they are offered."""

from __future__ import annotations

from typing import Any

from digestbot.web.page import Page
from digestbot.web.pages import (
    about,
    image,
    images,
    overview,
    repo,
    repos,
    rollout,
    rollout_end,
    rollouts,
    run,
    runs,
    settings,
)

PAGES: dict[str, Page[Any, Any]] = {
    page.name: page
    for page in (
        overview.PAGE,
        images.PAGE,
        image.PAGE,
        repos.PAGE,
        repo.PAGE,
        rollouts.PAGE,
        rollout.PAGE,
        rollout_end.PAGE,
        runs.PAGE,
        run.PAGE,
        settings.PAGE,
        about.PAGE,
    )
}
MENU = ("overview", "images", "repos", "rollouts", "runs", "settings", "about")
"""Those that every page links to."""

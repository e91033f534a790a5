"""Takes pictures of every page, to be looked at.

    python -m tests.web.screenshots FOLDER [PART-OF-A-NAME]

One for each page, fleet, size of window and scheme: `repos-small-phone-dark.png`, the whole page
of it; and for each that complains, a line.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.web.asking import TOKENS
from tests.web.axe import barriers
from tests.web.browser import SCHEMES, SIZES, Scheme, chromium, site_of, visiting
from tests.web.fleets import FLEETS, service_on
from tests.web.places import paths_on

# Chromium draws no page that is higher.
_HIGHEST = 8_000
_FAULTS = {"not-found": "/nothing/is/here", "asked-wrong": "/repos?page=x"}


def take(browser: Browser, site: str, path: str, target: Path, size: str, scheme: Scheme) -> None:
    """One picture; what the page complains about is printed."""
    try:
        with visiting(
            browser,
            site,
            size=SIZES[size],
            scheme=scheme,
            token=TOKENS["operator"],
            expected=["status of 404", "status of 400"],
        ) as page:
            page.goto(path)
            height = page.evaluate("document.documentElement.scrollHeight")
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > SIZES[size]["width"]:
                print(f"{target.name}: is {width} px wide")
            wanted = max(SIZES[size]["height"], min(height, _HIGHEST))
            page.set_viewport_size({"width": SIZES[size]["width"], "height": wanted})
            page.screenshot(path=target)
            for one in barriers(page):
                print(f"{target.name}: {one}")
    except AssertionError as error:
        print(f"{target.name}: {error}")


def take_all(browser: Browser, fleet: str, folder: Path, part: str) -> None:
    """All pictures of one fleet."""
    with (
        tempfile.TemporaryDirectory() as state,
        closing(Database.open(Location(Path(state)))) as database,
        site_of(service_on(database)) as site,
    ):
        FLEETS[fleet](database)
        pages = paths_on(database) | _FAULTS
        for (name, path), size, scheme in product(pages.items(), SIZES, SCHEMES):
            file = f"{name}-{fleet}-{size}-{scheme}.png"
            if part in file:
                take(browser, site, path, folder / file, size, scheme)


def main() -> None:
    """All of them."""
    folder, part = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for fleet in FLEETS:
            take_all(browser, fleet, folder, part)


if __name__ == "__main__":
    main()

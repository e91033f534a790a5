"""The main paths through the dashboard by click and by key, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from digestbot.store.database import Database
from digestbot.store.location import Location
from tests.service.state import NOW
from tests.web.asking import TOKENS
from tests.web.axe import barriers
from tests.web.browser import PHONE, chromium, site_of, visiting
from tests.web.fleets import FLEETS, Jobs, service_on
from tests.web.places import paths_on
from tests.web.rows import DAY, HOUR, Rows

both = pytest.mark.parametrize(
    "scripts", [pytest.param(True, id="scripts"), pytest.param(False, id="no-scripts")]
)
# What browsers say of answers that are meant.
REFUSED = "status of 403"
NOT_FOUND = "status of 404"


@dataclass(frozen=True)
class Site:
    """The dashboard on a fleet."""

    address: str
    database: Database

    @property
    def paths(self) -> dict[str, str]:
        return paths_on(self.database)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """One for each fleet that is small; nobody changes anything in them."""
    with ExitStack() as stack:
        found = {}
        for name in ("empty", "small"):
            location = Location(tmp_path_factory.mktemp(name) / "state")
            database = stack.enter_context(closing(Database.open(location)))
            FLEETS[name](database)
            found[name] = Site(stack.enter_context(site_of(service_on(database))), database)
        yield found


@pytest.fixture
def small(sites: dict[str, Site]) -> Site:
    return sites["small"]


def rows_of(page: Page) -> list[str]:
    """The first cells of the table that filters change."""
    return page.locator("#found tbody th").all_inner_texts()


@both
def test_from_a_list_one_comes_to_a_repo_and_to_the_very_line(
    browser: Browser, small: Site, scripts: bool
) -> None:
    with visiting(browser, small.address, scripts=scripts, token=TOKENS["reader"]) as page:
        page.goto("/repos")
        page.get_by_role("link", name="acme/shop", exact=True).click()

        expect(page.get_by_role("heading", level=1)).to_have_text("acme/shop")
        line = page.get_by_role("link", name="web/Dockerfile:12")
        expect(line).to_have_attribute(
            "href",
            re.compile(r"https://github\.com/acme/shop/blob/[0-9a-f]{40}/web/Dockerfile#L12"),
        )


@both
def test_filters_stand_in_the_address(browser: Browser, small: Site, scripts: bool) -> None:
    with visiting(browser, small.address, scripts=scripts, token=TOKENS["reader"]) as page:
        page.goto("/repos")
        page.get_by_label("State").select_option("stale")
        if not scripts:
            page.get_by_role("button", name="Show").click()

        expect(page).to_have_url(re.compile(r"[?&]status=stale\b"))
        expect(page.locator("#found")).not_to_contain_text("acme/api")
        found = rows_of(page)
        page.reload()

        assert rows_of(page) == found != []
        expect(page.get_by_label("State")).to_have_value("stale")


@both
def test_a_filter_is_taken_back_by_going_back(browser: Browser, small: Site, scripts: bool) -> None:
    with visiting(browser, small.address, scripts=scripts, token=TOKENS["reader"]) as page:
        page.goto("/repos")
        everything = rows_of(page)
        page.get_by_label("State").select_option("stale")
        if not scripts:
            page.get_by_role("button", name="Show").click()
        expect(page.locator("#found")).not_to_contain_text("acme/api")

        page.go_back()

        expect(page.locator("#found")).to_contain_text("acme/api")
        assert rows_of(page) == everything


def test_what_is_typed_is_searched_while_it_is_typed(browser: Browser, small: Site) -> None:
    with visiting(browser, small.address, token=TOKENS["reader"]) as page:
        page.goto("/repos")
        page.get_by_role("searchbox", name="Name").press_sequentially("mono")

        expect(page.locator("#found tbody tr")).to_have_count(1)
        expect(page).to_have_url(re.compile(r"[?&]q=mono\b"))
        expect(page.get_by_role("searchbox", name="Name")).to_be_focused()


@both
def test_long_tables_have_pages(browser: Browser, small: Site, scripts: bool) -> None:
    with visiting(browser, small.address, scripts=scripts, token=TOKENS["reader"]) as page:
        page.goto("/runs?live=false")
        first = rows_of(page)
        page.get_by_role("link", name="Next").first.click()

        expect(page).to_have_url(re.compile(r"[?&]page=2\b"))
        second = rows_of(page)
        page.get_by_role("link", name="Previous").first.click()

        expect(page).not_to_have_url(re.compile(r"page=2"))
        assert rows_of(page) == first
        assert len(first) == 50
        assert 0 < len(second) <= 10


@both
def test_somebody_signs_in_and_out(browser: Browser, small: Site, scripts: bool) -> None:
    with visiting(browser, small.address, scripts=scripts, expected=[REFUSED]) as page:
        page.goto("/repos?status=stale")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.get_by_label("Your token").fill("x" * 30)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("nobody's token")

        page.get_by_label("Your token").fill(TOKENS["operator"])
        page.get_by_role("button", name="Sign in").click()

        expect(page).to_have_url(re.compile(r"/repos\?status=stale$"))
        expect(page.get_by_role("banner")).to_contain_text("operator")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto("/repos")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_keys_alone_lead_past_the_menu_to_filters_and_to_a_repo(
    browser: Browser, small: Site
) -> None:
    with visiting(browser, small.address, token=TOKENS["reader"]) as page:
        page.goto("/repos")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("searchbox", name="Name")).to_be_focused()
        page.keyboard.type("shop")
        page.keyboard.press("Enter")
        expect(page.locator("#found tbody tr")).to_have_count(1)
        link = page.get_by_role("link", name="acme/shop", exact=True)

        assert tab_to(page, "acme/shop")
        expect(link).to_be_focused()
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1)).to_have_text("acme/shop")


def tab_to(page: Page, text: str, most: int = 40) -> bool:
    """Press Tab until what has the focus says this; whatever has it on the way shows that."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(_HAS_VISIBLE_FOCUS), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("document.activeElement.textContent").strip() == text:
            return True
    return False


_HAS_VISIBLE_FOCUS = """() => {
    const style = getComputedStyle(document.activeElement);
    return document.activeElement !== document.body
        && (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
            || style.boxShadow !== 'none');
}"""


@pytest.mark.parametrize("fleet", ["empty", "small"])
def test_no_page_keeps_anybody_out(browser: Browser, sites: dict[str, Site], fleet: str) -> None:
    found, site, token = {}, sites[fleet], TOKENS["operator"]
    with visiting(browser, site.address, token=token, expected=[NOT_FOUND]) as page:
        for name, path in {**site.paths, "not-found": "/nothing"}.items():
            page.emulate_media(color_scheme="light")
            page.goto(path)
            in_light = barriers(page)
            page.emulate_media(color_scheme="dark")
            found[name] = in_light + barriers(page, "color-contrast")

    assert {name: told for name, told in found.items() if told} == {}


def test_nobody_who_signs_in_is_kept_out(browser: Browser, small: Site) -> None:
    with visiting(browser, small.address) as page:
        page.goto("/login")

        assert barriers(page) == []


@pytest.mark.parametrize("fleet", ["empty", "small"])
@both
def test_every_page_fits_a_phone(
    browser: Browser, sites: dict[str, Site], fleet: str, scripts: bool
) -> None:
    site, wide = sites[fleet], {}
    with visiting(
        browser, site.address, size=PHONE, scripts=scripts, token=TOKENS["operator"]
    ) as page:
        for name, path in site.paths.items():
            page.goto(path)
            wide[name] = page.evaluate("document.documentElement.scrollWidth")
            assert page.get_by_role("heading", level=1).count() == 1

    assert {name: width for name, width in wide.items() if width > PHONE["width"]} == {}


@both
def test_what_repos_are_called_is_shown_and_never_obeyed(
    browser: Browser, small: Site, scripts: bool
) -> None:
    with visiting(browser, small.address, scripts=scripts, token=TOKENS["reader"]) as page:
        page.goto(small.paths["repo-hostile"])

        expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
        assert page.locator("main script, main img[onerror]").count() == 0
        assert "\u202e" not in page.content()
        assert page.locator("a[href^='javascript:']").count() == 0


@both
def test_from_what_needs_attention_one_comes_to_an_image_and_to_the_line_that_names_it(
    browser: Browser, small: Site, scripts: bool
) -> None:
    with visiting(browser, small.address, scripts=scripts, token=TOKENS["reader"]) as page:
        page.goto("/")
        needs = page.get_by_role("listitem").filter(has_text="quay.io:")
        needs.get_by_role("link", name="See the images").click()
        expect(page).to_have_url(re.compile(r"/images\?.*state=failing"))
        page.get_by_role("link", name="quay.io/prometheus/prometheus:v3").click()
        expect(page.get_by_role("heading", name="The registry gives no answer")).to_be_visible()
        page.get_by_role("main").get_by_role("link", name=re.compile("^1 repo")).click()
        page.get_by_role("link", name="acme/ml", exact=True).click()

        expect(page.get_by_role("link", name="Dockerfile:1", exact=True)).to_have_attribute(
            "href", re.compile(r"https://github\.com/acme/ml/blob/[0-9a-f]{40}/Dockerfile#L1")
        )


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[tuple[str, Jobs]]:
    """A dashboard of its own in which things are asked for."""
    jobs = Jobs()
    with (
        closing(Database.open(Location(tmp_path / "state"))) as database,
        site_of(service_on(database, jobs)) as address,
    ):
        FLEETS["small"](database)
        yield address, jobs


def sign_in(page: Page, who: str) -> None:
    page.goto("/login")
    page.get_by_label("Your token").fill(TOKENS[who])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("banner")).to_contain_text(who)


@both
def test_an_operator_has_a_repo_looked_at(
    browser: Browser, acting: tuple[str, Jobs], scripts: bool
) -> None:
    address, jobs = acting
    with visiting(browser, address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.goto("/repos")
        page.get_by_role("link", name="acme/shop", exact=True).click()
        page.get_by_role("button", name="Scan now").click()

        expect(page.get_by_role("status").first).to_contain_text("looked at as soon as")
        expect(page.get_by_role("heading", level=1)).to_have_text("acme/shop")
    assert len(jobs.submitted) == 1


@both
def test_an_operator_ignores_an_image_and_takes_that_back(
    browser: Browser, acting: tuple[str, Jobs], scripts: bool
) -> None:
    address, _ = acting
    with visiting(browser, address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.goto("/images")
        page.get_by_role("link", name="docker.io/library/nginx:1.27").click()
        page.get_by_text("Ignore it for a while").click()
        page.get_by_label("Until").fill("2026-12-24")
        page.get_by_label("Why").fill("frozen until <b>the feast</b>")
        page.get_by_role("button", name="Ignore until then").click()
        expect(page.get_by_role("status").first).to_contain_text("left alone through that day")
        expect(page.get_by_role("main")).to_contain_text("frozen until <b>the feast</b>")

        page.get_by_role("button", name="Take back").click()

        expect(page.get_by_role("status").first).to_contain_text("looked after again")
        expect(page.get_by_role("main")).not_to_contain_text("the feast")


def test_a_reader_is_offered_nothing_to_do(browser: Browser, small: Site) -> None:
    with visiting(browser, small.address) as page:
        sign_in(page, "reader")
        for path in small.paths.values():
            page.goto(path)
            assert page.locator("form[method=post]").count() == 1  # the one to sign out


def test_the_plots_of_the_first_cycle_are_about_its_day(browser: Browser, tmp_path: Path) -> None:
    with closing(Database.open(Location(tmp_path / "state"))) as database:
        rows = Rows(NOW)
        rows.repo("acme/a")
        rows.tally(HOUR, {"current": 7, "stale": 2, "held": 1, "failed": 0, "unpinned": 0}, DAY)
        rows.write(database)
        service = service_on(database)
        with site_of(service) as site, visiting(browser, site, token=TOKENS["reader"]) as page:
            page.goto("/")
            page.locator("figure canvas").first.wait_for()

            edges = page.evaluate(
                "() => Object.values(Chart.instances).slice(0, 2)"
                ".map(({scales: {x}}) => (x.max - x.min) / 3600000)"
            )

    assert edges == [24, 24]

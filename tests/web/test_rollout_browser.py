"""Whoever is on call looks at a rollout and has it do something, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from digestbot.rollout.machine import State, Verb
from digestbot.rollout.progress import Target, TargetState
from digestbot.service.rollouts.telling import Told, tell
from digestbot.store import acts, rollouts
from digestbot.store.database import Database
from digestbot.store.location import Location
from digestbot.store.rollouts import Rollout
from tests.service.state import NOW
from tests.web.asking import TOKENS
from tests.web.axe import barriers
from tests.web.browser import PHONE, chromium, site_of, visiting
from tests.web.fleets import FLEETS, Registry, service_on
from tests.web.places import paths_on

both = pytest.mark.parametrize(
    "scripts", [pytest.param(True, id="scripts"), pytest.param(False, id="no-scripts")]
)


@dataclass(frozen=True)
class Site:
    """The dashboard on the small fleet; `paths` are those of its rollouts."""

    address: str
    database: Database
    paths: dict[str, str]
    registry: Registry

    def rollout(self, page: str = "rollout") -> Rollout:
        with self.database.reading() as connection:
            found = rollouts.get(connection, self.paths[page].split("/")[2])
        assert found is not None
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    registry = Registry()
    with (
        closing(Database.open(Location(tmp_path / "state"))) as database,
        site_of(service_on(database, registry=registry)) as address,
    ):
        FLEETS["small"](database)
        paths = {name: path for name, path in paths_on(database).items() if "rollout" in name}
        yield Site(address, database, paths, registry)


def sign_in(page: Page, who: str) -> None:
    page.goto("/login")
    page.get_by_label("Your token").fill(TOKENS[who])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("banner")).to_contain_text(who)


def said(page: Page, text: str) -> None:
    expect(page.locator(".said")).to_contain_text(text)


@both
def test_an_operator_pauses_and_resumes_a_rollout(
    browser: Browser, site: Site, scripts: bool
) -> None:
    with visiting(browser, site.address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.get_by_role("link", name="Rollouts").click()
        page.get_by_role("link", name="docker.io/library/python:3.12-slim").click()
        page.get_by_label("Why").fill("CI is <b>down</b>")
        page.get_by_role("button", name="Pause").click()

        said(page, "It is paused")
        now = page.locator("section.notice").first
        expect(now).to_contain_text("CI is <b>down</b>")
        expect(page.get_by_role("button", name="Pause")).to_have_count(0)
        assert site.rollout().standing.state is State.PAUSED
        page.get_by_role("button", name="Resume").click()

        said(page, "It goes on")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert site.rollout().standing.state is State.RUNNING
    pause = site.rollout().events[-2]
    assert (pause.verb, pause.by, pause.reason) == (Verb.PAUSE, "operator", "CI is <b>down</b>")
    with site.database.reading() as connection:
        told = [(act.who, act.what, act.subject) for act in acts.newest(connection)]
    name = site.rollout().id
    assert told == [("operator", "rollout-resume", name), ("operator", "rollout-pause", name)]


@both
def test_a_rollout_is_ended_only_after_it_was_asked_about_and_with_a_reason(
    browser: Browser, site: Site, scripts: bool
) -> None:
    with visiting(browser, site.address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.goto(site.paths["rollout"])
        page.get_by_role("link", name="Abort").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Abort the rollout of")
        effects = page.get_by_role("region", name="What happens then")
        expect(effects).to_contain_text("keep it: 12")
        page.get_by_role("button", name="Abort it").click()
        # Browsers do not send the form without one.
        assert page.url.endswith("/abort")
        page.get_by_role("link", name="No, leave it").click()
        assert site.rollout().standing.state is State.RUNNING

        page.goto(site.paths["rollout_end"])
        page.get_by_label("Why").fill("the fix is wrong")
        page.get_by_role("button", name="Abort it").click()

        said(page, "It is ended")
        expect(page.get_by_role("link", name="Abort")).to_have_count(0)
        expect(page.get_by_role("heading", name=re.compile("aborted"))).to_be_visible()
    event = site.rollout().events[-1]
    assert (event.verb, event.by, event.reason) == (Verb.ABORT, "operator", "the fix is wrong")


@both
def test_a_rollout_goes_back_once_registries_have_what_repos_had(
    browser: Browser, site: Site, scripts: bool
) -> None:
    before = site.rollout().plan.targets[0].edits[0].before
    with visiting(browser, site.address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.goto(site.paths["rollout"])
        page.get_by_role("link", name="Roll back").click()
        expect(page.get_by_role("main")).to_contain_text("1 digest can still be pulled")
        page.get_by_label("Why").fill("it leaks memory")
        page.get_by_role("button", name="Roll back it").click()

        said(page, "It goes back")
    assert [asked.partition(":")[2] for asked in site.registry.asked] == [str(before)]
    event = site.rollout().events[-1]
    assert (event.verb, event.by, event.reason) == (Verb.ROLLBACK, "operator", "it leaks memory")


@both
def test_what_cannot_be_pulled_is_shown_before_a_rollout_goes_back_all_the_same(
    browser: Browser, site: Site, scripts: bool
) -> None:
    before = site.rollout().plan.targets[0].edits[0].before
    site.registry.lost.add(before)
    with visiting(browser, site.address, scripts=scripts, size=PHONE) as page:
        sign_in(page, "operator")
        page.goto(f"{site.paths['rollout']}/rollback")
        page.get_by_label("Why").fill('it "leaks" & <b>more</b>')
        page.get_by_role("button", name="Roll back it").click()

        said(page, "Nothing was done")
        lost = page.get_by_role("region", name="What is not known to be there")
        expect(lost).to_contain_text("1 of 1 digest")
        expect(lost).to_contain_text(f"docker.io/library/python:3.12-slim@{before}")
        expect(lost).to_contain_text("and 2 more")
        expect(lost).to_contain_text("(not-found)")
        # What looks for barriers is a script itself.
        assert not scripts or barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert site.rollout().standing.state is State.RUNNING
        expect(page.get_by_label("Why")).to_have_value('it "leaks" & <b>more</b>')
        asked = len(site.registry.asked)
        page.get_by_label("Go back all the same").check()
        page.get_by_role("button", name="Roll back it").click()

        said(page, "It goes back")
    assert len(site.registry.asked) == asked
    rollout = site.rollout("rollout")
    assert rollout.standing.state is State.ROLLING_BACK
    kept = 'it "leaks" & <b>more</b> (not asked: whether the digests can be pulled)'
    assert rollout.events[-1].reason == kept


@both
def test_a_plan_is_started_once_it_was_read(browser: Browser, site: Site, scripts: bool) -> None:
    with visiting(browser, site.address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.goto(site.paths["rollout-planned"])
        expect(page.get_by_role("heading", name="The plan")).to_be_visible()
        page.get_by_role("link", name="Start").click()
        page.get_by_role("button", name="Start it").click()

        said(page, "It is started")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert site.rollout("rollout-planned").standing.state is State.RUNNING


@both
def test_one_repo_is_found_by_the_check_that_fails_and_left_out(
    browser: Browser, site: Site, scripts: bool
) -> None:
    with visiting(browser, site.address, scripts=scripts) as page:
        sign_in(page, "operator")
        page.goto(site.paths["rollout"])
        page.get_by_role("link", name="1 repo", exact=True).click()
        expect(page).to_have_url(re.compile(r"[?&]q=unit-tests"))
        expect(page.locator("#found tbody tr")).to_have_count(1)
        repo = page.locator("#found tbody th").inner_text().split()[0]
        page.get_by_role("button", name=f"Skip {repo}").click()

        said(page, "left out")
        expect(page).to_have_url(re.compile(r"[?&]q=unit-tests"))
    assert repo in site.rollout().standing.skipped


def test_what_is_under_way_refreshes_itself_but_not_under_the_hands_of_who_writes(
    browser: Browser, site: Site
) -> None:
    with visiting(browser, site.address) as page:
        sign_in(page, "operator")
        page.clock.install(time=NOW)
        page.goto(site.paths["rollout"])
        page.get_by_label("Why").fill("I am writ")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(20_000)
        assert [url for url in asked if "/rollouts" in url] == []

        page.get_by_label("Why").fill("")
        page.get_by_role("heading", level=1).click()
        rollout = site.rollout()
        tell(site.database, rollout.id, Told(Verb.PAUSE, "bob", "lunch"), NOW)
        with page.expect_response(lambda answer: "/rollouts/" in answer.url):
            page.clock.run_for(5_100)

        expect(page.locator("#live")).to_contain_text("lunch (by bob)")
        expect(page.locator("#told")).to_contain_text("paused")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_what_a_repo_came_to_is_seen_within_seconds(browser: Browser, site: Site) -> None:
    with visiting(browser, site.address, token=TOKENS["reader"]) as page:
        page.clock.install(time=NOW)
        page.goto(site.paths["rollout"])
        expect(page.get_by_role("heading", level=2).first).to_contain_text("12 of 27 merged")
        rollout = site.rollout()
        with site.database.begin() as connection:
            one = next(
                target
                for target in rollouts.targets(connection, rollout.id)
                if target.state is TargetState.APPROVED
            )
            merged = Target(one.repo, one.wave, TargetState.MERGED, ended_at=NOW)
            rollouts.note_targets(connection, rollout.id, [merged])
        with page.expect_response(lambda answer: "/rollouts/" in answer.url):
            page.clock.run_for(5_100)

        expect(page.get_by_role("heading", level=2).first).to_contain_text("13 of 27 merged")


def test_what_is_over_asks_for_nothing_any_more(browser: Browser, site: Site) -> None:
    with visiting(browser, site.address, token=TOKENS["reader"]) as page:
        page.clock.install(time=NOW)
        page.goto(site.paths["rollout-closed"])
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(70_000)

        assert [url for url in asked if "/rollouts" in url] == []


@pytest.mark.parametrize("who", ["reader", "operator"])
def test_no_page_about_rollouts_keeps_anybody_out(browser: Browser, site: Site, who: str) -> None:
    found = {}
    with visiting(browser, site.address, token=TOKENS[who]) as page:
        for name, path in site.paths.items():
            page.emulate_media(color_scheme="light")
            page.goto(path)
            in_light = barriers(page)
            page.emulate_media(color_scheme="dark")
            found[name] = in_light + barriers(page, "color-contrast")

    assert {name: told for name, told in found.items() if told} == {}


@both
def test_every_page_about_rollouts_fits_a_phone(
    browser: Browser, site: Site, scripts: bool
) -> None:
    wide = {}
    with visiting(
        browser, site.address, size=PHONE, scripts=scripts, token=TOKENS["operator"]
    ) as page:
        for name, path in site.paths.items():
            page.goto(path)
            wide[name] = page.evaluate("document.documentElement.scrollWidth")

    assert {name: width for name, width in wide.items() if width > PHONE["width"]} == {}


@both
def test_what_repos_and_checks_are_called_is_shown_and_never_obeyed(
    browser: Browser, site: Site, scripts: bool
) -> None:
    with visiting(browser, site.address, scripts=scripts, token=TOKENS["operator"]) as page:
        for name in ("rollout", "rollout-halted"):
            page.goto(site.paths[name])

            expect(page.get_by_role("main")).to_contain_text("<script>alert(1)</script>")
            assert page.locator("main script, main img[onerror]").count() == 0


def test_a_reader_is_offered_nothing_to_do(browser: Browser, site: Site) -> None:
    with visiting(browser, site.address) as page:
        sign_in(page, "reader")
        for path in site.paths.values():
            page.goto(path)
            assert page.locator("form[method=post]").count() == 1  # the one to sign out
